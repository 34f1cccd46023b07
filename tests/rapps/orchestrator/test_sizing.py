"""Sizes are the least that the demand needs, and what is chosen beyond it, as far as the equipment has so much."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapps.orchestrator import sizing
from rapps.orchestrator.answer import parse
from rapps.orchestrator.grammar import Script
from rapps.orchestrator.legal import modules
from rapps.orchestrator.reading import read
from rapps.orchestrator.sizing import BEYOND, PRBS, SLOTS, Sketch
from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from twin.link.demand import Demand, Targets
from twin.link.equipment import fits
from twin.link.evaluate import evaluate_batch, evaluate_worst
from twin.link.hardware import air_time_s, data_resource_elements
from twin.link.plan import COLUMNS, ChainGrid
from twin.link.power import loud_enough
from twin.link.reward import deviations, rewards, satisfied, waste

DEMAND = Demand(max_delay_s=0.01, min_throughput_bps=5e6, max_ber=1e-5, margin=0.1)
BARE = {"repetition": 0, "prbs": 0, "tx_power_dbm": 0}


def sized(chains: ChainGrid, **beyond: int) -> ChainGrid:
    return sizing.sized(chains, BARE | beyond, Targets.of([DEMAND] * len(chains)), USUAL)


def some(count: int = 200) -> ChainGrid:
    found = modules(USUAL, count, np.random.default_rng(0))
    assert found is not None
    return found.with_(prbs=1)


def carried_bps(chains: ChainGrid) -> np.ndarray:
    bits = data_resource_elements(chains) * chains.layers * chains.bits_per_symbol * chains.rate
    told: np.ndarray = bits / air_time_s(chains, 1.0)
    return told


def test_the_least_width_carries_the_throughput_and_the_one_before_does_not() -> None:
    chains = some()
    place = sizing.least_place(chains, 5e6)
    there = place < len(PRBS)
    ladder = np.array(PRBS)
    assert (carried_bps(chains.with_(prbs=ladder[np.minimum(place, len(PRBS) - 1)]))[there] >= 5e6).all()
    before = carried_bps(chains.with_(prbs=ladder[np.maximum(place - 1, 0)]))
    assert (before[place > 0] < 5e6).all()


@given(st.integers(1, 600), st.floats(1e9, 1e14))
def test_the_greatest_width_fits_and_the_next_does_not(free_prbs: int, compute_flops: float) -> None:
    equipment = replace(USUAL, free_prbs=free_prbs, compute_flops=compute_flops)
    chains, ladder = some(), np.array(PRBS)
    place = sizing.widest_place(chains, equipment)
    runs = fits(chains, equipment)
    assert fits(chains.with_(prbs=ladder[place]), equipment)[runs].all()
    more = runs & (place < len(PRBS) - 1)
    assert not fits(chains.with_(prbs=ladder[np.minimum(place + 1, len(PRBS) - 1)]), equipment)[more].any()


def test_more_beyond_the_need_is_never_less_and_never_more_than_there_is() -> None:
    chains = some(50)
    quiet, loud, wide = sized(chains), sized(chains, tx_power_dbm=6), sized(chains, prbs=3)
    np.testing.assert_array_equal(
        loud.tx_power_dbm, np.minimum(quiet.tx_power_dbm + 6, np.floor(USUAL.max_tx_power_dbm))
    )
    alike = wide.repetition == quiet.repetition
    assert (wide.prbs * sizing.WIDER >= quiet.prbs)[alike].all()
    assert alike.mean() > 0.5
    assert fits(wide, USUAL)[fits(quiet, USUAL)].all()


def test_blocks_take_the_most_slots_that_the_demand_has_time_and_the_equipment_spectrum_for() -> None:
    chains, targets = some(), Targets.of([DEMAND] * 200)
    found = sized(chains)
    met = loud_enough(found, targets, USUAL)
    for slots in SLOTS:
        place = np.minimum(sizing.least_place(chains.with_(repetition=slots), 5.5e6), len(PRBS) - 1)
        tried = chains.with_(repetition=slots, prbs=np.array(PRBS)[place])
        better = (slots > found.repetition) & fits(tried, USUAL) & loud_enough(tried, targets, USUAL)
        assert not better.any()
    assert len(set(found.repetition[met].tolist())) > 1
    shorter = sized(chains, repetition=-1)
    assert (shorter.repetition < found.repetition)[found.repetition > 1].all()


def test_blocks_are_sent_as_often_as_wastes_least(monkeypatch: pytest.MonkeyPatch) -> None:
    def worth(chains: ChainGrid) -> np.ndarray:
        return rewards(evaluate_worst(chains, USUAL), DEMAND)

    chains = some()
    chains = chains.take(fits(chains.with_(prbs=1), USUAL))
    best = sized(chains)
    runs = fits(best, USUAL)
    assert len(set(best.harq_transmissions[runs].tolist())) > 1
    for number in sizing.TRANSMISSIONS:
        monkeypatch.setattr(sizing, "TRANSMISSIONS", (number,))
        other = sized(chains)
        gained = worth(best.take(runs)) - worth(other.take(runs))
        # The few where bit errors do not tell the power, and no other choice was weighed.
        assert (gained > -1e-9).mean() > 0.95
        assert gained.mean() > 0.0


def test_what_meets_the_demand_at_all_does_with_what_it_needs() -> None:
    chains = sized(some(), prbs=2)
    loudest = chains.with_(tx_power_dbm=np.full(len(chains), int(USUAL.max_tx_power_dbm), dtype=np.int32))
    told = [evaluate_batch(each, USUAL) for each in (chains, loudest)]
    own, best = (satisfied(deviations(each.delay_s, each.throughput_bps, each.ber_high, DEMAND)) for each in told)
    np.testing.assert_array_equal(own, best)
    assert 0.2 < own.mean() < 1.0


def test_chains_of_many_demands_are_as_each_is_alone() -> None:
    draw = random.Random(0)
    sketches = [
        Sketch(
            some(20).chain(draw.randrange(20)),
            {name: draw.choice(own) for name, own in BEYOND.items()},
            replace(DEMAND, max_ber=10.0 ** -draw.randint(2, 8)),
        )
        for _ in range(40)
    ]
    together = sizing.drawn_up(sketches, USUAL)
    for place, sketch in enumerate(sketches):
        assert sizing.drawn_up([sketch], USUAL).chain(0) == together.chain(place)


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.sampled_from([1e3, 5e6, 1e12]), st.floats(-10.0, 46.0))
def test_any_size_may_be_chosen_and_is_what_a_reader_makes_of_it(
    seed: int, throughput_bps: float, max_tx_power_dbm: float
) -> None:
    equipment = replace(USUAL, max_tx_power_dbm=max_tx_power_dbm)
    draw, reading = random.Random(seed), read(f"{throughput_bps:g} bit/s")
    script = Script(reading, equipment, margin=0.1)
    sizes = 0
    while not script.done:
        options = script.step().options
        if set(options) <= {told for field in BEYOND for told in sizing.options(field)}:
            assert set(script.meaning()) == set(options)
            sizes += 1
        script.choose("A" if "A" in options else draw.choice(options))
    assert sizes == len(BEYOND)
    assert parse(script.text, reading, equipment, margin=0.1).chain == script.chain()


def test_an_answer_may_tell_sizes_as_numbers() -> None:
    text = (
        "<think>Demand: delay 10 ms; throughput 5 Mbit/s; BER 1e-5</think><reflect></reflect><answer>"
        '{"numerology": 1, "code_rate": 0.5, "modulation": "qpsk", "prbs": 24, "tx_power_dbm": 20}</answer>'
    )
    chain = parse(text, read(""), USUAL).chain
    assert chain is not None
    assert (chain.prbs, chain.tx_power_dbm) == (24, 20)


@pytest.mark.parametrize("prbs", ['"+x"', '"1"', '""', '"+1000"', "null", '"+9999999999"'])
def test_sizes_that_cannot_be_read_are_told(prbs: str) -> None:
    text = (
        "<think>Demand: delay 10 ms; throughput 5 Mbit/s; BER 1e-5</think><reflect></reflect><answer>"
        '{"numerology": 1, "code_rate": 0.5, "modulation": "qpsk", "repetition": "+0", "tx_power_dbm": "+1", '
        f'"prbs": {prbs}}}'
    )
    found = parse(text + "</answer>", read(""), USUAL)
    assert found.chain is None
    assert "prbs" in found.wrong


def test_sizes_of_a_demand_that_cannot_be_read_are_told() -> None:
    text = '<answer>{"numerology": 1, "code_rate": 0.5, "repetition": "+0", "prbs": "+1", "tx_power_dbm": "+1"}'
    found = parse(text + "</answer>", read(""), USUAL)
    assert found.chain is None
    assert "told for a demand" in found.wrong


def test_blocks_sent_otherwise_keep_the_modules_and_waste_what_is_told() -> None:
    chains = sized(some(80))
    found, wasted = sizing.sent_otherwise(chains, Targets.of([DEMAND] * 80), USUAL)
    there = np.isfinite(wasted)
    assert 20 < there.sum() < 80
    own, other = chains.take(np.flatnonzero(there)), found.take(np.flatnonzero(there))
    assert (other.repetition <= own.repetition).all()
    assert ((other.repetition != own.repetition) | (other.harq_transmissions != own.harq_transmissions)).all()
    told = evaluate_worst(other, USUAL)
    errors = deviations(told.delay_s, told.throughput_bps, told.ber, DEMAND)
    assert satisfied(errors).all()
    np.testing.assert_allclose(waste(errors), wasted[there])
    for name in COLUMNS:
        same = slice(None) if name not in sizing.SIZED else ~there
        np.testing.assert_array_equal(getattr(found, name)[same], getattr(chains, name)[same])
