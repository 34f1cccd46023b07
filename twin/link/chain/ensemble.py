"""What a receiver gets of thousands of channels, from a look at some: two-phase sampling (Cochran 1977, ch. 12).

A receiver is slow, and few channels say little of the rare bad ones. What a PRB carries for a receiver that knows
its channel, though, follows from the channel alone, without noise or LLRs. So the receiver is run on some PRBs,
what it gets there is put as a function of what they carry (`Regression`), and that is applied to thousands of
channels over the whole allocation.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from twin.link.catalogue import (
    SUBCARRIERS_PER_PRB,
    SYMBOLS_PER_SLOT,
    ChannelClass,
    Detector,
    Modulation,
    Precoder,
)
from twin.link.chain.channel import Channel, Modes, power_covariance, samples
from twin.link.chain.detection import variance_behind
from twin.link.chain.link import Setup, beamformed, information_by_prb, probe, random_bits, send
from twin.link.chain.mapping import square_information

if TYPE_CHECKING:
    from twin.link.receivers.deeprx import DeepRx

SUBCARRIERS, SYMBOLS = (2, 9), (3, 10)
"""Points of a PRB that stand for it: those of Gauss and Legendre, nearly, of its subcarriers and data symbols."""
MOST_PRBS = 12
"""PRBs of an allocation that stand for it."""
DRAWN = 4096
"""PRBs that those a receiver is run on are picked from."""
TERMS = 5
"""Of the regression of what is got on what is carried."""
PARTS = 8
"""Of the PRBs that a receiver is run on, each left out in turn to tell what chance makes of them."""
_LOWEST_DB, _STEP_DB, _STEPS = -40.0, 0.5, 190
_RIDGE = 1e-7
_LEAST_GOT = -1.0
"""Bits per bit: a nearly singular matrix may make of a PRB what is worse than nothing without bound."""


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
    return _formed(setup, found.reshape(count, len(chosen), len(symbol), *found.shape[2:]))


def prbs_apart(setup: Setup, count: int, level: Callable[[Tensor], Tensor], draw: torch.Generator) -> Tensor:
    """Channels of PRBs to run receivers on, complex64 [count, 1, symbols, subcarriers, rx, layers].

    Half of them are as drawn. The others are spread evenly between the lowest and the highest `level` of DRAWN,
    a function of channels at the points of PRBs [n, 1, points, rx, layers]; the same PRB may come again.
    """
    modes = _prb_modes(setup.channel, draw.device)
    draws = modes.draws((DRAWN, setup.rx_antennas, setup.tx_antennas), draw)
    symbol, subcarrier = torch.tensor(SYMBOLS)[:, None], torch.tensor(SUBCARRIERS)
    places = (SUBCARRIERS_PER_PRB * symbol + subcarrier).flatten().to(draw.device)
    levels = level(_formed(setup, modes.seen(draws, places)[:, None]))
    rising, order = levels.sort()
    even = torch.linspace(float(rising[0]), float(rising[-1]), count - count // 2, device=draw.device)
    chosen = order[torch.searchsorted(rising, even).clamp(max=DRAWN - 1)]
    chosen = torch.cat((torch.arange(count // 2, device=draw.device), chosen))
    whole = modes.seen(draws[chosen])
    return _formed(setup, whole.reshape(count, 1, SYMBOLS_PER_SLOT, SUBCARRIERS_PER_PRB, *whole.shape[2:]))


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
    shared = channel * channel.shape[-1] ** -0.5
    return -10.0 * variance_behind(shared, variance, zero_forcing=detector is Detector.ZF).log10()


def information_at(level_db: Tensor, modulation: Modulation) -> Tensor:
    """Mutual information per bit of square QAM at SNRs in dB, 0..1, float32 of the same shape."""
    return next(informations_at(level_db, (modulation,)))


def informations_at(level_db: Tensor, modulations: Iterable[Modulation]) -> Iterator[Tensor]:
    """The same for several modulations, one after the other: where an SNR is in their tables is found once."""
    place = ((level_db - _LOWEST_DB) / _STEP_DB).clamp(0.0, _STEPS - 2.0)
    cell = place.int()
    part = place.sub_(cell)
    row = cell.flatten()
    for modulation in modulations:
        start, rise = (table.index_select(0, row).view_as(part) for table in _square(modulation, level_db.device))
        yield rise.mul_(part).add_(start)


@lru_cache(maxsize=16)
def _square(modulation: Modulation, device: torch.device) -> tuple[Tensor, Tensor]:
    """At each step, and by how much it rises to the next [_STEPS - 1]."""
    levels = _LOWEST_DB + _STEP_DB * torch.arange(_STEPS, dtype=torch.float64)
    known = square_information(modulation.bits, levels).to(torch.float32).to(device)
    return known[:-1], known.diff()


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """What a receiver gets of a PRB by what the PRB carries; of several receivers at once, [...]."""

    weights: Tensor
    """[..., TERMS]."""
    lasting: Tensor
    """How far PRBs deviate from that for their channels' sake, which neighbours share, [...]: the standard
    deviation in roots of known (1 - known), for a PRB that carries nothing or all has little to vary."""
    passing: Tensor
    """That which each PRB has of its own [...], from noise in its pilots; but for its few noise samples."""

    @classmethod
    def fit(cls, known: Tensor, got: Tensor, sampling_variance: Tensor) -> "Regression":
        """Least squares over PRBs, each received twice [2, n]; what is got once varies so much by sampling."""
        known, got = known.double(), got.double().clamp(min=_LEAST_GOT)
        terms = _terms(known.flatten())
        square = terms.mT @ terms / len(terms) + _RIDGE * torch.eye(TERMS).to(terms)
        weights = torch.linalg.solve(square, terms.mT @ (got - known).flatten() / len(terms))
        left = got - known - (terms @ weights).reshape(known.shape)
        lasting = left.prod(0).mean().clamp(min=0.0)
        passing = (left.square().mean() - lasting - sampling_variance).clamp(min=0.0)
        undecided = terms[:, 0].mean().clamp(min=_RIDGE)
        return cls(weights.float(), (lasting / undecided).sqrt().float(), (passing / undecided).sqrt().float())

    @classmethod
    def stack(cls, each: Sequence["Regression"], shape: tuple[int, ...]) -> "Regression":
        """Several receivers', in this shape."""
        weights, lasting, passing = (
            torch.stack([getattr(one, part) for one in each]) for part in ("weights", "lasting", "passing")
        )
        return cls(weights.reshape(*shape, TERMS), lasting.reshape(shape), passing.reshape(shape))

    def __getitem__(self, place: int | slice | tuple[int | slice, ...]) -> "Regression":
        """Those of some of the receivers."""
        return Regression(self.weights[place], self.lasting[place], self.passing[place])

    def slots(self, known: Tensor, channel: Channel, prbs: int, draw: torch.Generator) -> Tensor:
        """Mutual information per bit of slots of so many PRBs [..., slots], from that of some [..., slots, n]."""
        *inner, last = self.weights[..., None, None, :].unbind(-1)
        factor = inner.pop()
        while inner:
            factor = torch.addcmul(inner.pop(), factor, known)
        undecided = known * (1.0 - known)
        got = torch.addcmul(known + last * known.square(), factor, undecided).mean(-1)
        mean = got.mean(-1, keepdim=True)
        # One and the same draw for all receivers: with more power, none gets less by chance.
        apart = torch.randn(known.shape[-2], generator=draw, device=known.device)
        deviation = (self.lasting.square() * shared(channel, prbs) + self.passing.square() / prbs).sqrt()
        apart = deviation[..., None] * undecided.mean(-1).clamp(min=0.0).sqrt() * apart
        whole = mean + (got - mean) * narrowing(channel, prbs) + apart
        held: Tensor = whole.clamp(0.0, 1.0)
        return held


