"""The frozen problem stays what it was, and no seed that counts is trained or tuned on."""

import pytest

from training.experiments import frozen
from training.slicing.train import EVALUATION_SEED
from training.slicing.tuning import STAGES, TUNING_SEED
from twin.network import library


def test_the_frozen_scenario_has_not_changed() -> None:
    assert frozen.sha256(frozen.scenario()) == frozen.SHA256


def test_another_content_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = frozen.scenario().with_(load_factor=1.6)
    monkeypatch.setattr(library, "load", lambda name: changed)
    with pytest.raises(frozen.FrozenError, match="pa_mrl has changed"):
        frozen.scenario()


def test_what_counts_is_on_seeds_of_its_own() -> None:
    tuned = range(TUNING_SEED, TUNING_SEED + max(seeds for _, seeds, _ in STAGES))
    assert not set(frozen.SEEDS) & set(tuned)
    assert max(frozen.SEEDS) < EVALUATION_SEED
