"use strict";
// The model of this page in plain JavaScript: the functions of its layers, from the input to the
// output. Each takes the values `x` and the arguments of its call, and returns new values. Images
// are in row-major order with the channels last, as everywhere in tallynet.

const functions = {
  dense(x, { inputs, units, kernel, bias }) {
    const y = new Float64Array(x.length / inputs * units);
    for (let row = 0; row * inputs < x.length; row++) {
      for (let unit = 0; unit < units; unit++) {
        let sum = 0;
        for (let i = 0; i < inputs; i++) sum += x[row * inputs + i] * kernel[i * units + unit];
        y[row * units + unit] = sum + (bias ? bias[unit] : 0);
      }
    }
    return y;
  },

  convolution(x, { rows, columns, channels, filters, kernel, bias }) {
    const y = new Float64Array(rows.output * columns.output * filters);
    const sums = new Float64Array(filters);
    eachWindow(rows, columns, (output, pixels) => {
      for (let f = 0; f < filters; f++) sums[f] = bias ? bias[f] : 0;
      for (const { pixel, position } of pixels) {
        for (let channel = 0; channel < channels; channel++) {
          const value = x[pixel * channels + channel];
          const weights = (position * channels + channel) * filters;
          for (let f = 0; f < filters; f++) sums[f] += value * kernel[weights + f];
        }
      }
      y.set(sums, output * filters);
    });
    return y;
  },

  maxPool(x, { rows, columns, channels }) {
    return pooled(x, rows, columns, channels, (values) => Math.max(...values));
  },

  averagePool(x, { rows, columns, channels }) {
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return pooled(x, rows, columns, channels, mean);
  },

  affine(x, { factor, shift }) {
    return x.map((value, i) => value * factor[i % factor.length] + shift[i % shift.length]);
  },

  layerNormalization(x, { width, gamma, beta, epsilon }) {
    return vectors(x, width, (vector) => {
      const mean = vector.reduce((sum, value) => sum + value, 0) / width;
      const variance = vector.reduce((sum, v) => sum + (v - mean) * (v - mean), 0) / width;
      const scale = 1 / Math.sqrt(variance + epsilon);
      return vector.map((value, i) =>
        (value - mean) * scale * (gamma ? gamma[i] : 1) + (beta ? beta[i] : 0));
    });
  },

  activation(x, { kind, width }) {
    if (kind === "softmax") return vectors(x, width, softmax);
    return x.map(activations[kind]);
  },

  rectify(x, { max, slope, threshold }) {
    const most = max === null ? Infinity : max;
    return x.map((v) => (v > threshold ? Math.min(v, most) : slope * (v - threshold)));
  },

  exponentialUnit(x, { alpha }) {
    return x.map((v) => (v > 0 ? v : alpha * Math.expm1(v)));
  },

  zeroPadding(x, { dims: [height, width, channels], padding: [[top, bottom], [left, right]] }) {
    const wide = width + left + right;
    const y = new Float64Array((height + top + bottom) * wide * channels);
    for (let row = 0; row < height; row++) {
      const values = x.subarray(row * width * channels, (row + 1) * width * channels);
      y.set(values, ((row + top) * wide + left) * channels);
    }
    return y;
  },

  nearest(x, { dims: [height, width, channels], size: [tall, wide] }) {
    const y = new Float64Array(x.length * tall * wide);
    for (let row = 0; row < height * tall; row++) {
      for (let column = 0; column < width * wide; column++) {
        const pixel = Math.floor(row / tall) * width + Math.floor(column / wide);
        const values = x.subarray(pixel * channels, (pixel + 1) * channels);
        y.set(values, (row * width * wide + column) * channels);
      }
    }
    return y;
  },
};

const activations = {
  relu: (v) => (v < 0 ? 0 : v),
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  tanh: Math.tanh,
  elu: (v) => (v > 0 ? v : Math.expm1(v)),
  selu: (v) => 1.05070098735548 * (v > 0 ? v : 1.67326324235437 * Math.expm1(v)),
  gelu: (v) => 0.5 * v * (1 + erf(v / Math.SQRT2)),
  silu: (v) => v / (1 + Math.exp(-v)),
  softplus: (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))),
  softsign: (v) => v / (1 + Math.abs(v)),
  leaky_relu: (v) => (v < 0 ? 0.2 * v : v),
  hard_sigmoid: (v) => Math.min(Math.max(v / 6 + 0.5, 0), 1),
  exponential: Math.exp,
};

function softmax(vector) {
  const largest = vector.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = vector.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

// Error function by its Taylor series, and 1 where that would lose digits.
function erf(x) {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 && n < 200; n++) {
    term *= -x * x / n;
    sum += term / (2 * n + 1);
  }
  return sum * 2 / Math.sqrt(Math.PI);
}

function vectors(x, width, change) {
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    y.set(change(x.subarray(start, start + width)), start);
  }
  return y;
}

// Places of a window along an axis that are inside the image.
function inside(axis, window) {
  const places = [];
  for (let place = 0; place < axis.kernel; place++) {
    const at = window * axis.stride + place * axis.dilation - axis.before;
    if (at >= 0 && at < axis.input) places.push({ at, place });
  }
  return places;
}

// Calls `use` with the number of each window and its pixels inside the image.
function eachWindow(rows, columns, use) {
  const across = [];
  for (let column = 0; column < columns.output; column++) across.push(inside(columns, column));
  for (let row = 0; row < rows.output; row++) {
    const down = inside(rows, row);
    for (let column = 0; column < columns.output; column++) {
      const pixels = [];
      for (const y of down) {
        for (const x of across[column]) {
          const pixel = y.at * columns.input + x.at;
          pixels.push({ pixel, position: y.place * columns.kernel + x.place });
        }
      }
      use(row * columns.output + column, pixels);
    }
  }
}

function pooled(x, rows, columns, channels, reduce) {
  const y = new Float64Array(rows.output * columns.output * channels);
  eachWindow(rows, columns, (output, pixels) => {
    for (let channel = 0; channel < channels; channel++) {
      const values = pixels.map(({ pixel }) => x[pixel * channels + channel]);
      y[output * channels + channel] = reduce(values);
    }
  });
  return y;
}

// Replaces the places of weights in the calls by the weights.
function loaded(program) {
  const text = atob(program.weights);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const weights = new Float32Array(bytes.buffer);
  for (const call of program.calls) {
    for (const name of ["kernel", "bias", "factor", "shift", "gamma", "beta"]) {
      if (call[name]) {
        const [start, length] = call[name];
        call[name] = weights.subarray(start, start + length);
      }
    }
  }
  return program;
}

// Probability of each class for pixels from 0 to 255.
function classify(program, pixels) {
  let values = Float64Array.from(pixels, (pixel) => Math.fround(pixel * program.scale));
  for (const call of program.calls) values = functions[call.function](values, call);
  // A single output is the probability of the second class.
  return values.length === 1 ? [1 - values[0], values[0]] : Array.from(values);
}
