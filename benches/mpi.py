#!/usr/bin/env python3
"""Measures trainings on MPI: bytes that a step sends, time against ranks on this machine, time on
two hosts at the rate of a network; and computes from that what more machines would gain.

    python3 benches/mpi.py

Prints the tables of benches/MPI.md. Hosts are network namespaces, which need root on Linux; they
share this machine's cores. Every rank has one thread. Build the programs with tests/mpi.py first.
"""

import argparse
import json
import math
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from mpi import mpirun, write_mnist  # noqa: E402
from mpi_hosts import Hosts  # noqa: E402

PROGRAM = ROOT / "target/mpi/release/tallynet"
DATA = pathlib.Path(tempfile.gettempdir()) / "tallynet-mpi-data"
# Rows and shards (src/training/batch.rs) of a batch, and epochs to measure.
MODELS = {
    "mnist-softmax": {"batch": 128, "parameters": 7850, "shards": 4, "epochs": 4},
    "dense-514": {"batch": 128, "parameters": 397065, "shards": 2, "epochs": 5},
    "mnist-cnn": {"batch": 128, "parameters": 387466, "shards": 16, "epochs": 1},
    "mnist-convnet": {"batch": 128, "parameters": 34826, "shards": 32, "epochs": 1},
    "conv-224": {"batch": 8, "parameters": 94538, "shards": 8, "epochs": 1},
}
RANKS = [1, 2, 3, 5]
HOSTS = [2, 3, 4]
COUNTS = [2, 4, 8, 16, 32, 64]
# Networks of the model: bits a second, and seconds until a message of MPI over TCP arrives.
NETWORKS = {"1 Gbit/s": (1e9, 50e-6), "10 Gbit/s": (10e9, 25e-6), "100 Gbit/s": (100e9, 5e-6)}
# Networks and threads of the machines that are computed.
MACHINES = [("1 Gbit/s", 1), ("1 Gbit/s", 8), ("10 Gbit/s", 8), ("100 Gbit/s", 8)]
# Part of a network's rate that TCP delivers.
DELIVERED = 0.94


def train(launcher, model, epochs, flags=()):
    """The line of JSON of a training. An epoch of MNIST has 6000 images here."""
    command = [*launcher, PROGRAM, "train", model, "--epochs", epochs, "--threads", 1, "--json",
               "--validation-split", 0.05, *flags]
    if model.startswith("mnist"):
        command += ["--data", DATA]
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True,
                          text=True, timeout=1200, check=False)
    if done.returncode:
        sys.exit(f"{model}: {done.stderr}")
    return json.loads(done.stdout)


def training_rows(line):
    return math.floor(line["split"]["train"] * 0.95)


def steps_of(line, model):
    return math.ceil(training_rows(line) / MODELS[model]["batch"])


def step_ms(line, model):
    return 1000 * line["seconds_per_epoch"] / steps_of(line, model)


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def on_this_machine(rounds):
    """Milliseconds a step against ranks. Returns those of one rank."""
    rows, alone = [], {}
    for model, options in MODELS.items():
        row, prints = [model], set()
        for n in RANKS:
            times = []
            for _ in range(rounds):
                line = train(mpirun(n), model, options["epochs"])
                times.append(step_ms(line, model))
                prints.add(line["fingerprint"])
            median = statistics.median(times)
            alone.setdefault(model, median)
            row.append(f"{median:.2f}")
        assert len(prints) == 1, (model, prints)
        rows.append([*row, prints.pop()])
    print("### Milliseconds a step on the clock, ranks on this machine\n")
    table(["preset", *(f"{n} ranks" if n > 1 else "1 rank" for n in RANKS), "fingerprint"], rows)
    return alone


def bytes_sent(scratch):
    """Kilobytes that each host sends in a step."""
    rows = []
    for model, options in MODELS.items():
        row = [model, f"{4e-3 * options['parameters']:.0f}"]
        for n in HOSTS:
            totals = []
            for epochs in [1, 2]:
                with Hosts.on_this_machine(n, scratch) as hosts:
                    if hosts is None:
                        return
                    line = train(hosts.mpirun(), model, epochs)
                    totals.append(sum(hosts.sent()))
            # The second epoch alone, without the start. Its validation is part of it.
            each = (totals[1] - totals[0]) / steps_of(line, model) / n
            row.append(f"{each / 1e3:.0f}")
        rows.append(row)
    print("### Kilobytes that each host sends in a step, counted at its network device\n")
    table(["preset", "gradient, kB", *(f"{n} hosts" for n in HOSTS)], rows)


