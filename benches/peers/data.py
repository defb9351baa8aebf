"""The rows that the Python peers train on: MNIST from the repository's data
folder, and made-up rows for the jobs that only time a step."""

import gzip
import pathlib

import numpy as np

MNIST = pathlib.Path(__file__).resolve().parents[2] / "data"

# The IDX format puts a header before the bytes: a magic number, then one
# length a dimension, four bytes each.
IMAGES_HEADER = 16
LABELS_HEADER = 8


def mnist():
    """Returns x, y, x_test, y_test.

    Images are float32 in [0, 1] of shape (rows, 28, 28), labels int32.
    """
    return (
        _images("train-images-idx3-ubyte.gz"),
        _labels("train-labels-idx1-ubyte.gz"),
        _images("t10k-images-idx3-ubyte.gz"),
        _labels("t10k-labels-idx1-ubyte.gz"),
    )


def regression(rows: int):
    """Returns x of shape (rows, 514) and y of shape (rows, 257)."""
    random = np.random.default_rng(0)
    return (
        random.standard_normal((rows, 514), np.float32),
        random.standard_normal((rows, 257), np.float32),
    )


def pictures(rows: int):
    """Returns x of shape (rows, 224, 224, 3) in [0, 1], and a class for every
    position that three unpadded 3x3 convolutions leave: (rows, 218, 218)."""
    random = np.random.default_rng(0)
    return (
        random.random((rows, 224, 224, 3), np.float32),
        random.integers(0, 10, (rows, 218, 218), np.int32),
    )


def _images(name: str):
    return _bytes(name, IMAGES_HEADER).reshape(-1, 28, 28).astype(np.float32) / 255


def _labels(name: str):
    return _bytes(name, LABELS_HEADER).astype(np.int32)


def _bytes(name: str, header: int):
    with gzip.open(MNIST / name) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)
