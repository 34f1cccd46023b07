"""What a receiver gets of thousands of channels, from a look at some: two-phase sampling (Cochran 1977, ch. 12).

A receiver is slow, and few channels say little of the rare bad ones. What a PRB carries for a receiver that knows
its channel, though, follows from the channel alone, without noise or LLRs. So the receiver is run on some PRBs,
what it gets there is put as a function of what they carry (`Regression`), and that is applied to thousands of
channels over the whole allocation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from twin.link.catalogue import SUBCARRIERS_PER_PRB, ChannelClass, Detector, Modulation, Precoder
from twin.link.chain.channel import Channel, power_covariance, samples
from twin.link.chain.detection import equaliser
from twin.link.chain.link import Setup, beamformed, information_by_prb, probe, random_bits, send
from twin.link.chain.mapping import square_information

if TYPE_CHECKING:
    from twin.link.receivers.deeprx import DeepRx

SUBCARRIERS, SYMBOLS = (2, 9), (3, 10)
"""Points of a PRB that stand for it: those of Gauss and Legendre, nearly, of its subcarriers and data symbols."""
MOST_PRBS = 12
"""PRBs of an allocation that stand for it."""
_LOWEST_DB, _STEP_DB, _STEPS = -40.0, 0.5, 190
_RIDGE = 1e-7


def channels(setup: Setup, prbs: int, count: int, draw: torch.Generator) -> Tensor:
    """So many channels over an allocation, with the precoder in them, complex64 [count, prbs, points, rx, layers].

    PRBs are those that stand for it; the points of a PRB are in order of time.
    """
    chosen = SUBCARRIERS_PER_PRB * torch.tensor(probe(prbs, MOST_PRBS))
    symbol = torch.tensor(SYMBOLS).repeat_interleave(len(SUBCARRIERS))
    subcarrier = torch.tensor(SUBCARRIERS).repeat(len(SYMBOLS))
    frequency, time = (chosen[:, None] + subcarrier).flatten(), symbol.repeat(len(chosen))
    shape = (count, setup.rx_antennas, setup.tx_antennas)
    found = samples(setup.channel, shape, frequency, time, draw)
    found = found.reshape(count, len(chosen), len(symbol), *found.shape[2:])
    return found if setup.precoder is Precoder.NONE else beamformed(found, setup.layers)


def at_points(channel: Tensor) -> Tensor:
    """The points of PRBs [slots, prbs, symbols, subcarriers, rx, layers] -> [slots, prbs, points, rx, layers]."""
    return channel[:, :, list(SYMBOLS)][:, :, :, list(SUBCARRIERS)].flatten(2, 3)


def carried(channel: Tensor, noise: float, detector: Detector, modulation: Modulation) -> Tensor:
    """Mutual information per bit for a linear receiver that knows channels [..., rx, layers]: float32 [...].

    The mean over layers of that of square QAM at the SNR behind the equaliser; ZF's, or else LMMSE's.
    """
    level_db = snr_behind_db(channel, noise, detector)
    return information_at(level_db, modulation).mean(-1)


def snr_behind_db(channel: Tensor, noise: float, detector: Detector) -> Tensor:
    """SNR behind the equaliser of layers that share the power, float32 [..., layers]."""
    variance = torch.full(channel.shape[:-2], noise, device=channel.device)
    found = equaliser(channel * channel.shape[-1] ** -0.5, variance, zero_forcing=detector is Detector.ZF)
    return -10.0 * found.variance.log10()


def information_at(level_db: Tensor, modulation: Modulation) -> Tensor:
    """Mutual information per bit of square QAM at SNRs in dB, 0..1, float32 of the same shape."""
    known = _square(modulation, level_db.device)
    place = ((level_db - _LOWEST_DB) / _STEP_DB).clamp(0.0, _STEPS - 2.0)
    cell = place.long()
    return torch.lerp(known[cell], known[cell + 1], (place - cell).to(known))


@lru_cache(maxsize=16)
def _square(modulation: Modulation, device: torch.device) -> Tensor:
    levels = _LOWEST_DB + _STEP_DB * torch.arange(_STEPS, dtype=torch.float64)
    return square_information(modulation.bits, levels).to(torch.float32).to(device)


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """What a receiver gets of a PRB by what the PRB carries; of several receivers at once, [...]."""

    weights: Tensor
    """[..., 3]."""
    deviation: Tensor
    """Standard deviation from that, [...]: what differs from PRB to PRB, but for the few noise samples of each."""

    @classmethod
    def fit(cls, known: Tensor, got: Tensor, sampling_variance: Tensor) -> "Regression":
        """Least squares over PRBs [n]; sampling adds so much variance to what was got of one."""
        known, got = known.double(), got.double()
        terms = _terms(known)
        square = terms.mT @ terms / len(known) + _RIDGE * torch.eye(terms.shape[-1]).to(terms)
        weights = torch.linalg.solve(square, terms.mT @ (got - known) / len(known))
        left = (got - known - terms @ weights).square().mean() - sampling_variance
        return cls(weights.float(), left.clamp(min=0.0).sqrt().float())

    @classmethod
    def stack(cls, each: Sequence["Regression"], shape: tuple[int, ...]) -> "Regression":
        """Several receivers', in this shape."""
        weights, deviation = (
            torch.stack(part) for part in zip(*((one.weights, one.deviation) for one in each), strict=True)
        )
        return cls(weights.reshape(*shape, -1), deviation.reshape(shape))

    def __getitem__(self, place: int | slice | tuple[int | slice, ...]) -> "Regression":
        """Those of some of the receivers."""
        return Regression(self.weights[place], self.deviation[place])

    def slots(self, known: Tensor, channel: Channel, prbs: int, draw: torch.Generator) -> Tensor:
        """Mutual information per bit of slots of so many PRBs [..., slots], from that of some [..., slots, n]."""
        first, second, third = self.weights[..., None, None, :].unbind(-1)
        got = (known + known * (1.0 - known) * (first + second * known) + third * known.square()).mean(-1)
        mean = got.mean(-1, keepdim=True)
        # One and the same draw for all receivers: with more power, none gets less by chance.
        apart = torch.randn(known.shape[-2], generator=draw, device=known.device)
        whole = mean + (got - mean) * narrowing(channel, prbs) + self.deviation[..., None] * prbs**-0.5 * apart
        held: Tensor = whole.clamp(0.0, 1.0)
        return held


