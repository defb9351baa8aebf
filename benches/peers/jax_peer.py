"""JAX by hand: a whole epoch, its shuffling included, is one compiled call."""

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


def mnist_softmax(_job):
    x, y, x_test, y_test = (jnp.asarray(array) for array in data.mnist())
    x, x_test = x.reshape(-1, 784), x_test.reshape(-1, 784)
    n_rows = len(x)
    n_full_batches, n_left_over = divmod(n_rows, jobs.BATCH_SIZE)

    def step(parameters, rows):
        gradients = jax.grad(loss_of)(parameters, x[rows], y[rows])
        update = lambda p, g: p - jobs.SGD_LEARNING_RATE * g
        return jax.tree.map(update, parameters, gradients), None

    @jax.jit
    def epoch(parameters, key):
        order = jax.random.permutation(key, n_rows)
        full_batches = order[: n_rows - n_left_over].reshape(n_full_batches, -1)
        parameters, _ = jax.lax.scan(step, parameters, full_batches)
        # The rows that do not fill a batch, 96 of MNIST's, are one more step.
        parameters, _ = step(parameters, order[n_rows - n_left_over :])
        return parameters

    @jax.jit
    def evaluate(parameters):
        kernel, bias = parameters
        predicted = jnp.argmax(x_test @ kernel + bias, axis=1)
        return loss_of(parameters, x_test, y_test), jnp.mean(predicted == y_test)

    key = jax.random.key(0)
    limit = np.sqrt(6 / (784 + 10))
    kernel = jax.random.uniform(key, (784, 10), minval=-limit, maxval=limit)
    parameters = (kernel, jnp.zeros(10))
    seconds = []
    for _ in range(jobs.EPOCHS):
        key, shuffle_key = jax.random.split(key)
        began = time.perf_counter()
        parameters = jax.block_until_ready(epoch(parameters, shuffle_key))
        seconds.append(time.perf_counter() - began)
        loss, accuracy = jax.block_until_ready(evaluate(parameters))

    jobs.report("jax", jax.__version__, loss, accuracy, seconds_per_epoch=median(seconds))


if __name__ == "__main__":
    jobs.run({"mnist-softmax": mnist_softmax})
