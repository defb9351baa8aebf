#!/usr/bin/env python3
"""Writes files of nested models in tests/fixtures/nested, as other Kerases lay them out.

    KERAS_BACKEND=jax python tests/keras/nested.py

Keras 3.15.1 writes `conv.keras`. Derived from it and from `two.keras` are

    windows.keras        as TF-Keras on Windows, which joins paths with a backslash
    doubled.keras        as TF-Keras 2.12 and 2.13, which count layers with weights twice
    two.weights.h5       the weights of two.keras alone
    theano.h5            conv.keras as the older .h5, its kernels flipped as Theano stores them
"""
import io
import os
import zipfile

os.environ.setdefault("KERAS_BACKEND", "jax")
import h5py
import keras
import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "nested")


def path(name):
    return os.path.join(FOLDER, name)


def members(archive):
    with zipfile.ZipFile(path(archive)) as file:
        return {name: file.read(name) for name in file.namelist()}


def moved(weights, rename):
    """The weights with every dataset of a layer at another path."""
    out = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as old, h5py.File(out, "w") as new:

        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                group, number = name.split("/vars/")
                if name.startswith("layers/"):
                    group = rename(group)
                new.create_dataset(f"{group}/vars/{number}", data=item[()])

        old.visititems(copy)
    return out.getvalue()


def write(name, parts):
    with zipfile.ZipFile(path(name), "w") as file:
        for member, content in parts.items():
            file.writestr(zipfile.ZipInfo(member), content)


def doubled(group):
    group = group.replace("dense_1", "dense_2")
    return group.replace("layers", "_layer_checkpoint_dependencies")


def convolutional():
    keras.utils.set_random_seed(3)
    inner = keras.Sequential([
        keras.Input((6, 5, 2)), keras.layers.Conv2D(3, (3, 2), name="conv"),
        keras.layers.BatchNormalization(name="norm"), keras.layers.Conv2D(2, 2, name="last")],
        name="inner")
    model = keras.Sequential([
        keras.Input((6, 5, 2)), inner, keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    x = np.random.RandomState(0).rand(8, 6, 5, 2)
    model.fit(x, np.zeros((8, 2)), epochs=2, shuffle=False, verbose=0)
    return model


def flip(file):
    """Flips the kernels of convolutions, and their momenta, in both axes."""
    kernels = []
    file.visititems(lambda _, item: kernels.append(item))
    for item in kernels:
        if isinstance(item, h5py.Dataset) and item.ndim == 4:
            item[...] = item[()][::-1, ::-1]
    for place in (file, file["model_weights"]):
        place.attrs["keras_version"], place.attrs["backend"] = "2.2.4", "theano"


def main():
    parts = members("two.keras")
    weights = parts["model.weights.h5"]
    with open(path("two.weights.h5"), "wb") as file:
        file.write(weights)
    windows = moved(weights, lambda group: group.replace("/", "\\"))
    write("windows.keras", {**parts, "model.weights.h5": windows})
    write("doubled.keras", {**parts, "model.weights.h5": moved(weights, doubled)})
    model = convolutional()
    model.save(path("conv.keras"))
    model.save(path("theano.h5"))
    with h5py.File(path("theano.h5"), "r+") as file:
        flip(file)


main()
