"""Keras with its defaults, which compile the training step.

KERAS_BACKEND chooses the backend: jax or tensorflow.
"""

import jobs  # first: starts the clock

import time
from statistics import median

import keras
from keras import layers

import data


class TrainingClock(keras.callbacks.Callback):
    """Times the training part of every epoch."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.ended = None
        self.began = time.perf_counter()

    def on_test_begin(self, logs=None):
        # Validation starts: the epoch's last step has been waited for by
        # then, because its metrics have been read.
        self.ended = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append((self.ended or time.perf_counter()) - self.began)


def mnist_softmax(_job):
    x, y, x_test, y_test = data.mnist()
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(10),
            layers.Activation("softmax"),
        ]
    )
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.SGD(jobs.SGD_LEARNING_RATE),
        metrics=["accuracy"],
    )
    clock = TrainingClock()
    history = model.fit(
        x,
        y,
        batch_size=jobs.BATCH_SIZE,
        epochs=jobs.EPOCHS,
        validation_data=(x_test, y_test),
        callbacks=[clock],
        verbose=0,
    ).history
    report(
        history["val_loss"][-1],
        history["val_accuracy"][-1],
        seconds_per_epoch=median(clock.seconds),
    )


def mnist_convolutional(job):
    pooled = job == "mnist-convnet"
    pool = [layers.MaxPooling2D(2)] if pooled else []
    dropout = [layers.Dropout(0.5)] if pooled else []
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            *pool,
            layers.Conv2D(64, 3, activation="relu"),
            *pool,
            layers.Flatten(),
            *dropout,
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=adam() if pooled else keras.optimizers.SGD(jobs.SGD_LEARNING_RATE),
    )
    x, y = data.rows_of(job)
    time_steps(job, model, x[..., None], y)


def mnist_layers(job):
    def block(filters):
        return [
            layers.Conv2D(filters, 3),
            layers.BatchNormalization(),
            layers.Activation("gelu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
        ]

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *block(32),
            *block(64),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer=adam())
    x, y = data.rows_of(job)
    time_steps(job, model, x[..., None], y)


def dense_514(job):
    def dense(units):
        return layers.Dense(
            units,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.05),
            kernel_regularizer=keras.regularizers.L1L2(1e-6, 1e-6),
        )

    model = keras.Sequential([keras.Input((514,)), dense(514), dense(257)])
    model.compile(loss="mse", optimizer=adam())
    time_steps(job, model, *data.rows_of(job))


def lenet_5(job):
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer=adam())
    x, y = data.rows_of(job)
    time_steps(job, model, x[..., None], y)


def small_vgg(job):
    def block(filters):
        return [
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
        ]

    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *block(64),
            *block(128),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer=adam())
    time_steps(job, model, *data.rows_of(job))


def dense(job):
    _, *hidden, outputs = jobs.DENSE_WIDTHS[job]
    is_regression = outputs == 1
    x, y = data.rows_of(job)
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            layers.Flatten(),
            *[layers.Dense(units, activation="relu") for units in hidden],
            layers.Dense(outputs, activation="linear" if is_regression else "softmax"),
        ]
    )
    loss = "mse" if is_regression else "sparse_categorical_crossentropy"
    model.compile(loss=loss, optimizer=adam())
    time_steps(job, model, x, y)


def conv_224(job):
    model = keras.Sequential(
        [
            keras.Input((224, 224, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Conv2D(128, 3, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.SGD(jobs.SGD_LEARNING_RATE),
    )
    time_steps(job, model, *data.rows_of(job))


def adam():
    return keras.optimizers.Adam(jobs.ADAM_LEARNING_RATE)


def time_steps(job, model, x, y):
    """Trains on the job's data; each pass is one epoch of fit."""
    steps = jobs.STEPS[job]
    clock = TrainingClock()
    history = model.fit(
        x,
        y,
        batch_size=steps.batch_size,
        epochs=1 + steps.passes,
        callbacks=[clock],
        verbose=0,
    ).history
    milliseconds = median(clock.seconds[1:]) / steps.batches * 1000
    report(history["loss"][-1], milliseconds_per_step=milliseconds)


def report(*results, **time_taken):
    backend = keras.backend.backend()
    jobs.report(f"keras-{backend}", keras.__version__, *results, **time_taken)


if __name__ == "__main__":
    jobs.run(
        {
            "mnist-softmax": mnist_softmax,
            "mnist-cnn": mnist_convolutional,
            "mnist-convnet": mnist_convolutional,
            "mnist-layers": mnist_layers,
            "dense-514": dense_514,
            "conv-224": conv_224,
            "lenet-5": lenet_5,
            "small-vgg": small_vgg,
            **dict.fromkeys(jobs.DENSE_WIDTHS, dense),
        }
    )
