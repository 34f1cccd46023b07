"""Chains by the textbook are what their options make on any equipment, and most of them serve."""

import random
from dataclasses import replace

import numpy as np
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


def test_loud_chains_are_wide_enough_where_their_blocks_get_through() -> None:
    demand = Demand(max_delay_s=1.0, min_throughput_bps=4e6, max_ber=1e-3)
    ample = replace(USUAL_EQUIPMENT, max_tx_power_dbm=46.0, snr_db=40.0)
    throughs = 0
    for seed in range(20):
        found = drawn(
            demand, ample, random.Random(seed), Room(beyond={"prbs": range(1), "tx_power_dbm": range(20, 21)})
        )
        assert found is not None
        told = evaluate_batch(ChainGrid.of((found.chain,)), ample)
        if told.ber_high[0] < 1e-6 and found.chain.harq_transmissions == 1:
            throughs += 1
            # Filler bits and segments take a little of what the sum promises.
            assert told.throughput_bps[0] >= 0.9 * demand.min_throughput_bps
    assert throughs > 3


def test_most_chains_serve_and_chance_serves_less() -> None:
    done = []
    for number in range(600):
        task = draw(number)
        found = drawn(task.demand, task.equipment, random.Random(number), Room())
        if found is not None:
            told = evaluate_batch(ChainGrid.of((found.chain,)), task.equipment)
            errors = deviations(told.delay_s, told.throughput_bps, told.ber_high, task.demand)
            done.append(bool(satisfied(errors)[0]))
    assert len(done) > 450
    assert np.mean(done) > 0.6


def test_what_cannot_be_carried_has_no_chain() -> None:
    demand = Demand(max_delay_s=1e-6, min_throughput_bps=1e3, max_ber=1e-3)
    assert drawn(demand, USUAL_EQUIPMENT, random.Random(0), Room()) is None
