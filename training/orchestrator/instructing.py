"""Instructing: the second step of phase 1, questions with reasoning and the form of an orchestration.

What an orchestration's examples teach is to understand the demand, to answer in the form, and which modules serve:
these are random among those that do by the twin. What chains are best is left to the feedback of phase 2.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from training.orchestrator.asking import Asked
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.examples import of_question, of_sample, serving_answer
from training.orchestrator.lm import Lm
from training.orchestrator.supervised import Example, SupervisedConfig
from training.orchestrator.tasks.task import Task
from twin.link.errors import PlanError

Question = tuple[str, str, str]
"""A question, its reasoning and its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionConfig:
    """How to instruct; OrchestratorError for values that cannot be."""

    learning: SupervisedConfig = field(default_factory=lambda: SupervisedConfig(steps=600))
    batch: int = 96
    questions: float = 0.25
    """Share of questions in a batch; the rest are orchestrations."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.questions < 1.0 or self.batch < 1:
            raise OrchestratorError("questions must be at least 0 and below 1, and batch at least 1")


@dataclass(frozen=True, slots=True)
class Instructions:
    """Where instructions come from: every number stands for one, the same whenever it is asked for."""

    lm: Lm
    asked: Asked
    task: Callable[[int], Task]
    question: Callable[[int], Question]
    share: float

    def example(self, number: int) -> Example:
        """A question, or an orchestration."""
        draw = random.Random(f"instruction {number}")
        if draw.random() < self.share:
            return of_question(self.lm, *self.question(number))
        for turn in range(100):
            try:
                task = self.task(number * 100 + turn)
                return of_sample(serving_answer(self.asked, self.lm, task, draw))
            except PlanError:
                # An equipment that can run no chain at all.
                continue
        raise OrchestratorError("no task can be found whose equipment runs any link chain")

    def batch(self, size: int) -> Callable[[int], Sequence[Example]]:
        """So many for each step of a training."""
        return lambda step: [self.example(step * size + place) for place in range(size)]
