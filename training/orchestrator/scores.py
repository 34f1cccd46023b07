"""Scores: what the outcomes of an entry come to, with 95 % bootstrap intervals.

Tasks that no link chain can complete, as the oracle says at tier T0, do not count for completion: how many of them
were answered as infeasible is told apart. A text stands on several equipment states: intervals resample texts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from rapps.orchestrator.task import USUAL_EQUIPMENT
from rapps.orchestrator.task import Task as ServedTask
from training.orchestrator.evaluation import TARGETS, Outcome
from training.orchestrator.guessing import reward_of_guesses
from training.orchestrator.tasks.feasibility import Answers, difficulty_of
from training.orchestrator.tasks.task import Task
from training.slicing.score import RESAMPLES, Interval
from twin.link.baselines import Task as Problem
from twin.link.demand import Demand
from twin.link.qos import Tier
from twin.link.reward import DEFAULT_WEIGHTS

REWARD_RANGE = DEFAULT_WEIGHTS.satisfied + DEFAULT_WEIGHTS.violated
"""From a plan that misses everything by far to one that meets the demand exactly; a refusal lies below it."""
UNDERSTOOD_WITHIN = 0.05
DIFFICULTIES = ("easy", "middle", "hard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a task whoever answers it. None stands for what is not known."""

    text: str
    demand: Mapping[str, float] | None
    """TARGETS as they truly are."""
    feasible: bool | None = None
    """At tier T0."""
    proven: bool | None = None
    """At the tier of the evaluation, where a proof was looked for."""
    best: float | None = None
    """The best reward that is known at the tier of the evaluation (`tasks.bests`)."""
    difficulty: float | None = None
    vertical: str | None = None
    explicit: bool | None = None

    @classmethod
    def of(
        cls, task: ServedTask, tier: Tier, answers: Answers, best: Callable[[Problem], float | None] | None = None
    ) -> Self:
        """Find them out; `best` looks for the best reward, which is not known without it."""
        if task.demand is None:
            return cls(text=task.text, demand=None)
        problem = Problem(demand=task.demand, equipment=task.equipment or USUAL_EQUIPMENT)
        return cls(
            text=task.text,
            demand={name: getattr(task.demand, name) for name in TARGETS},
            feasible=answers.feasible(problem),
            proven=answers.proven(problem, tier),
            best=None if best is None else best(problem),
            difficulty=difficulty_of(answers.share(problem)),
            vertical=task.vertical if isinstance(task, Task) else None,
            explicit=task.explicit if isinstance(task, Task) else None,
        )


