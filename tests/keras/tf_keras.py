"""Records files of TF-Keras for tests/old_weights.rs: python tests/keras/tf_keras.py

Writes tests/fixtures/tf_keras: models after one epoch, and in reference.json their optimizer state
and their loss on the data before and after one more epoch. Needs Python 3.11:

    python3.11 -m venv target/tf_keras
    target/tf_keras/bin/pip install tensorflow-cpu==2.15.0
    target/tf_keras/bin/python tests/keras/tf_keras.py
"""
import io
import json
import os
import shutil
import zipfile

import h5py
import numpy as np
from tensorflow import keras

legacy = keras.optimizers.legacy
new = keras.optimizers
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fixtures/tf_keras")

OPTIMIZERS = {
    "sgd": lambda: new.SGD(0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda: new.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: new.Adagrad(0.1),
    "adadelta": lambda: new.Adadelta(1.0),
    "adam": lambda: new.Adam(0.05, amsgrad=True),
    "adamax": lambda: new.Adamax(0.05),
    "nadam": lambda: new.Nadam(0.05),
    "legacy-sgd": lambda: legacy.SGD(0.05, momentum=0.9, decay=0.5),
    "legacy-rmsprop": lambda: legacy.RMSprop(0.01, momentum=0.5, centered=True),
    "legacy-adagrad": lambda: legacy.Adagrad(0.1),
    "legacy-adadelta": lambda: legacy.Adadelta(1.0),
    "legacy-adam": lambda: legacy.Adam(0.05, amsgrad=True),
    "legacy-adamax": lambda: legacy.Adamax(0.05),
    "legacy-nadam": lambda: legacy.Nadam(0.05),
}


def data():
    random = np.random.RandomState(0)
    x = random.rand(12, 3).round(3).astype("float32")
    return x, (x @ [1.0, -2.0, 0.5]).round(3).astype("float32")


def record(name, optimizer, x, y):
    """Files of a model after one epoch, and the numbers of its reference."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential([
        keras.Input((3,)), keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")

    def fit():
        model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
        return model.evaluate(x, y, verbose=0)

    loss = fit()
    extension = "h5" if name.startswith("legacy") else "keras"
    model.save(os.path.join(FOLDER, f"{name}.{extension}"))
    if name in ("adam", "rmsprop"):
        model.save(os.path.join(FOLDER, f"{name}.h5"))
    variables = optimizer.weights if name.startswith("legacy") else optimizer.variables
    state = [
        {"name": v.name, "values": np.asarray(v).reshape(-1).astype("float64").tolist()}
        for v in variables
    ]
    return {"loss": loss, "state": state, "loss_after_one_more_epoch": fit()}


def on_windows(archive):
    """The archive as TF-Keras writes it on Windows, where it joins paths with a backslash."""
    with zipfile.ZipFile(os.path.join(FOLDER, archive)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        for group in [name for name in file if name not in ("vars", "optimizer")]:
            for key in list(file[group]):
                file.move(f"{group}/{key}", f"{group}\\{key}")
            del file[group]
    members["model.weights.h5"] = weights.getvalue()
    with zipfile.ZipFile(os.path.join(FOLDER, "windows.keras"), "w") as file:
        for name, content in members.items():
            file.writestr(name, content)


def renamed(source, target, names, extra=()):
    """The file with other names of its optimizer's variables, and with more of them."""
    with h5py.File(os.path.join(FOLDER, source)) as old:
        with h5py.File(os.path.join(FOLDER, target), "w") as new_file:
            for key, value in old.attrs.items():
                new_file.attrs[key] = "2.2.4" if key == "keras_version" else value
            old.copy("model_weights", new_file)
            group = old["optimizer_weights"]
            arrays = [group[name][()] for name in group.attrs["weight_names"]]
            arrays = arrays[-len(names) + len(extra):] + list(extra)
            out = new_file.create_group("optimizer_weights")
            out.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, arrays, strict=True):
                out[name] = array


def naming_theano(name):
    """A file of Keras 1 that says what it was written on."""
    source = os.path.join(FOLDER, "../field/24-keras-1-padding", f"k122-{name}.h5")
    target = os.path.join(FOLDER, f"theano-{name}.h5")
    shutil.copy(source, target)
    with h5py.File(target, "r+") as file:
        file.attrs["backend"] = "theano"


def main():
    os.makedirs(FOLDER, exist_ok=True)
    x, y = data()
    np.savez(os.path.join(FOLDER, "data.npz"), x_train=x, y_train=y, x_test=x, y_test=y)
    reference = {name: record(name, make(), x, y) for name, make in OPTIMIZERS.items()}
    on_windows("adam.keras")
    # Keras 2.2 numbers its variables, and keeps a number for each array that amsgrad would need.
    reference["keras-2.2-adam"] = record("legacy-plain-adam", legacy.Adam(0.05), x, y)
    names = ["Adam/iterations:0", "training/Adam/Variable:0"]
    names += [f"training/Adam/Variable_{number}:0" for number in range(1, 12)]
    renamed("legacy-plain-adam.h5", "keras-2.2-adam.h5", names, [np.zeros(1, "float32")] * 4)
    os.remove(os.path.join(FOLDER, "legacy-plain-adam.h5"))
    # So it does for RMSprop, without an iteration; on Theano it calls them by their number alone.
    reference["keras-2.2-rmsprop"] = record("legacy-plain-rmsprop", legacy.RMSprop(0.01), x, y)
    renamed("legacy-plain-rmsprop.h5", "keras-2.2-rmsprop.h5", [f"param_{i}" for i in range(4)])
    os.remove(os.path.join(FOLDER, "legacy-plain-rmsprop.h5"))
    naming_theano("plain")
    naming_theano("stride")
    with open(os.path.join(FOLDER, "reference.json"), "w") as file:
        json.dump(reference, file, indent=1)


main()
