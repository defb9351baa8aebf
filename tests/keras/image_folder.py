"""Trains on a folder of images and lets Keras run the saved model:
python tests/keras/image_folder.py

Needs keras 3.15.1 and jax (requirements.txt beside this file), and tallynet built with --release.
Keras opens the file and must predict the same probabilities to 1e-6. The images are PNG, whose
bytes no decoder changes.
"""
import json
import os
import struct
import subprocess
import tempfile
import zlib

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
program = os.path.join(root, "target", "release", "tallynet")

CLASSES = ["across", "along", "disc"]
SIZE = 32


def image(r, label):
    """Bars across or along, or a disc, in a colour of its own on a noisy background."""
    y, x = np.mgrid[:SIZE, :SIZE]
    center = r.uniform(12, 20, 2)
    masks = [
        np.sin(y * 0.9 + r.uniform(0, 6)) > 0,
        np.sin(x * 0.9 + r.uniform(0, 6)) > 0,
        (y - center[0]) ** 2 + (x - center[1]) ** 2 < r.uniform(40, 90),
    ]
    background = r.integers(0, 100, (SIZE, SIZE, 3))
    return np.where(masks[label][..., None], r.integers(120, 256, 3), background).astype("uint8")


def write_png(path, pixels):
    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def write_folder(folder, r, n_images):
    """Folders of classes; returns the images in the order of their paths."""
    images = []
    for label, name in enumerate(CLASSES):
        os.makedirs(os.path.join(folder, name))
        for i in range(n_images):
            images.append(image(r, label))
            write_png(os.path.join(folder, name, f"{i:03}.png"), images[-1])
    return np.array(images)


def tallynet(*arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def check(folder, name, epochs, layers):
    """Trains these layers for some epochs, whose last gives the probabilities of the classes."""
    description, data, new, saved, outputs = (
        os.path.join(folder, f"{name}-{part}")
        for part in ("model.json", "data", "new", "saved.keras", "y.npy"))
    with open(description, "w") as file:
        file.write(keras.Sequential([keras.Input((SIZE, SIZE, 3)), *layers]).to_json())
    r = np.random.default_rng(0)
    for part, n_images in (("train", 60), ("validation", 10), ("test", 20)):
        write_folder(os.path.join(data, part), r, n_images)
    images = write_folder(new, r, 10)

    line = tallynet(
        "train", description, "--data", data, "--optimizer", "adam", "--learning-rate", "0.003",
        "--loss", "sparse_categorical_crossentropy", "--metrics", "accuracy", "--epochs", epochs,
        "--save", saved, "--json")
    accuracy = json.loads(line)["metrics"]["accuracy"]
    assert accuracy > 0.9, accuracy
    tallynet("predict", saved, new, "-o", outputs)
    ours = np.load(outputs)
    theirs = keras.models.load_model(saved).predict(images.astype("float32"), verbose=0)
    difference = np.abs(ours - theirs).max()
    assert ours.shape == theirs.shape and difference <= 1e-6, difference
    assert ours.max(axis=1).min() < 0.99, "probabilities of 0 and 1 compare nothing"
    print(f"{name}: accuracy {accuracy:.3f}, difference from Keras {difference:.1e}")


def main():
    layers = keras.layers
    with tempfile.TemporaryDirectory() as folder:
        check(folder, "convolutional", "5", [
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
            layers.Flatten(), layers.Dropout(0.2), layers.Dense(3, activation="softmax")])
        check(folder, "normalized", "15", [
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, padding="same", use_bias=False), layers.BatchNormalization(momentum=0.8),
            layers.Activation("relu"), layers.GlobalAveragePooling2D(),
            layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])


main()
