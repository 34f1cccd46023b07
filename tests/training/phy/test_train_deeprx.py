from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.phy.curves import Curve, gain_db, snr_at_target
from training.phy.receiver_curves import SNRS_DB
from training.phy.train_deeprx import PRESETS, loss_of, main, random_setup, train
from twin.link.receivers.deeprx import DeepRx, load

CPU = torch.device("cpu")
SHORT = replace(PRESETS["smoke"], steps=10, links=2, slots=8)


def test_an_interrupted_training_goes_on_as_it_would_have(tmp_path: Path) -> None:
    folders = [tmp_path / "whole", tmp_path / "parts"]
    for folder in folders:
        folder.mkdir()
    whole = train(SHORT, CPU, folders[0])
    train(SHORT, CPU, folders[1], stop_after=6)
    assert torch.load(folders[1] / "deeprx.ckpt", weights_only=True)["step"] == 6
    resumed = train(SHORT, CPU, folders[1])
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


@pytest.mark.slow
def test_training_lowers_what_is_lost_and_writes_a_package(tmp_path: Path) -> None:
    main(["--preset", "smoke", "--device", "cpu", "--out", str(tmp_path)])
    network = load(tmp_path / "package")
    links = np.random.default_rng(9)
    lost = {"fresh": 0.0, "trained": 0.0}
    for _ in range(12):
        setup = random_setup(links)
        for name, model in (("fresh", DeepRx()), ("trained", network)):
            with torch.no_grad():
                lost[name] += float(loss_of(model, (setup,), 16, torch.Generator().manual_seed(1)))
    assert lost["trained"] < lost["fresh"]
    assert (tmp_path / "deeprx_bler.png").stat().st_size > 10_000


def test_gains_are_read_off_the_curves() -> None:
    falling = np.clip(1.0 - np.arange(21)[:, None] / 10.0, 0.001, 1.0) * np.ones((1, 50))
    later = np.vstack([np.ones((1, 50)), falling[:-1]])
    curves = [Curve("a", "deeprx", SNRS_DB, falling), Curve("a", "ls", SNRS_DB, later)]
    gain, low, high = gain_db(curves, "deeprx", "ls")
    assert gain == pytest.approx(2.0, abs=1e-6)
    assert low <= gain <= high
    assert np.isnan(snr_at_target(SNRS_DB, np.ones((21, 5))))
