"""Chains by chance are what their options make on any equipment, and serve."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapps.orchestrator.task import USUAL_EQUIPMENT
from tests.training.orchestrator.small import ASKED
from training.orchestrator.dimensioning import Drawn, Room, Wanted, by_chance, drawn
from training.orchestrator.examples import understood
from training.orchestrator.tasks.generator import draw
from twin.link.baselines import Task as Problem
from twin.link.baselines import random_search
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.errors import PlanError
from twin.link.evaluate import evaluate_batch
from twin.link.plan import ChainGrid
from twin.link.reward import deviations, satisfied


def one(demand: Demand, equipment: EquipmentState, seed: int) -> Drawn | None:
    return drawn([Wanted(demand, equipment, random.Random(seed))], Room())[0]


def test_chains_are_drawn_side_by_side_as_each_alone() -> None:
    tasks = [draw(number) for number in range(12)]
    wanted = [Wanted(task.demand, task.equipment, random.Random(seed)) for seed, task in enumerate(tasks)]
    apart = [one(task.demand, task.equipment, seed) for seed, task in enumerate(tasks)]
    assert drawn(wanted, Room()) == apart
    assert any(apart)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_every_option_is_there_in_its_turn_and_makes_the_chain(seed: int, number: int) -> None:
    task = draw(number)
    script = ASKED.script(task)
    for option in understood(ASKED, task):
        script.choose(option)
    found = one(script.demand, task.equipment, seed)
    if found is None:
        return
    for option in found.options:
        script.choose(option)
    assert script.chain() == found.chain


def test_most_tasks_have_a_chain_and_every_chain_serves() -> None:
    served = 0
    for number in range(100):
        task = draw(number)
        found = one(task.demand, task.equipment, number)
        if found is not None:
            served += 1
            told = evaluate_batch(ChainGrid.of((found.chain,)), task.equipment)
            assert satisfied(deviations(told.delay_s, told.throughput_bps, told.ber_high, task.demand)).all()
    assert served > 60


def test_what_cannot_be_carried_has_no_chain() -> None:
    demand = Demand(max_delay_s=1e-6, min_throughput_bps=1e3, max_ber=1e-3)
    assert one(demand, USUAL_EQUIPMENT, 0) is None


def test_the_best_by_chance_of_more_is_no_worse_and_sizes_alone_beat_chance() -> None:
    rewards: dict[str, list[float]] = {"chance": [], "sized": [], "best of 8": []}
    for number in range(40):
        task = draw(number)
        problem = Problem(demand=task.demand, equipment=task.equipment)
        one, more = (by_chance(problem, budget=budget, seed=number) for budget in (1, 8))
        assert more.history == tuple(sorted(more.history))
        assert more.reward == more.history[-1]
        rewards["chance"].append(random_search(problem, budget=1, seed=number).reward)
        rewards["sized"].append(one.reward)
        rewards["best of 8"].append(more.reward)
    chance, sized, best = (np.mean(each) for each in rewards.values())
    assert chance + 0.2 < sized < best - 0.1


def test_equipment_that_runs_nothing_has_no_chain_by_chance() -> None:
    idle = replace(USUAL_EQUIPMENT, free_prbs=1, compute_flops=1e6)
    demand = Demand(max_delay_s=1.0, min_throughput_bps=1e3, max_ber=1e-3)
    with pytest.raises(PlanError, match="fits the equipment"):
        by_chance(Problem(demand=demand, equipment=idle), budget=4, seed=0)
