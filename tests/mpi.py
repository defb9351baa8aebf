#!/usr/bin/env python3
"""Trains on several ranks of MPI, and compares all that is left with one process on one thread.

    python3 tests/mpi.py
    python3 tests/mpi.py --mpich

Every preset, and models with batch statistics, dropout, callbacks and all kinds of batch sizes, are
trained on 1, 2, 3 and 5 ranks: the line of JSON, the log, the checkpoint and the saved model must
be those of a build without MPI. Ranks are killed and interrupted, and their backups resumed on
other numbers of ranks. A rank that fails must end all, within seconds. Each rank opens only its own
images of a folder. As root on Linux, three hosts made of network namespaces train over TCP.

Builds both programs with cargo. Needs Open MPI, or Debian's MPICH, with headers; libclang; and
Python 3.9 or later.
"""

import argparse
import gzip
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import crash
from crash import NORMALIZATION, files, write_model
import mpi_images
import mpi_signals
from mpi_hosts import Hosts
from mpi_ranks import MPICH, OPEN_MPI, SOON, Failed, check, messages, mpirun, result, run

ROOT = pathlib.Path(__file__).resolve().parent.parent
RANKS = [1, 2, 3, 5]

CONV = {"class_name": "Conv2D", "config": {"filters": 8, "kernel_size": [3, 3]}}
# Layers that need all rows of a batch at once, at several depths, on images.
NORMALIZED = [
    {"class_name": "Input", "config": {"shape": [28, 28, 1]}},
    CONV,
    NORMALIZATION,
    CONV,
    NORMALIZATION,
    {"class_name": "Flatten", "config": {}},
    {"class_name": "Dropout", "config": {"rate": 0.3}},
    {"class_name": "Dense", "config": {"units": 10, "activation": "softmax"}},
]

# What is trained: the model and its flags; words like $POINTS are files of this test.
TRAININGS = {
    "mnist-softmax": "mnist-softmax --epochs 3",
    "mnist-cnn": "mnist-cnn --epochs 1",
    "mnist-convnet": "mnist-convnet --epochs 1",
    "conv-224": "conv-224 --epochs 1",
    "dense-514": "dense-514 --epochs 1",
    "dense-514-activation": "dense-514-activation --epochs 1",
    "normalized": "$NORMALIZED --epochs 2 --batch-size 100",
    "odd batches": "$NORMALIZED --epochs 1 --batch-size 33 --validation-split 0.2",
    "batches of 1": "$POINTS --epochs 1 --batch-size 1",
    "one batch": "mnist-softmax --epochs 2 --batch-size 5000 --optimizer adam",
    "threads": "mnist-convnet --epochs 1 --threads 3 --shuffle-split --validation-split 0.3",
    "restores the best": "$POINTS --epochs 9 --patience 1 --learning-rate 0.5 --optimizer rmsprop",
    "reduces the rate":
        "$POINTS --epochs 9 --reduce-on-plateau=1 --optimizer nadam --learning-rate 0.05",
    "images": "$IMAGES --epochs 2 --batch-size 6",
    "broken images": "$BROKEN --epochs 1 --batch-size 5 --skip-broken",
    "one set of images": "$ONE_SET --epochs 1 --batch-size 4 --validation-split 0.2",
    "schedule": "$POINTS --epochs 3 --schedule cosine:decay_steps=300 --no-shuffle",
}


class Test:
    """Programs, data and models."""

    def __init__(self, mpi, program, reference, scratch):
        self.mpi, self.program, self.reference = mpi, program, reference
        self.scratch = scratch
        self.mnist, self.points = scratch / "mnist", scratch / "points"
        write_mnist(self.mnist, {"train": 1200, "t10k": 500})
        crash.write_data(self.points, crash.random.Random(1))
        layers = [crash.INPUT, *crash.FULL]
        self.models = {
            "$POINTS": (write_model(scratch / "points.json", layers), self.points),
            "$NORMALIZED": (write_model(scratch / "normalized.json", NORMALIZED), self.mnist),
            **mpi_images.write(scratch),
        }

    def command(self, training):
        """The arguments of `tallynet` for a training."""
        model, *flags = training.split()
        path, data = self.models.get(model, (model, self.mnist))
        command = ["train", str(path), *flags, "--json"]
        if model.startswith(("$", "mnist")):
            command += ["--data", str(data)]
        return command + ["--csv", "log.csv", "--save", "last.safetensors",
                          "--checkpoint", "{epoch:02d}.safetensors"]

    def folder(self, name):
        folder = self.scratch / name.replace(" ", "-")
        folder.mkdir()
        return folder

    def alone(self, training, folder):
        """Trains with the build without MPI, on one thread."""
        one_thread = training.replace("--threads 3", "") + " --threads 1"
        return run([self.reference, *self.command(one_thread)], folder)

    def ranks(self, n, training, folder, **options):
        return run([*mpirun(n, self.mpi), self.program, *self.command(training)], folder, **options)

    def start(self, n, training, folder):
        command = [*mpirun(n, self.mpi), self.program, *self.command(training)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True)


