"""One slot over the air: bits in, LLRs out.

    bits -> constellation -> precoder -> channel + noise -> estimation from the pilots -> detection -> LLRs

PRBs are estimated and precoded one by one, so that a wide allocation is many PRBs side by side, and a few of them,
spread over it, stand for all. SNR is per resource element and receive antenna; layers share the power.
"""

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from twin.link.catalogue import (
    DMRS_SYMBOLS,
    SUBCARRIERS_PER_PRB,
    SYMBOLS_PER_SLOT,
    ChannelClass,
    Detector,
    Estimator,
    Modulation,
    Precoder,
    Transmitter,
)
from twin.link.chain import estimation
from twin.link.chain.channel import Channel, responses, samples
from twin.link.chain.detection import detect
from twin.link.chain.mapping import modulate, points
from twin.link.equipment import EquipmentState
from twin.link.plan import LinkChain
from twin.link.transmitters.deeptx import constellation

if TYPE_CHECKING:
    from twin.link.receivers.deeprx import DeepRx

DATA_SYMBOLS = tuple(symbol for symbol in range(SYMBOLS_PER_SLOT) if symbol not in DMRS_SYMBOLS)
PROBE_PRBS = 4
BEAM_DRAWS = 4096
"""Channels by which the mean power of beams is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A chain over a channel at an SNR. `prbs` are the PRBs to simulate, by their place in the allocation."""

    channel: Channel
    snr_db: float
    modulation: Modulation = Modulation.QPSK
    layers: int = 1
    tx_antennas: int = 1
    rx_antennas: int = 1
    precoder: Precoder = Precoder.NONE
    estimator: Estimator | None = Estimator.LMMSE
    """None knows the channel."""
    detector: Detector = Detector.LMMSE
    shaped_rate: float | None = None
    """The code rate that DeepTx's constellation is for; None sends square QAM."""
    prbs: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, chain: LinkChain, equipment: EquipmentState, *, whole: bool = False) -> "Setup":
        """A plan's chain on some equipment: all its PRBs, or a probe of a few spread over them."""
        spacing_hz = 15e3 * 2**chain.numerology
        symbol_s = 1e-3 / 2**chain.numerology / SYMBOLS_PER_SLOT
        channel = Channel(
            equipment.channel, equipment.delay_spread_s * spacing_hz, equipment.doppler_hz * symbol_s
        )
        return cls(
            channel=channel,
            snr_db=equipment.resource_element_snr_db(chain),
            modulation=chain.modulation,
            layers=chain.layers,
            tx_antennas=chain.tx_antennas,
            rx_antennas=chain.rx_antennas,
            precoder=chain.precoder,
            estimator=chain.estimator,
            detector=chain.detector,
            shaped_rate=chain.code_rate if chain.transmitter is Transmitter.DEEPTX else None,
            prbs=tuple(range(chain.prbs)) if whole else probe(chain.prbs),
        )

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """Bits of a slot: data symbols, PRBs, subcarriers, layers, bits per symbol (TS 38.211 7.3.1.5's order)."""
        return len(DATA_SYMBOLS), len(self.prbs), SUBCARRIERS_PER_PRB, self.layers, self.modulation.bits

    @property
    def noise(self) -> float:
        """Noise variance per resource element and receive antenna, for a signal of power 1."""
        return float(10.0 ** (-self.snr_db / 10.0))

    def at(self, snr_db: float) -> "Setup":
        """The same at another SNR."""
        return replace(self, snr_db=snr_db)


def probe(prbs: int, most: int = PROBE_PRBS) -> tuple[int, ...]:
    """At most so many PRBs spread over an allocation."""
    count = min(prbs, most)
    return tuple(round((place + 0.5) * prbs / count - 0.5) for place in range(count))


def send(
    setup: Setup,
    bits: Tensor,
    draw: torch.Generator,
    *,
    channel: Tensor | None = None,
    network: "DeepRx | None" = None,
    shaped: Tensor | None = None,
) -> Tensor:
    """LLRs log p1/p0 of bits sent, float32; int bits [slots, *setup.shape] -> the same shape.

    Every slot has a channel of its own. The same generator state gives the same channels and noise. `channel`
    are the channels to use, instead of drawn ones, `network` the DeepRx and `shaped` the constellation, instead of
    the shipped ones.
    """
    if shaped is None and setup.shaped_rate is not None:
        shaped = constellation(setup.modulation.bits, setup.shaped_rate, str(bits.device))
    symbols = modulate(bits, points(setup.modulation.bits, bits.device) if shaped is None else shaped)
    symbols = symbols.transpose(1, 2)
    if channel is None:
        channel = effective_channel(setup, len(bits), draw, bits.device)
    data = torch.tensor(DATA_SYMBOLS, device=bits.device)
    # [slots, prbs, symbols, subcarriers, rx, layers]
    sent = torch.einsum("...rl,...l->...r", channel[:, :, data] * setup.layers**-0.5, symbols)
    received = sent + complex_normal(sent.shape, setup.noise, draw, bits.device)
    seen, variance = estimate(setup, channel, draw, received, network)
    llr = detect(setup.detector, received, seen, variance, setup.modulation.bits, shaped)
    return llr.transpose(1, 2)


