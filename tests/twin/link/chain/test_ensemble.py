"""The look at some PRBs: it reaches into deep fades, and knows what of a deviation neighbours share."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from twin.link.catalogue import ChannelClass, Detector, Estimator, Modulation, Precoder
from twin.link.chain.channel import Channel, samples
from twin.link.chain.detection import Spectrum, equaliser, variance_behind
from twin.link.chain.ensemble import Regression, at_points, carried, look, prbs_apart, shared
from twin.link.chain.link import Setup, beamformed

SLOW = Setup(
    channel=Channel(ChannelClass.TDL_A, 0.002, 0.002),
    snr_db=25.0,
    modulation=Modulation.QAM16,
    estimator=Estimator.LS,
)


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def level_of(setup: Setup, few: Tensor) -> Tensor:
    return carried(few, setup.noise, setup.detector, setup.modulation).mean((1, 2))


def apart(setup: Setup, count: int, seed: int = 1) -> Tensor:
    return prbs_apart(setup, count, lambda few: level_of(setup, few), draw(seed))


@pytest.mark.parametrize("layers", [1, 2])
def test_prbs_reach_from_deep_fades_to_the_best(layers: int) -> None:
    setup = replace(SLOW, layers=layers, tx_antennas=layers, rx_antennas=layers)
    found = apart(setup, 200)
    assert found.shape == (200, 1, 14, 12, layers, layers)
    drawn, picked = level_of(setup, at_points(found)).split(100)
    # A PRB in a hundred carries less than half of what fits in, and so does every second one that was picked.
    assert float((drawn < 0.5).float().mean()) < 0.1
    assert float((picked < (picked.min() + picked.max()) / 2).float().mean()) == pytest.approx(0.5, abs=0.05)
    assert float(picked.min()) < float(drawn.min())
    assert float(found[:100].abs().square().mean()) == pytest.approx(1.0, abs=0.25)


def test_what_a_receiver_gets_is_known_in_fades_that_few_prbs_are_in() -> None:
    told = [look(SLOW, apart(SLOW, 192, seed), draw(seed)) for seed in range(4)]
    # By brute force: of very many PRBs those that carry a third, and what is got there.
    modes = [samples_of_prbs(seed) for seed in range(10, 16)]
    many = torch.cat(modes)
    known = level_of(SLOW, at_points(many))
    some = many[(known > 0.28) & (known < 0.38)]
    assert 20 < len(some) < 0.01 * len(many)
    seen = look(SLOW, some.repeat(4, 1, 1, 1, 1, 1), draw(9))
    place = torch.tensor(0.33)
    direct = got_of(seen, place)
    for each in told:
        assert got_of(each, place) == pytest.approx(direct, abs=0.05)


def samples_of_prbs(seed: int) -> Tensor:
    frequency, time = torch.arange(12).repeat(14), torch.arange(14).repeat_interleave(12)
    found = samples(SLOW.channel, (4000, 1, 1), frequency, time, draw(seed))
    return found.reshape(4000, 1, 14, 12, 1, 1)


def got_of(regression: Regression, known: Tensor) -> float:
    still = replace(regression, lasting=torch.tensor(0.0), passing=torch.tensor(0.0))
    return float(still.slots(known.reshape(1, 1), SLOW.channel, 1, draw()).item())


def test_what_neighbours_share_does_not_average_out() -> None:
    steady, noise = torch.randn(1, 4000, generator=draw(1)), torch.randn(2, 4000, generator=draw(2))
    known = torch.full((2, 4000), 0.5)
    got = known + 0.05 * steady + 0.02 * noise
    found = Regression.fit(known, got, torch.tensor(0.0))
    assert float(found.lasting) == pytest.approx(0.05 / 0.5, rel=0.1)
    assert float(found.passing) == pytest.approx(0.02 / 0.5, rel=0.1)
    flat = Channel(ChannelClass.TDL_A, 1e-5)
    spread = [found.slots(known[0, :, None].expand(4000, 4), flat, prbs, draw(3)).std() for prbs in (4, 100)]
    assert float(spread[0]) == pytest.approx((0.05**2 + 0.02**2 / 4) ** 0.5, rel=0.1)
    assert float(spread[1]) == pytest.approx(0.05, rel=0.1)


def test_neighbours_share_what_their_power_shares() -> None:
    flat, wide = Channel(ChannelClass.TDL_A, 1e-5), Channel(ChannelClass.TDL_A, 0.01)
    assert shared(flat, 50) == pytest.approx(1.0, abs=1e-3)
    assert shared(wide, 1) == 1.0
    assert shared(Channel(ChannelClass.AWGN), 8) == 1 / 8
    frequency = 12 * torch.arange(50)
    power = samples(wide, (20_000, 1, 1), frequency, torch.zeros_like(frequency), draw())[..., 0, 0].abs().square()
    assert shared(wide, 50) == pytest.approx(float(power.mean(1).var() / power[:, 0].var()), rel=0.05)


@pytest.mark.parametrize(("rx", "layers"), [(1, 1), (4, 1), (2, 2), (4, 2), (4, 4)])
@pytest.mark.parametrize("zero_forcing", [True, False])
def test_all_ways_to_the_noise_behind_an_equaliser_say_the_same(rx: int, layers: int, zero_forcing: bool) -> None:
    channel = torch.randn(500, rx, layers, dtype=torch.complex64, generator=draw())
    for noise in (1e-3, 0.1, 10.0):
        strength = torch.full((500,), noise)
        made = equaliser(channel, strength, zero_forcing=zero_forcing).variance
        told = variance_behind(channel, strength, zero_forcing=zero_forcing)
        at_once = Spectrum.of(channel).variance_behind(noise, zero_forcing=zero_forcing)
        torch.testing.assert_close(told, made)
        torch.testing.assert_close(at_once.log(), made.log(), atol=0.02, rtol=0.0)


def test_one_receive_antenna_gets_all_power_of_a_beam() -> None:
    channel = torch.randn(50, 3, 6, 1, 4, dtype=torch.complex64, generator=draw()).mean(2, keepdim=True)
    formed = beamformed(channel, 1)
    assert formed.shape == (50, 3, 1, 1, 1)
    torch.testing.assert_close(formed.abs().square().sum(-1), channel.abs().square().sum(-1))
    np.testing.assert_allclose(formed.imag.numpy(), 0.0, atol=1e-5)


@pytest.mark.parametrize(("rx", "tx"), [(1, 4), (2, 1), (2, 2), (2, 4), (4, 2), (4, 4)])
def test_a_beam_has_the_power_of_the_strongest_direction(rx: int, tx: int) -> None:
    drawn = torch.randn(500, 1, 1, rx, tx, dtype=torch.complex64, generator=draw())
    alike = drawn[..., :1, :].expand_as(drawn)
    alone = torch.zeros_like(drawn)
    alone[..., -1, -1] = 1.0
    steady = torch.eye(rx, tx).to(drawn).expand_as(drawn)
    for channel in (drawn, alike, alone, steady):
        power = beamformed(channel, 1).abs().square().sum((-2, -1))
        torch.testing.assert_close(power, torch.linalg.svdvals(channel)[..., 0].square(), atol=1e-4, rtol=1e-4)


def test_the_detector_matters_not_with_one_layer() -> None:
    few = at_points(apart(SLOW, 64))
    told = [carried(few, SLOW.noise, detector, SLOW.modulation) for detector in Detector]
    for each in told[1:]:
        torch.testing.assert_close(each, told[0], atol=1e-3, rtol=0.0)
    assert SLOW.precoder is Precoder.NONE
