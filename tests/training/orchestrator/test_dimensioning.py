"""Chains by the textbook keep its rules on any equipment, and most of them serve."""

import json
import random
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rapps.orchestrator.legal import ORDER, Legal
from rapps.orchestrator.task import USUAL_EQUIPMENT
from training.orchestrator.dimensioning import Room, drawn
from training.orchestrator.tasks.generator import draw
from twin.link.demand import Demand
from twin.link.evaluate import evaluate_batch
from twin.link.plan import ChainGrid, LinkChain
from twin.link.reward import deviations, satisfied


def chain(options: tuple[str, ...]) -> LinkChain:
    return LinkChain.model_validate(dict(zip(ORDER, map(json.loads, options), strict=True)))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_every_option_is_legal_in_its_turn(seed: int, number: int) -> None:
    task = draw(number)
    found = drawn(task.demand, task.equipment, random.Random(seed), Room())
    if found is None:
        return
    legal = Legal(task.equipment)
    for option in found:
        legal.choose(json.loads(option))
    assert legal.chain() == chain(found)


def test_chains_without_room_are_wide_enough_where_their_blocks_get_through() -> None:
    demand = Demand(max_delay_s=1.0, min_throughput_bps=4e6, max_ber=1e-3)
    ample = replace(USUAL_EQUIPMENT, max_tx_power_dbm=46.0, snr_db=40.0)
    throughs = 0
    for seed in range(20):
        found = drawn(demand, ample, random.Random(seed), Room(steps=0, power_db=0))
        assert found is not None
        told = evaluate_batch(ChainGrid.of((chain(found),)), ample)
        if told.ber_high[0] < 1e-6:
            throughs += 1
            # Filler bits and segments take a little of what the sum promises.
            assert told.throughput_bps[0] >= 0.9 * demand.min_throughput_bps
    assert throughs > 3


def test_most_chains_serve_and_chance_serves_less() -> None:
    done = []
    for number in range(200):
        task = draw(number)
        found = drawn(task.demand, task.equipment, random.Random(number), Room())
        if found is not None:
            told = evaluate_batch(ChainGrid.of((chain(found),)), task.equipment)
            errors = deviations(told.delay_s, told.throughput_bps, told.ber_high, task.demand)
            done.append(bool(satisfied(errors)[0]))
    assert len(done) > 150
    assert np.mean(done) > 0.6


def test_what_cannot_be_carried_has_no_chain() -> None:
    demand = Demand(max_delay_s=1e-6, min_throughput_bps=1e3, max_ber=1e-3)
    assert drawn(demand, USUAL_EQUIPMENT, random.Random(0), Room()) is None
