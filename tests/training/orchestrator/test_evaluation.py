"""Answers are held to the true demand by the twin; what is known is kept, and what was lost is asked again."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oran.slices import SNssai
from rapps.orchestrator.task import USUAL_EQUIPMENT
from rapps.orchestrator.task import Task as ServedTask
from training.orchestrator import entries
from training.orchestrator.evaluation import (
    TASKS_AT_ONCE,
    Answer,
    EvaluationError,
    Outcome,
    Outcomes,
    evaluate,
)
from training.orchestrator.tasks.generator import draw
from training.orchestrator.twin_pool import LOOKS, Question, TwinPool, Verdict
from twin.link.demand import Demand
from twin.link.evaluate import evaluate as ask_twin
from twin.link.plan import LinkChain, Plan, SlicePolicy
from twin.link.qos import Tier
from twin.link.reward import DEFAULT_WEIGHTS, reward

EASY = Demand(max_delay_s=5.0, min_throughput_bps=1e3, max_ber=0.1)
CHAIN = LinkChain(numerology=1, prbs=1, code_rate=0.3, modulation="qpsk")
PLAN = Plan(link_chain=CHAIN, slice_policy=SlicePolicy(slice=SNssai(1, 1), delay_s=1.0))
SAID = Answer(demand=EASY, plan=PLAN, well_formed=True, refusal=None, seconds=0.5)
TASK = replace(draw(1), demand=EASY)


class Says:
    """An entry that says the same to every task, and counts them."""

    name = "says"

    def __init__(self, *answers: Answer) -> None:
        self.answers = answers
        self.asked: list[ServedTask] = []

    def __call__(self, tasks: Sequence[ServedTask], /) -> Sequence[Answer]:
        self.asked += tasks
        return [self.answers[place % len(self.answers)] for place in range(len(tasks))]


class Losing(TwinPool):
    """A pool that loses every first question at a tier."""

    lossy = Tier.T1

    def ask(
        self, questions: Iterable[Question], tier: Tier = Tier.T0, *, seed: int = 0, looks: int = 1
    ) -> Iterator[Verdict]:
        for place, verdict in enumerate(super().ask(questions, tier, seed=seed, looks=looks)):
            yield replace(verdict, lost=np.array([tier is self.lossy and place == 0]))


@pytest.fixture
def pool() -> Iterator[TwinPool]:
    with TwinPool(workers=0) as made:
        yield made


@pytest.mark.parametrize("tier", [Tier.T0, Tier.T1])
def test_plans_are_worth_what_the_twin_says(pool: TwinPool, tier: Tier) -> None:
    task = replace(draw(5), equipment=replace(draw(5).equipment, snr_db=12.0, max_tx_power_dbm=30.0))
    (outcome,) = evaluate(Says(SAID), [task], tier, pool, Outcomes(None))
    told = [ask_twin(PLAN, task.equipment, each, looks=LOOKS) for each in (tier, Tier.T0)]
    at, by_tables = (reward(each.qos, task.demand) for each in told)
    assert outcome.reward == pytest.approx(at)
    assert outcome.table_reward == pytest.approx(by_tables)
    assert outcome.completed == (at > 0)
    assert outcome.understood == {"max_delay_s": 5.0, "min_throughput_bps": 1e3, "max_ber": 0.1}
    assert outcome.chain is not None
    assert LinkChain(**outcome.chain) == CHAIN


@pytest.mark.parametrize(
    "answer",
    [replace(SAID, plan=None), replace(SAID, refusal="it cannot be"), replace(SAID, plan=None, refusal="no")],
)
def test_without_a_plan_or_with_a_refusal_the_reward_is_that_of_a_refusal(pool: TwinPool, answer: Answer) -> None:
    (outcome,) = evaluate(Says(answer), [TASK], Tier.T0, pool, Outcomes(None))
    assert outcome.reward == DEFAULT_WEIGHTS.refused
    assert outcome.completed is False


def test_a_plan_beyond_the_equipment_is_worth_a_refusal(pool: TwinPool) -> None:
    plan = Plan(
        link_chain=CHAIN.model_copy(update={"tx_power_dbm": 60}),
        slice_policy=SlicePolicy(slice=SNssai(1, 1), delay_s=1.0),
    )
    (outcome,) = evaluate(Says(replace(SAID, plan=plan)), [TASK], Tier.T0, pool, Outcomes(None))
    assert outcome.reward == DEFAULT_WEIGHTS.refused
    assert not outcome.lost


def test_a_task_without_a_demand_has_no_worth_and_one_without_equipment_gets_the_usual_one(pool: TwinPool) -> None:
    entry = Says(SAID)
    tasks = [ServedTask(text="Something"), ServedTask(text="Something", demand=EASY)]
    free, held = evaluate(entry, tasks, Tier.T0, pool, Outcomes(None))
    assert free.reward is None
    assert free.completed is None
    assert free.well_formed
    assert [task.equipment for task in entry.asked] == [USUAL_EQUIPMENT] * 2
    assert held.completed is True


def test_an_evaluation_that_was_cut_off_goes_on(pool: TwinPool, tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    tasks = [draw(seed) for seed in range(TASKS_AT_ONCE + 3)]
    some = evaluate(Says(SAID), tasks[:4], Tier.T0, pool, Outcomes(path))
    with path.open("ab") as stream:
        stream.write(path.read_bytes().splitlines()[-1][:50])
    told: list[int] = []
    entry = Says(SAID)
    every = evaluate(entry, tasks, Tier.T0, pool, Outcomes(path), told.append)
    assert every[:4] == some
    assert entry.asked == tasks[4:]
    assert told == list(range(4, len(tasks) + 1))
    again = Says(SAID)
    assert evaluate(again, tasks, Tier.T0, pool, Outcomes(path)) == every
    assert not again.asked
    # Another tier and another entry know nothing of it.
    assert Outcomes(path).get(tasks[0], "says", Tier.T1) is None
    assert Outcomes(path).get(tasks[0], "another", Tier.T0) is None
    assert Outcomes(path).get(replace(tasks[0], text="another"), "says", Tier.T0) is None


def test_what_the_twin_lost_is_told_and_asked_another_time(tmp_path: Path) -> None:
    outcomes = Outcomes(tmp_path / "outcomes.jsonl")
    tasks = [TASK, replace(TASK, text="Another")]
    with Losing(workers=0) as losing, TwinPool(workers=0) as whole:
        lost, kept = evaluate(Says(SAID), tasks, Tier.T1, losing, outcomes)
        assert lost.lost
        assert lost.reward is None
        assert kept.completed is True
        entry = Says(SAID)
        found, same = evaluate(entry, tasks, Tier.T1, whole, Outcomes(tmp_path / "outcomes.jsonl"))
    assert entry.asked == [TASK]
    assert not found.lost
    assert same == kept


def test_an_entry_that_skips_a_task_is_told_off(pool: TwinPool) -> None:
    class Short(Says):
        def __call__(self, tasks: Sequence[ServedTask], /) -> Sequence[Answer]:
            return list(super().__call__(tasks))[1:]

    with pytest.raises(EvaluationError, match="says gave 1 answers to 2 tasks"):
        evaluate(Short(SAID), [TASK, TASK], Tier.T0, pool, Outcomes(None))


def test_entries_answer_what_is_asked(pool: TwinPool) -> None:
    tasks = [draw(seed) for seed in range(5)]
    found = evaluate(entries.make("random:8"), tasks, Tier.T0, pool, Outcomes(None))
    assert all(outcome.reward is not None and outcome.reward > DEFAULT_WEIGHTS.refused for outcome in found)


def test_lines_of_other_kinds_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    lines: list[object] = [{"task": 1}, {"task": "a", "entry": "b", "tier": "t0", "more": 1}, {}, []]
    path.write_text("\n".join(map(json.dumps, lines)))
    Outcomes(path).keep(
        TASK,
        "says",
        Tier.T0,
        Outcome(well_formed=True, refusal=None, seconds=0.0, understood=None, chain=None),
    )
    assert Outcomes(path).get(TASK, "says", Tier.T0) is not None
