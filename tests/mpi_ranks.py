"""Ranks of MPI on this machine, for tests/mpi.py, and what is compared of their output."""

import dataclasses
import json
import subprocess

# Seconds within which a failure ends all ranks, on a busy machine.
SOON = 20
TIMEOUT = 300


class Failed(Exception):
    """A promise that is not kept."""


def check(is_kept, promise, found=""):
    if not is_kept:
        raise Failed(f"{promise}\n{found}")


@dataclasses.dataclass
class Mpi:
    """An implementation of MPI."""

    compiler: str
    launcher: list
    # Variable that holds the number of a rank.
    rank: str


OPEN_MPI = Mpi(
    compiler="mpicc",
    # With more ranks than cores, a rank that waits yields its core.
    launcher=["mpirun", "--oversubscribe", "--allow-run-as-root",
              "--mca", "mpi_yield_when_idle", "1"],
    rank="OMPI_COMM_WORLD_RANK",
)
# Debian's names where Open MPI is installed too.
MPICH = Mpi(compiler="mpicc.mpich", launcher=["mpirun.mpich"], rank="PMI_RANK")


def mpirun(n, mpi=OPEN_MPI):
    """The command that starts ranks on this machine."""
    return [*mpi.launcher, "-n", str(n)]


def run(command, folder, **options):
    return subprocess.run([str(part) for part in command], cwd=folder, capture_output=True,
                          text=True, timeout=TIMEOUT, check=False, **options)


def result(done):
    """The line of JSON, but for its times and its command line."""
    check(done.returncode == 0, f"exit code {done.returncode}", done.stderr)
    line = json.loads(done.stdout)
    for name in ["seconds", "seconds_per_epoch", "threads", "command"]:
        line.pop(name, None)
    return line


def messages(stderr):
    """Lines on stderr without times."""
    return [line.split("s - ")[-1] for line in stderr.splitlines()]
