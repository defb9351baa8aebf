#!/usr/bin/env python3
"""Kills trainings at random moments, takes away what they need, and starts them again.

    python3 tests/crash.py --kills 200 --seed 1

Every training is run once to its end without a backup. The same command with --backup is then
killed (SIGKILL, or SIGTERM, SIGINT, SIGHUP, which save first), or runs out of disk, permissions,
file handles or memory, and is started again until it ends. The weights, the history, the CSV log,
the checkpoints and the saved model must be those of the first run to the last byte. No file under
a final name may be damaged at any time, and no temporary file may be left at the end.

Needs Python 3.9 or later, Linux, and nothing else. What needs root is left out without it.
"""

import argparse
import array
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROWS, TEST_ROWS, WIDTH, CLASSES = 3000, 400, 12, 3
# A second without an answer is an eternity for these models.
TIMEOUT = 120
NOBODY = 65534

INPUT = {"class_name": "Input", "config": {"shape": [WIDTH]}}
DENSE = {"class_name": "Dense", "config": {"units": 16, "activation": "relu"}}
HEAD = {"class_name": "Dense", "config": {"units": CLASSES, "activation": "softmax"}}
NORMALIZATION = {"class_name": "BatchNormalization", "config": {}}
DROPOUT = {"class_name": "Dropout", "config": {"rate": 0.3}}

PLAIN = [DENSE, HEAD]
FULL = [DENSE, NORMALIZATION, DROPOUT, HEAD]
# Layers and flags.
TRAININGS = {
    "sgd": (PLAIN, "--optimizer sgd --momentum 0.9 --nesterov --epochs 40"),
    "adam": (FULL, "--optimizer adam --epochs 40"),
    "plateau": (
        FULL,
        "--optimizer adam --learning-rate 0.05 --reduce-on-plateau=2 --patience 30 --epochs 40",
    ),
    "stopping": (
        [DENSE, DROPOUT, HEAD],
        "--optimizer rmsprop --learning-rate 0.01 --patience 25 --epochs 200",
    ),
    "schedule": (
        [DENSE, NORMALIZATION, HEAD],
        "--optimizer sgd --schedule cosine:decay_steps=3000,warmup_target=0.3,warmup_steps=200 "
        "--epochs 40 --metrics accuracy,sparse_top_k_categorical_accuracy",
    ),
    "nadam": (
        FULL,
        "--optimizer nadam --validation-split 0.2 --shuffle-split --batch-size 7 --epochs 12",
    ),
}
# For limits of memory: other models are too small to be told from the program itself.
WIDE = {"class_name": "Dense", "config": {"units": 1000, "activation": "relu"}}
LARGE = ([WIDE, WIDE, HEAD], "--optimizer adam --batch-size 750 --epochs 2")
CHECKPOINTS = ["best.safetensors", "{epoch:02d}-{val_loss:.3f}.keras"]


def write_npy(path, kind, shape, values):
    """Writes an array of 32-bit numbers ("f4" or "i4")."""
    head = f"{{'descr': '<{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    head = head.ljust((len(head) + 10) // 64 * 64 + 64 - 11) + "\n"
    code = {"f4": "f", "i4": "i"}[kind]
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        file.write(array.array(code, values).tobytes())


def write_data(folder, rng):
    """Noisy classes of points, as four .npy files."""
    folder.mkdir()
    centers = [[rng.gauss(0, 1) for _ in range(WIDTH)] for _ in range(CLASSES)]
    for name, rows in [("train", ROWS), ("test", TEST_ROWS)]:
        labels = [rng.randrange(CLASSES) for _ in range(rows)]
        points = [value + rng.gauss(0, 1.5) for label in labels for value in centers[label]]
        write_npy(folder / f"x_{name}.npy", "f4", (rows, WIDTH), points)
        write_npy(folder / f"y_{name}.npy", "i4", (rows,), labels)


def write_model(path, layers):
    """Writes the description of a compiled model."""
    compiled = {"optimizer": "sgd", "loss": "sparse_categorical_crossentropy",
                "metrics": ["accuracy"]}
    path.write_text(json.dumps({"class_name": "Sequential", "config": {"layers": layers},
                                "compile_config": compiled}))
    return path