def write_mnist(folder, rows):
    """The first images of MNIST."""
    folder.mkdir()
    for name, n in rows.items():
        for kind, head, width in [("images-idx3", 16, 784), ("labels-idx1", 8, 1)]:
            file = f"{name}-{kind}-ubyte"
            with gzip.open(ROOT / "data" / f"{file}.gz") as source:
                data = source.read(head + n * width)
            (folder / file).write_bytes(data[:4] + n.to_bytes(4, "big") + data[8:])


def compare(test, name, training, alone):
    """Trains on all numbers of ranks, and compares with one process."""
    folder, done = alone
    expected = result(done)
    for n in RANKS:
        other = test.folder(f"{name}-{n}")
        ranks = test.ranks(n, training, other)
        check(result(ranks) == expected, f"{name}: the result of {n} ranks differs",
              f"{done.stdout}\n{ranks.stdout}")
        check(files(other) == files(folder), f"{name}: the files of {n} ranks differ")
        check(messages(ranks.stderr) == messages(done.stderr),
              f"{name}: messages of {n} ranks differ", ranks.stderr)
        shutil.rmtree(other)
    print(f"  {name}: {expected['fingerprint']} on {RANKS} ranks")


def outputs(test):
    """Output for people, of `train`, `evaluate` and a command of one process."""
    saved = test.scratch / "evaluated.safetensors"
    commands = [
        ["train", "--epochs", "1", "--data", test.mnist, "--save", saved],
        ["evaluate", saved, "--data", test.mnist, "--per-class", "--mistakes", "wrong.csv"],
        ["summary", "mnist-cnn", "--explain"],
        ["gradcheck", "mnist-softmax"],
        ["train", "--epochs", "x"],
        ["train", "--help"],
        ["train", "nothing.keras"],
    ]
    for command in commands:
        alone, folder = test.folder("output"), test.folder("output-ranks")
        expected = run([test.reference, *command], alone)
        found = run([*mpirun(3, test.mpi), test.program, *command], folder)
        name = " ".join(map(str, command))
        # mpirun gives its ranks a terminal, for which help has bold words.
        stdout = re.sub(r"\x1b\[\d*m", "", found.stdout).replace("\r\n", "\n")
        check(stdout == expected.stdout, f"{name}: other output", found.stdout)
        check(found.returncode == expected.returncode, f"{name}: exit code {found.returncode}")
        # mpirun adds its own words and blank lines about an exit code, before or after these.
        lines = [line for line in messages(expected.stderr) if line]
        found_lines = [line for line in messages(found.stderr) if line in lines]
        check(found_lines == lines, f"{name}: other messages", found.stderr)
        check(files(folder) == files(alone), f"{name}: other files")
        shutil.rmtree(alone)
        shutil.rmtree(folder)
    single = run([test.program, "train", "--epochs", "1", "--data", test.mnist], test.scratch)
    expected = run([test.reference, "train", "--epochs", "1", "--data", test.mnist], test.scratch)
    check(single.stdout == expected.stdout, "without mpirun: other output", single.stdout)
    print("  outputs are those of one process")


