import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from oran.model_package import PackageError
from twin.link.catalogue import ChannelClass, Estimator, Modulation
from twin.link.chain.channel import Channel
from twin.link.chain.link import Setup, random_bits, send
from twin.link.chain.tiers import probe_information
from twin.link.receivers.deeprx import AT_ONCE, PACKAGE, DeepRx, load

CPU = torch.device("cpu")
LINK = Setup(
    channel=Channel(ChannelClass.TDL_C, 0.0091, 0.0031),
    snr_db=8.0,
    modulation=Modulation.QAM16,
    rx_antennas=2,
    estimator=Estimator.DEEPRX,
    prbs=(0, 7),
)


@pytest.mark.parametrize("modulation", list(Modulation))
@pytest.mark.parametrize("antennas", [1, 2])
def test_it_serves_every_modulation_and_one_or_two_antennas(modulation: Modulation, antennas: int) -> None:
    link = replace(LINK, modulation=modulation, rx_antennas=antennas, snr_db=40.0)
    link = replace(link, channel=Channel(ChannelClass.TDL_A, 0.001, 0.0002))
    bits = random_bits(link, 3, torch.Generator().manual_seed(1), CPU)
    with torch.no_grad():
        llr = send(link, bits, torch.Generator().manual_seed(2))
    assert llr.shape == bits.shape
    assert float(((llr > 0) == (bits == 1)).float().mean()) > 0.98


def test_grids_of_any_size_and_batches_of_any_order_are_alike() -> None:
    network = load()
    draw = torch.Generator().manual_seed(3)
    grid = torch.randn(AT_ONCE + 5, 14, 36, 2, dtype=torch.complex64, generator=draw)
    pilot = torch.zeros(14, 36)
    with torch.no_grad():
        whole, _ = network(grid, grid, pilot, 0.1, Modulation.QPSK)
        turned, _ = network(grid.flip(0), grid.flip(0), pilot, 0.1, Modulation.QPSK)
    assert whole.shape == grid.shape
    torch.testing.assert_close(whole, turned.flip(0), atol=1e-4, rtol=1e-4)


def test_it_gains_over_least_squares_at_the_same_pilots() -> None:
    with torch.no_grad():
        learnt = probe_information(LINK, 96, 5).mean()
    plain = probe_information(replace(LINK, estimator=Estimator.LS), 96, 5).mean()
    known = probe_information(replace(LINK, estimator=None), 96, 5).mean()
    assert plain + 0.03 < learnt < known


def test_an_untrained_network_is_least_squares() -> None:
    torch.manual_seed(1)
    with torch.no_grad():
        fresh = probe_information(LINK, 32, 5, network=DeepRx()).mean()
    assert fresh == pytest.approx(probe_information(replace(LINK, estimator=Estimator.LS), 32, 5).mean(), abs=0.05)


def test_a_tampered_package_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "deeprx"
    shutil.copytree(PACKAGE, folder)
    weights = folder / "model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1] + b"\xff")
    with pytest.raises(PackageError, match="SHA-256"):
        load(folder)
    with pytest.raises(PackageError):
        load(tmp_path / "nothing")
