"""Asking: putting tasks to a model, and its answers to the twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rapps.orchestrator.budget import USUAL_MARGIN
from rapps.orchestrator.decoding import Sample, sample, written
from rapps.orchestrator.grammar import Script
from rapps.orchestrator.prompt import prompt
from rapps.orchestrator.sizing import drawn_up
from training.orchestrator.feedback import Feedback
from training.orchestrator.lm import Lm
from training.orchestrator.tasks.likeness import reading
from training.orchestrator.tasks.task import Task
from training.orchestrator.twin_pool import Question, TwinPool
from twin.link.equipment import EquipmentGrid
from twin.link.plan import ChainGrid
from twin.link.qos import Tier


@dataclass(frozen=True, slots=True)
class Asked:
    """How tasks are asked and judged: with so much margin, so many at once."""

    margin: float = USUAL_MARGIN
    at_once: int = 512
    """Answers that are sampled side by side."""
    twin: TwinPool = field(default_factory=lambda: TwinPool(workers=0))
    """Who is asked what answers are worth."""

    def script(self, task: Task) -> Script:
        """An answer to a task that is still to be written."""
        return Script(reading(task), task.equipment, margin=self.margin)

    def prompt(self, task: Task) -> str:
        """The task as a model reads it."""
        return prompt(reading(task), task.equipment)

    def written(self, lm: Lm, task: Task, options: Sequence[str]) -> Sample:
        """The answer with these options."""
        script = self.script(task)
        return written(lm, prompt(script.reading, task.equipment), script, options)

    def sample(self, lm: Lm, tasks: Sequence[Task], each: int, temperature: float, seed: int) -> list[Sample]:
        """So many answers to each task in turn; temperature 0 takes the likeliest."""
        generator = np.random.default_rng(seed)
        found: list[Sample] = []
        share = max(1, self.at_once // each)
        for start in range(0, len(tasks), share):
            pairs = [(reading(task), task.equipment) for task in tasks[start : start + share]]
            scripts = [Script(*one, margin=self.margin) for one in pairs for _ in range(each)]
            prompts = [prompt(*one) for one in pairs]
            found += sample(lm, prompts, scripts, temperature=temperature, draw=generator)
        return found

    def feedback(self, tasks: Sequence[Task], samples: Sequence[Sample]) -> Feedback:
        """What the twin says of as many answers to each task."""
        return self.judged(tasks, chains(samples))

    def judged(self, tasks: Sequence[Task], made: ChainGrid) -> Feedback:
        """What the twin says of as many chains for each task, one after the other."""
        each = len(made) // len(tasks)
        starts = range(0, len(made), each)
        return Feedback.join(self.judge(tasks, [made.take(slice(start, start + each)) for start in starts]))

    def judge(self, tasks: Sequence[Task], chains: Sequence[ChainGrid], tier: Tier = Tier.T0) -> list[Feedback]:
        """What the twin says of chains for each task, with the margin (`training.orchestrator.feedback.Judge`)."""
        questions = [
            Question(chains=some, demand=replace(task.demand, margin=self.margin), equipment=task.equipment)
            for task, some in zip(tasks, chains, strict=True)
        ]
        return [Feedback(told.reward, told.met) for told in self.twin.ask(questions, tier)]


def chains(samples: Sequence[Sample]) -> ChainGrid:
    """The chains of answers, to whatever tasks."""
    return drawn_up([item.script.sketch() for item in samples], equipment(samples))


def equipment(samples: Sequence[Sample]) -> EquipmentGrid:
    """What the chain of each answer is to run on."""
    return EquipmentGrid.of([item.script.equipment for item in samples], [1] * len(samples))
