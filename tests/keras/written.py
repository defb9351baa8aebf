#!/usr/bin/env python3
"""Opens in Keras what tallynet writes. Every model file of the fixtures, of all generations of
Keras, is converted to .keras, opened with load_model, and compared: the predictions, and whether
the model is compiled. So is a file with the record of a training.

    KERAS_BACKEND=jax python tests/keras/written.py --tallynet target/release/tallynet
"""
import argparse
import fnmatch
import glob
import json
import os
import subprocess
import sys
import tempfile
import zipfile

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FIXTURES = ["tests/fixtures", "tests/keras"]

# Files that hold no model that can be read, by their names, each with the reason.
REFUSED = {
    "lfs.*": "a pointer of Git LFS",
    "page.*": "a web page",
    "repr.json": "a dictionary as Python prints it",
    "*.weights.h5": "only arrays",
    "*.weights-only.h5": "only arrays",
    "*reference.json": "numbers of a reference",
    "golden.json": "numbers of a reference",
    "costs.json": "numbers of a reference",
    "simple_layers.json": "numbers of a reference",
    "images.json": "numbers of a reference",
    "tests/keras/fixtures/*.json": "numbers of a reference",
}


def files():
    """Files of whole models, and descriptions."""
    found = []
    for folder in FIXTURES:
        for extension in ["keras", "h5", "json", "safetensors"]:
            pattern = os.path.join(root, folder, "**", f"*.{extension}")
            found += glob.glob(pattern, recursive=True)
    return sorted(os.path.relpath(path, root) for path in found)


def run(tallynet, *arguments):
    return subprocess.run(
        [tallynet, *map(str, arguments)], cwd=root, capture_output=True, text=True)


def compiled(config):
    """The class of the optimizer in the config.json of a file that tallynet wrote, or None."""
    return ((config.get("compile_config") or {}).get("optimizer") or {}).get("class_name")


def is_refused(path):
    """True for a file that holds no model, by REFUSED."""
    names = [path, os.path.basename(path)]
    return any(fnmatch.fnmatch(name, pattern) for name in names for pattern in REFUSED)


def compare(tallynet, path, folder):
    """Converts a file and compares; False if it is refused as it should be."""
    out = os.path.join(folder, "out.keras")
    done = run(tallynet, "convert", path, out)
    if is_refused(path):
        assert done.returncode != 0, "it was read, and should be refused"
        return False
    assert done.returncode == 0, done.stderr
    model = keras.models.load_model(out)
    generator = np.random.default_rng(0)
    shape = [12 if length is None else length for length in model.input_shape[1:]]
    if any(type(layer).__name__ == "Embedding" for layer in model.layers[:1]):
        x = generator.integers(0, model.layers[0].input_dim, (5, *shape)).astype("f4")
    else:
        x = generator.normal(size=(5, *shape)).astype("f4")
    np.save(os.path.join(folder, "x.npy"), x)
    predicted = os.path.join(folder, "y.npy")
    # The file that was converted, unless its weights are drawn anew each time.
    for source in [path, out] if "drawn" not in done.stderr else [out]:
        again = run(tallynet, "predict", source, os.path.join(folder, "x.npy"), "-o", predicted)
        assert again.returncode == 0, again.stderr
        wanted = np.asarray(model.predict(x, verbose=0), "f8")
        difference = np.max(np.abs(np.load(predicted) - wanted))
        limit = 1e-6 * max(1.0, np.max(np.abs(wanted)))
        assert difference <= limit, f"predictions of {source} differ by {difference:.3g}"
    archive = run(tallynet, "convert", path, os.path.join(folder, "out.json"))
    assert archive.returncode == 0, archive.stderr
    with open(os.path.join(folder, "out.json")) as file:
        optimizer = compiled(json.load(file))
    found = type(model.optimizer).__name__ if model.compiled else None
    assert found == optimizer, f"Keras compiled it with {found}, and tallynet wrote {optimizer}"
    return True


def trained(tallynet, folder):
    """A file with the record of its training."""
    path = os.path.join(folder, "trained.keras")
    done = run(tallynet, "train", "mnist-softmax", "--epochs", 1, "--quiet", "--save", path)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(path) as archive:
        record = json.loads(archive.read("metadata.json"))["tallynet"]["record"]
    assert record[0]["series"][0]["name"] == "loss", record
    return path


def main():
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(root, "target"))
    arguments.add_argument("--tallynet", default=os.path.join(target, "release", "tallynet"))
    arguments.add_argument("--least", type=int, default=195, help="number of files that are read")
    given = arguments.parse_args()
    tallynet = os.path.abspath(given.tallynet)
    failed, read, refused = 0, 0, 0
    for path in files():
        keras.utils.clear_session()
        with tempfile.TemporaryDirectory() as folder:
            try:
                if compare(tallynet, path, folder):
                    read += 1
                else:
                    refused += 1
            except Exception as error:
                failed += 1
                print(f"{path}: FAILED: {error}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        compare(tallynet, trained(tallynet, folder), folder)
    print(f"{read} files read, {refused} refused as they should be, {failed} failed")
    sys.exit(failed > 0 or read < given.least)


main()
