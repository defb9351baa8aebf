"""JAX: all steps of an epoch, or of a pass, are one compiled call.

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


def dense(job):
    widths = jobs.DENSE_WIDTHS[job]
    random = np.random.default_rng(0)
    parameters = []
    for inputs, units in zip(widths, widths[1:]):
        limit = np.sqrt(6 / (inputs + units))
        kernel = random.uniform(-limit, limit, (inputs, units)).astype(np.float32)
        parameters.append((jnp.asarray(kernel), jnp.zeros(units)))

    def loss_of(parameters, x, y):
        *hidden, (kernel, bias) = parameters
        for hidden_kernel, hidden_bias in hidden:
            x = jax.nn.relu(x @ hidden_kernel + hidden_bias)
        outputs = x @ kernel + bias
        if widths[-1] == 1:
            return jnp.mean(jnp.square(outputs - y))
        log_probabilities = jax.nn.log_softmax(outputs)
        return -jnp.mean(jnp.take_along_axis(log_probabilities, y[:, None], axis=1))

    steps = jobs.STEPS[job]
    x, y = data.rows_of(job)
    batches = (steps.batches, steps.batch_size)
    x = jnp.asarray(x).reshape(*batches, widths[0])
    y = jnp.asarray(y).reshape(*batches, *y.shape[1:])
    time_adam_steps(job, loss_of, parameters, x, y)


def time_adam_steps(job, loss_of, parameters, x, y):
    """Trains on the job's batches repeatedly, in order; a pass is one call."""
    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-7

    @jax.jit
    def train_pass(state, x, y):
        def step(state, batch):
            parameters, means, squares, t = state
            loss, gradients = jax.value_and_grad(loss_of)(parameters, *batch)
            t = t + 1
            rate = jobs.ADAM_LEARNING_RATE * jnp.sqrt(1 - beta_2**t) / (1 - beta_1**t)
            decayed = lambda beta: lambda mean, new: beta * mean + (1 - beta) * new
            means = jax.tree.map(decayed(beta_1), means, gradients)
            squares = jax.tree.map(decayed(beta_2), squares, jax.tree.map(jnp.square, gradients))
            update = lambda p, m, v: p - rate * m / (jnp.sqrt(v) + epsilon)
            parameters = jax.tree.map(update, parameters, means, squares)
            return (parameters, means, squares, t), loss

        state, losses = jax.lax.scan(step, state, (x, y))
        return state, losses[-1]

    steps = jobs.STEPS[job]
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros, zeros, jnp.float32(0))
    seconds = []
    for _ in range(1 + steps.passes):
        began = time.perf_counter()
        state, loss = jax.block_until_ready(train_pass(state, x, y))
        seconds.append(time.perf_counter() - began)
    milliseconds = median(seconds[1:]) / steps.batches * 1000
    jobs.report("jax", jax.__version__, loss, milliseconds_per_step=milliseconds)


if __name__ == "__main__":
    jobs.run({"mnist-softmax": mnist_softmax, **dict.fromkeys(jobs.DENSE_WIDTHS, dense)})
