"""numpy: gradients written by hand, every large array reused."""

import jobs  # first: starts the clock

import time
from statistics import median

import numpy as np

import data


def softmax_in_place(logits):
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)


def evaluate(kernel, bias, x, y):
    logits = x @ kernel + bias
    accuracy = (logits.argmax(axis=1) == y).mean()
    logits -= logits.max(axis=1, keepdims=True)
    of_the_label = logits[np.arange(len(y)), y]
    return (np.log(np.exp(logits).sum(axis=1)) - of_the_label).mean(), accuracy


def mnist_softmax(_job):
    x, y, x_test, y_test = data.mnist()
    x, x_test = x.reshape(-1, 784), x_test.reshape(-1, 784)

    random = np.random.default_rng(0)
    limit = np.sqrt(6 / (784 + 10))
    kernel = random.uniform(-limit, limit, (784, 10)).astype(np.float32)
    bias = np.zeros(10, np.float32)

    batch = np.empty((jobs.BATCH_SIZE, 784), np.float32)
    logits = np.empty((jobs.BATCH_SIZE, 10), np.float32)
    kernel_gradient = np.empty_like(kernel)
    row_in_batch = np.arange(jobs.BATCH_SIZE)

    seconds = []
    for _ in range(jobs.EPOCHS):
        began = time.perf_counter()
        order = random.permutation(len(x))
        labels = y[order]
        for first in range(0, len(x), jobs.BATCH_SIZE):
            rows = order[first : first + jobs.BATCH_SIZE]
            n = len(rows)
            # mode="clip" copies straight into `out`; the default mode would
            # use a buffer.
            np.take(x, rows, axis=0, out=batch[:n], mode="clip")
            delta = np.dot(batch[:n], kernel, out=logits[:n])
            delta += bias
            softmax_in_place(delta)
            delta[row_in_batch[:n], labels[first : first + n]] -= 1
            # Scale by the learning rate and 1/batch here, not the larger gradient.
            delta *= np.float32(jobs.SGD_LEARNING_RATE / n)
            np.dot(batch[:n].T, delta, out=kernel_gradient)
            kernel -= kernel_gradient
            bias -= delta.sum(axis=0)
        seconds.append(time.perf_counter() - began)
        loss, accuracy = evaluate(kernel, bias, x_test, y_test)

    jobs.report("numpy", np.__version__, loss, accuracy, seconds_per_epoch=median(seconds))


if __name__ == "__main__":
    jobs.run({"mnist-softmax": mnist_softmax})
