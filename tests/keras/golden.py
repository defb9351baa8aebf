"""Records numbers of Keras for tests/parity.rs: python tests/keras/golden.py [--check]

Writes tests/fixtures/golden.json: steps of each optimizer, learning rate schedules, activations,
losses per sample, and the history and weights of short calls of fit. `--check` writes nothing and
fails if an entry differs from the committed file by more than float32 noise.

Needs keras 3.15.1 and jax; requirements.txt beside this file has the versions:

    python3 -m venv target/parity
    target/parity/bin/pip install --requirement tests/keras/requirements.txt
    target/parity/bin/python tests/keras/golden.py

To record one more optimizer, schedule, activation or loss, add a line to its table below.
"""
import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from keras import activations, losses, optimizers
from keras.optimizers import schedules

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fixtures/golden.json")
# Largest difference that two processors may make, relative to the value or to 1.
TOLERANCE = 1e-6

START = [1.0, -2.0, 3.0]
GRADIENTS = [[0.1, -0.2, 0.3 * (step + 1)] for step in range(5)]

OPTIMIZERS = {
    "SGD()": lambda: optimizers.SGD(),
    "SGD(momentum=.9)": lambda: optimizers.SGD(momentum=0.9),
    "SGD(momentum=.9,nesterov)": lambda: optimizers.SGD(momentum=0.9, nesterov=True),
    "SGD(clipnorm=.25)": lambda: optimizers.SGD(clipnorm=0.25),
    "SGD(clipvalue=.15)": lambda: optimizers.SGD(clipvalue=0.15),
    "SGD(global_clipnorm=.25)": lambda: optimizers.SGD(global_clipnorm=0.25),
    "SGD(weight_decay=.1)": lambda: optimizers.SGD(weight_decay=0.1),
    "Adam()": lambda: optimizers.Adam(),
    "Adam(amsgrad)": lambda: optimizers.Adam(amsgrad=True),
    "AdamW()": lambda: optimizers.AdamW(),
    "RMSprop()": lambda: optimizers.RMSprop(),
    "RMSprop(momentum=.9)": lambda: optimizers.RMSprop(momentum=0.9),
    "RMSprop(centered)": lambda: optimizers.RMSprop(centered=True),
    "Adagrad()": lambda: optimizers.Adagrad(),
    "Adadelta()": lambda: optimizers.Adadelta(),
    "Adamax()": lambda: optimizers.Adamax(),
    "Nadam()": lambda: optimizers.Nadam(),
    "SGD(ExponentialDecay(.1,2,.5))":
        lambda: optimizers.SGD(schedules.ExponentialDecay(0.1, 2, 0.5)),
}

SCHEDULE_STEPS = [0, 1, 2, 3, 5, 7, 10, 15]

SCHEDULES = {
    "ExponentialDecay(.1,4,.5)": schedules.ExponentialDecay(0.1, 4, 0.5),
    "ExponentialDecay(.1,4,.5,staircase)":
        schedules.ExponentialDecay(0.1, 4, 0.5, staircase=True),
    "PiecewiseConstantDecay([3,7],[1,.5,.1])":
        schedules.PiecewiseConstantDecay([3, 7], [1.0, 0.5, 0.1]),
    "PolynomialDecay(.1,10)": schedules.PolynomialDecay(0.1, 10),
    "PolynomialDecay(.1,4,.01,2,cycle)":
        schedules.PolynomialDecay(0.1, 4, 0.01, power=2, cycle=True),
    "InverseTimeDecay(.1,4,.5)": schedules.InverseTimeDecay(0.1, 4, 0.5),
    "CosineDecay(.1,10,.1)": schedules.CosineDecay(0.1, 10, alpha=0.1),
    "CosineDecay(0,10,warmup_target=.1,warmup_steps=3)":
        schedules.CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=3),
    "CosineDecayRestarts(.1,4)": schedules.CosineDecayRestarts(0.1, 4),
}

ACTIVATION_INPUTS = [-4, -2.5, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 2.5, 4]

ACTIVATIONS = [
    "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "softsign",
    "sigmoid", "tanh", "hard_sigmoid", "exponential", "mish", "linear",
]

