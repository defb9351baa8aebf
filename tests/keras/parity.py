"""Compares tallynet with Keras on random models: python tests/keras/parity.py [--seed N]

Needs keras 3.15.1 and jax (requirements.txt beside this file), and tallynet built with --release.
Keras saves each model; both programs must then agree on its summary, parameter counts,
predictions, loss and metrics, and on the weights and the optimizer state after two more epochs.
The same holds for the file that tallynet saves. `--fixtures DIR` keeps the files and Keras's
numbers, for the tests that run without Python.

`--folder DIR` compares instead the predictions for stored files, which older generations of Keras
wrote, with those stored beside them; folder.py describes the forms. Files that tallynet does not
read are listed, and are failures with `--strict`.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from keras import layers, optimizers
from keras.optimizers import schedules

from folder import compare_folder

# Classes that tallynet supports. The models are drawn from these; add each new class here.
LAYERS = {
    "Activation", "AveragePooling1D", "AveragePooling2D", "BatchNormalization", "Conv1D", "Conv2D",
    "Dense", "Dropout", "ELU", "Embedding", "Flatten", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "LayerNormalization",
    "LeakyReLU", "MaxPooling1D", "MaxPooling2D", "Normalization", "PReLU", "ReLU", "RepeatVector",
    "Rescaling", "Reshape", "Softmax", "SpatialDropout1D", "SpatialDropout2D", "UpSampling2D",
    "ZeroPadding2D",
}
OPTIMIZERS = {"Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "SGD"}
LOSSES = {
    "mean_squared_error", "mean_absolute_error", "huber", "categorical_crossentropy",
    "sparse_categorical_crossentropy", "binary_crossentropy",
}
ACTIVATIONS = [
    "linear", "relu", "sigmoid", "tanh", "softmax", "elu", "selu", "gelu", "silu", "softplus",
    "softsign", "leaky_relu", "hard_sigmoid", "exponential",
]
# The exponential overflows inside a network, and softmax there hides differences.
HIDDEN_ACTIVATIONS = [name for name in ACTIVATIONS if name not in ("exponential", "softmax")]

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def initializer(r):
    return r.choice([
        "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
        "lecun_normal", keras.initializers.RandomNormal(stddev=r.choice([0.05, 0.3])),
        keras.initializers.TruncatedNormal(stddev=0.2), keras.initializers.RandomUniform(-0.3, 0.2),
        keras.initializers.Orthogonal(gain=r.choice([0.7, 1.0])),
    ])


def regularizer(r):
    return r.choice([
        None, None, None, "l2", keras.regularizers.L1(1e-3), keras.regularizers.L2(1e-2),
        keras.regularizers.L1L2(1e-4, 1e-3),
    ])


def bias(r):
    return r.choice(["zeros", "ones", keras.initializers.Constant(0.1)])


def activation(r):
    return r.choice(HIDDEN_ACTIVATIONS + ["relu", "linear", "tanh"])


def dense(r, units=None, act=None):
    return layers.Dense(
        units or r.choice([1, 2, 3, 5, 8, 13, 17, 33]), activation=act or activation(r),
        use_bias=r.random() < 0.8, kernel_initializer=initializer(r), bias_initializer=bias(r),
        kernel_regularizer=regularizer(r), bias_regularizer=r.choice([None, None, "l2"]))


def image_layer(r, shape):
    """A layer for an image of this shape, or None."""
    height, width, channels = shape
    pool = (r.randint(1, min(3, height)), r.randint(1, min(3, width)))
    padding = r.choice(["valid", "same"])
    strides = r.choice([None, (1, 1), (2, 2), (2, 1)])
    makers = {
        "Conv2D": lambda: layers.Conv2D(
            r.choice([1, 3, 4, 8]), (r.randint(1, min(4, height)), r.randint(1, min(4, width))),
            strides=r.choice([(1, 1), (1, 1), (2, 2), (1, 2)]), padding=padding,
            activation=activation(r), use_bias=r.random() < 0.8,
            kernel_initializer=initializer(r), bias_initializer=bias(r),
            kernel_regularizer=regularizer(r), bias_regularizer=r.choice([None, None, "l2"])),
        "MaxPooling2D": lambda: layers.MaxPooling2D(pool, strides=strides, padding=padding),
        "AveragePooling2D": lambda: layers.AveragePooling2D(pool, strides=strides, padding=padding),
        "ZeroPadding2D": lambda: layers.ZeroPadding2D(r.choice([1, (1, 2), ((0, 1), (2, 0))])),
        "UpSampling2D": lambda: layers.UpSampling2D(
            r.choice([2, (1, 2), (3, 2)]), interpolation=r.choice(["nearest", "bilinear"])),
        "SpatialDropout2D": lambda: layers.SpatialDropout2D(r.choice([0.0, 0.3])),
        "Dense": lambda: dense(r),
    }
    names = [name for name in makers if name in LAYERS] + ["Conv2D"] * 2 * ("Conv2D" in LAYERS)
    return makers[r.choice(names)]()


def sequence_layer(r, shape):
    """A layer for a sequence of this shape."""
    steps, channels = shape
    pool = r.randint(1, min(3, steps))
    padding = r.choice(["valid", "same"])
    strides = r.choice([None, 1, 2])
    far = r.random() < 0.3
    makers = {
        "Conv1D": lambda: layers.Conv1D(
            r.choice([1, 3, 4, 8]), r.randint(1, min(4, (steps + 1) // 2)),
            strides=1 if far else r.choice([1, 1, 2]), dilation_rate=2 if far else 1,
            padding=r.choice(["valid", "same", "causal"]),
            activation=activation(r), use_bias=r.random() < 0.8,
            kernel_initializer=initializer(r), bias_initializer=bias(r),
            kernel_regularizer=regularizer(r), bias_regularizer=r.choice([None, None, "l2"])),
        "MaxPooling1D": lambda: layers.MaxPooling1D(pool, strides=strides, padding=padding),
        "AveragePooling1D": lambda: layers.AveragePooling1D(pool, strides=strides, padding=padding),
        "SpatialDropout1D": lambda: layers.SpatialDropout1D(r.choice([0.0, 0.3])),
        "Dense": lambda: dense(r),
    }
    names = [name for name in makers if name in LAYERS] + ["Conv1D"] * 2 * ("Conv1D" in LAYERS)
    return makers[r.choice(names)]()


def layer_normalization(r, shape):
    """Normalization along at least three values: fewer would leave no gradient but noise."""
    if shape[-1] > 2:
        axis = -1
    elif np.prod(shape) > 2:
        axis = list(range(1, len(shape) + 1))
    else:
        return dense(r)
    return layers.LayerNormalization(
        axis=axis, epsilon=r.choice([1e-3, 1e-2]), center=r.random() < 0.8,
        scale=r.random() < 0.8, gamma_regularizer=r.choice([None, "l2"]))


def normalization(r, shape):
    """Normalization by given numbers, or adapted to random data."""
    kind = r.choice(["adapted", "adapted", "each", "all"])
    if kind == "all":
        return layers.Normalization(mean=0.25, variance=2.0)
    if kind == "each":
        mean = [r.uniform(-1, 1) for _ in range(shape[-1])]
        variance = [r.uniform(0.5, 3) for _ in range(shape[-1])]
        return layers.Normalization(mean=mean, variance=variance)
    layer = layers.Normalization(axis=r.choice([-1, -1, None]))
    data = np.random.default_rng(r.randrange(1 << 30)).normal(1, 2, (16, *shape))
    layer.adapt(data.astype("f4"))
    return layer


def any_layer(r, shape):
    """A layer for any shape."""
    makers = {
        "Activation": lambda: layers.Activation(activation(r)),
        "BatchNormalization": lambda: layers.BatchNormalization(
            momentum=r.choice([0.9, 0.99]), epsilon=r.choice([1e-3, 1e-2]),
            center=r.random() < 0.8, scale=r.random() < 0.8,
            gamma_regularizer=r.choice([None, "l2"])),
        "Dropout": lambda: layers.Dropout(r.choice([0.0, 0.0, 0.0, 0.3])),
        "ReLU": lambda: layers.ReLU(
            max_value=r.choice([None, 2.0]), negative_slope=r.choice([0.0, 0.1]), threshold=0.0),
        "LeakyReLU": lambda: layers.LeakyReLU(negative_slope=r.choice([0.1, 0.3])),
        "ELU": lambda: layers.ELU(),
        "Softmax": lambda: layers.Softmax(),
        "GaussianNoise": lambda: layers.GaussianNoise(0.0),
        "Rescaling": lambda: layers.Rescaling(0.5, offset=r.choice([0.0, 0.25])),
        "LayerNormalization": lambda: layer_normalization(r, shape),
        "Normalization": lambda: normalization(r, shape),
        "PReLU": lambda: layers.PReLU(
            alpha_initializer=r.choice(["zeros", keras.initializers.Constant(0.2)]),
            alpha_regularizer=r.choice([None, "l2"]),
            shared_axes=r.choice([None, list(range(1, len(shape))) or None, [1]])),
    }
    return makers[r.choice([name for name in makers if name in LAYERS])]()


def stack(r):
    """All layers of a model but the last, the shape of a sample, and the number of words if its
    values are words."""
    shape = r.choice([
        (7,), (20,), (1, 6, 5), (8, 7, 1), (9, 6, 3), (5, 4), (1,), (12, 12, 2), (12, 3), (9, 1)])
    model = keras.Sequential([keras.Input(shape)])
    reached = lambda: model.output_shape[1:] if model.layers else shape
    words = None
    if len(shape) == 1 and "Embedding" in LAYERS and r.random() < 0.4:
        words = r.choice([3, 50])
        model.add(layers.Embedding(
            words, r.choice([1, 4, 8]),
            embeddings_initializer=r.choice(["uniform", initializer(r)]),
            embeddings_regularizer=r.choice([None, None, "l2"])))
    for _ in range(r.randint(0, 4)):
        now = reached()
        if len(now) == 3 and r.random() < 0.7:
            layer = image_layer(r, now)
        elif len(now) == 2 and r.random() < 0.7:
            layer = sequence_layer(r, now)
        elif len(now) == 1 and "RepeatVector" in LAYERS and r.random() < 0.15:
            layer = layers.RepeatVector(r.choice([1, 3, 6]))
        elif r.random() < 0.4:
            layer = dense(r)
        else:
            layer = any_layer(r, now)
        model.add(layer)
    now = reached()
    if len(now) == 3 and "GlobalAveragePooling2D" in LAYERS and r.random() < 0.3:
        model.add(r.choice([layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D])())
    elif len(now) == 2 and "GlobalAveragePooling1D" in LAYERS and r.random() < 0.4:
        pool = r.choice([layers.GlobalAveragePooling1D, layers.GlobalMaxPooling1D])
        model.add(pool(keepdims=r.random() < 0.3))
    elif len(now) > 1 and r.random() < 0.85:
        model.add(layers.Flatten())
    elif len(now) == 1 and now[0] % 2 == 0 and "Reshape" in LAYERS and r.random() < 0.3:
        model.add(layers.Reshape((now[0] // 2, 2)))
        model.add(layers.Flatten())
    return model, shape, words


def optimizer(r):
    rate = r.choice([0.01, 0.003])
    more = r.choice([{}, {}, {}, {"clipnorm": 0.5}, {"clipvalue": 0.1}, {"global_clipnorm": 1.0}])
    if r.random() < 0.25:
        rate = r.choice([
            schedules.ExponentialDecay(rate, 7, 0.9, staircase=r.random() < 0.5),
            schedules.PolynomialDecay(rate, 9, 1e-3), schedules.InverseTimeDecay(rate, 5, 0.5),
            schedules.CosineDecay(rate, 11, alpha=0.1),
            schedules.PiecewiseConstantDecay([3, 6], [rate, rate / 2, rate / 3]),
        ])
    makers = {
        "SGD": lambda: optimizers.SGD(
            rate, momentum=r.choice([0.0, 0.0, 0.9]), nesterov=r.random() < 0.3, **more),
        "Adam": lambda: optimizers.Adam(
            rate, beta_1=r.choice([0.9, 0.8]), epsilon=r.choice([1e-7, 1e-4]), **more),
        "AdamW": lambda: optimizers.AdamW(rate, weight_decay=r.choice([0.004, 0.1]), **more),
        "RMSprop": lambda: optimizers.RMSprop(
            rate, momentum=r.choice([0.0, 0.5]), centered=r.random() < 0.3, **more),
        "Adagrad": lambda: optimizers.Adagrad(rate, **more),
        "Adadelta": lambda: optimizers.Adadelta(1.0, **more),
        "Adamax": lambda: optimizers.Adamax(rate, **more),
        "Nadam": lambda: optimizers.Nadam(rate, **more),
    }
    return makers[r.choice([name for name in makers if name in OPTIMIZERS])]()


def target(r, g, model, n):
    """Adds the last layer; returns the loss, the metrics and n targets."""
    kind = r.choice(sorted(LOSSES))
    units = r.choice([2, 3, 10])
    metrics = r.choice([[], ["accuracy"], ["accuracy"]])
    as_object = r.random() < 0.3
    if kind in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        logits = as_object and r.random() < 0.5
        smoothing = 0.1 if as_object and kind[0] == "c" and r.random() < 0.5 else 0.0
        last = dense(r, units, "linear" if logits else "softmax")
        model.add(last)
        labels = g.integers(0, units, (n, *model.output_shape[1:-1]))
        y = labels.astype("int32") if kind[0] == "s" else np.eye(units, dtype="f4")[labels]
        loss = kind
        if as_object and kind[0] == "s":
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
        elif as_object:
            loss = keras.losses.CategoricalCrossentropy(
                from_logits=logits, label_smoothing=smoothing)
    elif kind == "binary_crossentropy":
        model.add(dense(r, r.choice([1, 4]), "sigmoid"))
        y = g.integers(0, 2, (n, *model.output_shape[1:])).astype("f4")
        loss = keras.losses.BinaryCrossentropy(label_smoothing=0.1) if as_object else kind
    else:
        positive = kind in ("poisson", "mean_squared_logarithmic_error", "kl_divergence")
        if kind == "kl_divergence":
            last = "softmax"
        elif positive:
            last = "softplus"
        else:
            last = r.choice(["linear", "tanh"])
        model.add(dense(r, units, last))
        y = g.normal(size=(n, *model.output_shape[1:])).astype("f4")
        y = np.abs(y) + 0.05 if positive else y
        y = y / y.sum(-1, keepdims=True) if kind == "kl_divergence" else y
        y = np.sign(y) if "hinge" in kind else y
        metrics = r.choice([[], ["accuracy"], ["mae"], [keras.metrics.MeanSquaredError()]])
        loss = kind
    return loss, metrics + with_options(r, kind, model), y


def with_options(r, kind, model):
    """Metrics with options, some of them with a name, that fit the targets of a loss."""
    m = keras.metrics
    known = {
        "categorical_crossentropy": [
            lambda: m.TopKCategoricalAccuracy(k=2, name="best_two"),
            lambda: m.Recall(thresholds=0.2),
        ],
        "sparse_categorical_crossentropy": [lambda: m.SparseTopKCategoricalAccuracy(k=2)],
        "binary_crossentropy": [
            lambda: m.BinaryAccuracy(threshold=0.7),
            lambda: m.Precision(thresholds=0.4),
            lambda: m.Recall(),
        ],
    }.get(kind, [lambda: m.MeanAbsoluteError(name="off_by")])
    # Keras refuses to count positives among values outside [0, 1].
    if r.random() < 0.5 or model.layers[-1].activation is keras.activations.linear:
        return []
    return [make() for make in known]


def run(tallynet, *arguments):
    done = subprocess.run([tallynet, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"tallynet {' '.join(map(str, arguments))}\n{done.stderr}")
    return done.stdout


def close(what, found, wanted, relative, absolute):
    found, wanted = np.asarray(found, "f8"), np.asarray(wanted, "f8")
    assert found.shape == wanted.shape, f"{what}: {found.shape} instead of {wanted.shape}"
    if wanted.size == 0:
        return
    difference, limit = np.max(np.abs(found - wanted)), relative * np.max(np.abs(wanted)) + absolute
    assert difference <= limit, f"{what}: differs by {difference:.3g}, and {limit:.3g} is allowed"


def summary(model):
    lines = []
    model.summary(line_length=76, print_fn=lambda text, **_: lines.append(text))
    return "\n".join(lines)


def scores(model, x, y):
    found = model.evaluate(x, y, batch_size=32, verbose=0, return_dict=True)
    loss = float(found.pop("loss"))
    return loss, {name: float(value) for name, value in found.items()}


def compare_file(tallynet, path, folder, x, data, model):
    """Compares tallynet's predictions and scores for a file with those of this Keras model."""
    outputs = os.path.join(folder, "p.npy")
    run(tallynet, "predict", path, os.path.join(folder, "x.npy"), "-o", outputs)
    close("predictions", np.load(outputs), model.predict(x, verbose=0), 1e-5, 1e-6)
    found = json.loads(run(tallynet, "evaluate", path, "--data", data, "--json"))
    npz = np.load(data)
    loss, metrics = scores(model, npz["x_test"], npz["y_test"])
    close("loss", found["loss"], loss, 1e-5, 1e-6)
    same_names = sorted(found["metrics"]) == sorted(metrics)
    assert same_names, f"metrics {found['metrics']} instead of {metrics}"
    for name, value in metrics.items():
        close(name, found["metrics"][name], value, 1e-5, 1e-6)
    return loss, metrics


