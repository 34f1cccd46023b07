"""Proofs: by looks that are told here, and by the twin's tier T1."""

from dataclasses import replace

import numpy as np
import pytest

from rapps.orchestrator import proof, sizing
from rapps.orchestrator.legal import modules
from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from twin.link.demand import Demand, Targets
from twin.link.equipment import EquipmentGrid
from twin.link.evaluate import evaluate, evaluate_worst
from twin.link.plan import COLUMNS, ChainGrid
from twin.link.power import LEAST_POWER_DBM, hopeful, most_power_dbm
from twin.link.qos import Tier
from twin.link.reward import deviations, satisfied, waste

DEMAND = Demand(max_delay_s=0.02, min_throughput_bps=5e6, max_ber=1e-5)


def planned(count: int) -> tuple[ChainGrid, Targets]:
    """Chains by chance that the tables sized for the demand."""
    chains = modules(USUAL, count, np.random.default_rng(1))
    assert chains is not None
    targets = Targets.of([DEMAND] * count)
    return sizing.sized(chains, dict.fromkeys(sizing.BEYOND, 0), targets, USUAL), targets


def density_db(chains: ChainGrid) -> np.ndarray:
    """Power for each PRB."""
    return np.asarray(chains.tx_power_dbm - 10 * np.log10(chains.prbs))


def by_density(chains: ChainGrid, off_db: np.ndarray, needed: float) -> proof.Look:
    """Looks as if errors fell by a decade each decibel, and throughput grew with PRBs alone.

    Chains as they are need so much more power, and this part of their throughput.
    """
    need_db = density_db(chains) + off_db

    def look(places: np.ndarray, tried: ChainGrid) -> np.ndarray:
        rate = np.log(needed * chains.prbs[places] / tried.prbs)
        return np.column_stack((np.full(len(places), -0.5), rate, need_db[places] - density_db(tried)))

    return look


@pytest.mark.parametrize("needed", [0.7, 0.9, 1.1])
def test_no_other_sizes_waste_much_less(needed: float) -> None:
    chains, targets = planned(60)
    look = by_density(chains, np.random.default_rng(0).uniform(-6, 6, 60), needed)
    found = proof.proved(chains, 0, targets, USUAL, look)
    can = hopeful(chains, targets, EquipmentGrid.over(USUAL, 60))
    widest, most = sizing.most_prbs(chains, USUAL), int(most_power_dbm(USUAL))
    more = []
    for row in np.flatnonzero(can).tolist():
        power_dbm, prbs = np.meshgrid(np.arange(LEAST_POWER_DBM, most + 1), np.arange(1, widest[row] + 1))
        every = chains.take(np.full(power_dbm.size, row)).with_(tx_power_dbm=power_dbm.ravel(), prbs=prbs.ravel())
        errors = look(np.full(len(every), row), every)
        if not satisfied(errors).any():
            continue
        own = look(np.array([row]), found.take(np.array([row])))
        assert satisfied(own).all()
        more.append(float(waste(own)[0] - waste(errors)[satisfied(errors)].min()))
    assert len(more) > 20
    # A decibel and a PRB are coarse where there are few of them.
    assert np.median(more) < 0.01
    assert np.mean(more) < 0.03


def test_a_proof_near_the_tables_takes_few_looks() -> None:
    chains, targets = planned(60)
    told, looks = by_density(chains, np.random.default_rng(0).uniform(-1, 1, 60), 0.9), np.zeros(60)

    def look(places: np.ndarray, tried: ChainGrid) -> np.ndarray:
        looks[places] += 1
        return told(places, tried)

    proof.proved(chains, 0, targets, USUAL, look)
    assert (looks > 0).sum() > 20
    assert looks[looks > 0].mean() < 4.5
    assert looks.max() < 10


@pytest.mark.parametrize("beyond_db", [0, 3])
def test_blocks_are_sent_otherwise_where_that_wastes_less_and_nowhere_else(beyond_db: int) -> None:
    chains, targets = planned(60)
    off_db = np.random.default_rng(0).uniform(-3, 3, (60, 9, 5))

    def look(places: np.ndarray, tried: ChainGrid) -> np.ndarray:
        """As the tables tell, but for so many decibels that each way of sending is off."""
        off = off_db[places, tried.repetition, tried.harq_transmissions]
        told = evaluate_worst(tried.with_(tx_power_dbm=tried.tx_power_dbm + np.round(off).astype(int)), USUAL)
        return deviations(told.delay_s, told.throughput_bps, told.ber, targets.take(places))

    louder = chains.with_(tx_power_dbm=np.minimum(chains.tx_power_dbm + beyond_db, int(most_power_dbm(USUAL))))
    once = proof.proved(louder, beyond_db, targets, USUAL, look)
    both = proof.proved(louder, beyond_db, targets, USUAL, look, otherwise=True)
    quiet = most_power_dbm(USUAL) > np.maximum(once.tx_power_dbm, both.tx_power_dbm)
    wasted = []
    for made in (once, both):
        errors = look(np.arange(60), made.with_(tx_power_dbm=made.tx_power_dbm - beyond_db))
        wasted.append(np.where(satisfied(errors), waste(errors), np.inf))
    other = (both.repetition != once.repetition) | (both.harq_transmissions != once.harq_transmissions)
    assert 3 < (other & quiet).sum() < 40
    assert (wasted[1] < wasted[0])[other & quiet].all()
    assert (both.repetition <= once.repetition).all()
    for name in COLUMNS:
        same = slice(None) if name not in sizing.SIZED else ~other
        np.testing.assert_array_equal(getattr(both, name)[same], getattr(once, name)[same])


