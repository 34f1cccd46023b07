"""Instructing: the second step of phase 1, questions with reasoning and the form of an orchestration.

What an orchestration's examples teach is to understand the demand, to answer in the form, and which modules serve:
these are random among those that do by the twin. Where a text leaves a target open they teach caution, as an
engineer would: a guess that is right on the mean falls short of the need every other time. What chains are best,
and how much caution, is left to the feedback of phase 2.
"""

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from training.orchestrator.asking import Asked
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.examples import of_question, of_sample, serving_answers
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
    caution: float = 3.0
    """How many times stricter than it is what a text leaves open is told: a step of `grammar.STRICTNESS`."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.questions < 1.0 or self.batch < 1:
            raise OrchestratorError("questions must be at least 0 and below 1, and batch at least 1")
        if not 1.0 <= self.caution <= 100.0:
            raise OrchestratorError(f"caution is {self.caution}; it must lie in 1..100")


@dataclass(frozen=True, slots=True)
class Instructions:
    """Where instructions come from: every number stands for one, the same whenever it is asked for."""

    lm: Lm
    asked: Asked
    task: Callable[[int], Task]
    question: Callable[[int], Question]
    share: float
    caution: float = 1.0

    def examples(self, numbers: Sequence[int]) -> list[Example]:
        """Questions and orchestrations, one for each number."""
        draws = {number: random.Random(f"instruction {number}") for number in numbers}
        orchestrated = [number for number, draw in draws.items() if draw.random() >= self.share]
        tasks = [self._task(number) for number in orchestrated]
        own = [draws[number] for number in orchestrated]
        samples = serving_answers(self.asked, self.lm, tasks, own, self.caution)
        found = {number: of_sample(sample) for number, sample in zip(orchestrated, samples, strict=True)}
        return [found.get(number) or of_question(self.lm, *self.question(number)) for number in numbers]

    def _task(self, number: int) -> Task:
        """A task whose equipment can run some link chain."""
        for turn in range(100):
            task = self.task(number * 100 + turn)
            with contextlib.suppress(PlanError):
                self.asked.script(task)
                return task
        raise OrchestratorError("no task can be found whose equipment runs any link chain")

    def batch(self, size: int) -> Callable[[int], Sequence[Example]]:
        """So many for each step of a training."""
        return lambda step: self.examples(range(step * size, (step + 1) * size))