# Layers that pass on a shift of all values of a channel, such as a bias.
SHIFTED = (
    layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.RepeatVector,
    layers.UpSampling2D, layers.MaxPooling1D, layers.MaxPooling2D, layers.AveragePooling1D,
    layers.AveragePooling2D, layers.Rescaling, layers.Normalization,
)


# Layers that XLA computes again, with other rounding, where it needs their output.
RECOMPUTED = (
    layers.Activation, layers.BatchNormalization, layers.ELU, layers.LayerNormalization,
    layers.LeakyReLU, layers.Normalization, layers.PReLU, layers.ReLU, layers.Rescaling,
    layers.Softmax,
)


def loses_maximum(model):
    """True if compiled code may not find a maximum again: JAX compares each value with it, and the
    gradients then differ from those that JAX computes without compilation."""
    for before, layer in zip(model.layers, model.layers[1:]):
        is_max = isinstance(layer, (layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D))
        if is_max and isinstance(before, RECOMPUTED):
            return True
    return False


class ClippedProbabilities(keras.callbacks.Callback):
    """Finds out whether a batch of the training has a probability that Keras clips before the
    logarithm. On JAX the gradient of a clipped one is 0; on TensorFlow and in tallynet it is that of
    the logits. The weights then differ, rightly."""

    def __init__(self, x, y, batch):
        super().__init__()
        self.x, self.y, self.batch = x, y, batch
        self.found = False

    def on_train_batch_begin(self, batch, logs=None):
        rows = slice(batch * self.batch, (batch + 1) * self.batch)
        p = np.asarray(self.model(self.x[rows], training=False))
        y = self.y[rows]
        if y.shape != p.shape:
            y = np.eye(p.shape[-1])[y.reshape(p.shape[:-1]).astype(int)]
        if p.shape[-1] == 1 or "binary" in loss_name(self.model):
            p = np.where(y > 0.5, p, 1 - p)
            y = np.ones_like(y)
        self.found |= bool(((p < 2e-7) & (y > 0)).any())


