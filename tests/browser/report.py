#!/usr/bin/env python3
"""Opens reports of trained models in Chromium, from disk, as a reader does: nothing is fetched, no
error is logged, an explanation opens, a drawn seven is read, and the numbers of the page are those
of `tallynet predict`. Pictures of the page are left in target/browser.

    python3 tests/browser/report.py --tallynet target/release/tallynet
"""
import argparse
import ast
import json
import os
import random
import struct
import subprocess
import tempfile

from chromium import Page

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TOLERANCE = 1e-5

# Layers and options of models of images, each in one small model.
MODELS = {
    "strides": [
        ["Conv2D", {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}],
        ["BatchNormalization", {}], ["ReLU", {"max_value": 6.0, "negative_slope": 0.1}],
        ["Conv2D", {"filters": 5, "kernel_size": [3, 2], "dilation_rate": 2, "use_bias": False,
                    "activation": "gelu"}],
        ["AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}],
        ["LayerNormalization", {}], ["Flatten", {}], ["Dropout", {"rate": 0.5}],
        ["Dense", {"units": 10, "activation": "softmax"}]],
    "shapes": [
        ["Rescaling", {"scale": 0.5, "offset": -0.1}],
        ["ZeroPadding2D", {"padding": [[1, 2], [0, 3]]}],
        ["MaxPooling2D", {"pool_size": [3, 2]}], ["UpSampling2D", {"size": [1, 2]}],
        ["Conv2D", {"filters": 3, "kernel_size": 2, "activation": "tanh"}],
        ["ELU", {"alpha": 0.7}], ["LeakyReLU", {"negative_slope": 0.2}],
        ["GlobalAveragePooling2D", {}], ["Dense", {"units": 10, "activation": "selu"}],
        ["Softmax", {}]],
    "vectors": [
        ["Reshape", {"target_shape": [784]}], ["Dense", {"units": 9, "activation": "silu"}],
        ["Dense", {"units": 8, "activation": "softplus"}],
        ["Dense", {"units": 7, "activation": "hard_sigmoid"}],
        ["Dense", {"units": 10}], ["Activation", {"activation": "softmax"}]],
}


def description(layers):
    """A model in JSON, compiled."""
    layers = [{"class_name": name, "config": config} for name, config in layers]
    first = {"class_name": "Input", "config": {"shape": [28, 28, 1]}}
    return {"class_name": "Sequential", "config": {"layers": [first] + layers},
            "compile_config": {"optimizer": "adam", "loss": "sparse_categorical_crossentropy",
                               "metrics": ["accuracy"]}}


def write_npy(path, pixels):
    """One sample of 28 by 28 bytes."""
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 28, 28), }"
    header += " " * (117 - len(header)) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(bytes(pixels))


def read_npy(path):
    """Numbers of an array of floats."""
    with open(path, "rb") as file:
        content = file.read()
    end = 10 + struct.unpack("<H", content[8:10])[0]
    kind = ast.literal_eval(content[10:end].decode())["descr"]
    size = int(kind[2])
    letter = {"4": "f", "8": "d"}[kind[2]]
    return struct.unpack(f"<{(len(content) - end) // size}{letter}", content[end:])


