"""Feedback: what the twin says of answers to a task, and which of them it has no word of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from training.orchestrator.tasks.task import Task
from twin.link.plan import ChainGrid


@dataclass(frozen=True, slots=True, eq=False)
class Feedback:
    """By answer: its reward, and whether it meets the true demand with the margin asked for.

    An answer that was lost with a worker of the twin is not a bad one: its reward is NaN, and `known` leaves it
    out.
    """

    rewards: np.ndarray
    completed: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Which answers the twin has judged, bool [answers]."""
        told: np.ndarray = np.isfinite(self.rewards)
        return told

    def figures(self) -> dict[str, float]:
        """Mean reward and completion of the known answers; nothing where there is none."""
        known = self.known
        if not known.any():
            return {}
        return {
            "reward": float(self.rewards[known].mean()),
            "completed": float(self.completed[known].mean()),
        }

    @classmethod
    def join(cls, parts: Sequence["Feedback"]) -> "Feedback":
        """One after the other."""
        return cls(
            np.concatenate([part.rewards for part in parts]), np.concatenate([part.completed for part in parts])
        )


class Judge(Protocol):
    """Who tells what chains are worth for the task that each grid of them answers."""

    def __call__(self, tasks: Sequence[Task], chains: Sequence[ChainGrid]) -> Sequence[Feedback]:
        """One feedback a task; chains that contradict themselves or do not fit the equipment are refused."""