@dataclass(frozen=True, slots=True)
class Case:
    """A task and what became of it."""

    facts: Facts
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Means over some tasks. None where there is no task to take a mean of."""

    tasks: int
    feasible: int
    """Those that count for completion: feasible, and not lost by the twin."""
    completion: Interval | None
    mean_score: Interval | None
    """Reward of completed tasks."""
    optimality_gap: Interval | None
    """What the reward lies below the best that is known, over the feasible tasks that it was looked for.

    0 where it lies above: it is the best then.
    """
    format_compliance: Interval | None
    understood: Interval | None
    """Share of answers that give each target within UNDERSTOOD_WITHIN, of those that give a demand."""

    @classmethod
    def of(cls, cases: Sequence[Case]) -> Self:
        """Over some tasks."""
        counted = _counted(cases)
        completed = [case for case in counted if case.outcome.completed]
        gauged = [case for case in counted if case.facts.best is not None]
        read = [case for case in cases if _errors(case) is not None]
        return cls(
            tasks=len(cases),
            feasible=len(counted),
            completion=_mean(counted, lambda case: case.outcome.completed),
            mean_score=_mean(completed, lambda case: case.outcome.reward),
            optimality_gap=_mean(gauged, _gap),
            format_compliance=_mean(cases, lambda case: case.outcome.well_formed),
            understood=_mean(read, _understood),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What an entry's outcomes come to."""

    entry: str
    tier: Tier
    all: Figures
    by: Mapping[str, Mapping[str, Figures]]
    """By demand (explicit or implicit), difficulty (terciles of the feasible tasks) and vertical."""
    without_demand: int
    """Tasks of which nobody told the demand, so that only the format counts."""
    infeasible: int
    infeasible_refused: Interval | None
    """Share of the infeasible tasks that were answered as such."""
    feasible_refused: Interval | None
    lost: int
    proven: int
    """Tasks that a chain proves feasible at this tier, where proofs were looked for."""
    held: Interval | None
    """Share of plans that meet the demand at this tier, of those that meet it at T0."""
    demand_error: Mapping[str, float]
    """How far each target was misunderstood: mean absolute decimal logarithm of understood over true."""
    reward_of_guesses: float | None
    """The mean of plans that only guess, where the demand was guessed (`guessing`), over the feasible tasks."""
    answer_p50_s: float

    @classmethod
    def of(cls, entry: str, tier: Tier, cases: Sequence[Case]) -> Self:
        """Sum up; cases must not be empty."""
        counted = _counted(cases)
        infeasible = [case for case in cases if case.facts.feasible is False]
        in_tables = [case for case in counted if case.outcome.table_completed]
        errors = [found for case in cases if (found := _errors(case)) is not None]
        return cls(
            entry=entry,
            tier=tier,
            all=Figures.of(cases),
            by={
                "demand": _grouped(cases, _demand_kind),
                "difficulty": _grouped(cases, _terciles(cases)),
                "vertical": _grouped(cases, lambda case: case.facts.vertical),
            },
            without_demand=sum(case.facts.demand is None for case in cases),
            infeasible=len(infeasible),
            infeasible_refused=_mean(infeasible, _refused),
            feasible_refused=_mean(counted, _refused),
            lost=sum(case.outcome.lost for case in cases),
            proven=sum(case.facts.proven is True for case in cases),
            held=_mean(in_tables, lambda case: case.outcome.completed),
            demand_error=dict(zip(TARGETS, np.mean(errors, axis=0).tolist(), strict=True)) if errors else {},
            reward_of_guesses=_of_guesses(counted),
            answer_p50_s=float(np.median([case.outcome.seconds for case in cases])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What an entry has over another on the same tasks."""

    completion: Interval | None
    reward: Interval | None


def gain(cases: Sequence[Case], others: Sequence[Case]) -> Gain:
    """By feasible tasks that the twin lost for neither; cases are of the same tasks in the same order."""
    pairs = {
        id(one): other
        for one, other in zip(cases, others, strict=True)
        if not (one.outcome.lost or other.outcome.lost)
    }
    counted = [case for case in _counted(cases) if id(case) in pairs]

    def difference(field: str) -> Interval | None:
        return _mean(
            counted, lambda case: float(getattr(case.outcome, field)) - getattr(pairs[id(case)].outcome, field)
        )

    return Gain(completion=difference("completed"), reward=difference("reward"))


def interval(values: np.ndarray, texts: Sequence[str]) -> Interval:
    """The mean of values [n >= 1], and its interval by drawing texts with all values that are theirs."""
    _, place = np.unique(np.array(texts, dtype=object), return_inverse=True)
    sums, counts = np.bincount(place, weights=values), np.bincount(place)
    draw = np.random.default_rng(0).integers(0, len(sums), (RESAMPLES, len(sums)))
    low, high = np.quantile(sums[draw].sum(axis=1) / counts[draw].sum(axis=1), (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high))


def _mean(cases: Sequence[Case], figure: Callable[[Case], float | None]) -> Interval | None:
    if not cases:
        return None
    return interval(np.array([figure(case) for case in cases], dtype=np.float64), [c.facts.text for c in cases])


def _counted(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if case.facts.feasible and not case.outcome.lost]


def _gap(case: Case) -> float:
    return max((case.facts.best or 0.0) - (case.outcome.reward or 0.0), 0.0)


def _refused(case: Case) -> bool:
    return case.outcome.refusal is not None


def _errors(case: Case) -> list[float] | None:
    """How far each target was misunderstood, as decimal logarithms."""
    true, said = case.facts.demand, case.outcome.understood
    if true is None or said is None:
        return None
    return [abs(float(np.log10(said[name] / true[name]))) for name in TARGETS]


def _of_guesses(cases: Sequence[Case]) -> float | None:
    pairs = [
        (Demand(**case.outcome.understood), Demand(**case.facts.demand))
        for case in cases
        if case.facts.explicit is False and case.facts.demand and case.outcome.understood
    ]
    return reward_of_guesses(pairs, UNDERSTOOD_WITHIN) if pairs else None


def _understood(case: Case) -> bool:
    errors = _errors(case)
    return errors is not None and max(errors) <= np.log10(1.0 + UNDERSTOOD_WITHIN)


def _grouped(cases: Sequence[Case], group: Callable[[Case], str | None]) -> dict[str, Figures]:
    """Figures of each group, in the order of their names; cases of none are left out."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        if (name := group(case)) is not None:
            groups.setdefault(name, []).append(case)
    order = {name: place for place, name in enumerate(DIFFICULTIES)}
    return {name: Figures.of(groups[name]) for name in sorted(groups, key=lambda name: (order.get(name, 0), name))}


def _demand_kind(case: Case) -> str | None:
    if case.facts.explicit is None:
        return None
    return "explicit" if case.facts.explicit else "implicit"


def _terciles(cases: Sequence[Case]) -> Callable[[Case], str | None]:
    """The third of the feasible tasks that a task lies in, by difficulty."""
    known = [case.facts.difficulty for case in cases if case.facts.feasible and case.facts.difficulty is not None]
    bounds = np.quantile(known, (1 / 3, 2 / 3)) if known else np.zeros(2)

    def third(case: Case) -> str | None:
        if not case.facts.feasible or case.facts.difficulty is None:
            return None
        return DIFFICULTIES[int(np.searchsorted(bounds, case.facts.difficulty))]

    return third
