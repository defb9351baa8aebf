"""Compares tallynet's predictions for stored model files with those of the Keras that wrote them.

A reference lies beside its files in one of three forms:

    NAME.ref.npz            arrays x and y, for NAME.keras and NAME.h5
    PREFIX-reference.json   predictions by name, or objects that hold them under `predict`, for
                            PREFIX-NAME.keras and so on; inputs are PREFIX-x.npy or x.npy. A prefix
                            such as k122b is a second recording for the files of k122, and wins
    NAME-x.npy, NAME-y.npy  for each file whose name starts with NAME

Predictions may be those of the first samples only, one after the other.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

import h5py
import numpy as np

TOLERANCE = 1e-5

# Files that cannot agree as they are, by their names, each with the reason.
ON_THEANO = "Keras 1 on Theano wrote it, which it does not say: its kernels are read as TensorFlow's"
EXCEPTIONS = {
    "k122-hard.h5": ON_THEANO,
    "k122-pad-default.h5": ON_THEANO,
    "k122-pad2.h5": ON_THEANO,
    "k122-plain.h5": ON_THEANO,
    "k122-stride.h5": ON_THEANO,
}
# Nor do these agree once they say that they are Theano's.
PADDED_OTHERWISE = {"k122-stride.h5"}


class Case:
    """A model file, with inputs and the predictions that Keras made of them."""

    def __init__(self, path, inputs, outputs):
        self.path, self.inputs, self.outputs = path, inputs, np.ravel(outputs)


def model_files(stem):
    """Files of whole models with this name, without an extension."""
    return [stem + ending for ending in (".keras", ".h5") if os.path.isfile(stem + ending)]


def archived(path):
    """Cases of a file `NAME.ref.npz`."""
    stored = np.load(path)
    stem = path.removesuffix(".ref.npz")
    return [Case(file, stored["x"], stored["y"]) for file in model_files(stem)]


def listed(path):
    """Cases of a file `PREFIX-reference.json`."""
    folder, name = os.path.split(path)
    prefix = name.removesuffix("reference.json")
    # The last one that exists is meant.
    prefixes = ["", re.sub(r"(\d)[a-z]-$", r"\1-", prefix), prefix]
    inputs = [os.path.join(folder, start + "x.npy") for start in prefixes]
    inputs = [file for file in inputs if os.path.isfile(file)]
    cases = []
    with open(path) as file:
        references = json.load(file)
    for name, outputs in references.items():
        if isinstance(outputs, dict):
            outputs = outputs.get("predict")
        if outputs is None or not inputs:
            continue
        for start in sorted(set(prefixes)):
            for file in model_files(os.path.join(folder, start + name)):
                cases.append(Case(file, np.load(inputs[-1]), outputs))
    return cases


def paired(path):
    """Cases of a file `NAME-x.npy` with its `NAME-y.npy`."""
    start = path.removesuffix("-x.npy")
    outputs = start + "-y.npy"
    if not os.path.isfile(outputs):
        return []
    files = glob.glob(glob.escape(start) + "*.keras") + glob.glob(glob.escape(start) + "*.h5")
    return [Case(file, np.load(path), np.load(outputs)) for file in sorted(files)]


def cases(folder):
    """The cases of a folder and those within it, one a file."""
    found = {}
    for ending, read in (
        ("*.ref.npz", archived), ("*reference.json", listed), ("*-x.npy", paired),
    ):
        paths = glob.glob(os.path.join(folder, "**", ending), recursive=True)
        # In this order k122b-reference.json follows k122-reference.json.
        for path in sorted(paths):
            found.update({case.path: case for case in read(path)})
    return [found[path] for path in sorted(found)]


def predict(tallynet, case):
    """Predictions of tallynet, or the first line of its error."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = os.path.join(folder, "x.npy"), os.path.join(folder, "y.npy")
        np.save(inputs, case.inputs)
        command = [tallynet, "predict", case.path, inputs, "-o", outputs]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode < 0 or "panicked" in done.stderr:
            raise AssertionError(f"{case.path}: tallynet crashed\n{done.stderr}")
        if done.returncode != 0:
            return done.stderr.strip().splitlines()[0]
        if done.stderr.count("theano"):
            assert os.path.basename(case.path) in EXCEPTIONS, f"{case.path}: {done.stderr}"
        return np.ravel(np.load(outputs))


def predict_as_theano(tallynet, case):
    """Predictions for the file after the remedy that the warning names: it says Theano."""
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "model.h5")
        shutil.copy(case.path, copy)
        with h5py.File(copy, "r+") as file:
            file.attrs["backend"] = "theano"
        return predict(tallynet, Case(copy, case.inputs, case.outputs))


def compare_folder(tallynet, folder, strict):
    """Prints a line for each file; returns the number of files that failed, those that are not read
    among them if `strict`."""
    read = differing = unread = 0
    for case in cases(folder):
        name = os.path.relpath(case.path, folder)
        file = os.path.basename(case.path)
        if file in EXCEPTIONS:
            print(f"{name:<60} {EXCEPTIONS[file]}")
            if file in PADDED_OTHERWISE:
                continue
            name = f"{name}, said to be Theano's"
            found = predict_as_theano(tallynet, case)
        else:
            found = predict(tallynet, case)
        if isinstance(found, str):
            unread += 1
            reason = found.removeprefix("error: ").removeprefix(f"{case.path}: ")
            print(f"{name:<60} not read: {reason}")
            continue
        read += 1
        wanted = np.asarray(case.outputs, "f8")
        difference = np.inf
        if len(found) >= len(wanted):
            difference = np.max(np.abs(found[:len(wanted)] - wanted))
        # A comparison with NaN is false.
        agrees = difference <= TOLERANCE
        differing += not agrees
        print(f"{name:<60} {'agrees' if agrees else 'DIFFERS'}: {difference:.1e}")
    print(f"{read} files are read, {differing} of them differ; {unread} are not read")
    if read + unread == 0:
        print("there is no file with a reference")
        return 1
    return differing + (unread if strict else 0)
