"""Records numbers of Keras for tests/images.rs: python tests/keras/images.py

Writes tests/fixtures/images.json: a small image resized to several sizes, as
image_dataset_from_directory does it (bilinear, not smoothed), and the order in which Keras lists
the classes and files of a folder. golden.py says how to install Keras.
"""
import json
import os
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from keras.src.utils import dataset_utils

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fixtures/images.json")
SIZES = [(4, 3), (9, 13), (3, 11), (14, 5), (1, 1), (2, 40), (7, 6)]
FILES = [
    "b/2.png", "b/10.png", "b/1.JPG", "a/x.jpeg", "a/z/1.png", "a/z-b/1.png", "a/Z.png", "a/b/c/d.png",
    "C/1.png", "10/1.png", "9/1.png", "ä/1.png", "b/notes.txt", ".hidden/1.png",
]


def image():
    """7 x 5 pixels of 3 channels, neither smooth nor periodic."""
    values = (np.arange(7 * 5 * 3) ** 2 * 37 + np.arange(7 * 5 * 3) * 11) % 256
    return values.reshape(7, 5, 3).astype("float32")


def resized():
    cases = []
    for size in SIZES:
        out = keras.ops.image.resize(image(), size, interpolation="bilinear", antialias=False)
        values = [round(float(value), 3) for value in np.asarray(out).ravel()]
        cases.append({"size": size, "values": values})
    return cases


def listed():
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            os.makedirs(os.path.join(folder, os.path.dirname(name)), exist_ok=True)
            open(os.path.join(folder, name), "w").close()
        paths, labels, classes = dataset_utils.index_directory(
            folder, "inferred", formats=(".bmp", ".gif", ".jpeg", ".jpg", ".png"), shuffle=False
        )
        names = [os.path.relpath(path, folder) for path in paths]
        return {"created": FILES, "classes": classes, "paths": names, "labels": labels.tolist()}


if __name__ == "__main__":
    with open(PATH, "w") as file:
        json.dump({"resized": resized(), "listed": listed()}, file, indent=None)
        file.write("\n")
