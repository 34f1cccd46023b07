"""Comparison: several entries on the same tasks, as JSON and as a table."""

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from rich.console import Console
from rich.table import Table

from rapps.orchestrator.task import Task
from training.orchestrator.evaluation import Entry, EvaluationError, Outcomes, evaluate
from training.orchestrator.proved_entry import ProvedEntry
from training.orchestrator.scores import REWARD_RANGE, Case, Facts, Figures, Gain, Scores, gain
from training.orchestrator.tasks import bests
from training.orchestrator.tasks.feasibility import Answers
from training.orchestrator.twin_pool import TwinPool
from training.slicing.score import Interval
from twin.link.qos import Tier

Tell = Callable[[str, int], None]
"""Hears what is being done and how many tasks are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What became of each entry; the first is compared with the others."""

    scores: tuple[Scores, ...]
    gains: tuple[Gain, ...]
    """What the first entry has over each of the others."""

    def figures(self) -> dict[str, object]:
        """As JSON holds it: the first entry's figures; in `others` those of the rest, and its gain over them."""
        first, *others = map(_plain, self.scores)
        rest = [other | {"gain_of_first": asdict(had)} for other, had in zip(others, self.gains, strict=True)]
        return first | {"reward_range": REWARD_RANGE, "others": rest}

    def table(self) -> str:
        """As text."""
        console = Console(width=150)
        with console.capture() as text:
            console.print(_heading(self.scores[0]))
            console.print(self._entries())
            console.print(self._groups())
            console.print(
                "Gap: of the reward range, to the best known at this tier. Understood: all targets within 5 %."
            )
        return text.get().rstrip()

    def _entries(self) -> Table:
        columns = ("completion %", "score", "gap %", "format %", "understood %", "gain of first, %", "p50 s")
        made = Table("entry", *columns)
        for place, found in enumerate(self.scores):
            had = self.gains[place - 1].completion if place else None
            made.add_row(
                found.entry,
                _told(found.all.completion, 100),
                _told(found.all.mean_score, 1),
                _told(found.all.optimality_gap, 100 / REWARD_RANGE),
                _told(found.all.format_compliance, 100),
                _told(found.all.understood, 100),
                _told(had, 100),
                f"{found.answer_p50_s:.2g}",
            )
        return made

    def _groups(self) -> Table:
        made = Table("completion %", "tasks", *(found.entry for found in self.scores))
        for kind, groups in self.scores[0].by.items():
            made.add_section()
            for name, figures in groups.items():
                others = [found.by[kind][name].completion for found in self.scores]
                made.add_row(f"{kind}: {name}", str(figures.feasible), *(_told(each, 100) for each in others))
        return made


def compare(
    entries: Sequence[Entry],
    tasks: Sequence[Task],
    tier: Tier,
    *,
    pool: TwinPool,
    outcomes: Outcomes,
    answers: Answers,
    oracle: int = 0,
    prove: bool = False,
    tell: Tell = lambda what, done: None,
) -> Comparison:
    """Evaluate entries on tasks at a tier, the oracle's answers and known outcomes being kept.

    With `prove` their plans get the sizes that T1 says they need (`ProvedEntry`).

    The gap is measured on `oracle` tasks drawn at random, for the oracle may take a minute for each. Those that it
    happens to know are no fair sample: it was asked where no random chain met the demand. At a higher tier the gap
    is to what is known to be the best there (`tasks.bests`). EvaluationError when there is nothing to compare.
    """
    if not tasks or not entries:
        raise EvaluationError(
            f"there are {len(tasks)} tasks and {len(entries)} entries; there must be one of each"
        )
    if len({entry.name for entry in entries}) < len(entries):
        raise EvaluationError("an entry is named twice; name each once")
    gauged = set(random.Random(0).sample(range(len(tasks)), min(oracle, len(tasks))))
    facts = []
    for place, task in enumerate(tasks):
        best = partial(bests.best, tier=tier, pool=pool, answers=answers) if place in gauged else None
        facts.append(Facts.of(task, tier, answers, best))
        tell("feasibility", place + 1)
    cases: list[list[Case]] = []
    if prove:
        entries = [ProvedEntry(entry, pool) for entry in entries]
    for entry in entries:
        found = evaluate(entry, tasks, tier, pool, outcomes, partial(tell, entry.name))
        cases.append([Case(fact, outcome) for fact, outcome in zip(facts, found, strict=True)])
    return Comparison(
        scores=tuple(Scores.of(entry.name, tier, some) for entry, some in zip(entries, cases, strict=True)),
        gains=tuple(gain(cases[0], others) for others in cases[1:]),
    )


def _plain(scores: Scores) -> dict[str, object]:
    """The figures over all tasks at the top, those of groups below `by`."""
    plain = asdict(scores)
    plain["by"] = {
        kind: {name: _figures(figures) for name, figures in groups.items()} for kind, groups in scores.by.items()
    }
    del plain["all"]
    return {"entry": plain.pop("entry"), "tier": plain.pop("tier")} | _figures(scores.all) | plain


def _figures(figures: Figures) -> dict[str, object]:
    gap = figures.optimality_gap
    share = None if gap is None else Interval(*(each / REWARD_RANGE for each in (gap.mean, gap.low, gap.high)))
    return asdict(figures) | {"optimality_gap_of_range": None if share is None else asdict(share)}


def _heading(scores: Scores) -> str:
    told = [f"{scores.all.tasks} tasks at {scores.tier}", f"{scores.all.feasible} feasible"]
    if scores.infeasible:
        told.append(f"{scores.infeasible} infeasible, answered as such: {_told(scores.infeasible_refused, 100)} %")
    if scores.without_demand:
        told.append(f"{scores.without_demand} without a demand, of which completion cannot be told")
    if scores.lost:
        told.append(f"{scores.lost} lost by the twin")
    return "; ".join(told) + "; 95 % intervals by texts"


def _told(interval: Interval | None, scale: float) -> str:
    if interval is None:
        return "-"
    digits = 1 if scale > 1 else 3
    mean, low, high = (f"{each * scale:.{digits}f}" for each in (interval.mean, interval.low, interval.high))
    return f"{mean} ({low}..{high})"
