"""States for training and for tests never have the same bands, yet cover the same values."""

import random

import pytest

from training.orchestrator.tasks.equipment import Split, drawn, is_unseen
from twin.link.catalogue import ChannelClass
from twin.link.equipment import EquipmentState


def many(split: Split) -> list[EquipmentState]:
    return [drawn(split, random.Random(seed)) for seed in range(1_000)]


def bands(state: EquipmentState) -> tuple[object, ...]:
    return (state.free_prbs, state.snr_db, state.tx_antennas, state.rx_antennas, state.channel)


def test_test_states_are_unseen_in_training() -> None:
    assert not any(map(is_unseen, many("training")))
    assert all(map(is_unseen, many("test")))
    assert not set(map(bands, many("training"))) & set(map(bands, many("test")))


@pytest.mark.parametrize("split", ["training", "test"])
def test_both_splits_are_varied(split: Split) -> None:
    states = many(split)
    assert {state.channel for state in states} == set(ChannelClass)
    assert {(state.tx_antennas, state.rx_antennas) for state in states} == {
        (t, r) for t in (1, 2, 4) for r in (1, 2, 4)
    }
    assert {state.has_deeprx for state in states} == {state.has_deeptx for state in states} == {False, True}
    assert min(state.snr_db for state in states) < 0 < 20 < max(state.snr_db for state in states)
    assert min(state.free_prbs for state in states) < 20 < 200 < max(state.free_prbs for state in states)


def test_a_seed_gives_one_state() -> None:
    assert drawn("test", random.Random(3)) == drawn("test", random.Random(3))
