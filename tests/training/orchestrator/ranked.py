"""A training that any number of ranks can share, as a program: FOLDER and the step to be killed at, 0 for none."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import PartialState

from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator import ranks
from training.orchestrator.instructing import Instructions
from training.orchestrator.rldtf import Rldtf, RldtfConfig
from training.orchestrator.supervised import Example, Row, SupervisedConfig, fit
from training.orchestrator.validation import Validation

QUESTION = ("What is a PRB?", "It has 12 subcarriers.", "12 subcarriers")
SUPERVISED = SupervisedConfig(
    steps=6, learning_rate=3e-3, micro_batch=2, checkpoint_every=2, log_every=1, bf16=False
)
# So cold that ranks, which draw for themselves, take what one would.
RLDTF = RldtfConfig(
    steps=3,
    tasks=4,
    each=2,
    temperature=1e-9,
    minibatches=2,
    micro_batch=3,
    learning_rate=1e-3,
    bf16=False,
    validate_every=1,
    checkpoint_every=1,
)


def supervised(folder: Path, killed_at: int = 0) -> list[Row]:
    """Instructions, of seven a step, which is no multiple of anything."""
    lm = made()
    batch = Instructions(lm, ASKED, lambda number: tasks(1, number)[0], lambda number: QUESTION, 0.3).batch(7)

    def drawn(step: int) -> Sequence[Example]:
        if killed_at and step == killed_at:
            os._exit(3)
        return batch(step)

    return fit(lm, drawn, SUPERVISED, folder)


def reinforced(folder: Path) -> list[Row]:
    """Four tasks over and over."""
    lm = made(1)
    validate = Validation(tasks(5), ASKED)
    return Rldtf(lm, RLDTF, ASKED, lambda step: tasks(4), folder, seed=1).run(validate)


def main(folder: Path, killed_at: int) -> None:
    """Both, one after the other; ranks share the folder where they are to be killed, else each has its own."""
    torch.set_num_threads(1)
    if ranks.sharded():
        # For CPUs accelerate itself chooses nothing that DeepSpeed could talk by.
        PartialState(backend="gloo")
    own = folder if killed_at else folder / str(ranks.number())
    supervised(own / "supervised", killed_at)
    if not killed_at:
        reinforced(own / "rldtf")
    ranks.part()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
