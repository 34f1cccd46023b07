"""Continuing: what a model goes on with that was trained before: its owner's tasks, and a twin calibrated since.

The owner's tasks are mixed with the generator's at a stated share, in instruction, rejection sampling and RLDTF:
what the model could do is replayed, or it would be forgotten. Models are compared on both, in the same shares.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from oran import model_package
from rapps.orchestrator import task as served
from training.orchestrator.asking import Asked
from training.orchestrator.errors import StageError
from training.orchestrator.examples import understood
from training.orchestrator.lm import Lm
from training.orchestrator.supervised import Row
from training.orchestrator.tasks.generator import draw
from training.orchestrator.tasks.task import Task
from training.orchestrator.validation import MEASURES
from twin.link.errors import PlanError

OWN = "own"
"""Service and vertical of an owner's task."""
HELD_BACK = 5
"""One in so many of the owner's tasks is for validation alone, if there are as many."""


@dataclass(frozen=True, slots=True)
class Own:
    """An owner's tasks, and their share among those that are learnt from."""

    learnt: tuple[Task, ...]
    held_back: tuple[Task, ...]
    """Tasks to validate with; those that are learnt from where there are too few to hold any back."""
    share: float

    @classmethod
    def read(cls, path: Path, share: float) -> Self:
        """Read tasks with demand and equipment (`rapps.orchestrator.task`); StageError tells what is wrong."""
        try:
            told = served.read(path)
        except served.TaskError as error:
            raise StageError(str(error)) from None
        if not told:
            raise StageError(f"{path} has no task")
        tasks = tuple(_whole(item, f"{path}, task {number}") for number, item in enumerate(told, 1))
        held_back = tasks[HELD_BACK - 1 :: HELD_BACK]
        learnt = tuple(task for place, task in enumerate(tasks, 1) if place % HELD_BACK)
        return cls(learnt, held_back or learnt, share)

    def task(self, number: int) -> Task:
        """The task of a number, the same each time: one of the owner's at their share, else the generator's."""
        die = random.Random(f"own {number}")
        return die.choice(self.learnt) if die.random() < self.share else draw(number)


@dataclass(frozen=True, slots=True)
class Both:
    """Validation on the generator's tasks and on the owner's; what counts is the mean by their shares."""

    general: Callable[[Lm], Row]
    own: Callable[[Lm], Row]
    share: float

    def __call__(self, lm: Lm) -> Row:
        """The generator's figures, those that tell the best model being of both."""
        general, own = self.general(lm), self.own(lm)
        apart = {"validated general": general["validated"], "validated own": own["validated"]}
        both = {name: (1.0 - self.share) * general[name] + self.share * own[name] for name in MEASURES}
        return general | apart | both


def verified(foundation: str) -> str:
    """The foundation; StageError where it is a model package that is not what was shipped."""
    if (Path(foundation) / model_package.MANIFEST).exists():
        try:
            model_package.load(Path(foundation))
        except model_package.PackageError as error:
            raise StageError(f"{foundation}: {error}") from None
    return foundation


def _whole(told: served.Task, name: str) -> Task:
    """A task with all that a training must know of it."""
    if told.demand is None or told.equipment is None:
        raise StageError(f"{name}: demand or equipment is missing; without them the twin cannot judge an answer")
    task = Task(
        text=told.text,
        demand=told.demand,
        equipment=told.equipment,
        explicit=False,
        service=OWN,
        vertical=OWN,
        seed=0,
    )
    asked = Asked()
    try:
        known = asked.script(task).reading.quantities
    except PlanError as error:
        raise StageError(f"{name}: {error}") from None
    return replace(task, explicit=all(word in known for word in understood(asked, task)))