@torch.no_grad()
def look(setup: Setup, channel: Tensor, draw: torch.Generator, network: "DeepRx | None" = None) -> Regression:
    """Run the receiver on channels [slots, prbs, symbols, subcarriers, rx, layers]: what it gets of a PRB."""
    bits = random_bits(setup, len(channel), draw, channel.device)
    llr = send(setup, bits, draw, channel=channel, network=network)
    got, sampling_variance = information_by_prb(llr, bits)
    known = carried(at_points(channel), setup.noise, setup.detector, setup.modulation).mean(-1)
    return Regression.fit(known.flatten(), got.flatten(), sampling_variance)


def narrowing(channel: Channel, prbs: int) -> float:
    """How much less the mean over all PRBs of an allocation varies than that over those that stand for it.

    By the power's covariance between PRBs, for what they carry follows their power; 1 where none are left out.
    """
    chosen = torch.tensor(probe(prbs, MOST_PRBS))
    if len(chosen) == prbs or channel.kind is ChannelClass.AWGN:
        return 1.0
    apart = torch.arange(prbs)
    alike = power_covariance(channel, SUBCARRIERS_PER_PRB * apart)
    pairs = torch.where(apart > 0, 2.0, 1.0) * (prbs - apart)
    seen = alike[(chosen[:, None] - chosen).abs()].mean()
    return float(((alike * pairs).sum() / prbs**2 / seen).clamp(max=1.0).sqrt())


def _terms(known: Tensor) -> Tensor:
    """Nothing is got where nothing is carried; what is lost of a PRB that carries all may differ from zero."""
    return torch.stack((known * (1.0 - known), known.square() * (1.0 - known), known.square()), dim=-1)
