"""Validation: how many tasks a model completes at once, on tasks of the training's kind that no training draws."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from rapps.orchestrator.decoding import Sample
from rapps.orchestrator.grammar import TARGETS
from training.orchestrator import ranks
from training.orchestrator.asking import Asked
from training.orchestrator.lm import Lm
from training.orchestrator.supervised import Row
from training.orchestrator.tasks.feasibility import share_of_chains
from training.orchestrator.tasks.generator import draw
from training.orchestrator.tasks.task import Task
from twin.link.calibration import UNCALIBRATED, Calibration

FIRST_SEED = 2_000_000_000
"""Seeds of tasks for validation begin here; trainings draw theirs below."""
PROBES = 128
BestBy = Literal["validated", "validated reward"]
"""What may tell the best model: completion, or the reward, which holds the waste of what is completed too."""
MEASURES: tuple[BestBy, ...] = get_args(BestBy)


def task_of(seed: int, calibration: Calibration = UNCALIBRATED) -> Task:
    """The task of a seed, on the equipment as it was calibrated."""
    task = draw(seed)
    return replace(task, equipment=calibration.applied(task.equipment))


def feasible_seeds(count: int, path: Path, calibration: Calibration = UNCALIBRATED) -> tuple[int, ...]:
    """Seeds of so many tasks that random chains prove feasible, kept in a file: they take a minute."""
    found: list[int] = json.loads(path.read_text()) if path.exists() else []
    seed = found[-1] + 1 if found else FIRST_SEED
    while len(found) < count:
        if share_of_chains(task_of(seed, calibration), PROBES) > 0:
            found.append(seed)
        seed += 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))
    return tuple(found[:count])


@dataclass(frozen=True, slots=True)
class Validation:
    """Tasks to validate with; the demand counts as it is, without a margin."""

    tasks: Sequence[Task]
    asked: Asked

    def __call__(self, lm: Lm) -> Row:
        """Completion and mean score of the likeliest answers, and how often the text was understood."""
        lm.network.eval()
        samples = ranks.shared(self.tasks, lambda own: self.asked.sample(lm, own, 1, 0.0, seed=0))
        return ranks.from_first(lambda: self._row(samples))

    def _row(self, samples: Sequence[Sample]) -> Row:
        found = replace(self.asked, margin=0.0).feedback(self.tasks, samples)
        known, done = found.known, found.completed
        read = [
            np.allclose(
                sample.script.values, [getattr(task.demand, target.field) for target in TARGETS], rtol=0.05
            )
            for task, sample in zip(self.tasks, samples, strict=True)
        ]
        explicit = known & np.array([task.explicit for task in self.tasks])
        return {
            "validated": float(done[known].mean()) if known.any() else 0.0,
            "validated score": float(found.rewards[done].mean()) if done.any() else 0.0,
            "validated reward": float(found.rewards[known].mean()) if known.any() else 0.0,
            "understood": float(np.mean(read)),
            "validated explicit": float(done[explicit].mean()) if explicit.any() else 0.0,
        }