class Crash(Exception):
    """A promise that is not kept."""


class Training:
    """A command, and what it leaves when nothing interrupts it."""

    def __init__(self, program, scratch, name, number, layers, flags):
        self.program, self.scratch = program, scratch
        self.name = f"{name}-{number}"
        self.model = write_model(scratch / f"{self.name}.json", [INPUT, *layers])
        self.flags = [*flags.split(), "--data", str(scratch / "data"), "--seed", str(number),
                      "--csv", "log.csv", "--checkpoint", CHECKPOINTS[number % 2],
                      "--save", "last.safetensors", "--json"]
        folder = scratch / f"{self.name}-alone"
        folder.mkdir()
        start = time.monotonic()
        self.answer = self.finish(folder, [])
        self.seconds = time.monotonic() - start
        self.files = files(folder)

    def start(self, folder, more, **options):
        command = [self.program, "train", str(self.model), *self.flags, *more]
        pipe = subprocess.PIPE
        environment = {**os.environ, "TMPDIR": str(self.scratch / "tmp")}
        environment.pop("TALLYNET_DATA", None)
        return subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True,
                                env=environment, **options)

    def finish(self, folder, more):
        """Runs the command, which must end well."""
        child = self.start(folder, more)
        out, err = child.communicate(timeout=TIMEOUT)
        if child.returncode != 0:
            raise Crash(f"{self.name}: exit code {child.returncode}: {err}")
        answer = json.loads(out)
        return {key: answer[key] for key in ["fingerprint", "history", "loss", "metrics", "epochs"]}

    def compare(self, folder, more):
        """Ends the training, and compares everything with the run that nothing interrupted."""
        answer = self.finish(folder, more)
        for key, value in self.answer.items():
            if answer[key] != value:
                raise Crash(f"{self.name}: {key} is {answer[key]} after a restart, not {value}")
        found = files(folder)
        if sorted(found) != sorted(self.files):
            raise Crash(f"{self.name}: files are {sorted(found)}, not {sorted(self.files)}")
        for path, content in self.files.items():
            if found[path] != content:
                raise Crash(f"{self.name}: {path} is another one after a restart")

    def check_files(self, folder):
        """Nothing under a final name is damaged."""
        for path in folder.rglob("*"):
            if path.name.startswith(".tallynet-") or path.is_dir():
                continue
            if path.suffix in (".keras", ".safetensors"):
                command = [self.program, "verify", str(path)]
                run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
                if run.returncode != 0:
                    raise Crash(f"{self.name}: {path.name} is damaged: {run.stderr}")


