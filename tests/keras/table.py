"""Trains on a table and lets Keras run the saved model: python tests/keras/table.py

Needs keras 3.15.1 and jax (requirements.txt beside this file), and tallynet built with --release.
Keras opens the file, standardizes by its Normalization layer, and must predict the same to 1e-6.
"""
import csv
import json
import os
import random
import subprocess
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
program = os.path.join(root, "target", "release", "tallynet")

COLORS = ["blue", "green", "red"]


def flower(r):
    length, width, color = r.uniform(400, 900), r.uniform(0, 1), r.choice(COLORS)
    if length / 1000 + width <= 1.2:
        species = "moss"
    else:
        species = "ruby" if color == "red" else "iris"
    weight = length / 100 + 3 * width + COLORS.index(color)
    return {"length": f"{length:.2f}", "color": color, "width": f"{width:.4f}",
            "species": species, "weight": f"{weight:.3f}"}


def write(path, rows, columns):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def features(rows):
    """The features that tallynet makes of the rows: numbers, and one-hot vectors of the texts."""
    return np.array([
        [float(row["length"]), *(float(row["color"] == color) for color in COLORS),
         float(row["width"])] for row in rows], dtype="float32")


def tallynet(*arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def check(folder, rows, target, last, options, is_good):
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(16, activation="relu"), last])
    description, table, new, saved, outputs = (
        os.path.join(folder, name)
        for name in ("model.json", "table.csv", "new.csv", "saved.keras", "y.npy"))
    with open(description, "w") as file:
        file.write(model.to_json())
    write(table, rows, ["length", "color", "width", target])
    line = tallynet(
        "train", description, "--data", table, "--target", target, "--optimizer", "adam",
        "--learning-rate", "0.01", "--epochs", "30", "--save", saved, "--json", *options)
    scores = json.loads(line)
    assert is_good(scores), (scores["loss"], scores["metrics"])

    # New rows, with the columns in another order and without the target.
    new_rows = [flower(random.Random(seed)) for seed in range(50)]
    write(new, new_rows, ["width", "color", "length"])
    tallynet("predict", saved, new, "-o", outputs)
    ours, theirs = np.load(outputs), keras.models.load_model(saved).predict(
        features(new_rows), verbose=0)
    scale = max(1, np.abs(theirs).max())
    difference = np.abs(ours - theirs).max() / scale
    assert difference <= 1e-6, difference
    print(f"{target}: {scores['metrics']}, difference from Keras {difference:.1e}")


def main():
    r = random.Random(0)
    rows = [flower(r) for _ in range(2000)]
    with tempfile.TemporaryDirectory() as folder:
        check(folder, rows, "species", keras.layers.Dense(3, activation="softmax"),
              ["--loss", "sparse_categorical_crossentropy", "--metrics", "accuracy"],
              lambda scores: scores["metrics"]["accuracy"] > 0.95)
        check(folder, rows, "weight", keras.layers.Dense(1),
              ["--loss", "mse", "--metrics", "mae"],
              lambda scores: scores["metrics"]["mae"] < 0.2)


main()
