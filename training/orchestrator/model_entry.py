"""Model entry: a language model as one of those that answer tasks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from oran.model_package import MANIFEST
from rapps.orchestrator import package
from rapps.orchestrator.answer import policy
from rapps.orchestrator.budget import USUAL_MARGIN
from rapps.orchestrator.decoding import sample
from rapps.orchestrator.grammar import Script
from rapps.orchestrator.package import ModelWriter
from rapps.orchestrator.prompt import prompt
from rapps.orchestrator.proof import by_tables
from rapps.orchestrator.reading import read
from rapps.orchestrator.task import Task
from training.orchestrator.evaluation import Answer, refused
from twin.link.errors import PlanError
from twin.link.plan import ChainGrid, Plan


@dataclass(frozen=True, slots=True)
class ModelEntry(ModelWriter):
    """A writer that gives one answer to each task."""

    def __call__(self, tasks: Sequence[Task], /) -> tuple[Answer, ...]:
        """Answer tasks side by side; the seconds of an answer are its part of the whole."""
        began = time.perf_counter()
        scripts: dict[int, Script] = {}
        reasons: dict[int, str] = {}
        for place, task in enumerate(tasks):
            assert task.equipment is not None
            try:
                scripts[place] = Script(read(task.text), task.equipment, margin=self.margin)
            except PlanError as error:
                reasons[place] = str(error)
        if scripts:
            prompts = [prompt(script.reading, script.equipment) for script in scripts.values()]
            sample(self.model, prompts, [*scripts.values()], temperature=0.0)
        seconds = (time.perf_counter() - began) / max(1, len(tasks))
        return tuple(
            _answer(scripts[place], seconds) if place in scripts else refused(reasons[place], seconds)
            for place in range(len(tasks))
        )


def writer(name: str) -> ModelWriter:
    """A model package's, or that of a folder or hub id that `transformers` reads, by its weights.

    PackageError or OrchestratorError says why there is none. A folder that is no package tells no margin and gets
    the usual one, by which every preset trains.
    """
    if (Path(name) / MANIFEST).exists():
        return package.load(Path(name))
    # torch and transformers are loaded for such models alone.
    from training.orchestrator.lm import Lm

    lm = Lm.load(name)
    lm.network.eval()
    # By its weights, for another training may leave another model in the same folder.
    return ModelWriter(f"model:{name}@{lm.digest()}", lm, USUAL_MARGIN)


def _answer(script: Script, seconds: float) -> Answer:
    demand = script.understood
    chain = by_tables(ChainGrid.of((script.chain(),)), script.equipment).chain(0)
    return Answer(
        demand=demand,
        plan=Plan(link_chain=chain, slice_policy=policy(demand)),
        well_formed=True,
        refusal=None,
        seconds=seconds,
        careful=replace(script.demand, margin=0.0),
        beyond_db=script.sketch().beyond["tx_power_dbm"],
    )
