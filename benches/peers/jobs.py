"""Settings of the jobs, shared by all Python peers, and the line that each prints.

A peer imports this module first, so that its clock starts before the
framework is loaded. `measure` imports the settings too, so only the standard
library is used.
"""

import json
import sys
import time
from typing import NamedTuple, Optional

STARTED = time.perf_counter()

BATCH_SIZE = 128
EPOCHS = 12
SGD_LEARNING_RATE = 0.01
ADAM_LEARNING_RATE = 0.001


class Steps(NamedTuple):
    """Timing of a job that is measured by the training step.

    A pass is `batches` steps. The first pass is not counted, since compilers
    and caches warm up in it; of the others, the median is taken.
    """

    batch_size: int
    batches: int
    passes: int

    @property
    def rows(self) -> int:
        return self.batch_size * self.batches


STEPS = {
    "mnist-cnn": Steps(batch_size=128, batches=20, passes=4),
    "mnist-convnet": Steps(batch_size=128, batches=40, passes=4),
    "mnist-layers": Steps(batch_size=128, batches=20, passes=4),
    "dense-514": Steps(batch_size=128, batches=100, passes=8),
    "conv-224": Steps(batch_size=8, batches=2, passes=3),
    "lenet-5": Steps(batch_size=128, batches=40, passes=6),
    "small-vgg": Steps(batch_size=64, batches=4, passes=3),
    "dense-64": Steps(batch_size=32, batches=1000, passes=8),
    "dense-128": Steps(batch_size=128, batches=100, passes=8),
    "dense-1024": Steps(batch_size=128, batches=20, passes=6),
}

# Inputs and units of the networks of Dense layers: relu between them, softmax
# with cross-entropy at the end, or mean squared error for a single output.
DENSE_WIDTHS = {
    "dense-64": [20, 64, 64, 1],
    "dense-128": [784, 128, 10],
    "dense-1024": [784, 1024, 1024, 10],
}


def run(jobs: dict) -> None:
    """Calls the function of the job given on the command line with its name."""
    if len(sys.argv) != 2 or sys.argv[1] not in jobs:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(jobs)}")
    jobs[sys.argv[1]](sys.argv[1])


def report(
    peer: str,
    version: str,
    loss: float,
    accuracy: Optional[float] = None,
    *,
    seconds_per_epoch: Optional[float] = None,
    milliseconds_per_step: Optional[float] = None,
) -> None:
    """Prints the line that `measure` reads.

    An epoch's job reports the loss and accuracy on the test rows, a step's
    job the last training loss, as a sign that something was learned.
    """
    line = {"peer": peer, "version": version}
    if seconds_per_epoch is not None:
        line["seconds_per_epoch"] = seconds_per_epoch
    if milliseconds_per_step is not None:
        line["milliseconds_per_step"] = milliseconds_per_step
    line["seconds"] = time.perf_counter() - STARTED
    line["loss"] = float(loss)
    line["accuracy"] = None if accuracy is None else float(accuracy)
    print(json.dumps(line), flush=True)
