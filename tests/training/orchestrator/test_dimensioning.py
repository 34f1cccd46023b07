"""Chains by chance are what their options make on any equipment, and serve."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from rapps.orchestrator.task import USUAL_EQUIPMENT
from tests.training.orchestrator.small import ASKED
from training.orchestrator.dimensioning import Room, drawn
from training.orchestrator.examples import understood
from training.orchestrator.tasks.generator import draw
from twin.link.demand import Demand
from twin.link.evaluate import evaluate_batch
from twin.link.plan import ChainGrid
from twin.link.reward import deviations, satisfied


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_every_option_is_there_in_its_turn_and_makes_the_chain(seed: int, number: int) -> None:
    task = draw(number)
    script = ASKED.script(task)
    for option in understood(ASKED, task):
        script.choose(option)
    found = drawn(script.demand, task.equipment, random.Random(seed), Room())
    if found is None:
        return
    for option in found.options:
        script.choose(option)
    assert script.chain() == found.chain


def test_most_tasks_have_a_chain_and_every_chain_serves() -> None:
    served = 0
    for number in range(100):
        task = draw(number)
        found = drawn(task.demand, task.equipment, random.Random(number), Room())
        if found is not None:
            served += 1
            told = evaluate_batch(ChainGrid.of((found.chain,)), task.equipment)
            assert satisfied(deviations(told.delay_s, told.throughput_bps, told.ber_high, task.demand)).all()
    assert served > 60


def test_what_cannot_be_carried_has_no_chain() -> None:
    demand = Demand(max_delay_s=1e-6, min_throughput_bps=1e3, max_ber=1e-3)
    assert drawn(demand, USUAL_EQUIPMENT, random.Random(0), Room()) is None