def loss_name(model):
    """Keras's name of the loss."""
    loss = model.loss
    return loss if isinstance(loss, str) else loss.name


def clips(model):
    """True if the loss takes the logarithm of probabilities."""
    from_logits = not isinstance(model.loss, str) and model.loss.get_config().get("from_logits")
    return "crossentropy" in loss_name(model) and not from_logits


def has_noise(model):
    """True if training cannot agree: random numbers, or a bias whose exact gradient is 0."""
    adaptive = model.optimizer.__class__.__name__ != "SGD"
    if adaptive and model.loss == "mean_absolute_error" and model.layers[-1].use_bias:
        # The gradient of a bias is a sum of signs, which are often as many above as below 0.
        return True
    for number, layer in enumerate(model.layers):
        if getattr(layer, "rate", 0) > 0:
            return True
        flows = getattr(layer, "use_bias", False) and layer.activation is keras.activations.linear
        after = [next_ for next_ in model.layers[number + 1:] if not isinstance(next_, SHIFTED)]
        if adaptive and flows and after and isinstance(after[0], layers.BatchNormalization):
            return True
    return False


def digits(array):
    """Flat list of values with seven digits."""
    return [float(f"{value:.7g}") for value in np.asarray(array, "f8").ravel()]


class Drawn:
    """A random model, compiled, and random data for it; `r` draws what else is needed."""

    def __init__(self, seed, number):
        r = self.r = random.Random(seed * 100_003 + number)
        g = np.random.default_rng(seed * 100_003 + number)
        keras.utils.set_random_seed(seed * 1009 + number)
        keras.utils.clear_session()
        self.batch, self.n_train, n_test = r.choice([(8, 37, 21), (16, 50, 33), (32, 70, 5)])
        n = self.n_train + n_test
        self.model, shape, words = stack(r)
        self.loss, metrics, self.y = target(r, g, self.model, n)
        self.x = g.normal(size=(n, *shape)).astype("f4")
        if words:
            self.x = g.integers(0, words, self.x.shape).astype(r.choice(["int32", "float32"]))
        self.model.compile(optimizer(r), self.loss, metrics=metrics)

    def maybe_fit(self):
        """Trains half of the models for an epoch."""
        if self.r.random() < 0.5:
            x, y = self.x[:self.n_train], self.y[:self.n_train]
            self.model.fit(x, y, epochs=1, batch_size=self.batch, verbose=0)


