"""Feedback: what the twin says of answers, tier T0, and of answers in which one choice is another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.orchestrator.tasks.task import Task
from twin.link.equipment import fits
from twin.link.evaluate import evaluate_batch
from twin.link.plan import ChainGrid
from twin.link.reward import DEFAULT_WEIGHTS, deviations, rewards, satisfied


@dataclass(frozen=True, slots=True, eq=False)
class Feedback:
    """By answer: its reward, and whether it meets the true demand with the margin asked for."""

    rewards: np.ndarray
    completed: np.ndarray

    @classmethod
    def join(cls, parts: Sequence["Feedback"]) -> "Feedback":
        """One after the other."""
        return cls(
            np.concatenate([part.rewards for part in parts]), np.concatenate([part.completed for part in parts])
        )


def feedback(task: Task, chains: ChainGrid, margin: float = 0.0) -> Feedback:
    """Of chains for a task; those that contradict themselves or do not fit the equipment are refused."""
    demand = replace(task.demand, margin=margin)
    values, completed = np.full(len(chains), DEFAULT_WEIGHTS.refused), np.zeros(len(chains), dtype=bool)
    good = np.flatnonzero(chains.consistent() & fits(chains, task.equipment))
    if len(good):
        found = evaluate_batch(chains.take(good), task.equipment)
        values[good] = rewards(found, demand)
        completed[good] = satisfied(deviations(found.delay_s, found.throughput_bps, found.ber_high, demand))
    return Feedback(values, completed)