def effective_channel(setup: Setup, slots: int, draw: torch.Generator, device: torch.device) -> Tensor:
    """Channels with the precoder in them, complex64 [slots, prbs, symbols, subcarriers, rx, layers]."""
    first = SUBCARRIERS_PER_PRB * torch.tensor(setup.prbs, device=device)
    frequency = (first[:, None] + torch.arange(SUBCARRIERS_PER_PRB, device=device)).flatten()
    time = torch.arange(SYMBOLS_PER_SLOT, device=device)
    shape = (slots, setup.rx_antennas, setup.tx_antennas)
    channel = responses(setup.channel, shape, frequency, time, draw)
    grid = (*channel.shape[:2], len(setup.prbs), SUBCARRIERS_PER_PRB, *channel.shape[3:])
    channel = channel.reshape(grid).transpose(1, 2)
    return channel if setup.precoder is Precoder.NONE else beamformed(channel, setup.layers)


def beamformed(channel: Tensor, layers: int) -> Tensor:
    """Channels [slots, prbs, ..., rx, tx] -> [slots, prbs, ..., rx, layers], along their strongest directions.

    The transmitter knows the channel's mean over the PRB and slot.
    """
    points = channel.flatten(2, -3)
    mean = points.mean(2)
    few = min(mean.shape[-2:]) <= 2 and layers == 1
    beams = _strongest(mean) if few else torch.linalg.svd(mean, full_matrices=False)[2][..., :layers, :].mH
    # Points and antennas in one, the product is of fewer and larger matrices.
    formed: Tensor = points.flatten(2, 3) @ beams
    return formed.reshape(*channel.shape[:-1], layers)


def _strongest(channel: Tensor) -> Tensor:
    """The beam that is strongest over channels [..., rx, tx], two antennas at most at one end: [..., tx, 1].

    That of a decomposition but for its phase, by formula: a library call for each small matrix takes longer.
    """
    rx, tx = channel.shape[-2:]
    if rx == 1:
        beam = channel.mH
    elif tx == 2:
        beam = _first_of_two(channel.mH @ channel)
    else:
        beam = channel.mH @ _first_of_two(channel @ channel.mH)
    return beam / (beam * beam.conj()).real.sum(-2, keepdim=True).sqrt()


def _first_of_two(gram: Tensor) -> Tensor:
    """The eigenvector of the larger eigenvalue of Hermitian matrices [..., 2, 2], of any length [..., 2, 1]."""
    (a, b), (c, d) = gram[..., 0, :].unbind(-1), gram[..., 1, :].unbind(-1)
    half = (a - d).real / 2.0
    # Of two forms of it that which takes no difference of like numbers; where all directions are alike, any.
    larger = half.abs() + torch.hypot(half, b.abs()) + torch.finfo(half.dtype).eps * (a + d).real
    first = (half >= 0.0)[..., None]
    found = torch.where(first, torch.stack((larger + 0j, c), -1), torch.stack((b, larger + 0j), -1))
    return found[..., None]


def layer_powers(setup: Setup) -> tuple[float, ...]:
    """Mean power of each layer's channel at a receive antenna: 1, or what a beam makes of it."""
    if setup.precoder is Precoder.NONE:
        return (1.0,) * setup.layers
    # At one subcarrier and symbol, delay and Doppler make no difference.
    return _beam_powers(setup.channel.kind, setup.rx_antennas, setup.tx_antennas)[: setup.layers]


@cache
def _beam_powers(kind: ChannelClass, rx_antennas: int, tx_antennas: int) -> tuple[float, ...]:
    """Of all beams, strongest first: the mean over channels of the squares of their singular values."""
    origin, shape = torch.zeros(1, dtype=torch.int64), (BEAM_DRAWS, rx_antennas, tx_antennas)
    drawn = samples(Channel(kind), shape, origin, origin, torch.Generator().manual_seed(0))[:, 0]
    found: list[float] = (torch.linalg.svdvals(drawn).square().mean(0) / rx_antennas).tolist()
    return tuple(found)