@pytest.mark.parametrize("otherwise", [True, False])
def test_a_look_without_an_answer_proves_nothing(otherwise: bool) -> None:
    chains, targets = planned(20)
    can = hopeful(chains, targets, EquipmentGrid.over(USUAL, 20))

    def look(places: np.ndarray, tried: ChainGrid) -> np.ndarray:
        return np.full((len(places), 3), np.nan)

    found = proof.proved(chains, 0, targets, USUAL, look, otherwise=otherwise)
    most = np.minimum(chains.tx_power_dbm + proof.NEAR_DB, most_power_dbm(USUAL))
    np.testing.assert_array_equal(found.tx_power_dbm[can], most[can])
    for name in ("prbs", "repetition", "harq_transmissions"):
        np.testing.assert_array_equal(getattr(found, name), getattr(chains, name))


def test_chains_that_cannot_meet_the_demand_stay_as_they_are() -> None:
    chains, _ = planned(20)
    targets = Targets.of([replace(DEMAND, min_throughput_bps=1e12)] * 20)

    def look(places: np.ndarray, tried: ChainGrid) -> np.ndarray:
        raise AssertionError("nobody need look")

    found = proof.proved(chains, 3, targets, USUAL, look)
    np.testing.assert_array_equal(found.tx_power_dbm, chains.tx_power_dbm)
    np.testing.assert_array_equal(found.prbs, chains.prbs)


@pytest.mark.parametrize("enough", [True, False])
def test_power_is_looked_for_near_what_the_tables_say_and_has_what_is_to_be_beyond(enough: bool) -> None:
    chains, targets = planned(60)
    can = hopeful(chains, targets, EquipmentGrid.over(USUAL, 60))

    def look(places: np.ndarray, tried: ChainGrid) -> np.ndarray:
        errors = np.full((len(places), 3), -0.1)
        errors[:, 2] = -1.0 - tried.tx_power_dbm / 100 if enough else 1.0
        return errors

    found = proof.proved(chains, 2, targets, USUAL, look)
    need = chains.tx_power_dbm - 2
    near = np.maximum(need - proof.NEAR_DB, LEAST_POWER_DBM) if enough else need + proof.NEAR_DB
    most = int(most_power_dbm(USUAL))
    np.testing.assert_array_equal(found.tx_power_dbm[can], np.minimum(np.minimum(near, most) + 2, most)[can])


def test_what_chance_may_make_of_bit_errors_is_kept_free_once_more() -> None:
    errors = np.array([[-0.5, -0.2, -0.4], [0.1, -0.2, -0.4]])
    found = proof.doubted(errors, np.array([0.3, 0.0]))
    np.testing.assert_allclose(found[:, :2], errors[:, :2] + np.log(1.0 + proof.SPARE))
    np.testing.assert_allclose(found[:, 2], [-0.1, -0.4 + proof.LEAST_DOUBT])
    assert (satisfied(found) == [True, False]).all()


def test_the_tables_are_doubted_by_a_decibel_where_there_is_one() -> None:
    chains, _ = planned(60)
    found = proof.by_tables(chains, USUAL)
    most = most_power_dbm(USUAL)
    np.testing.assert_array_equal(found.tx_power_dbm, np.minimum(chains.tx_power_dbm + proof.DOUBT_DB, most))
    assert (found.tx_power_dbm > chains.tx_power_dbm).any()


def test_what_is_proved_by_some_channels_holds_on_others_and_is_no_more_than_needed() -> None:
    chains, targets = planned(60)
    can = np.flatnonzero(hopeful(chains, targets, EquipmentGrid.over(USUAL, 60)))
    look = proof.by_twin(DEMAND, USUAL, seed=3)
    held = []
    for row in can[:5].tolist():
        place = np.zeros(1, dtype=np.intp)
        found = proof.proved(chains.take(place + row), 0, targets.take(place + row), USUAL, look)
        if not satisfied(look(place, found))[0]:
            # No power near the tables' is enough.
            continue
        if found.tx_power_dbm[0] > LEAST_POWER_DBM:
            assert not satisfied(look(place, found.with_(tx_power_dbm=found.tx_power_dbm - 1)))[0]
        qos = evaluate(found.chain(0), USUAL, Tier.T1, seed=4).qos
        held.append(bool(satisfied(deviations(qos.delay_s, qos.throughput_bps, qos.ber_high, DEMAND))))
    assert len(held) >= 3
    assert np.mean(held) > 0.7
