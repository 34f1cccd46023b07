"""Evaluation: puts tasks to an entry, that is whoever answers them, and asks the twin what the answers are worth.

What became of each task is kept in a file, so that an evaluation that was interrupted goes on where it was.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from rapps.orchestrator.task import USUAL_EQUIPMENT, Task
from training.orchestrator import kept
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.tasks.feasibility import tables
from training.orchestrator.twin_pool import LOOKS, Question, TwinPool, Verdict
from twin.link.demand import Demand
from twin.link.plan import ChainGrid, Plan
from twin.link.qos import Tier

TASKS_AT_ONCE = 32
TARGETS = ("max_delay_s", "min_throughput_bps", "max_ber")


class EvaluationError(OrchestratorError):
    """An evaluation that cannot be done as asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an entry says to a task."""

    demand: Demand | None
    """As it understood the text; None where it did not say, or was told."""
    plan: Plan | None
    well_formed: bool
    """Whether the raw answer was in the format that was asked for."""
    refusal: str | None
    """Why the task is not done, in particular that the demand cannot be met; its plan does not count then."""
    seconds: float
    careful: Demand | None = None
    """What the plan is made for, where that is stricter than what was understood."""
    beyond_db: int = 0
    """Power that the plan is to have beyond the need."""
    had: bool = True
    """Whether there was an answer; one that a dead server owes counts nowhere and is asked for another time."""


def refused(why: str, seconds: float) -> Answer:
    """An answer that no chain can be had."""
    return Answer(demand=None, plan=None, well_formed=True, refusal=why, seconds=seconds)


class Entry(Protocol):
    """Whoever answers tasks. Every task has an equipment when it is asked."""

    @property
    def name(self) -> str:
        """Under which answers are kept: another model must have another name."""

    def __call__(self, tasks: Sequence[Task], /) -> Sequence[Answer]:
        """Answer tasks in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a task. Its worth is None without a true demand, and when the twin lost the plan."""

    well_formed: bool
    refusal: str | None
    seconds: float
    understood: Mapping[str, float] | None
    """TARGETS as the entry understood them."""
    chain: Mapping[str, object] | None
    """The link chain of the plan."""
    reward: float | None = None
    """By the true demand at the tier asked for (eq. 2), or that of a refusal."""
    completed: bool | None = None
    """Whether the plan meets the true demand at the tier asked for."""
    table_reward: float | None = None
    table_completed: bool | None = None
    """The same at tier T0."""
    lost: bool = False
    """Whether a worker of the twin died over the plan, or there was no answer to be had."""


class Outcomes:
    """Outcomes that are kept in a file, by task, entry and tier; `path` None keeps nothing.

    What was lost is not kept, so that it is asked another time. Outcomes by other tables are not taken.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[tuple[str, str, str], Outcome] = {}
        for told in kept.read(path) if path is not None else ():
            with contextlib.suppress(KeyError, TypeError):
                place = (str(told.pop("task")), str(told.pop("entry")), str(told.pop("tier")))
                self._known[place] = Outcome(**told)  # type: ignore[arg-type]

    def get(self, task: Task, entry: str, tier: Tier) -> Outcome | None:
        """What is known of a task."""
        return self._known.get((_key(task), entry, tier.value))

    def keep(self, task: Task, entry: str, tier: Tier, outcome: Outcome) -> None:
        """Keep an outcome, unless the twin lost it."""
        place = (_key(task), entry, tier.value)
        if outcome.lost:
            return
        self._known[place] = outcome
        if self._path is not None:
            told = dict(zip(("task", "entry", "tier"), place, strict=True)) | asdict(outcome)
            kept.append(self._path, told)


def evaluate(
    entry: Entry,
    tasks: Sequence[Task],
    tier: Tier,
    pool: TwinPool,
    outcomes: Outcomes,
    tell: Callable[[int], None] = lambda done: None,
) -> tuple[Outcome, ...]:
    """Outcomes of tasks in turn; `tell` hears how many are there. EvaluationError when an entry skips tasks."""
    equipped = [task if task.equipment else replace(task, equipment=USUAL_EQUIPMENT) for task in tasks]
    found = [outcomes.get(task, entry.name, tier) for task in equipped]
    missing = [place for place, outcome in enumerate(found) if outcome is None]
    done = len(tasks) - len(missing)
    tell(done)
    for start in range(0, len(missing), TASKS_AT_ONCE):
        places = missing[start : start + TASKS_AT_ONCE]
        asked = [equipped[place] for place in places]
        answers = entry(asked)
        if len(answers) != len(asked):
            raise EvaluationError(f"{entry.name} gave {len(answers)} answers to {len(asked)} tasks")
        for place, outcome in zip(places, _outcomes(asked, answers, tier, pool), strict=True):
            outcomes.keep(equipped[place], entry.name, tier, outcome)
            found[place] = outcome
            done += 1
            tell(done)
    return tuple(outcome for outcome in found if outcome is not None)


def _outcomes(tasks: Sequence[Task], answers: Sequence[Answer], tier: Tier, pool: TwinPool) -> Iterator[Outcome]:
    judged = [_question(task, answer) for task, answer in zip(tasks, answers, strict=True)]
    questions = [question for question in judged if question is not None]
    tiers = (Tier.T0, tier) if tier is not Tier.T0 else (Tier.T0,)
    verdicts = [pool.ask(questions, each, looks=LOOKS) for each in tiers]
    for task, answer, question in zip(tasks, answers, judged, strict=True):
        demand, plan = answer.demand, answer.plan
        outcome = Outcome(
            well_formed=answer.well_formed,
            refusal=answer.refusal,
            seconds=answer.seconds,
            understood=None if demand is None else {name: getattr(demand, name) for name in TARGETS},
            chain=None if plan is None else plan.link_chain.model_dump(mode="json"),
        )
        if not answer.had:
            outcome = replace(outcome, lost=True)
        elif question is not None:
            told = [next(some) for some in verdicts]
            outcome = _judged(outcome, told[0], told[-1])
        elif task.demand is not None:
            refused = pool.weights.refused
            outcome = replace(
                outcome, reward=refused, completed=False, table_reward=refused, table_completed=False
            )
        yield outcome


def _question(task: Task, answer: Answer) -> Question | None:
    """What the twin is asked about an answer: nothing where there is no plan, or no demand to hold it to."""
    if not answer.had or answer.plan is None or answer.refusal is not None:
        return None
    if task.demand is None or task.equipment is None:
        return None
    return Question(chains=ChainGrid.of((answer.plan.link_chain,)), demand=task.demand, equipment=task.equipment)


def _judged(outcome: Outcome, table: Verdict, verdict: Verdict) -> Outcome:
    if table.lost[0] or verdict.lost[0]:
        return replace(outcome, lost=True)
    return replace(
        outcome,
        reward=float(verdict.reward[0]),
        completed=bool(verdict.met[0]),
        table_reward=float(table.reward[0]),
        table_completed=bool(table.met[0]),
    )


def _key(task: Task) -> str:
    """What an outcome depends on, the entry apart."""
    known = {
        "text": task.text,
        "demand": task.demand,
        "equipment": task.equipment,
        "tables": tables(),
        "looks": LOOKS,
    }
    return sha256(json.dumps(known, default=asdict, sort_keys=True).encode()).hexdigest()[:32]
