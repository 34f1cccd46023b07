"""The least power is enough, a decibel less is not, and the twin says the same of both."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from twin.link.demand import Demand, Targets
from twin.link.equipment import fits
from twin.link.evaluate import evaluate_batch
from twin.link.plan import ChainGrid
from twin.link.power import least_power_dbm, most_power_dbm
from twin.link.reward import deviations, satisfied
from twin.link.space import Space

DEMAND = Demand(max_delay_s=0.05, min_throughput_bps=1e6, max_ber=1e-4)


def some(count: int, seed: int = 0) -> ChainGrid:
    return Space.of(USUAL).sample(count, np.random.default_rng(seed))


def meets(chains: ChainGrid, power_dbm: np.ndarray) -> np.ndarray:
    told = evaluate_batch(chains.with_(tx_power_dbm=power_dbm.astype(np.int32)), USUAL)
    return satisfied(deviations(told.delay_s, told.throughput_bps, told.ber_high, DEMAND))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32))
def test_the_least_power_is_enough_and_a_decibel_less_is_not(seed: int) -> None:
    chains = some(40, seed)
    least = least_power_dbm(chains, Targets.of([DEMAND] * len(chains)), USUAL)
    most = most_power_dbm(USUAL)
    enough = meets(chains, np.full(len(chains), most))
    np.testing.assert_array_equal(meets(chains, least), enough)
    assert (least[~enough] == most).all()
    below = enough & (least > -10)
    assert not meets(chains.take(below), least[below] - 1).any()


def test_each_chain_has_targets_of_its_own() -> None:
    chains = some(30)
    lax, strict = replace(DEMAND, max_ber=1e-2), replace(DEMAND, max_ber=1e-9)
    mixed = least_power_dbm(chains, Targets.of([lax, strict] * 15), USUAL)
    for demand, own in ((lax, slice(0, None, 2)), (strict, slice(1, None, 2))):
        alone = least_power_dbm(chains.take(own), Targets.of([demand] * 15), USUAL)
        np.testing.assert_array_equal(mixed[own], alone)


@given(st.floats(-10.0, 46.0))
def test_no_chain_has_more_than_there_is(max_tx_power_dbm: float) -> None:
    poor, chains = replace(USUAL, max_tx_power_dbm=max_tx_power_dbm, snr_db=-5.0), some(20).with_(tx_power_dbm=-10)
    least = least_power_dbm(chains, Targets.of([DEMAND] * len(chains)), poor)
    assert fits(chains.with_(tx_power_dbm=least), poor).all()


def test_what_cannot_be_run_has_the_most_there_is() -> None:
    chains = some(20).with_(layers=4, tx_antennas=1)
    assert not chains.consistent().any()
    least = least_power_dbm(chains, Targets.of([DEMAND] * len(chains)), USUAL)
    assert (least == most_power_dbm(USUAL)).all()


def test_without_the_lower_end_the_rest_is_the_same() -> None:
    whole, half = (evaluate_batch(some(50), USUAL, lower_end=end) for end in (True, False))
    for name in ("delay_s", "throughput_bps", "ber", "ber_high"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(half, name))
    np.testing.assert_array_equal(half.ber_low, half.ber)