def failures(test):
    """Ranks that fail, or that would train something else."""
    other = test.scratch / "elsewhere"
    (other / "data").mkdir(parents=True)
    train = [test.program, "train", "mnist-softmax", "--epochs", "50"]
    on_rank_1 = f"if [ ${test.mpi.rank} = 1 ]; then {{}}; fi; exec \"$@\""
    folder = test.folder("failures")
    shutil.copytree(test.mnist, folder / "data")
    data = ["--data", "data"]
    cases = [
        ("no data on rank 1", f"cd {other}", data, "error on rank 1: "),
        ("other data on rank 1", f"cd {test.scratch / 'less'}", data, "on rank 1"),
        ("another seed on rank 1", "set -- \"$@\" --seed 1", data, "rank 1 was started with"),
        ("other instructions", "export TALLYNET_KERNEL=plain", data, "instruction_set: "),
        ("full disk on rank 0", ":", [*data, "--csv", "/dev/full"], "/dev/full"),
        ("loss that is not finite", ":", [*data, "--learning-rate", "1e38"], "error: "),
    ]
    (test.scratch / "less").mkdir()
    write_mnist(test.scratch / "less/data", {"train": 1100, "t10k": 500})
    for name, action, flags, expected in cases:
        start = time.monotonic()
        shell = ["sh", "-c", on_rank_1.format(action), "sh"]
        done = run([*mpirun(3, test.mpi), *shell, *train, *flags], folder)
        seconds = time.monotonic() - start
        check(done.returncode != 0, f"{name}: exit code 0", done.stderr)
        check(expected in done.stderr, f"{name}: not the error", done.stderr)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
        check(len(errors) <= 1, f"{name}: {len(errors)} errors", done.stderr)
        check(seconds < SOON, f"{name}: {seconds:.1f} s until the end")
        print(f"  {name}: ends in {seconds:.1f} s")
    # The environment that srun leaves if it does not speak the protocol of this MPI.
    done = run([test.program, *train, *data], folder,
               env={**os.environ, "SLURM_STEP_NUM_TASKS": "3"})
    check("3 ranks were started, and they find only 1" in done.stderr and done.returncode != 0,
          "ranks that do not find each other train", done.stderr)


def over_tcp(test, hosts):
    """Trains on hosts that share no memory."""
    folder, other = test.folder("one host"), test.folder("hosts")
    training = TRAININGS["normalized"]
    expected = result(test.alone(training, folder))
    done = run([*hosts.mpirun(), test.program, *test.command(training)], other)
    check(result(done) == expected, "hosts: another result", done.stdout)
    check(files(other) == files(folder), "hosts: other files")
    sent = sum(hosts.sent())
    check(sent > 1e6, f"hosts: only {sent} bytes went over TCP")
    print(f"  {len(hosts.names)} hosts: {sent / 1e6:.1f} MB went over TCP, the same result")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", help="beginning of the names of trainings to compare")
    parser.add_argument("--mpich", action="store_true", help="test with MPICH, not Open MPI")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    # Signals that whoever runs this ignores, such as nohup, would stay ignored.
    for number in [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]:
        signal.signal(number, signal.SIG_DFL)
    mpi = MPICH if arguments.mpich else OPEN_MPI
    target = ROOT / "target" / ("mpich" if arguments.mpich else "mpi")
    build = ["cargo", "build", "--release", "--locked", "--quiet"]
    subprocess.run(build, cwd=ROOT, check=True)
    subprocess.run([*build, "--features", "mpi", "--target-dir", target], cwd=ROOT, check=True,
                   env={**os.environ, "MPICC": mpi.compiler})
    with tempfile.TemporaryDirectory() as scratch:
        test = Test(mpi, target / "release/tallynet", ROOT / "target/release/tallynet",
                    pathlib.Path(scratch))
        for name, training in TRAININGS.items():
            if name.startswith(arguments.only or ""):
                folder = test.folder(name)
                compare(test, name, training, (folder, test.alone(training, folder)))
        if arguments.only:
            return
        outputs(test)
        failures(test)
        mpi_images.own_images(test)
        mpi_images.failures(test)
        folder = test.folder("long")
        mpi_signals.interrupted(test, (folder, test.alone(mpi_signals.LONG, folder)))
        # The option by which mpirun reaches other hosts is that of Open MPI.
        if mpi is OPEN_MPI:
            with Hosts.on_this_machine(3, test.scratch) as hosts:
                if hosts is not None:
                    over_tcp(test, hosts)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"FAILED: {failed}")
