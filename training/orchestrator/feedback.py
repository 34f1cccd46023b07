"""Feedback: what the twin says of answers, tier T0, and of answers in which one choice is another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.orchestrator.tasks.task import Task
from training.orchestrator.twin_pool import Question, parts, verdict
from twin.link.evaluate import evaluate_batch
from twin.link.plan import ChainGrid
from twin.link.qos import Tier


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
    question = Question(chains=chains, demand=demand, equipment=task.equipment)
    runnable = parts(question, Tier.T0)
    told = verdict(question, [(rows, evaluate_batch(chains.take(rows), task.equipment)) for rows in runnable])
    return Feedback(told.reward, told.met)