def look(setup: Setup, channel: Tensor, draw: torch.Generator, network: "DeepRx | None" = None) -> Regression:
    """Run the receiver twice on PRBs [n, 1, symbols, subcarriers, rx, layers]: what it gets of one."""
    return Regression.fit(*_received(setup, channel, draw, network))


def look_in_parts(setup: Setup, channel: Tensor, draw: torch.Generator) -> Regression:
    """The same, by all PRBs and by all but those of each part, [1 + PARTS] (jackknife, Tukey 1958)."""
    known, got, sampling_variance = _received(setup, channel, draw)
    part = torch.arange(len(channel), device=channel.device) % PARTS
    kept = [part >= 0, *(part != own for own in range(PARTS))]
    each = [Regression.fit(known[:, some], got[:, some], sampling_variance) for some in kept]
    return Regression.stack(each, (len(each),))


@torch.no_grad()
def _received(
    setup: Setup, channel: Tensor, draw: torch.Generator, network: "DeepRx | None" = None
) -> tuple[Tensor, Tensor, Tensor]:
    """What PRBs carry and what is got of them, received twice [2, n] each, and the variance from few samples."""
    twice = channel.repeat(2, *[1] * (channel.dim() - 1))
    bits = random_bits(setup, len(twice), draw, channel.device)
    llr = send(setup, bits, draw, channel=twice, network=network)
    got, sampling_variance = information_by_prb(llr, bits)
    known = carried(at_points(twice), setup.noise, setup.detector, setup.modulation).mean(-1)
    return known.reshape(2, -1), got.reshape(2, -1), sampling_variance


