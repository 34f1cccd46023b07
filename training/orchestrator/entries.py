"""Entries: who can be evaluated, by a short text such as `random:32`.

Searches of the link twin read nothing: they are told the true demand, so that they say what a search with so many
questions to the twin reaches. Another kind of entry is added to MAKERS.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from oran.model_package import PackageError
from oran.slices import SNssai
from rapps.orchestrator import package
from rapps.orchestrator.package import ModelWriter
from rapps.orchestrator.task import Task
from training.orchestrator import outside
from training.orchestrator.dimensioning import by_chance
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.evaluation import Answer, Entry, refused
from training.orchestrator.model_entry import ModelEntry, writer
from twin.link import baselines
from twin.link.baselines import Search
from twin.link.demand import Demand
from twin.link.errors import PlanError
from twin.link.plan import Plan, SlicePolicy

Method = Callable[[baselines.Task, int, int], Search]
"""A search by problem, number of questions to the twin, and seed."""


class EntryError(OrchestratorError):
    """An entry that there is not; says which there are."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A search that is told the true demand and may ask the twin `budget` questions at tier T0 about each task."""

    name: str
    method: Method
    budget: int

    def __call__(self, tasks: Sequence[Task], /) -> tuple[Answer, ...]:
        """Search for a plan for each task."""
        return tuple(map(self._answer, tasks))

    def _answer(self, task: Task) -> Answer:
        if task.demand is None or task.equipment is None:
            return refused("the task has no demand to go by, for this entry reads no texts", 0.0)
        # Another seed for each task, and the same one whenever it is asked.
        seed = int.from_bytes(sha256(task.to_json().encode()).digest()[:4])
        began = time.perf_counter()
        try:
            problem = baselines.Task(demand=task.demand, equipment=task.equipment)
            found = self.method(problem, self.budget, seed)
        except PlanError as error:
            return refused(str(error), time.perf_counter() - began)
        return Answer(
            demand=None,
            plan=Plan(link_chain=found.chain, slice_policy=_promise(task.demand)),
            well_formed=True,
            refusal=None,
            seconds=time.perf_counter() - began,
        )


def make(spec: str) -> Entry:
    """The entry that a text such as `amc:8` names; EntryError when there is none."""
    kind, _, rest = spec.partition(":")
    if kind not in MAKERS:
        raise EntryError(f"there is no entry {spec!r}; there are {', '.join(MAKERS)}")
    return MAKERS[kind](rest)


def _promise(demand: Demand) -> SlicePolicy:
    """What was asked for, on the first eMBB slice: a search does not choose a slice, and none is scored."""
    return SlicePolicy(slice=SNssai(1, 1), throughput_bps=demand.min_throughput_bps, delay_s=demand.max_delay_s)


def _reference(kind: str, method: Method) -> Callable[[str], Entry]:
    def made(rest: str) -> Entry:
        budget = rest or "1"
        if not (budget.isascii() and budget.isdecimal() and len(budget) <= 6 and 1 <= int(budget) <= 100_000):
            raise EntryError(f"{kind}:{rest[:40]} has no number of questions; it must lie in 1..100000")
        return Reference(f"{kind}:{int(budget)}", method, int(budget))

    return made


def _model(rest: str) -> Entry:
    if not rest:
        raise EntryError("model: names no package, folder or hub id; write model:FOLDER")
    return _entry(lambda: writer(rest))


def _shipped(rest: str) -> Entry:
    if rest:
        raise EntryError(f"shipped:{rest[:40]} has too much; write shipped, or model:FOLDER for another package")
    return _entry(package.load)


def _entry(load: Callable[[], ModelWriter]) -> Entry:
    try:
        found = load()
    except PackageError as error:
        raise EntryError(str(error)) from error
    return ModelEntry(found.name, found.model, found.margin)


MAKERS: dict[str, Callable[[str], Entry]] = {
    "random": _reference(
        "random", lambda task, budget, seed: baselines.random_search(task, budget=budget, seed=seed)
    ),
    "sized": _reference("sized", lambda task, budget, seed: by_chance(task, budget=budget, seed=seed)),
    "amc": _reference("amc", lambda task, budget, seed: baselines.adapt(task, budget=budget)),
    "bayes": _reference("bayes", lambda task, budget, seed: baselines.bayes(task, budget=budget, seed=seed)),
    "model": _model,
    "shipped": _shipped,
    **outside.MAKERS,
}
"""What makes an entry, by its kind, from what follows the colon."""
