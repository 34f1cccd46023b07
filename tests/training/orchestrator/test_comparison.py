"""Entries on the same tasks: the gap on a fair sample, gains of the first over the others."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from training.orchestrator import entries
from training.orchestrator.comparison import compare
from training.orchestrator.evaluation import EvaluationError, Outcomes
from training.orchestrator.scores import REWARD_RANGE
from training.orchestrator.tasks import feasibility
from training.orchestrator.tasks.feasibility import Answers, Best
from training.orchestrator.tasks.generator import draw
from training.orchestrator.twin_pool import TwinPool
from twin.link.qos import Tier

TASKS = [draw(seed) for seed in range(6)]


@pytest.fixture
def pool() -> Iterator[TwinPool]:
    with TwinPool(workers=0) as made:
        yield made


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answers:
    monkeypatch.setattr(
        feasibility, "_ask", lambda task, most_evaluations=None: Best(feasible=True, reward=0.9, bound=0.9)
    )
    return Answers(tmp_path / "answers.jsonl")


def test_the_gap_is_measured_where_the_oracle_was_to_be_asked(pool: TwinPool, answers: Answers) -> None:
    entry = entries.make("random:4")
    told: list[tuple[str, int]] = []
    none, some, every = (
        compare(
            [entry],
            TASKS,
            Tier.T0,
            pool=pool,
            outcomes=Outcomes(None),
            answers=answers,
            oracle=oracle,
            tell=lambda what, done: told.append((what, done)),
        ).scores[0]
        for oracle in (0, 2, 100)
    )
    assert none.all.optimality_gap is None
    assert some.all.optimality_gap is not None
    assert every.all.optimality_gap is not None
    assert every.all.optimality_gap.mean >= 0
    assert none.all.completion == every.all.completion
    assert ("feasibility", len(TASKS)) in told
    assert ("random:4", len(TASKS)) in told


def test_figures_and_table_hold_every_entry(pool: TwinPool, answers: Answers) -> None:
    made = [entries.make(spec) for spec in ("amc:4", "random", "random:8")]
    found = compare(made, TASKS, Tier.T0, pool=pool, outcomes=Outcomes(None), answers=answers, oracle=3)
    figures = found.figures()
    assert figures["entry"] == "amc:4"
    gap, share = figures["optimality_gap"], figures["optimality_gap_of_range"]
    assert isinstance(gap, dict)
    assert isinstance(share, dict)
    assert share["mean"] == pytest.approx(gap["mean"] / REWARD_RANGE)
    others = figures["others"]
    assert isinstance(others, list)
    assert [other["entry"] for other in others] == ["random:1", "random:8"]
    for other, scores in zip(others, found.scores[1:], strict=True):
        assert scores.all.completion is not None
        assert found.scores[0].all.completion is not None
        assert other["gain_of_first"]["completion"]["mean"] == pytest.approx(
            found.scores[0].all.completion.mean - scores.all.completion.mean
        )
    table = found.table()
    assert all(entry.name in table for entry in made)


def test_what_is_infeasible_or_has_no_demand_is_told_in_the_table(
    pool: TwinPool, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        feasibility, "_ask", lambda task, most_evaluations=None: Best(feasible=False, reward=-0.5, bound=-0.5)
    )
    hard = replace(TASKS[0], demand=replace(TASKS[0].demand, min_throughput_bps=1e12))
    found = compare(
        [entries.make("amc")], [TASKS[1], hard], Tier.T0, pool=pool, outcomes=Outcomes(None), answers=answers
    )
    assert found.scores[0].infeasible >= 1
    assert "infeasible, answered as such: 0.0" in found.table()


def test_there_must_be_something_to_compare(pool: TwinPool, answers: Answers) -> None:
    entry = entries.make("amc")
    for some, tasks in (([], TASKS), ([entry], []), ([entry, entry], TASKS)):
        with pytest.raises(EvaluationError):
            compare(some, tasks, Tier.T0, pool=pool, outcomes=Outcomes(None), answers=answers)
