"""Signals to ranks, for tests/mpi.py: trainings that end, and go on with other numbers of ranks."""

import contextlib
import os
import pathlib
import shutil
import signal
import time

from crash import files
from mpi_ranks import OPEN_MPI, SOON, TIMEOUT, Failed, check, result

# Long enough for a signal to arrive: mpirun may take two seconds to forward one.
LONG = "$NORMALIZED --epochs 40 --batch-size 100 --optimizer adam --backup backup --backup-every 5"


def process_of(test, rank, folder):
    """Process of a rank that trains in this folder."""
    variable = f"{test.mpi.rank}={rank}".encode()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_rank = variable in (process / "environ").read_bytes().split(b"\0")
            program = (process / "exe").resolve(strict=True)
            if is_rank and program == test.program.resolve():
                if (process / "cwd").resolve() == folder.resolve():
                    return int(process.name)
    raise Failed(f"rank {rank} does not run")


def interrupted(test, alone):
    """Ends trainings by signals, and resumes them on other numbers of ranks."""
    expected, expected_files = result(alone[1]), files(alone[0])
    moments = [
        ("kill -9 of rank 0", signal.SIGKILL, 0, 2, 3),
        ("kill -9 of the last rank", signal.SIGKILL, -1, 3, 1),
        ("SIGTERM of the last rank", signal.SIGTERM, -1, 2, 5),
        ("SIGINT of rank 0", signal.SIGINT, 0, 5, 2),
        ("Ctrl-C of mpirun", signal.SIGINT, None, 2, 2),
    ]
    for name, number, rank, before, after in moments:
        folder = test.folder("interrupted")
        process = test.start(before, LONG, folder)
        wait_for(lambda: (folder / "backup/backup.safetensors").exists(), process)
        time.sleep(0.5)
        check(process.poll() is None, f"{name}: the training ended before the signal")
        target = process.pid if rank is None else process_of(test, rank % before, folder)
        start = time.monotonic()
        os.kill(target, number)
        _, stderr = process.communicate(timeout=TIMEOUT)
        seconds = time.monotonic() - start
        check(seconds < SOON, f"{name}: {seconds:.1f} s until the end")
        # The mpirun of MPICH has exit code 0 after Ctrl-C.
        if rank is not None or test.mpi is OPEN_MPI:
            check(process.returncode != 0, f"{name}: exit code 0", stderr)
        if number != signal.SIGKILL and rank is not None:
            check("The same command resumes there" in stderr, f"{name}: no notice", stderr)
        check((folder / "backup/backup.safetensors").exists(), f"{name}: no backup")
        done = test.ranks(after, LONG, folder)
        check(result(done) == expected, f"{name}: another result", done.stdout)
        check(not (folder / "backup").exists(), f"{name}: the backup is left")
        check(files(folder) == expected_files, f"{name}: other files")
        shutil.rmtree(folder)
        print(f"  {name}: {before} ranks end in {seconds:.1f} s, {after} end equal")


def wait_for(is_true, process):
    end = time.monotonic() + TIMEOUT
    while not is_true():
        check(process.poll() is None and time.monotonic() < end, "the training ended too soon")
        time.sleep(0.02)
