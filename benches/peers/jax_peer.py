"""JAX: all steps of an epoch are one compiled call.

The data are arguments of that call. Captured as constants, they would double
the memory and take seconds to compile. The rows are shuffled by numpy, since
JAX's permutation sorts, which takes about a fifth of such a short epoch.
"""

import jobs  # first: starts the clock

import time
from statistics import median

import jax
import jax.numpy as jnp
import numpy as np

import data


def loss_of(parameters, x, y):
    kernel, bias = parameters
    log_probabilities = jax.nn.log_softmax(x @ kernel + bias)
    return -jnp.mean(jnp.take_along_axis(log_probabilities, y[:, None], axis=1))


@jax.jit
def train_epoch(parameters, order, x, y):
    def step(parameters, rows):
        gradients = jax.grad(loss_of)(parameters, x[rows], y[rows])
        update = lambda p, g: p - jobs.SGD_LEARNING_RATE * g
        return jax.tree.map(update, parameters, gradients), None

    n_full_batches, n_left_over = divmod(len(order), jobs.BATCH_SIZE)
    full_batches = order[: len(order) - n_left_over].reshape(n_full_batches, -1)
    parameters, _ = jax.lax.scan(step, parameters, full_batches)
    # The remainder that does not fill a batch, 96 samples of MNIST, is one more step.
    if n_left_over:
        parameters, _ = step(parameters, order[-n_left_over:])
    return parameters


@jax.jit
def evaluate(parameters, x, y):
    kernel, bias = parameters
    predicted = jnp.argmax(x @ kernel + bias, axis=1)
    return loss_of(parameters, x, y), jnp.mean(predicted == y)


def mnist_softmax(_job):
    x, y, x_test, y_test = (jnp.asarray(array) for array in data.mnist())
    x, x_test = x.reshape(-1, 784), x_test.reshape(-1, 784)

    random = np.random.default_rng(0)
    limit = np.sqrt(6 / (784 + 10))
    kernel = random.uniform(-limit, limit, (784, 10)).astype(np.float32)
    parameters = (jnp.asarray(kernel), jnp.zeros(10))

    seconds = []
    for _ in range(jobs.EPOCHS):
        began = time.perf_counter()
        order = random.permutation(len(x))
        parameters = jax.block_until_ready(train_epoch(parameters, order, x, y))
        seconds.append(time.perf_counter() - began)
        loss, accuracy = jax.block_until_ready(evaluate(parameters, x_test, y_test))

    jobs.report("jax", jax.__version__, loss, accuracy, seconds_per_epoch=median(seconds))


if __name__ == "__main__":
    jobs.run({"mnist-softmax": mnist_softmax})
