"use strict";
// The canvas: what is drawn is prepared as the images of MNIST were, and classified.

// Image with the ink as MNIST has it: scaled by area averaging so that the longer side of its box
// is `size.inner` pixels, 20 of 28, and moved by whole pixels so that its center of mass is at
// (14, 14). The steps and roundings are those of `predict` on a photo, whose ink is found first.
// `ink` are values from 0 to 255 of an image of this width and height. `null` without ink.
function prepared(ink, width, height, size) {
  const box = boxOf(ink, width, height);
  if (!box) return null;
  const longest = Math.max(box.width, box.height);
  const scaled = (side) =>
    Math.max(1, Math.floor((2 * side * size.inner + longest) / (2 * longest)));
  const inner = { width: scaled(box.width), height: scaled(box.height) };
  const small = averaged(ink, width, box, inner);
  const center = centerOfMass(small, inner.width);
  const left = offset(size.width, inner.width, center.x);
  const top = offset(size.height, inner.height, center.y);
  const pixels = new Uint8Array(size.width * size.height);
  for (let y = 0; y < inner.height; y++) {
    const row = small.subarray(y * inner.width, (y + 1) * inner.width);
    pixels.set(row, (top + y) * size.width + left);
  }
  return pixels;
}

// First coordinate, so that the center of mass is in the middle and nothing is outside.
function offset(length, inner, center) {
  const offset = Math.floor(length / 2 - center + 0.5);
  return Math.min(Math.max(offset, 0), length - inner);
}

// Smallest box around all ink.
function boxOf(ink, width, height) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] > 0) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
    }
  }
  if (right < 0) return null;
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

// The part of the image in the box, scaled: each pixel is the mean over the area that it covers,
// and halves are rounded up.
function averaged(ink, width, box, inner) {
  const rows = spans(box.height, inner.height);
  const columns = spans(box.width, inner.width);
  const small = new Uint8Array(inner.width * inner.height);
  for (let y = 0; y < inner.height; y++) {
    for (let x = 0; x < inner.width; x++) {
      let sum = 0;
      for (const row of rows[y]) {
        let rowSum = 0;
        for (const column of columns[x]) {
          rowSum += ink[(box.top + row.at) * width + box.left + column.at] * column.share;
        }
        sum += row.share * rowSum;
      }
      small[y * inner.width + x] = Math.floor(sum + 0.5);
    }
  }
  return small;
}

// Pixels that each of `to` pixels covers of `from`, with their shares, together 1.
function spans(from, to) {
  const scale = from / to;
  const all = [];
  for (let position = 0; position < to; position++) {
    const start = position * scale;
    const end = start + scale;
    const first = Math.min(Math.floor(start), from - 1);
    const after = Math.min(Math.max(Math.ceil(end), first + 1), from);
    const span = [];
    for (let at = first; at < after; at++) {
      const overlap = Math.min(end, at + 1) - Math.max(start, at);
      span.push({ at, share: Math.max(overlap, 0) / scale });
    }
    all.push(span);
  }
  return all;
}

// Center of mass, where the first pixel has the coordinate 0.
function centerOfMass(values, width) {
  let [mass, x, y] = [0, 0, 0];
  values.forEach((value, i) => {
    mass += value;
    x += value * (i % width);
    y += value * Math.floor(i / width);
  });
  return { x: x / mass, y: y / mass };
}

function startCanvas(program) {
  const paper = document.getElementById("paper");
  const seen = document.getElementById("seen");
  const answer = document.getElementById("answer");
  const bars = document.getElementById("bars");
  const pen = paper.getContext("2d", { willReadFrequently: true });
  const size = program;
  let last = null;

  function clear() {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, paper.width, paper.height);
    seen.getContext("2d").clearRect(0, 0, seen.width, seen.height);
    answer.textContent = `Draw ${program.noun} in the black square.`;
    bars.replaceChildren();
    delete seen.dataset.pixels;
    delete bars.dataset.probabilities;
  }

  function place(event) {
    const box = paper.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) * paper.width / box.width,
      y: (event.clientY - box.top) * paper.height / box.height,
    };
  }

  function stroke(event) {
    const to = place(event);
    const from = last || to;
    pen.strokeStyle = "#fff";
    pen.lineCap = "round";
    pen.lineJoin = "round";
    pen.lineWidth = paper.width / 13;
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x, to.y + 0.01);
    pen.stroke();
    last = to;
    read();
  }

  // Shows what the model sees, and its answer.
  function read() {
    const image = pen.getImageData(0, 0, paper.width, paper.height);
    const ink = new Float64Array(paper.width * paper.height);
    for (let i = 0; i < ink.length; i++) ink[i] = image.data[4 * i];
    const pixels = prepared(ink, paper.width, paper.height, size);
    if (pixels) show(pixels, classify(program, pixels));
  }

  function show(pixels, probabilities) {
    const context = seen.getContext("2d");
    const picture = context.createImageData(size.width, size.height);
    pixels.forEach((value, i) => picture.data.set([value, value, value, 255], 4 * i));
    context.putImageData(picture, 0, 0);
    const order = probabilities.map((value, label) => ({ value, label }));
    order.sort((a, b) => b.value - a.value);
    const [first, second] = order;
    answer.textContent = `Predicted: ${program.classes[first.label]} ` +
      `(${percent(first.value)}), then ${program.classes[second.label]} ` +
      `(${percent(second.value)}).`;
    bars.replaceChildren(...probabilities.map((value, label) => bar(label, value, first.label))
      .filter((_, label) => order.findIndex((each) => each.label === label) < 10));
    seen.dataset.pixels = JSON.stringify(Array.from(pixels));
    bars.dataset.probabilities = JSON.stringify(probabilities);
  }

  function bar(label, value, best) {
    const row = document.createElement("div");
    row.className = label === best ? "bar best" : "bar";
    const name = document.createElement("span");
    name.textContent = program.classes[label];
    const track = document.createElement("span");
    track.className = "track";
    const fill = document.createElement("span");
    fill.style.width = `${Math.max(0, Math.min(100, 100 * value))}%`;
    track.append(fill);
    const number = document.createElement("span");
    number.textContent = percent(value);
    row.append(name, track, number);
    return row;
  }

  const percent = (value) =>
    value > 0 && value < 0.0005 ? "< 0.1 %" : `${(100 * value).toFixed(1)} %`;

  paper.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    paper.setPointerCapture(event.pointerId);
    last = null;
    stroke(event);
  });
  paper.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) stroke(event);
  });
  paper.addEventListener("pointerup", () => { last = null; });
  document.getElementById("clear").addEventListener("click", clear);
  clear();
}

const programInPage = loaded(JSON.parse(document.getElementById("program").textContent));
startCanvas(programInPage);