# The second row overflows in float32 unless its maximum is subtracted first.
SOFTMAX_ROWS = [[1.0, 2.0, 3.0], [-1000.0, 0.0, 1000.0]]

Y_TRUE = np.array([[0, 1, 0], [1, 0, 0]], "float32")
Y_PRED = np.array([[0.2, 0.3, 0.1], [0.9, 0.05, 0.05]], "float32")
LABELS = np.array([1, 0])

LOSSES = {
    "mean_squared_error": lambda: losses.mean_squared_error(Y_TRUE, Y_PRED),
    "mean_absolute_error": lambda: losses.mean_absolute_error(Y_TRUE, Y_PRED),
    "mean_absolute_percentage_error":
        lambda: losses.mean_absolute_percentage_error(Y_TRUE, Y_PRED),
    "mean_squared_logarithmic_error":
        lambda: losses.mean_squared_logarithmic_error(Y_TRUE, Y_PRED),
    "huber": lambda: losses.huber(Y_TRUE, Y_PRED),
    "log_cosh": lambda: losses.log_cosh(Y_TRUE, Y_PRED),
    "hinge": lambda: losses.hinge(Y_TRUE, Y_PRED),
    "squared_hinge": lambda: losses.squared_hinge(Y_TRUE, Y_PRED),
    "categorical_hinge": lambda: losses.categorical_hinge(Y_TRUE, Y_PRED),
    "kl_divergence": lambda: losses.kl_divergence(Y_TRUE, Y_PRED),
    "poisson": lambda: losses.poisson(Y_TRUE, Y_PRED),
    "cosine_similarity": lambda: losses.cosine_similarity(Y_TRUE, Y_PRED),
    "categorical_crossentropy": lambda: losses.categorical_crossentropy(Y_TRUE, Y_PRED),
    "binary_crossentropy": lambda: losses.binary_crossentropy(Y_TRUE, Y_PRED),
    "sparse_categorical_crossentropy(y=[1,0])":
        lambda: losses.sparse_categorical_crossentropy(LABELS, Y_PRED),
    "categorical_crossentropy(label_smoothing=.1)":
        lambda: losses.categorical_crossentropy(Y_TRUE, Y_PRED, label_smoothing=0.1),
    "categorical_crossentropy(from_logits)":
        lambda: losses.categorical_crossentropy(Y_TRUE, Y_PRED, from_logits=True),
    "binary_crossentropy(from_logits)":
        lambda: losses.binary_crossentropy(Y_TRUE, Y_PRED, from_logits=True),
}

# Values that losses report for the two samples, reduced to their mean.
REPORTED = {
    "cce, sample_weight [1,3]":
        lambda: losses.CategoricalCrossentropy()(Y_TRUE, Y_PRED, sample_weight=[1.0, 3.0]),
    "mse": lambda: losses.MeanSquaredError()(Y_TRUE, Y_PRED),
}

PENALTY = keras.regularizers.L1L2(0.02, 0.03)

# Short calls of fit: optimizer, penalty of the kernel, more arguments.
FITS = {
    "sgd": (optimizers.SGD, PENALTY, {}),
    "sgd_noreg": (optimizers.SGD, None, {}),
    "adam": (optimizers.Adam, PENALTY, {}),
    "sgd_class_weight{0:1,1:2.5,2:.3}":
        (optimizers.SGD, PENALTY, {"class_weight": {0: 1.0, 1: 2.5, 2: 0.3}}),
    "sgd_sample_weight(i+1)/10":
        (optimizers.SGD, PENALTY, {"sample_weight": (np.arange(10) + 1) / 10}),
}


def digits(values):
    """Nested lists with nine decimals, which tell any two of these float32 values apart."""
    return np.round(np.asarray(values, "float64"), 9).tolist()


def trace(optimizer):
    """Weights after each step with the next of GRADIENTS."""
    weights = keras.Variable(np.array(START, "float32"))
    optimizer.build([weights])
    trajectory = []
    for gradient in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")])
        trajectory.append(digits(weights))
    return trajectory


def fit_data():
    """Synthetic data, initial weights included, in the order in which they are drawn."""
    random = np.random.RandomState(0)
    return {
        "x": random.rand(10, 6).round(3).astype("float32"),
        "y": random.randint(0, 3, 10),
        "W0": random.randn(6, 3).round(3).astype("float32"),
        "b0": random.randn(3).round(3).astype("float32"),
        "x_val": random.rand(7, 6).round(3).astype("float32"),
        "y_val": random.randint(0, 3, 7),
    }