def two_hosts(alone, scratch):
    """Milliseconds a step on two hosts, at the rates of networks."""
    rows = []
    for model, options in MODELS.items():
        row = [model, f"{alone[model]:.2f}"]
        for rate in ["1gbit", "10gbit"]:
            with Hosts.on_this_machine(2, scratch) as hosts:
                if hosts is None:
                    return
                hosts.limit(rate)
                row.append(f"{step_ms(train(hosts.mpirun(), model, options['epochs']), model):.2f}")
        rows.append(row)
    print("### Milliseconds a step on the clock, two hosts that share this machine's cores, over TCP"
          "\n")
    table(["preset", "1 rank", "2 hosts, 1 Gbit/s", "2 hosts, 10 Gbit/s"], rows)


def cpu_ms(model, batch):
    """Processor time of a step of this many rows, on one thread: of two trainings, the difference.
    Unlike the time on the clock, it does not depend on what else the machine does."""
    used = []
    more = 1 if batch == 1 else MODELS[model]["epochs"]
    for epochs in [1, 1 + more]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        line = train([], model, epochs, ["--batch-size", batch])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    steps = more * math.ceil(training_rows(line) / batch)
    return 1000 * (used[1] - used[0]) / steps


def model_of_speed():
    """Speed-up on more machines, from measured computation and the numbers of a network."""
    steps = {}
    for model, options in MODELS.items():
        whole, one_row = cpu_ms(model, options["batch"]), cpu_ms(model, 1)
        # A step of no row is the optimizer's, which every rank takes.
        own = max(one_row - (whole - one_row) / (options["batch"] - 1), 0)
        steps[model] = Step(whole, own, options["shards"], options["parameters"])
    print("### Processor time of a step on one thread, ms\n")
    rows = [[model, f"{step.whole:.2f}", f"{step.own:.2f}", str(step.shards)]
            for model, step in steps.items()]
    table(["preset", "step", "repeated on every rank", "shards"], rows)
    for network, threads in MACHINES:
        bits, latency = NETWORKS[network]
        rows = []
        for model, step in steps.items():
            alone = step.ms(1, threads, bits, latency)
            times = [step.ms(n, threads, bits, latency) for n in COUNTS]
            rows.append([model, *(f"{alone / time:.2f}" for time in times)])
        print(f"### Computed speed-up over one machine: {threads} thread{'s' * (threads > 1)} "
              f"each, {network}, "
              f"{latency * 1e6:.0f} µs a message\n")
        table(["preset", *(f"{n} machines" for n in COUNTS)], rows)


class Step:
    """Processor time of a step, and what it sends."""

    def __init__(self, whole, own, shards, parameters):
        self.whole, self.own, self.shards, self.parameters = whole, own, shards, parameters

    def ms(self, machines, threads, bits, latency):
        """Computed time on these machines."""
        shards = math.ceil(math.ceil(self.shards / machines) / threads)
        computed = self.own + (self.whole - self.own) * shards / self.shards
        if machines == 1:
            return computed
        # Sums of shards go to the ranks of their slices, and completed slices to all.
        sent = 2 * 4 * self.parameters * (1 - 1 / machines)
        # And two exchanges of a few numbers: the metrics, and the flags that end training.
        messages = 2 * (machines - 1) + 2 * math.ceil(math.log2(machines))
        return computed + 1000 * (8 * sent / (bits * DELIVERED) + latency * messages)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load average {load:.1f} before\n")
    if not DATA.exists():
        write_mnist(DATA, {"train": 6000, "t10k": 500})
    with tempfile.TemporaryDirectory() as scratch:
        bytes_sent(scratch)
        alone = on_this_machine(arguments.rounds)
        two_hosts(alone, scratch)
    model_of_speed()


if __name__ == "__main__":
    main()
