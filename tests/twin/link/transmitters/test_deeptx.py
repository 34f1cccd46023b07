import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oran.model_package import PackageError
from tests.twin.link.link_cases import BASE, EQUIPMENT
from twin.link import shaping
from twin.link.catalogue import CODE_RATES, ChannelClass, Modulation
from twin.link.chain.link import Setup
from twin.link.chain.mapping import awgn_information, llrs, modulate, points, square_llrs
from twin.link.chain.tiers import monte_carlo
from twin.link.evaluate import evaluate
from twin.link.plan import ChainGrid, LinkChain
from twin.link.qos import Tier
from twin.link.transmitters.deeptx import PACKAGE, SIZES, DeepTx, constellation, load

CPU = torch.device("cpu")
FLAT = replace(EQUIPMENT, channel=ChannelClass.AWGN, has_deeptx=True)


def chain(transmitter: str, modulation: str, rate: float) -> LinkChain:
    fields = {"prbs": 12, "estimator": "lmmse", "code_rate": rate}
    return LinkChain(**{**BASE, **fields, "transmitter": transmitter, "modulation": modulation})


def at(made: LinkChain, level_db: float) -> float:
    """The equipment's SNR at which a chain sees this one per resource element."""
    return level_db - float(replace(FLAT, snr_db=0.0).resource_element_snr_db(made))


@pytest.mark.parametrize("bits", SIZES)
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_points_have_power_one_no_mean_and_first_bits_that_are_signs(bits: int, rate: float) -> None:
    placed = constellation(bits, rate)
    assert float(placed.abs().square().mean()) == pytest.approx(1.0, abs=1e-5)
    assert abs(complex(placed.mean())) < 1e-5
    quadrants = placed.reshape(2, 2, -1)
    torch.testing.assert_close(quadrants[1], -quadrants[0].conj())
    torch.testing.assert_close(quadrants[:, 1], quadrants[:, 0].conj())


@pytest.mark.parametrize("bits", SIZES)
def test_without_training_it_sends_square_qam(bits: int) -> None:
    torch.testing.assert_close(DeepTx()(bits, 0.4).detach(), points(bits, CPU))


@given(seed=st.integers(0, 1000), bits=st.sampled_from(SIZES), level_db=st.floats(-5, 15))
@settings(max_examples=20)
def test_llrs_of_any_constellation_are_those_of_square_qam_for_square_qam(
    seed: int, bits: int, level_db: float
) -> None:
    draw = torch.Generator().manual_seed(seed)
    sent = torch.randint(0, 2, (50, bits), generator=draw)
    variance = torch.full((50,), 10.0 ** (-level_db / 10.0))
    noise = torch.view_as_complex(torch.randn(50, 2, generator=draw)) * (variance / 2.0).sqrt()
    received = modulate(sent, points(bits, CPU)) + noise
    square = square_llrs(received, variance, bits)
    small = square.abs() < 60.0
    torch.testing.assert_close(
        llrs(received, variance, points(bits, CPU))[small], square[small], atol=1e-2, rtol=1e-3
    )


@pytest.mark.parametrize("bits", SIZES)
def test_integrated_information_is_what_samples_say(bits: int) -> None:
    placed, draw = constellation(bits, 0.5), torch.Generator().manual_seed(2)
    sent = torch.randint(0, 2, (40_000, bits), generator=draw)
    variance = torch.full((len(sent),), 10.0**-0.8)
    noise = torch.view_as_complex(torch.randn(len(sent), 2, generator=draw)) * (variance / 2.0).sqrt()
    llr = llrs(modulate(sent, placed) + noise, variance, placed)
    sampled = 1.0 - torch.nn.functional.softplus(torch.where(sent > 0, -llr, llr)).mean() / np.log(2.0)
    assert float(awgn_information(placed, torch.tensor([8.0]))) == pytest.approx(float(sampled), abs=5e-3)


@pytest.mark.parametrize("bits", SIZES)
@pytest.mark.parametrize("rate", CODE_RATES)
def test_it_carries_at_least_what_square_qam_does_where_the_code_works(bits: int, rate: float) -> None:
    levels = torch.arange(-10.0, 25.0, 0.25)
    square = awgn_information(points(bits, CPU), levels)
    level = torch.from_numpy(np.interp([rate], square.numpy(), levels.numpy())).float()
    assert float(awgn_information(constellation(bits, rate), level)) >= rate - 1e-3


def test_the_table_of_t0_is_that_of_the_shipped_network() -> None:
    np.testing.assert_allclose(shaping.table(), shaping.integrate(), atol=1e-3)
    grid = ChainGrid.of((chain("deeptx", "64qam", 0.5), chain("qam", "64qam", 0.5)))
    shaped = shaping.shaped(grid, np.full((2, 1), 0.5))
    assert shaped[0, 0] > 0.51
    assert shaped[1, 0] == 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("modulation", "rate", "level_db"), [("16qam", 0.2, 0.3), ("64qam", 0.5, 10.3)])
def test_with_the_real_decoder_more_blocks_get_through(modulation: str, rate: float, level_db: float) -> None:
    """At a level where T0 has about half of DeepTx's blocks fail; T0, T1 and T2 agree on who is ahead."""
    failing = {}
    for transmitter in ("qam", "deeptx"):
        made = chain(transmitter, modulation, rate)
        state = replace(FLAT, snr_db=at(made, level_db))
        counted = monte_carlo(made, state, most_blocks=400, target_failures=400)
        failing[transmitter] = counted.bler
        ber = {tier: evaluate(made, state, tier, most_blocks=200).qos.ber for tier in Tier}
        failing[f"{transmitter} bits"] = ber[Tier.T0]
        assert ber[Tier.T0] == pytest.approx(ber[Tier.T2], abs=0.1)
        assert ber[Tier.T1] == pytest.approx(ber[Tier.T2], abs=0.1)
    assert failing["deeptx"] < failing["qam"] - 0.1
    assert failing["deeptx bits"] < failing["qam bits"]


def test_a_setup_takes_its_constellation_from_the_plan() -> None:
    state = replace(FLAT, snr_db=10.0)
    assert Setup.of(chain("deeptx", "16qam", 0.3), state).shaped_rate == 0.3
    assert Setup.of(chain("qam", "16qam", 0.3), state).shaped_rate is None
    assert Setup.of(chain("qam", "16qam", 0.3), state).modulation is Modulation.QAM16


def test_a_package_that_was_changed_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "deeptx"
    shutil.copytree(PACKAGE, folder)
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    with pytest.raises(PackageError):
        load(folder)