def fit(data, optimizer, penalty, options):
    """History, final weights and evaluation of three epochs."""
    model = keras.Sequential([
        keras.Input((6,)),
        keras.layers.Dense(3, activation="softmax", kernel_regularizer=penalty),
    ])
    model.set_weights([data["W0"], data["b0"]])
    model.compile(optimizer(), "categorical_crossentropy", metrics=["accuracy"])
    one_hot = np.eye(3, dtype="float32")
    validation = (data["x_val"], one_hot[data["y_val"]])
    history = model.fit(
        data["x"], one_hot[data["y"]], batch_size=4, epochs=3, shuffle=False, verbose=0,
        validation_data=validation, **options)
    kernel, bias = model.get_weights()
    return {
        "history": {name: digits(values) for name, values in sorted(history.history.items())},
        "W": digits(kernel),
        "b": digits(bias),
        "evaluate_bs3": digits(model.evaluate(*validation, batch_size=3, verbose=0)),
    }


def record():
    values = {
        name: [float(schedule(step)) for step in SCHEDULE_STEPS]
        for name, schedule in SCHEDULES.items()
    }
    x = np.array(ACTIVATION_INPUTS, "float32")
    y = {name: digits(activations.get(name)(x)) for name in ACTIVATIONS}
    y["softmax(2x rows)"] = digits(activations.softmax(np.array(SOFTMAX_ROWS, "float32")))
    data = fit_data()
    inputs = {name: digits(data[name]) for name in ("x", "x_val", "W0", "b0")}
    return {
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "optimizers": {
            "start": START,
            "grads": GRADIENTS,
            "traces": {name: trace(make()) for name, make in OPTIMIZERS.items()},
        },
        "schedules": {"steps": SCHEDULE_STEPS, "values": values},
        "activations": {"x": ACTIVATION_INPUTS, "y": y},
        "losses": {
            "y_true": digits(Y_TRUE),
            "y_pred": digits(Y_PRED),
            "per_sample": {name: digits(loss()) for name, loss in LOSSES.items()},
            "reported": {name: float(value()) for name, value in REPORTED.items()},
        },
        "fit": {
            "x": inputs["x"],
            "y": data["y"].tolist(),
            "x_val": inputs["x_val"],
            "y_val": data["y_val"].tolist(),
            "W0": inputs["W0"],
            "b0": inputs["b0"],
            "setup": "Dense(3,softmax,L1L2(l1=.02,l2=.03) on kernel), categorical_crossentropy "
                     "on one-hot y, batch_size=4, epochs=3, shuffle off",
            **{name: fit(data, *setting) for name, setting in FITS.items()},
        },
    }


def differences(path, found, expected):
    """A line for each entry that differs by more than TOLERANCE."""
    if isinstance(expected, dict) and isinstance(found, dict):
        if list(found) != list(expected):
            return [f"{path}: keys {list(found)} instead of {list(expected)}"]
        keys = list(expected)
    elif isinstance(expected, list) and isinstance(found, list):
        if len(found) != len(expected):
            return [f"{path}: {len(found)} values instead of {len(expected)}"]
        keys = range(len(expected))
    elif isinstance(expected, (int, float)) and isinstance(found, (int, float)):
        close = abs(found - expected) <= TOLERANCE * max(1, abs(expected))
        return [] if close else [f"{path}: {found} instead of {expected}"]
    else:
        return [] if found == expected else [f"{path}: {found!r} instead of {expected!r}"]
    lines = []
    for key in keys:
        lines += differences(f"{path}/{key}", found[key], expected[key])
    return lines


def main():
    recorded = record()
    if sys.argv[1:] == ["--check"]:
        with open(PATH) as file:
            found = differences("", recorded, json.load(file))
        print("\n".join(found) or "golden.json: every entry agrees")
        sys.exit(bool(found))
    if sys.argv[1:]:
        sys.exit(__doc__)
    with open(PATH, "w") as file:
        json.dump(recorded, file, indent=1)


main()
