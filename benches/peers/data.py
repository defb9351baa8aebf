"""Training data of the peers: MNIST from the repository's data folder, and
synthetic data for the jobs that only time a step.

    data.py JOB FILE.npz

writes the data of a job that is timed by the step to a file for tallynet.
"""

import gzip
import pathlib
import sys

import numpy as np

import jobs

MNIST = pathlib.Path(__file__).resolve().parents[2] / "data"

# Bytes of the IDX header: a magic number, then one length per dimension, four
# bytes each.
IMAGES_HEADER = 16
LABELS_HEADER = 8

PIXELS = 28 * 28


def mnist():
    """Returns x, y, x_test, y_test.

    Images are float32 in [0, 1] of shape (rows, 28, 28), labels int32.
    """
    return *_digits("train", 60_000), *_digits("t10k", 10_000)


def rows_of(job: str):
    """Returns x and y of a job that is timed by the step. No more rows than it
    needs: they count in the peak memory."""
    rows = jobs.STEPS[job].rows
    random = np.random.default_rng(0)
    if job == "dense-514":
        return (
            random.standard_normal((rows, 514), np.float32),
            random.standard_normal((rows, 257), np.float32),
        )
    if job == "dense-64":
        x = random.standard_normal((rows, 20), np.float32)
        return x, np.tanh(x[:, :1] * x[:, 1:2]) + x[:, 2:3]
    if job == "small-vgg":
        return (
            random.random((rows, 32, 32, 3), np.float32),
            random.integers(0, 10, rows, np.int32),
        )
    if job == "conv-224":
        # Three unpadded 3x3 convolutions leave 218 positions of 224.
        return (
            random.random((rows, 224, 224, 3), np.float32),
            random.integers(0, 10, (rows, 218, 218), np.int32),
        )
    return _digits("train", rows)


def _digits(part: str, rows: int):
    images = _bytes(f"{part}-images-idx3-ubyte.gz", IMAGES_HEADER, rows * PIXELS)
    labels = _bytes(f"{part}-labels-idx1-ubyte.gz", LABELS_HEADER, rows)
    return (
        images.reshape(rows, 28, 28).astype(np.float32) / 255,
        labels.astype(np.int32),
    )


def _bytes(name: str, header: int, count: int):
    with gzip.open(MNIST / name) as file:
        return np.frombuffer(file.read(header + count), np.uint8, offset=header)


if __name__ == "__main__":
    job, path = sys.argv[1:]
    x, y = rows_of(job)
    # The file must have a test set; the time of an epoch does not include it.
    n_test = jobs.STEPS[job].batch_size
    np.savez(path, x_train=x, y_train=y, x_test=x[:n_test], y_test=y[:n_test])