class Test:
    def __init__(self, tallynet, data, folder, pictures, page):
        self.tallynet, self.data, self.folder = tallynet, data, folder
        self.pictures, self.page = pictures, page

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments):
        done = subprocess.run([self.tallynet, *map(str, arguments)], capture_output=True,
                              text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def predicted(self, model, pixels):
        """Outputs of the program for the same pixels."""
        write_npy(self.path("x.npy"), pixels)
        self.run("predict", model, self.path("x.npy"), "-o", self.path("y.npy"))
        return read_npy(self.path("y.npy"))

    def opens(self, path):
        """Opens a page, which fetches only itself and logs no error."""
        self.page.open(path)
        self.check_quiet()
        assert os.path.getsize(path) < 5e6, f"{path} has {os.path.getsize(path)} bytes"

    def check_quiet(self):
        fetched = [url for url in self.page.fetched if not url.startswith("data:")]
        assert len(fetched) == 1 and fetched[0].startswith("file://"), fetched
        assert self.page.complaints == [], self.page.complaints

    def softmax(self):
        """The report of mnist-softmax, as a reader uses it."""
        model, report = self.path("softmax.keras"), self.path("softmax.html")
        self.run("train", "mnist-softmax", "--epochs", 1, "--data", self.data, "--save", model,
                 "--quiet", "--report", report)
        self.page.look()
        self.opens(report)
        self.explanation()
        self.canvas(model)
        self.take_pictures("softmax")
        self.check_quiet()

    def explanation(self):
        """A click on a layer shows why its count is what it is."""
        page = self.page
        dense = "details.count:nth-of-type(2)"
        text = page.run(f"document.querySelector('{dense}').innerText")
        assert "784 inputs" not in text, text
        page.click(f"{dense} > summary")
        text = page.run(f"document.querySelector('{dense}').innerText")
        assert "784 inputs × 10 units + 10 biases = 7,850" in text, text
        assert "they agree" in text, text
        page.click(f"{dense} > summary")
        assert not page.run(f"document.querySelector('{dense}').open")

    def canvas(self, model):
        """A seven is drawn, read as one, and cleared away."""
        page = self.page
        page.draw("#paper", [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)])
        answer = page.run("document.getElementById('answer').textContent")
        assert answer.startswith("Predicted: 7 "), answer
        pixels = json.loads(page.run("document.getElementById('seen').dataset.pixels"))
        shown = json.loads(page.run("document.getElementById('bars').dataset.probabilities"))
        self.check_prepared(pixels)
        self.check_equal(shown, self.predicted(model, pixels), "a drawn seven")
        print(f"canvas: {answer}")
        page.click("#clear")
        assert page.run("document.getElementById('bars').childElementCount") == 0
        page.draw("#paper", [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)])

    def check_prepared(self, pixels):
        """The ink fits into 20 by 20, and its center of mass is in the middle."""
        ink = [(i % 28, i // 28, value) for i, value in enumerate(pixels) if value > 0]
        for axis in (0, 1):
            places = [each[axis] for each in ink]
            length = max(places) - min(places) + 1
            assert length <= 20, f"the ink is {length} pixels long"
            mass = sum(value for *_, value in ink)
            center = sum(each[axis] * each[2] for each in ink) / mass
            assert abs(center - 14) <= 0.5, f"the center of mass is at {center}"

    def check_equal(self, shown, expected, what):
        assert len(shown) == len(expected), (shown, expected)
        difference = max(abs(a - b) for a, b in zip(shown, expected))
        assert difference <= TOLERANCE, f"{what}: the page differs by {difference}"
        print(f"{what}: the page's numbers differ from predict's by {difference:.1e}")

    def numbers(self, name, model, random_numbers):
        """The page computes what `predict` does, on random pixels."""
        report = self.path(f"{name}.html")
        self.run("report", model, "--data", self.data, "-o", report)
        self.opens(report)
        pixels = [random_numbers.randrange(256) for _ in range(784)]
        script = f"classify(programInPage, {json.dumps(pixels)})"
        self.check_equal(self.page.run(script), self.predicted(model, pixels), name)

    def regression(self):
        """The report of a regression, which has no canvas and no program."""
        report = self.path("regression.html")
        self.run("train", "dense-514", "--epochs", 1, "--quiet", "--report", report)
        self.opens(report)
        text = self.page.run("document.body.innerText")
        assert "Predicted against true values" in text, text
        assert not self.page.run("document.querySelectorAll('canvas, script').length")
        self.page.picture(os.path.join(self.pictures, "regression-light.png"))

    def take_pictures(self, name):
        """Pictures in each form; the narrow one does not scroll sideways."""
        page = self.page
        looks = {"light": {}, "dark": {"scheme": "dark"}, "print": {"medium": "print"},
                 "narrow": {"width": 390, "height": 844}}
        for look, options in looks.items():
            page.look(**options)
            page.picture(os.path.join(self.pictures, f"{name}-{look}.png"))
            width = page.run("document.documentElement.scrollWidth")
            assert width <= options.get("width", 1200), f"{look}: {width} pixels wide"
        page.look()
        assert page.print(os.path.join(self.pictures, f"{name}.pdf")) > 10_000


def main():
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    arguments.add_argument("--tallynet", default=os.path.join(target, "release", "tallynet"))
    arguments.add_argument("--data", default=os.path.join(ROOT, "data"))
    arguments.add_argument("--pictures", default=os.path.join(target, "browser"))
    arguments.add_argument("--chromium", help="path of the browser")
    given = arguments.parse_args()
    os.makedirs(given.pictures, exist_ok=True)
    random_numbers = random.Random(0)
    with tempfile.TemporaryDirectory() as folder, Page(given.chromium) as page:
        test = Test(os.path.abspath(given.tallynet), os.path.abspath(given.data), folder,
                    given.pictures, page)
        test.softmax()
        test.regression()
        for name, layers in MODELS.items():
            model, saved = test.path(f"{name}.json"), test.path(f"{name}.keras")
            with open(model, "w") as file:
                json.dump(description(layers), file)
            test.run("convert", model, saved)
            test.numbers(name, saved, random_numbers)
    print(f"all is well; pictures are in {os.path.relpath(given.pictures)}")


main()
