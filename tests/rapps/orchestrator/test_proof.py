"""Proofs: by looks that are told here, and by the twin's tier T1."""

from dataclasses import replace

import numpy as np
import pytest

from rapps.orchestrator import proof, sizing
from rapps.orchestrator.legal import modules
from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from twin.link.demand import Demand, Targets
from twin.link.equipment import EquipmentGrid
from twin.link.evaluate import evaluate
from twin.link.plan import ChainGrid
from twin.link.power import LEAST_POWER_DBM, hopeful, most_power_dbm
from twin.link.qos import Tier
from twin.link.reward import deviations, satisfied

DEMAND = Demand(max_delay_s=0.02, min_throughput_bps=5e6, max_ber=1e-5)


def planned(count: int) -> tuple[ChainGrid, Targets]:
    """Chains by chance that the tables sized for the demand."""
    chains = modules(USUAL, count, np.random.default_rng(1))
    assert chains is not None
    targets = Targets.of([DEMAND] * count)
    return sizing.sized(chains, dict.fromkeys(sizing.BEYOND, 0), targets, USUAL), targets


def needed_db(chains: ChainGrid, off_db: np.ndarray) -> np.ndarray:
    """Power for each PRB that the chains of `planned` have, and so much more."""
    return chains.tx_power_dbm - 10 * np.log10(chains.prbs) + off_db


def test_power_is_the_least_that_is_enough_and_spread_as_widely_as_it_is_so() -> None:
    chains, targets = planned(60)
    need_db = needed_db(chains, np.random.default_rng(0).uniform(-6, 6, 60))

    def met(places: np.ndarray, tried: ChainGrid) -> np.ndarray:
        return np.asarray(tried.tx_power_dbm - 10 * np.log10(tried.prbs) >= need_db[places])

    found = proof.proved(chains, 0, targets, USUAL, met)
    free = (found.tx_power_dbm > LEAST_POWER_DBM) & (found.tx_power_dbm < most_power_dbm(USUAL))
    can = hopeful(chains, targets, EquipmentGrid.over(USUAL, 60))
    every = np.arange(60)
    assert (free & can).sum() > 20
    assert met(every, found)[free & can].all()
    quieter = chains.with_(tx_power_dbm=found.tx_power_dbm - 1)
    assert not met(every, quieter)[free & can].any()
    widest = np.array(sizing.PRBS)[sizing.widest_place(found, USUAL)]
    wider = found.with_(prbs=found.prbs + 1)
    room = wider.prbs <= np.minimum(chains.prbs * sizing.WIDER, widest)
    assert not met(every, wider)[free & can & room].any()
    assert (found.prbs >= chains.prbs).all()


def test_chains_that_cannot_meet_the_demand_stay_as_they_are() -> None:
    chains, _ = planned(20)
    targets = Targets.of([replace(DEMAND, min_throughput_bps=1e12)] * 20)

    def met(places: np.ndarray, tried: ChainGrid) -> np.ndarray:
        raise AssertionError("nobody need look")

    found = proof.proved(chains, 3, targets, USUAL, met)
    np.testing.assert_array_equal(found.tx_power_dbm, chains.tx_power_dbm)
    np.testing.assert_array_equal(found.prbs, chains.prbs)


@pytest.mark.parametrize("enough", [True, False])
def test_power_is_looked_for_near_what_the_tables_say_and_has_what_is_to_be_beyond(enough: bool) -> None:
    chains, targets = planned(60)
    can = hopeful(chains, targets, EquipmentGrid.over(USUAL, 60))
    found = proof.proved(chains, 2, targets, USUAL, lambda places, _: np.full(len(places), enough))
    need = chains.tx_power_dbm - 2
    near = np.maximum(need - proof.NEAR_DB, LEAST_POWER_DBM) if enough else need + proof.NEAR_DB
    most = int(most_power_dbm(USUAL))
    np.testing.assert_array_equal(found.tx_power_dbm[can], np.minimum(np.minimum(near, most) + 2, most)[can])


def test_the_tables_are_doubted_by_a_decibel_where_there_is_one() -> None:
    chains, _ = planned(60)
    found = proof.by_tables(chains, USUAL)
    most = most_power_dbm(USUAL)
    np.testing.assert_array_equal(found.tx_power_dbm, np.minimum(chains.tx_power_dbm + proof.DOUBT_DB, most))
    assert (found.tx_power_dbm > chains.tx_power_dbm).any()


def test_what_is_proved_by_some_channels_holds_on_others_and_is_no_more_than_needed() -> None:
    chains, targets = planned(60)
    can = np.flatnonzero(hopeful(chains, targets, EquipmentGrid.over(USUAL, 60)))
    looks = proof.by_twin(DEMAND, USUAL, seed=3)
    held = []
    for row in can[:5].tolist():
        one = chains.take(np.array([row]))
        found = proof.proved(one, 0, targets.take(np.array([row])), USUAL, looks)
        if not looks(np.zeros(1, dtype=np.intp), found)[0]:
            # No power near the tables' is enough.
            continue
        if found.tx_power_dbm[0] > LEAST_POWER_DBM:
            quieter = one.with_(tx_power_dbm=found.tx_power_dbm - 1)
            assert not looks(np.zeros(1, dtype=np.intp), quieter)[0]
        qos = evaluate(found.chain(0), USUAL, Tier.T1, seed=4).qos
        held.append(bool(satisfied(deviations(qos.delay_s, qos.throughput_bps, qos.ber_high, DEMAND))))
    assert len(held) >= 3
    assert np.mean(held) > 0.7