def narrowing(channel: Channel, prbs: int) -> float:
    """How much less the mean over all PRBs of an allocation varies than that over those that stand for it.

    By the power's covariance between PRBs, for what they carry follows their power; 1 where none are left out.
    """
    chosen = torch.tensor(probe(prbs, MOST_PRBS))
    if len(chosen) == prbs or channel.kind is ChannelClass.AWGN:
        return 1.0
    alike = power_covariance(channel, SUBCARRIERS_PER_PRB * torch.arange(prbs))
    seen = alike[(chosen[:, None] - chosen).abs()].mean()
    return float((_over_pairs(alike) / seen).clamp(max=1.0).sqrt())


def shared(channel: Channel, prbs: int) -> float:
    """What share of a variance that follows the channel's power is left to the mean over PRBs, 1 / prbs..1."""
    if channel.kind is ChannelClass.AWGN:
        return 1.0 / prbs
    alike = power_covariance(channel, SUBCARRIERS_PER_PRB * torch.arange(prbs))
    return float((_over_pairs(alike) / alike[0]).clamp(1.0 / prbs, 1.0))


def _over_pairs(alike: Tensor) -> Tensor:
    """The mean over all pairs of PRBs, by what is alike at each distance [prbs]."""
    apart = torch.arange(len(alike))
    pairs: Tensor = torch.where(apart > 0, 2.0, 1.0) * (len(alike) - apart)
    return (alike * pairs).sum() / len(alike) ** 2


def _terms(known: Tensor) -> Tensor:
    """Nothing is got where nothing is carried; what is lost of a PRB that carries all may differ from zero."""
    inner = [known**power * (1.0 - known) for power in range(1, TERMS)]
    return torch.stack((*inner, known.square()), dim=-1)


def _formed(setup: Setup, channel: Tensor) -> Tensor:
    """Channels with the precoder in them."""
    return channel if setup.precoder is Precoder.NONE else beamformed(channel, setup.layers)


@lru_cache(maxsize=64)
def _prb_modes(channel: Channel, device: torch.device) -> Modes:
    """The modes of a PRB over a slot; its points are in order of time."""
    subcarrier = torch.arange(SUBCARRIERS_PER_PRB, device=device)
    symbol = torch.arange(SYMBOLS_PER_SLOT, device=device)
    return Modes.of(channel, subcarrier.repeat(SYMBOLS_PER_SLOT), symbol.repeat_interleave(SUBCARRIERS_PER_PRB))
