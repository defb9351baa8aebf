"""Trains the README's tests/keras/digits.keras with Keras: 784->10 on MNIST, three epochs."""
import gzip
import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))


def idx(name, header, shape):
    with gzip.open(os.path.join(here, "../../data", name + ".gz")) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header).reshape(shape)


keras.utils.set_random_seed(0)
x = idx("train-images-idx3-ubyte", 16, (-1, 1, 28, 28)).astype("f4") / 255
y = keras.utils.to_categorical(idx("train-labels-idx1-ubyte", 8, -1), 10)
model = keras.Sequential([
    keras.Input((1, 28, 28)), keras.layers.Flatten(), keras.layers.Dense(10),
    keras.layers.Activation("softmax")])
model.compile(keras.optimizers.SGD(), "categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=128, epochs=3, verbose=2)
x = idx("t10k-images-idx3-ubyte", 16, (-1, 1, 28, 28)).astype("f4") / 255
y = keras.utils.to_categorical(idx("t10k-labels-idx1-ubyte", 8, -1), 10)
print(model.evaluate(x, y, verbose=0))
model.save(os.path.join(here, "digits.keras"))