def estimate(
    setup: Setup,
    channel: Tensor,
    draw: torch.Generator,
    received: Tensor | None = None,
    network: "DeepRx | None" = None,
) -> tuple[Tensor, Tensor]:
    """What a receiver takes the channel for where there is data, and the variance of noise and error it assumes.

    Of channels [slots, prbs, symbols, subcarriers, rx, layers]; the result has data symbols only and each layer's
    share of the power in it, and its variance is [slots, prbs, data symbols, subcarriers]. DeepRx looks at what
    was received there too, [slots, prbs, data symbols, subcarriers, rx].
    """
    data = torch.tensor(DATA_SYMBOLS, device=channel.device)
    if setup.estimator is None:
        found = channel[:, :, data]
        error = torch.zeros(found.shape[:4], device=channel.device)
    elif setup.estimator is Estimator.DEEPRX:
        assert received is not None
        found, error = (
            whole[:, :, data]
            for whole in learnt(setup, network or _shipped(channel.device), channel, draw, received)
        )
    else:
        found, error = _filtered(setup, setup.estimator, channel, draw)
    return found * setup.layers**-0.5, setup.noise + error


def _filtered(setup: Setup, estimator: Estimator, channel: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Estimates by linear filters from the pilots where there is data; error variance per resource element."""
    data = torch.tensor(DATA_SYMBOLS, device=channel.device)
    filters = estimation.filters(estimator, setup.channel, setup.noise, layer_powers(setup), channel.device)
    layers = []
    for layer in range(setup.layers):
        symbol, subcarrier = estimation.pilots(setup.layers, layer, channel.device)
        seen = channel[:, :, symbol, subcarrier, :, layer]
        seen = seen + complex_normal(seen.shape, setup.noise, draw, channel.device)
        layers.append(torch.einsum("tfp,bgpr->bgtfr", filters.weights[layer, data], seen))
    error = filters.error[:, data].sum(0) / setup.layers
    return torch.stack(layers, dim=-1), error.expand(*channel.shape[:2], *error.shape)


def _shipped(device: torch.device) -> "DeepRx":
    from twin.link.receivers.deeprx import load

    return load(device=str(device))


def learnt(
    setup: Setup, network: "DeepRx", channel: Tensor, draw: torch.Generator, received: Tensor
) -> tuple[Tensor, Tensor]:
    """Estimates by a DeepRx network, shaped as the channel; error variance per resource element."""
    grid, start, is_pilot = observed(setup, channel, draw, received)
    found, error = network(grid, start, is_pilot, setup.noise, setup.modulation)
    return found.reshape(channel.shape), error.reshape(channel.shape[:4])


def observed(
    setup: Setup, channel: Tensor, draw: torch.Generator, received: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What DeepRx has to go by: received grids and least squares estimates of the channel, and where pilots are.

    The first two are complex64 [slots x prbs, symbols, subcarriers, rx], the last float32 [symbols, subcarriers].
    """
    weights = estimation.interpolation(1, 0, channel.device)
    pilots = torch.tensor(DMRS_SYMBOLS, device=channel.device)
    at_pilots = channel[:, :, pilots, :, :, 0]
    at_pilots = at_pilots + complex_normal(at_pilots.shape, setup.noise, draw, channel.device)
    start = torch.einsum("tfp,bgpr->bgtfr", weights, at_pilots.flatten(2, 3))
    grid = torch.empty_like(start)
    grid[:, :, torch.tensor(DATA_SYMBOLS, device=channel.device)] = received
    grid[:, :, pilots] = at_pilots
    is_pilot = torch.zeros(channel.shape[2:4], device=channel.device)
    is_pilot[pilots] = 1.0
    return grid.flatten(0, 1), start.flatten(0, 1), is_pilot


def complex_normal(shape: torch.Size, variance: float, draw: torch.Generator, device: torch.device) -> Tensor:
    """Circular complex noise."""
    pair = torch.randn(*shape, 2, generator=draw, device=device) * (variance / 2.0) ** 0.5
    return torch.view_as_complex(pair)


def information(llr: Tensor, bits: Tensor) -> Tensor:
    """GMI per bit of each slot, float32 [slots]; see `twin.link.mutual_information.of_llrs`."""
    found: Tensor = 1.0 - _lost(llr, bits).flatten(1).mean(1)
    return found


def information_by_prb(llr: Tensor, bits: Tensor) -> tuple[Tensor, Tensor]:
    """GMI per bit of each PRB of each slot [slots, prbs], and how much variance its few noise samples add to it.

    Neighbouring subcarriers see one channel, but noise of their own.
    """
    lost = _lost(llr, bits)
    even, odd = (1.0 - lost[:, :, :, part::2].mean((1, 3, 4, 5)) for part in (0, 1))
    return (even + odd) / 2.0, (even - odd).square().mean() / 4.0


def _lost(llr: Tensor, bits: Tensor) -> Tensor:
    """What each bit loses of its information, in bits."""
    return torch.nn.functional.softplus(llr * (1.0 - 2.0 * bits)) / math.log(2.0)


def random_bits(setup: Setup, slots: int, draw: torch.Generator, device: torch.device) -> Tensor:
    """Bits to send, int8 [slots, *setup.shape]."""
    return torch.randint(0, 2, (slots, *setup.shape), generator=draw, device=device, dtype=torch.int8)
