"""What all tests of experiments have: networks that count from the start, settled or not."""

import pytest


@pytest.fixture(autouse=True)
def _no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.slicing.score.WARM_UP_STEPS", 1)
    monkeypatch.setattr("training.experiments.words.WARM_UP_STEPS", 1)
