"""Model entry: a language model as one of those that answer tasks, and as one who writes for an operator."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rapps.orchestrator.answer import policy
from rapps.orchestrator.decoding import sample
from rapps.orchestrator.grammar import Script
from rapps.orchestrator.prompt import prompt
from rapps.orchestrator.reading import read
from rapps.orchestrator.task import Task
from training.orchestrator.evaluation import Answer
from training.orchestrator.lm import Lm
from twin.link.errors import PlanError
from twin.link.plan import Plan


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that is held to the grammar and takes the likeliest of its choices, one answer to each task."""

    name: str
    lm: Lm
    margin: float

    def __call__(self, tasks: Sequence[Task], /) -> tuple[Answer, ...]:
        """Answer tasks side by side; the seconds of an answer are its part of the whole."""
        began = time.perf_counter()
        scripts: dict[int, Script] = {}
        refused: dict[int, str] = {}
        for place, task in enumerate(tasks):
            assert task.equipment is not None
            try:
                scripts[place] = Script(read(task.text), task.equipment, margin=self.margin)
            except PlanError as error:
                refused[place] = str(error)
        if scripts:
            prompts = [prompt(script.reading, script.equipment) for script in scripts.values()]
            sample(self.lm, prompts, [*scripts.values()], temperature=0.0)
        seconds = (time.perf_counter() - began) / max(1, len(tasks))
        return tuple(
            _answer(scripts[place], seconds) if place in scripts else _none(refused[place], seconds)
            for place in range(len(tasks))
        )

    def write(self, prompt: str, script: Script) -> str:
        """Choose in a script until it is done, and give the text of the answer."""
        sample(self.lm, [prompt], [script], temperature=0.0)
        return script.text


def _answer(script: Script, seconds: float) -> Answer:
    demand = replace(script.demand, margin=0.0)
    plan = Plan(link_chain=script.chain(), slice_policy=policy(demand))
    return Answer(demand=demand, plan=plan, well_formed=True, refusal=None, seconds=seconds)


def _none(why: str, seconds: float) -> Answer:
    return Answer(demand=None, plan=None, well_formed=True, refusal=why, seconds=seconds)
