"""The least power is enough, a decibel less is not, and the twin says the same of both."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from twin.link.catalogue import ChannelClass
from twin.link.demand import Demand, Targets
from twin.link.equipment import EquipmentGrid, fits
from twin.link.evaluate import evaluate_batch, evaluate_worst, worst_ber
from twin.link.plan import ChainGrid
from twin.link.power import (
    LEAST_POWER_DBM,
    bisected,
    galloped,
    interpolated,
    least_power_dbm,
    most_power_dbm,
    quietest,
    widest_prbs,
)
from twin.link.reward import deviations, satisfied
from twin.link.space import Space

DEMAND = Demand(max_delay_s=0.05, min_throughput_bps=1e6, max_ber=1e-4)


def some(count: int, seed: int = 0) -> ChainGrid:
    return Space.of(USUAL).sample(count, np.random.default_rng(seed))


def meets(chains: ChainGrid, power_dbm: np.ndarray) -> np.ndarray:
    told = evaluate_worst(chains.with_(tx_power_dbm=power_dbm.astype(np.int32)), USUAL)
    return satisfied(deviations(told.delay_s, told.throughput_bps, told.ber, DEMAND))


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


def test_each_chain_has_equipment_of_its_own() -> None:
    chains, far = some(30), replace(USUAL, channel=ChannelClass.TDL_A, snr_db=5.0, max_tx_power_dbm=20.0)
    targets = Targets.of([DEMAND] * 15)
    mixed = least_power_dbm(chains, Targets.of([DEMAND] * 30), EquipmentGrid.of([USUAL, far], [15, 15]))
    np.testing.assert_array_equal(mixed[:15], least_power_dbm(chains.take(slice(15)), targets, USUAL))
    np.testing.assert_array_equal(mixed[15:], least_power_dbm(chains.take(slice(15, 30)), targets, far))
    assert mixed[15:].max() <= 20 < mixed[:15].max()


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


def test_power_is_spread_over_as_many_prbs_as_still_meet_the_targets_and_no_more() -> None:
    most = 26
    chains = some(200).with_(prbs=most, harq_transmissions=1)
    chains = chains.take(fits(chains, USUAL)).with_(prbs=20)
    targets = Targets.of([DEMAND] * len(chains))
    chains = chains.with_(tx_power_dbm=least_power_dbm(chains, targets, USUAL))
    wide = widest_prbs(chains, targets, USUAL, np.full(len(chains), most))
    before, after = (meets(chains.with_(prbs=prbs), chains.tx_power_dbm) for prbs in (chains.prbs, wide))
    np.testing.assert_array_equal(before, after)
    assert (wide[~before] == 20).all()
    assert ((wide >= 20) & (wide <= most)).all()
    more = before & (wide < most)
    assert 10 < more.sum() < before.sum()
    assert not meets(chains.take(more).with_(prbs=wide[more] + 1), chains.tx_power_dbm[more]).any()


def test_power_that_is_spread_makes_errors_come_closer_to_what_is_asked() -> None:
    chains = some(300).with_(prbs=20, harq_transmissions=1)
    targets = Targets.of([DEMAND] * len(chains))
    chains = chains.with_(tx_power_dbm=least_power_dbm(chains, targets, USUAL))
    wide = chains.with_(prbs=widest_prbs(chains, targets, USUAL, np.full(len(chains), 25)))
    met = meets(chains, chains.tx_power_dbm)
    spare = [np.log10(DEMAND.max_ber / np.maximum(worst_ber(each, USUAL), 1e-15))[met] for each in (chains, wide)]
    assert spare[1].mean() < spare[0].mean() - 0.3


def test_quiet_chains_meet_their_targets_with_just_few_enough_errors() -> None:
    chains = some(300).with_(prbs=8)
    chains = chains.take(fits(chains.with_(prbs=32), USUAL))
    targets, most = Targets.of([DEMAND] * len(chains)), np.full(len(chains), 32)
    quiet, wasted = quietest(chains, targets, USUAL, most)
    found = np.isfinite(wasted)
    assert 30 < found.sum() < len(chains)
    assert meets(quiet, quiet.tx_power_dbm)[found].all()
    assert ((quiet.prbs >= 8) & (quiet.prbs <= most)).all()
    for name in ("prbs", "tx_power_dbm"):
        np.testing.assert_array_equal(getattr(quiet, name)[~found], getattr(chains, name)[~found])
    # Those that could be wider: with one PRB more there were too many errors.
    tight = found & (quiet.prbs < most) & (quiet.tx_power_dbm > LEAST_POWER_DBM)
    wider = quiet.with_(prbs=quiet.prbs + 1)
    assert (worst_ber(wider.take(tight), USUAL) > DEMAND.max_ber).mean() > 0.9


def test_blocks_that_are_sent_again_take_less_power_on_each_prb_and_more_of_the_time() -> None:
    chains = some(300).with_(prbs=8, repetition=1)
    chains = chains.take(fits(chains.with_(prbs=64), USUAL))
    targets, most = Targets.of([DEMAND] * len(chains)), np.full(len(chains), 64)
    (once, lost), (again, lost_again) = (
        quietest(chains.with_(harq_transmissions=number), targets, USUAL, most) for number in (1, 4)
    )
    both = np.isfinite(lost) & np.isfinite(lost_again) & (once.tx_power_dbm > LEAST_POWER_DBM)
    both &= again.tx_power_dbm > LEAST_POWER_DBM
    assert both.sum() > 20
    density_db = [each.tx_power_dbm - 10.0 * np.log10(each.prbs) for each in (once, again)]
    assert (density_db[1] <= density_db[0] + 1e-9)[both].all()
    delays_s = [evaluate_worst(each.take(both), USUAL).delay_s for each in (once, again)]
    assert (delays_s[1] >= delays_s[0]).all()
    assert (delays_s[1] > delays_s[0]).mean() > 0.5


def test_at_the_lower_end_of_the_snr_nothing_is_better() -> None:
    whole, worst = evaluate_batch(some(50), USUAL), evaluate_worst(some(50), USUAL)
    np.testing.assert_array_equal(worst.ber, whole.ber_high)
    assert (worst.delay_s >= whole.delay_s).all()
    assert (worst.throughput_bps <= whole.throughput_bps * (1 + 1e-9)).all()


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=20))
def test_galloping_finds_what_bisecting_does_and_near_the_start_sooner(rows: list[tuple[int, int, int]]) -> None:
    edge, before, after = np.array(rows).T
    start = np.zeros(len(rows), dtype=np.int64)
    looks = np.zeros(len(rows), dtype=np.int64)

    def enough(places: np.ndarray, tried: np.ndarray) -> np.ndarray:
        looks[places] += 1
        return np.asarray(tried >= edge[places])

    found = galloped(enough, start, start - 1 - before, start + after)
    galloping = looks.copy()
    np.testing.assert_array_equal(found, bisected(enough, start - 1 - before, start + after))
    assert (galloping[np.abs(edge) <= 1] <= 3).all()


ROWS = st.tuples(st.integers(0, 33), st.integers(1, 33), st.floats(0.2, 5.0), st.booleans())


@given(st.lists(ROWS, min_size=1, max_size=20))
def test_interpolating_finds_what_bisecting_does_and_sooner_where_told_how_far(
    rows: list[tuple[int, int, float, bool]],
) -> None:
    last, end, bend, known = (np.array(part) for part in zip(*rows, strict=True))
    last = np.minimum(last, end - 1)
    looks = np.zeros(len(rows), dtype=np.int64)

    def far(places: np.ndarray, tried: np.ndarray) -> np.ndarray:
        """Rising, more and more steeply or less, and 0 half a step above the last that is enough."""
        return np.asarray((tried / end[places]) ** bend[places] - ((last + 0.5) / end)[places] ** bend[places])

    def beyond(places: np.ndarray, tried: np.ndarray) -> np.ndarray:
        looks[places] += 1
        return far(places, tried)

    every, first = np.arange(len(rows)), np.zeros_like(end)
    found = interpolated(beyond, end, first, np.where(known, far(every, end), np.nan), far(every, first))
    np.testing.assert_array_equal(found, last)
    np.testing.assert_array_equal(found, bisected(lambda some, tried: far(some, tried) <= 0.0, end, first))
    assert (looks <= 15).all()
    assert (looks[known & (bend > 0.7) & (bend < 1.4)] <= 4).all()


def test_a_value_without_an_answer_is_not_enough() -> None:
    none = np.array([np.nan])
    found = interpolated(lambda places, _: np.full(len(places), np.nan), np.array([20]), np.array([3]), none, none)
    assert found[0] == 3
