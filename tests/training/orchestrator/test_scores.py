"""Scores count feasible tasks, tell the rest apart, and their intervals hold texts together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rapps.orchestrator.task import Task as ServedTask
from training.orchestrator.evaluation import TARGETS, Outcome
from training.orchestrator.scores import Case, Facts, Figures, Scores, gain, interval
from training.orchestrator.tasks import feasibility
from training.orchestrator.tasks.feasibility import Answers
from training.orchestrator.tasks.generator import draw
from training.slicing.score import Interval
from twin.link.demand import Demand
from twin.link.qos import Tier

TRUE = {"max_delay_s": 0.01, "min_throughput_bps": 1e6, "max_ber": 1e-5}
FACTS = Facts(
    text="a", demand=TRUE, feasible=True, best=0.8, difficulty=1.0, vertical="rail", explicit=True, proven=True
)
DONE = Outcome(
    well_formed=True,
    refusal=None,
    seconds=0.1,
    understood=TRUE,
    chain=None,
    reward=0.6,
    completed=True,
    table_reward=0.7,
    table_completed=True,
)
FAILED = replace(DONE, reward=-0.4, completed=False, seconds=0.3)
REFUSED = replace(
    DONE, reward=-2.0, completed=False, table_reward=-2.0, table_completed=False, refusal="it cannot be"
)


def means(figures: Figures) -> dict[str, float | None]:
    return {
        name: None if found is None else round(found.mean, 9)
        for name in ("completion", "mean_score", "optimality_gap", "format_compliance", "understood")
        if (found := getattr(figures, name)) is not None or True
    }


def test_figures_are_means_over_the_tasks_that_count() -> None:
    infeasible = replace(FACTS, feasible=False, best=-0.5, text="b")
    cases = [
        Case(FACTS, DONE),
        Case(FACTS, replace(DONE, reward=0.2, table_reward=0.2, well_formed=False)),
        Case(replace(FACTS, best=None), FAILED),
        Case(FACTS, REFUSED),
        Case(infeasible, REFUSED),
        Case(infeasible, FAILED),
        Case(FACTS, replace(DONE, reward=None, completed=None, lost=True)),
        Case(Facts(text="c", demand=None), replace(DONE, reward=None, completed=None)),
    ]
    scores = Scores.of("one", Tier.T1, cases)
    assert scores.all.tasks == 8
    assert scores.all.feasible == 4
    assert means(scores.all) == {
        "completion": 0.5,
        "mean_score": 0.4,
        "optimality_gap": round((0.2 + 0.6 + 2.8) / 3, 9),
        "format_compliance": 7 / 8,
        "understood": 1.0,
    }
    assert (scores.infeasible, scores.lost, scores.without_demand) == (2, 1, 1)
    assert scores.infeasible_refused is not None
    assert scores.infeasible_refused.mean == 0.5
    assert scores.feasible_refused is not None
    assert scores.feasible_refused.mean == 0.25
    # Of three plans that meet the demand at T0, two do at T1.
    assert scores.held is not None
    assert scores.held.mean == pytest.approx(2 / 3)
    assert scores.proven == 7
    assert scores.answer_p50_s == pytest.approx(0.1)


def test_what_is_better_than_the_best_that_is_known_has_no_gap_and_makes_up_for_none() -> None:
    cases = [Case(replace(FACTS, best=best), DONE) for best in (0.5, 0.8, -0.2)]
    assert means(Figures.of(cases))["optimality_gap"] == round(0.2 / 3, 9)


def test_nothing_to_take_a_mean_of_is_none() -> None:
    figures = Figures.of([Case(Facts(text="a", demand=None), replace(DONE, understood=None))])
    assert means(figures) == {
        "completion": None,
        "mean_score": None,
        "optimality_gap": None,
        "format_compliance": 1.0,
        "understood": None,
    }


def test_a_demand_is_understood_when_every_target_is_close() -> None:
    close = {name: value * 1.04 for name, value in TRUE.items()}
    wrong = TRUE | {"max_ber": 1e-3}
    cases = [Case(FACTS, replace(DONE, understood=said)) for said in (TRUE, close, wrong, None)]
    scores = Scores.of("one", Tier.T0, cases)
    assert scores.all.understood is not None
    assert scores.all.understood.mean == pytest.approx(2 / 3)
    assert scores.demand_error["max_ber"] == pytest.approx((2.0 + np.log10(1.04)) / 3)
    assert scores.demand_error["max_delay_s"] < 0.01
    assert tuple(scores.demand_error) == TARGETS


def test_groups_part_the_tasks() -> None:
    cases = [
        Case(
            replace(
                FACTS,
                text=str(number),
                difficulty=number / 10,
                explicit=number % 2 == 0,
                vertical=("rail", "air")[number // 5],
                feasible=number != 9,
            ),
            DONE if number < 4 else FAILED,
        )
        for number in range(10)
    ]
    by = Scores.of("one", Tier.T0, cases).by
    assert list(by["difficulty"]) == ["easy", "middle", "hard"]
    assert [figures.feasible for figures in by["difficulty"].values()] == [3, 3, 3]
    assert [found.mean for each in by["difficulty"].values() if (found := each.completion)] == [1.0, 1 / 3, 0.0]
    assert {name: figures.tasks for name, figures in by["demand"].items()} == {"explicit": 5, "implicit": 5}
    assert {name: figures.feasible for name, figures in by["vertical"].items()} == {"air": 4, "rail": 5}
    unknown = Scores.of("one", Tier.T0, [Case(replace(FACTS, vertical=None, explicit=None), DONE)]).by
    assert unknown["vertical"] == unknown["demand"] == {}


def test_an_interval_by_texts_is_that_of_independent_values_where_each_text_stands_once() -> None:
    values = np.random.default_rng(0).random(50)
    alone = interval(values, [f"{number:02}" for number in range(50)])
    assert (alone.mean, alone.low, alone.high) == pytest.approx(
        [getattr(Interval.of(values), name) for name in ("mean", "low", "high")]
    )


def test_an_interval_is_wider_where_texts_decide() -> None:
    values = np.repeat([0.0, 1.0] * 10, 8)
    texts = [str(number) for number in range(20) for _ in range(8)]
    by_text, independent = interval(values, texts), Interval.of(values)
    assert by_text.mean == independent.mean == 0.5
    assert by_text.high - by_text.low > 2 * (independent.high - independent.low)
    # 95 % of means of 20 coins.
    assert by_text.low == pytest.approx(0.3, abs=0.05)


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        share = np.repeat(rng.random(40), 4)
        found = interval((rng.random(160) < share).astype(float), [str(n // 4) for n in range(160)])
        hits += found.low <= 0.5 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_a_gain_is_over_the_tasks_that_both_have() -> None:
    lost = replace(DONE, reward=None, completed=None, lost=True)
    infeasible = replace(FACTS, feasible=False)
    facts = [FACTS, replace(FACTS, text="b"), FACTS, FACTS, infeasible]
    one = [Case(fact, outcome) for fact, outcome in zip(facts, (DONE, DONE, lost, DONE, DONE), strict=True)]
    two = [Case(fact, outcome) for fact, outcome in zip(facts, (FAILED, DONE, DONE, lost, FAILED), strict=True)]
    found = gain(one, two)
    assert found.completion is not None
    assert found.reward is not None
    assert found.completion.mean == pytest.approx(0.5)
    assert found.reward.mean == pytest.approx(0.5)
    nothing = gain(one[4:], two[4:])
    assert nothing.completion is None


def test_facts_are_the_oracles_and_its_best_is_asked_for_only_where_wished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = replace(draw(2), demand=Demand(max_delay_s=5.0, min_throughput_bps=1e3, max_ber=0.1))
    answers = Answers(tmp_path / "answers.jsonl")
    best = feasibility.Best(feasible=True, reward=0.75, bound=0.76)
    monkeypatch.setattr(feasibility, "_ask", lambda task, most_evaluations=None: best)
    facts = Facts.of(task, Tier.T1, answers)
    assert facts.feasible is True
    assert facts.best is None
    assert facts.proven is None
    assert (facts.vertical, facts.explicit) == (task.vertical, task.explicit)
    assert facts.difficulty == feasibility.difficulty(task)
    answers.keep_proof(task, Tier.T1, True)
    assert Facts.of(task, Tier.T1, answers, lambda problem: 0.75).best == 0.75
    again = Facts.of(task, Tier.T1, Answers(answers.path))
    assert again.best is None
    assert again.proven is True
    served = ServedTask(text=task.text, demand=task.demand, equipment=task.equipment)
    assert Facts.of(served, Tier.T1, answers) == replace(again, vertical=None, explicit=None)
    assert Facts.of(ServedTask(text="a"), Tier.T0, answers, lambda problem: 0.75) == Facts(text="a", demand=None)