def describe(model):
    """The layers of a model with their outputs' shapes."""
    return " -> ".join(
        f"{type(layer).__name__}{tuple(layer.output.shape[1:])}" for layer in model.layers)


def one(tallynet, seed, number, fixtures):
    """Builds, saves and compares the model with this number; returns its description."""
    drawn = Drawn(seed, number)
    model, x, y, batch, n_train = drawn.model, drawn.x, drawn.y, drawn.batch, drawn.n_train
    folder = tempfile.mkdtemp()
    try:
        data = os.path.join(folder, "data.npz")
        np.savez(
            data, x_train=x[:n_train], y_train=y[:n_train], x_test=x[n_train:], y_test=y[n_train:])
        np.save(os.path.join(folder, "x.npy"), x[n_train:])
        drawn.maybe_fit()
        path, out = os.path.join(folder, "model.keras"), os.path.join(folder, "out.keras")
        model.save(path)
        described = describe(model)
        described += f", {type(model.optimizer).__name__}, {loss_name(model)}"

        text = summary(keras.models.load_model(path, compile=False))
        found = run(tallynet, "summary", path, "--style", "keras3", "--width", 76)
        assert found.rstrip("\n") == text.rstrip("\n"), f"summaries differ:\n{found}\n{text}"
        lines = run(tallynet, "verify", path).splitlines()
        total = [line.split() for line in lines if line.startswith("Total")][0]
        count = model.count_params()
        assert total[1:] == [str(count)] * 3, f"{total} and {count} parameters"
        loss_value, metric_values = compare_file(tallynet, path, folder, x[n_train:], data, model)

        model = keras.models.load_model(path)
        run(tallynet, "train", path, "--data", data, "--no-shuffle", "--epochs", 2,
            "--batch-size", batch, "--quiet", "--save", out)
        back = keras.models.load_model(out)
        compares_weights = not has_noise(model)
        if compares_weights:
            model.run_eagerly = loses_maximum(model)
            clipped = ClippedProbabilities(x[:n_train], y[:n_train], batch)
            model.fit(
                x[:n_train], y[:n_train], epochs=2, batch_size=batch, shuffle=False, verbose=0,
                callbacks=[clipped] if clips(model) else [])
            compares_weights = not clipped.found
        if compares_weights:
            found = back.weights + back.optimizer.variables
            expected = model.weights + model.optimizer.variables
            for variable, wanted in zip(found, expected, strict=True):
                close(wanted.path, variable, wanted, 1e-4, 1e-5)
        else:
            described += ", without the weights after training"
        compare_file(tallynet, out, folder, x[n_train:], data, back)

        if fixtures and compares_weights:
            name = os.path.join(fixtures, f"{number}")
            shutil.copy(path, name + ".keras")
            shutil.copy(data, name + ".npz")
            loaded = keras.models.load_model(path)
            expected = {
                "model": described, "batch_size": batch, "summary": text,
                "loss": loss_value, "metrics": metric_values,
                "predictions": digits(loaded.predict(x[n_train:], verbose=0)),
                "weights_after_two_epochs": [digits(variable) for variable in model.weights],
            }
            with open(name + ".json", "w") as file:
                json.dump(expected, file, indent=0)
        return described
    except AssertionError as error:
        kept = tempfile.mkdtemp(prefix=f"parity-{seed}-{number}-")
        shutil.copytree(folder, kept, dirs_exist_ok=True)
        raise AssertionError(f"{described}\n{error}\nfiles: {kept}") from error
    finally:
        shutil.rmtree(folder)


def parser(description):
    """Parser of the flags that the comparisons of random models share."""
    arguments = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(root, "target"))
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--count", type=int, default=60)
    arguments.add_argument("--tallynet", default=os.path.join(target, "release", "tallynet"))
    return arguments


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--only", type=int, help="compare only the model with this number")
    arguments.add_argument("--fixtures", help="keep files and Keras's numbers in this folder")
    arguments.add_argument("--folder", help="compare the stored model files in this folder")
    arguments.add_argument(
        "--strict", action="store_true", help="with --folder: fail for files that are not read")
    given = arguments.parse_args()
    if given.folder:
        sys.exit(compare_folder(given.tallynet, given.folder, given.strict) > 0)
    failed = 0
    for number in range(given.count) if given.only is None else [given.only]:
        try:
            described = one(given.tallynet, given.seed, number, given.fixtures)
            print(f"{number}: {described}", flush=True)
        except AssertionError as error:
            failed += 1
            print(f"{number}: FAILED: {error}", flush=True)
    print(f"seed {given.seed}: {failed} of {given.count} models failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