def files(folder):
    """Content of every file, hidden ones included."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def backup_flags(rng):
    every = rng.choice([[], ["--backup-every", str(rng.randint(1, 300))],
                        ["--backup-every", f"{rng.uniform(0, 0.3):.3f}s"]])
    return ["--backup", "backup", *every]


def check_exit(training, child, err, expected):
    """An error has its exit code and its message: no abort, no panic."""
    if child.returncode not in expected or "panicked" in err or "internal" in err:
        raise Crash(f"{training.name}: exit code {child.returncode}: {err}")
    if child.returncode == 1 and (".tallynet-" in err or "error: " not in err):
        raise Crash(f"{training.name}: an error that does not explain itself: {err}")


def has_ended(folder):
    """True if a training has saved its model and removed its backup."""
    backup = folder / "backup" / "backup.safetensors"
    return (folder / "last.safetensors").exists() and not backup.exists()


def kill(training, folder, rng):
    """Kills a training up to three times, then lets it end. Returns the number of kills."""
    kills = 0
    flags = backup_flags(rng)
    for _ in range(rng.randint(1, 3)):
        how = signal.SIGKILL
        if rng.random() < 0.3:
            how = rng.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
        child = training.start(folder, [*flags, "--threads", str(rng.randint(1, 3))])
        try:
            child.communicate(timeout=rng.uniform(0, training.seconds * 1.3))
            break
        except subprocess.TimeoutExpired:
            child.send_signal(how)
            _, err = child.communicate(timeout=TIMEOUT)
        kills += 1
        # Before the training itself, a signal ends the program as any other; or it had just ended.
        check_exit(training, child, err, [-how, 128 + how, 0])
        training.check_files(folder)
        if has_ended(folder):
            break
    if has_ended(folder):
        # It was not killed, or only after its end; the command is then another training.
        shutil.rmtree(folder)
        folder.mkdir()
    training.compare(folder, flags)
    return kills


def resumed(training, folder, flags, child, err):
    """Checks how a training ended, and ends it if it failed. True if it did."""
    check_exit(training, child, err, [0, 1])
    training.check_files(folder)
    for kept in folder.glob("kept-*"):
        kept.unlink()
    if child.returncode == 0:
        return False
    training.compare(folder, flags)
    return True


def limited(training, folder, rng, name, limit):
    """Runs a training with a limit of the system, then without it."""
    flags = backup_flags(rng)
    child = training.start(
        folder, flags, preexec_fn=lambda: resource.setrlimit(name, (limit, limit)))
    _, err = child.communicate(timeout=TIMEOUT)
    return resumed(training, folder, flags, child, err)


def full_disk(training, folder, rng):
    """Fills a small disk during a training, then frees it."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        return None
    try:
        flags = backup_flags(rng)
        child = training.start(folder, flags)
        time.sleep(rng.uniform(0, training.seconds))
        filler = folder / "filler"
        try:
            filler.write_bytes(bytes(512 << 10))
        except OSError:
            pass
        _, err = child.communicate(timeout=TIMEOUT)
        filler.unlink(missing_ok=True)
        return resumed(training, folder, flags, child, err)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def read_only(training, folder, rng):
    """Takes away the right to write during a training, then gives it back."""
    options = {}
    if os.geteuid() == 0:
        # Root writes everywhere.
        options = {"user": NOBODY, "group": NOBODY}
        os.chown(folder, NOBODY, NOBODY)
    flags = backup_flags(rng)
    child = training.start(folder, flags, **options)
    time.sleep(rng.uniform(0, training.seconds))
    paths = [path for path in [folder, folder / "backup"] if path.exists()]
    for path in paths:
        path.chmod(0o555)
    _, err = child.communicate(timeout=TIMEOUT)
    for path in paths:
        if path.exists():
            path.chmod(0o755)
    return resumed(training, folder, flags, child, err)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / "target/release/tallynet"))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="keep the files of a failure")
    arguments = parser.parse_args()
    # Signals that whoever runs this ignores, such as nohup, would stay ignored.
    for number in [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]:
        signal.signal(number, signal.SIG_DFL)
    rng = random.Random(arguments.seed)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="tallynet-crash-"))
    scratch.chmod(0o755)
    (scratch / "tmp").mkdir()
    (scratch / "tmp").chmod(0o1777)
    write_data(scratch / "data", rng)
    program = os.path.abspath(arguments.program)
    trainings = [Training(program, scratch, name, number, *training)
                 for number, (name, training) in enumerate(TRAININGS.items())]
    large = Training(program, scratch, "large", 0, *LARGE)
    number = 0

    def folder():
        nonlocal number
        number += 1
        new = scratch / f"run-{number}"
        new.mkdir()
        return new

    kills = restarts = 0
    while kills < arguments.kills:
        where = folder()
        kills += kill(rng.choice(trainings), where, rng)
        restarts += 1
        shutil.rmtree(where)
    print(f"{kills} kills in {restarts} trainings: all equal to the end without one")
    trials = max(3, arguments.kills // 10)
    kinds = {
        "disk full": full_disk,
        "folder read-only": read_only,
        "out of file handles": lambda training, where, rng: limited(
            training, where, rng, resource.RLIMIT_NOFILE, rng.randint(4, 14)),
        "out of memory": lambda _, where, rng: limited(
            large, where, rng, resource.RLIMIT_AS, rng.randint(14 << 10, 150 << 10) << 10),
    }
    for kind, trial in kinds.items():
        outcomes = []
        for _ in range(trials):
            where = folder()
            outcomes.append(trial(rng.choice(trainings), where, rng))
            shutil.rmtree(where)
        if None in outcomes:
            print(f"{kind}: left out, as this needs root")
        else:
            print(f"{kind}: {outcomes.count(True)} of {trials} trainings failed, went on and ended "
                  "equal")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    try:
        main()
    except Crash as crash:
        sys.exit(f"crash.py: {crash}")
