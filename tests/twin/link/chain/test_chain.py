"""The chain: statistics of the channel, mapping, estimation, detection and what they make of the bits."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from twin.link import mutual_information
from twin.link.catalogue import ChannelClass, Detector, Estimator, Modulation, Precoder
from twin.link.chain.channel import Channel, covariance, responses, samples, selectivity
from twin.link.chain.detection import equaliser, hermitian_inverse
from twin.link.chain.ensemble import MOST_PRBS, PARTS, information_at, narrowing
from twin.link.chain.link import Setup, information, layer_powers, probe, random_bits, send
from twin.link.chain.mapping import AT_ONCE, amplitudes, modulate, points, square_llrs
from twin.link.chain.sweep import linear_sweep
from twin.link.chain.tiers import THINNED, fading_information, interleaver, probe_information

CPU = torch.device("cpu")
FADING = Channel(ChannelClass.TDL_C, 0.01, 0.002)
LINK = Setup(channel=FADING, snr_db=12.0, modulation=Modulation.QAM16, rx_antennas=2, prbs=probe(24))
MIMO = replace(LINK, layers=2, tx_antennas=2)


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gmi(setup: Setup, slots: int = 48, seed: int = 1) -> float:
    return float(probe_information(setup, slots, seed).mean())


@pytest.mark.parametrize("kind", [ChannelClass.TDL_A, ChannelClass.TDL_C, ChannelClass.TDL_D])
def test_channels_have_the_covariance_of_their_delay_line(kind: ChannelClass) -> None:
    channel = Channel(kind, 0.012, 0.01)
    found = responses(channel, (6000, 1, 1), torch.arange(0, 48, 12), torch.arange(0, 14, 4), draw())[..., 0, 0]
    assert float(found.abs().square().mean()) == pytest.approx(1.0, abs=0.03)
    for symbol, subcarrier in ((0, 1), (0, 3), (2, 0), (3, 2)):
        measured = (found[:, symbol, subcarrier] * found[:, 0, 0].conj()).mean()
        told = covariance(channel, torch.tensor(12 * subcarrier), torch.tensor(4 * symbol))
        assert abs(complex(measured - told)) < 0.05


def test_the_flat_channel_is_flat_and_does_not_fade() -> None:
    found = responses(Channel(ChannelClass.AWGN), (5, 2, 2), torch.arange(24), torch.arange(14), draw())
    torch.testing.assert_close(found.abs(), torch.ones_like(found.abs()))
    torch.testing.assert_close(found, found[:, :1, :1].expand_as(found))


@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_constellations_have_power_one_and_neighbours_differ_in_one_bit(bits: int) -> None:
    constellation = points(bits, CPU)
    assert float(constellation.abs().square().mean()) == pytest.approx(1.0, rel=1e-5)
    levels = amplitudes(bits // 2, CPU)
    order = levels.argsort()
    labels = torch.arange(len(levels))[order]
    assert all(bin(int(a) ^ int(b)).count("1") == 1 for a, b in pairwise(labels))


@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_llrs_are_those_of_bayes_and_tell_the_sent_bits(bits: int) -> None:
    constellation = points(bits, CPU)
    sent = torch.randint(0, 2, (50, bits), generator=draw())
    received = modulate(sent, constellation) + 0.1 * torch.view_as_complex(torch.randn(50, 2, generator=draw(1)))
    variance = torch.full((50,), 0.05)
    found = square_llrs(received, variance, bits)
    weight = torch.exp(-(received[:, None] - constellation).abs().square().double() / 0.05)
    for place in range(bits):
        one = (torch.arange(1 << bits) >> (bits - 1 - place) & 1).bool()
        told = torch.log(weight[:, one].sum(-1) / weight[:, ~one].sum(-1))
        usable = told.isfinite()
        torch.testing.assert_close(found[usable, place].double(), told[usable], rtol=1e-3, atol=1e-3)
    clean = square_llrs(modulate(sent, constellation), torch.full((50,), 1e-3), bits)
    assert ((clean > 0) == (sent == 1)).all()


@pytest.mark.parametrize("bits", [2, 6])
def test_llrs_of_many_symbols_are_those_of_each(bits: int) -> None:
    """They are made in parts, whatever their shape."""
    received = torch.randn(3, AT_ONCE // 2, dtype=torch.complex64, generator=draw())
    variance = torch.rand(3, AT_ONCE // 2, generator=draw(1)) + 0.1
    whole = square_llrs(received, variance, bits)
    assert whole.shape == (*received.shape, bits)
    for row, told in zip(zip(received, variance, strict=True), whole, strict=True):
        torch.testing.assert_close(square_llrs(*row, bits=bits), told)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_small_inverse_is_an_inverse(size: int) -> None:
    factor = torch.randn(100, size, size, dtype=torch.complex64, generator=draw())
    matrix = factor @ factor.mH + 0.1 * torch.eye(size)
    torch.testing.assert_close(
        hermitian_inverse(matrix) @ matrix,
        torch.eye(size).expand_as(matrix).to(matrix.dtype),
        atol=2e-3,
        rtol=1e-3,
    )


def test_equalisers_leave_the_noise_that_they_say_without_bias() -> None:
    channel = torch.randn(20_000, 4, 2, dtype=torch.complex64, generator=draw())
    sent = modulate(torch.randint(0, 2, (20_000, 2, 4), generator=draw(1)), points(4, CPU))
    noise = torch.randn(20_000, 4, dtype=torch.complex64, generator=draw(2)) * 0.2**0.5
    received = (channel @ sent[..., None]).squeeze(-1) + noise
    for zero_forcing in (True, False):
        linear = equaliser(channel, torch.full((20_000,), 0.2), zero_forcing=zero_forcing)
        error = linear.apply(received) - sent
        assert float((error.abs().square() / linear.variance).mean()) == pytest.approx(1.0, abs=0.05)
        assert abs(complex((error * sent.conj()).mean())) < 0.02


def test_qpsk_over_a_flat_channel_has_the_capacity_of_theory() -> None:
    for snr_db in (-3.0, 3.0, 8.0):
        link = Setup(channel=Channel(ChannelClass.AWGN), snr_db=snr_db, estimator=None)
        assert gmi(link, 100) == pytest.approx(float(mutual_information.from_snr_db(np.array(snr_db))), abs=0.01)


def test_information_rises_with_the_snr_and_with_antennas() -> None:
    rising = [gmi(LINK.at(snr_db)) for snr_db in (-10.0, 0.0, 10.0, 20.0, 35.0)]
    assert rising == sorted(rising)
    assert 0.0 <= rising[0] < 0.1
    assert rising[-1] > 0.97
    assert gmi(LINK) > gmi(replace(LINK, rx_antennas=1)) + 0.05
    beams = replace(LINK, rx_antennas=1, tx_antennas=4, precoder=Precoder.SVD)
    assert gmi(beams) > gmi(replace(LINK, rx_antennas=1)) + 0.05


@pytest.mark.parametrize("link", [LINK, MIMO])
def test_the_more_a_receiver_knows_the_more_it_gets(link: Setup) -> None:
    by_estimator = [gmi(replace(link, estimator=item)) for item in (Estimator.LS, Estimator.LMMSE, None)]
    assert by_estimator == sorted(by_estimator)
    assert by_estimator[1] > by_estimator[0] + 0.01


@pytest.mark.slow
def test_better_detectors_get_more_out_of_several_layers() -> None:
    by_detector = [gmi(replace(MIMO, detector=item), 6) for item in Detector if item is not Detector.DEEPRX]
    zero_forcing, least_square, expectation, k_best = by_detector
    assert zero_forcing < least_square < expectation
    assert k_best > least_square


def test_the_same_seed_gives_the_same_numbers_and_slots_are_independent() -> None:
    bits = random_bits(LINK, 4, draw(3), CPU)
    assert torch.equal(send(LINK, bits, draw(5)), send(LINK, bits, draw(5)))
    assert not torch.equal(send(LINK, bits, draw(5)), send(LINK, bits, draw(6)))
    spread = probe_information(LINK, 64, 2)
    assert spread.std() > 0.02


def test_bits_come_back_through_a_clean_link() -> None:
    for link in (LINK, MIMO, replace(MIMO, rx_antennas=4, precoder=Precoder.SVD, tx_antennas=4)):
        clean = replace(link, snr_db=45.0, channel=Channel(ChannelClass.TDL_A, 0.001, 0.0001))
        bits = random_bits(clean, 3, draw(3), CPU)
        wrong = (send(clean, bits, draw(4)) > 0) != (bits == 1)
        assert float(wrong.float().mean()) < 0.01


def test_a_sweep_says_what_single_runs_say() -> None:
    sweep = linear_sweep(
        MIMO,
        estimators=(Estimator.LS, Estimator.LMMSE),
        detectors=(Detector.ZF, Detector.LMMSE),
        snrs_db=(0.0, 12.0),
        prbs=96,
        draw=draw(1),
    )
    found = sweep.information(24, 512, draw(2))
    assert found.shape == (2, 2, 4, 2, 512)
    for e, estimator in enumerate((Estimator.LS, Estimator.LMMSE)):
        for d, detector in enumerate((Detector.ZF, Detector.LMMSE)):
            single = gmi(replace(MIMO, estimator=estimator, detector=detector))
            assert found[e, d, 1, 1].mean() == pytest.approx(single, abs=0.05)


@pytest.mark.parametrize("kind", [ChannelClass.TDL_A, ChannelClass.TDL_C, ChannelClass.TDL_D])
def test_channels_at_a_few_points_are_those_of_the_delay_line(kind: ChannelClass) -> None:
    channel = Channel(kind, 0.012, 0.01)
    frequency, time = torch.tensor((0, 40, 0, 40)), torch.tensor((0, 0, 10, 10))
    found = samples(channel, (20_000, 1, 1), frequency, time, draw())[..., 0, 0]
    measured = found.mT @ found.conj() / len(found)
    told = covariance(channel, frequency[:, None] - frequency, time[:, None] - time)
    torch.testing.assert_close(measured, told, atol=0.03, rtol=0.0)


@pytest.mark.parametrize("kind", [ChannelClass.TDL_A, ChannelClass.TDL_D])
def test_the_mean_power_over_a_bandwidth_varies_as_told(kind: ChannelClass) -> None:
    channel, still = Channel(kind, 0.004), torch.zeros(73, dtype=torch.int64)
    power = samples(channel, (20_000, 1, 1), torch.arange(73), still, draw())[..., 0, 0].abs().square()
    told = selectivity(kind, np.array([73 * channel.spread]))[0]
    assert float(power.mean(1).std() / power[:, 0].std()) == pytest.approx(told, rel=0.03)


@pytest.mark.parametrize(
    "link",
    [LINK, MIMO, replace(LINK, estimator=Estimator.LS), replace(LINK, tx_antennas=4, precoder=Precoder.SVD)],
)
def test_thousands_of_channels_get_what_some_get_that_a_receiver_is_run_on(link: Setup) -> None:
    prbs = 20
    told, parts = fading_information(link, prbs, 3)
    seen = probe_information(replace(link, prbs=tuple(range(prbs))), 1000, 4)
    assert len(told) > 500
    assert told.mean() == pytest.approx(seen.mean(), abs=0.015)
    assert told.std() == pytest.approx(seen.std(), rel=0.2)
    assert np.quantile(told, 0.1) == pytest.approx(np.quantile(seen, 0.1), abs=0.03)
    assert len(parts) == PARTS
    assert parts.mean() == pytest.approx(told[::THINNED].mean(), abs=0.002)


def test_the_mean_over_all_prbs_varies_less_than_over_some() -> None:
    channel = Channel(ChannelClass.TDL_A, 0.02)
    assert narrowing(channel, 12) == 1.0
    assert narrowing(Channel(ChannelClass.TDL_A, 1e-4), 100) == pytest.approx(1.0, abs=0.01)
    frequency = 12 * torch.arange(100)
    many = samples(channel, (10_000, 1, 1), frequency, torch.zeros_like(frequency), draw())[..., 0, 0]
    some, every = many[:, list(probe(100, MOST_PRBS))].abs().square().mean(1), many.abs().square().mean(1)
    assert narrowing(channel, 100) == pytest.approx(float(every.std() / some.std()), rel=0.05)


@pytest.mark.parametrize("modulation", list(Modulation))
def test_information_behind_an_equaliser_is_that_of_llrs(modulation: Modulation) -> None:
    link = Setup(channel=Channel(ChannelClass.AWGN), snr_db=0.0, modulation=modulation, estimator=None)
    for snr_db in (0.0, 9.0, 18.0):
        told = float(information_at(torch.tensor(snr_db), modulation))
        assert gmi(link.at(snr_db), 100) == pytest.approx(told, abs=0.01)


def test_motion_leaves_the_flat_channel_as_it_is() -> None:
    found = responses(Channel(ChannelClass.AWGN, 0.0, 0.02), (3, 1, 1), torch.arange(4), torch.arange(14), draw())
    torch.testing.assert_close(found, found[:, :1, :1].expand_as(found))


def test_probes_lie_inside_the_allocation() -> None:
    for prbs in (1, 2, 3, 4, 5, 51, 275):
        chosen = probe(prbs)
        assert len(chosen) == len(set(chosen)) == min(prbs, 4)
        assert all(0 <= place < prbs for place in chosen)


@pytest.mark.parametrize("estimator", [Estimator.LS, Estimator.LMMSE])
@pytest.mark.parametrize(
    "antennas", [{}, {"rx_antennas": 4}, {"tx_antennas": 4, "rx_antennas": 1, "precoder": Precoder.SVD}]
)
def test_llrs_mean_what_they_say_deep_in_noise_so_that_copies_add_up(
    estimator: Estimator, antennas: dict[str, object]
) -> None:
    """Nothing is lost by taking them at their word, and eight slots have eight times the SNR of one."""
    setup = replace(LINK, snr_db=-9.0, modulation=Modulation.QPSK, estimator=estimator, **antennas)
    made = draw(4)
    bits = random_bits(setup, 64, made, CPU)
    slots = [send(setup, bits, made) for _ in range(8)]
    one = float(torch.stack([information(llr, bits) for llr in slots]).mean())
    assert 0.0 < one < 0.3
    told = [float(information(scale * sum(slots), bits).mean()) for scale in (1.0, 0.6, 1.6)]
    assert told[0] == max(told)
    summed = mutual_information.from_snr_db(mutual_information.to_snr_db(np.array(one)) + 10.0 * np.log10(8))
    assert told[0] == pytest.approx(float(summed), abs=0.03)


@pytest.mark.parametrize("kind", list(ChannelClass))
def test_beams_share_the_power_of_all_antennas(kind: ChannelClass) -> None:
    setup = replace(LINK, channel=Channel(kind, 0.01, 0.002), layers=4, tx_antennas=4, rx_antennas=4)
    assert layer_powers(setup) == (1.0, 1.0, 1.0, 1.0)
    powers = layer_powers(replace(setup, precoder=Precoder.SVD))
    assert sum(powers) == pytest.approx(4.0, rel=0.05)
    assert list(powers) == sorted(powers, reverse=True)
    assert layer_powers(replace(setup, precoder=Precoder.SVD, layers=2)) == powers[:2]


@pytest.mark.parametrize("modulation", [Modulation.QAM16, Modulation.QAM64, Modulation.QAM256])
def test_copies_in_other_places_of_points_add_up_and_those_in_the_same_do_not(modulation: Modulation) -> None:
    setup = replace(LINK, channel=Channel(ChannelClass.AWGN), modulation=modulation, snr_db=0.0, estimator=None)
    setup = replace(setup, rx_antennas=1)
    made = draw(5)
    bits = random_bits(setup, 4, made, CPU)
    sent = bits.flatten()
    copies: dict[bool, list[torch.Tensor]] = {True: [], False: []}
    for shuffled, llrs in copies.items():
        for copy in range(8):
            order = torch.from_numpy(interleaver(copy if shuffled else 0, len(sent)))
            llr = torch.empty(len(sent))
            llr[order] = send(setup, sent[order].reshape(bits.shape), made).flatten()
            llrs.append(llr)

    def told(llr: torch.Tensor) -> float:
        return float(information(llr[None], sent[None])[0])

    one = np.array(np.mean([told(llr) for llr in copies[False]]))
    summed = float(mutual_information.from_snr_db(mutual_information.to_snr_db(one) + 10.0 * np.log10(8)))
    assert told(torch.stack(copies[True]).sum(0)) == pytest.approx(summed, abs=0.03)
    assert told(torch.stack(copies[False]).sum(0)) < summed - 0.05


def test_a_copy_sends_every_bit_once_in_an_order_of_its_own() -> None:
    orders = [interleaver(copy, 500) for copy in range(3)]
    assert all(sorted(order) == list(range(500)) for order in orders)
    assert all((one != other).mean() > 0.9 for one, other in pairwise(orders))
    assert interleaver(2, 500).tolist() == orders[2].tolist()
