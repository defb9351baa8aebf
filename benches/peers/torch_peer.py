"""PyTorch with the training loop of its tutorials, and its fused optimizers."""

import jobs  # first: starts the clock

import time
from statistics import median

import torch
from torch import nn
from torch.nn import functional as F

import data


def mnist_softmax(_job):
    x, y, x_test, y_test = (torch.from_numpy(array) for array in data.mnist())
    y, y_test = y.long(), y_test.long()
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    nn.init.xavier_uniform_(model[1].weight)
    nn.init.zeros_(model[1].bias)
    optimizer = sgd(model)

    seconds = []
    for _ in range(jobs.EPOCHS):
        began = time.perf_counter()
        for rows in torch.randperm(len(x)).split(jobs.BATCH_SIZE):
            optimizer.zero_grad()
            logits = model(x.index_select(0, rows))
            F.cross_entropy(logits, y.index_select(0, rows)).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - began)
        with torch.no_grad():
            logits = model(x_test)
            loss = F.cross_entropy(logits, y_test).item()
            accuracy = (logits.argmax(dim=1) == y_test).float().mean().item()

    report(loss, accuracy, seconds_per_epoch=median(seconds))


def mnist_convolutional(job):
    pooled = job == "mnist-convnet"
    pool = [nn.MaxPool2d(2)] if pooled else []
    dropout = [nn.Dropout(0.5)] if pooled else []
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        *pool,
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        *pool,
        nn.Flatten(),
        *dropout,
        nn.Linear(64 * 5 * 5 if pooled else 64 * 24 * 24, 10),
    )
    x, y = map(torch.from_numpy, data.rows_of(job))
    x = x[:, None]
    if pooled:
        # With pooling, channels last is faster by a third; without, the default
        # layout is slightly faster.
        model = model.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    optimizer = adam(model) if pooled else sgd(model)
    time_steps(job, model, optimizer, F.cross_entropy, x, y.long())


def mnist_layers(job):
    def block(channels, filters):
        return [
            nn.Conv2d(channels, filters, 3),
            nn.BatchNorm2d(filters, eps=0.001, momentum=0.01),
            nn.GELU(),
            nn.MaxPool2d(2),
            nn.Dropout(0.25),
        ]

    model = nn.Sequential(*block(1, 32), *block(32, 64), nn.Flatten(), nn.Linear(64 * 5 * 5, 10))
    x, y = map(torch.from_numpy, data.rows_of(job))
    # Channels last is faster here, as with pooling alone.
    model = model.to(memory_format=torch.channels_last)
    x = x[:, None].contiguous(memory_format=torch.channels_last)
    time_steps(job, model, adam(model), F.cross_entropy, x, y.long())


def dense_514(job):
    model = nn.Sequential(nn.Linear(514, 514), nn.Linear(514, 257))
    kernels = [layer.weight for layer in model]
    for layer in model:
        nn.init.normal_(layer.weight, std=0.05)
        nn.init.zeros_(layer.bias)

    def loss_of(predicted, wanted):
        penalty = sum(k.abs().sum() + k.square().sum() for k in kernels)
        return F.mse_loss(predicted, wanted) + 1e-6 * penalty

    x, y = map(torch.from_numpy, data.rows_of(job))
    time_steps(job, model, adam(model), loss_of, x, y)


def lenet_5(job):
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 4 * 4, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    x, y = map(torch.from_numpy, data.rows_of(job))
    model = model.to(memory_format=torch.channels_last)
    x = x[:, None].contiguous(memory_format=torch.channels_last)
    time_steps(job, model, adam(model), F.cross_entropy, x, y.long())


def small_vgg(job):
    def block(channels, filters):
        return [
            nn.Conv2d(channels, filters, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]

    model = nn.Sequential(
        *block(3, 64),
        *block(64, 128),
        nn.Flatten(),
        nn.Linear(128 * 8 * 8, 256),
        nn.ReLU(),
        nn.Linear(256, 10),
    )
    x, y = map(torch.from_numpy, data.rows_of(job))
    model = model.to(memory_format=torch.channels_last)
    x = x.permute(0, 3, 1, 2)  # a view in channels last
    time_steps(job, model, adam(model), F.cross_entropy, x, y.long())


def dense(job):
    widths = jobs.DENSE_WIDTHS[job]
    layers = [nn.Flatten()]
    for inputs, units in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, units), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    x, y = map(torch.from_numpy, data.rows_of(job))
    if widths[-1] == 1:
        time_steps(job, model, adam(model), F.mse_loss, x, y)
    else:
        time_steps(job, model, adam(model), F.cross_entropy, x, y.long())


def conv_224(job):
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.Conv2d(64, 128, 3),
        nn.ReLU(),
        # Dense on the channels of every position.
        nn.Conv2d(128, 10, 1),
    )
    x, y = map(torch.from_numpy, data.rows_of(job))
    # Channels first is a fifth faster here, so the data are copied to that layout.
    x = x.permute(0, 3, 1, 2).contiguous()
    time_steps(job, model, sgd(model), F.cross_entropy, x, y.long())


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=jobs.SGD_LEARNING_RATE, fused=True)


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=jobs.ADAM_LEARNING_RATE, fused=True)


def time_steps(job, model, optimizer, loss_of, x, y):
    """Trains on the job's data repeatedly, in order."""
    steps = jobs.STEPS[job]
    seconds = []
    for _ in range(1 + steps.passes):
        began = time.perf_counter()
        for first in range(0, len(x), steps.batch_size):
            rows = slice(first, first + steps.batch_size)
            optimizer.zero_grad()
            loss = loss_of(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - began)
    milliseconds = median(seconds[1:]) / steps.batches * 1000
    report(loss.item(), milliseconds_per_step=milliseconds)


def report(*results, **time_taken):
    # The local part of the version describes the build: left out.
    version = torch.__version__.partition("+")[0]
    jobs.report("torch", version, *results, **time_taken)


if __name__ == "__main__":
    torch.manual_seed(0)
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
