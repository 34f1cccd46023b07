import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from training.phy.train_deeptx import PRESETS, block_fades_db, flat_gains_db, main, train
from twin.link.transmitters.deeptx import DeepTx, load

SHORT = replace(PRESETS["smoke"], steps=8)


def test_an_interrupted_training_goes_on_as_it_would_have(tmp_path: Path) -> None:
    folders = [tmp_path / "whole", tmp_path / "parts"]
    for folder in folders:
        folder.mkdir()
    whole = train(SHORT, folders[0])
    train(SHORT, folders[1], stop_after=5)
    assert torch.load(folders[1] / "deeptx.ckpt", weights_only=True)["step"] == 5
    resumed = train(SHORT, folders[1])
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_blocks_fade_within_themselves_and_flat_ones_do_not() -> None:
    fades_db = block_fades_db(12, seed=3)
    torch.testing.assert_close(fades_db.mean(dim=1), torch.zeros(12), atol=1e-3, rtol=0)
    assert float(fades_db.std(dim=1).max()) > 0.3


@pytest.mark.slow
def test_training_gains_over_square_qam_and_writes_a_package(tmp_path: Path) -> None:
    main(["--preset", "smoke", "--out", str(tmp_path)])
    gains = flat_gains_db(load(tmp_path / "package"))
    assert gains["64 points, rate 0.5"] > 0.1
    assert all(abs(gain) < 1e-3 for gain in flat_gains_db(DeepTx()).values())
    assert (tmp_path / "deeptx_bler.png").stat().st_size > 10_000
    assert len(json.loads((tmp_path / "curves.json").read_text())) == 12
