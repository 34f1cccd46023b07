"""Tapped delay lines of TR 38.901 (tables 7.7.2-1, -3, -4) as frequency responses, block by block independent.

Time is counted in symbols and frequency in subcarriers, so that numerology drops out: a delay spread of `spread`
is in symbols (delay spread x subcarrier spacing), a Doppler of `doppler` in cycles per symbol. Antennas are
uncorrelated. Rayleigh taps are sums of sinusoids from random angles (Clarke's spectrum); the line of sight of
TDL-D moves at 0.7 of the largest Doppler.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from twin.link.catalogue import ChannelClass

SINUSOIDS = 16
LOS_DOPPLER = 0.7
LEAST_MODE = 1e-5
"""Power of a fading mode that `samples` leaves out."""

_DELAYS = {
    ChannelClass.TDL_A: (
        0.0, 0.3819, 0.4025, 0.5868, 0.461, 0.5375, 0.6708, 0.575, 0.7618, 1.5375, 1.8978, 2.2242, 2.1718, 2.4942,
        2.5119, 3.0582, 4.081, 4.4579, 4.5695, 4.7966, 5.0066, 5.3043, 9.6586,
    ),
    ChannelClass.TDL_C: (
        0.0, 0.2099, 0.2219, 0.2329, 0.2176, 0.6366, 0.6448, 0.656, 0.6584, 0.7935, 0.8213, 0.9336, 1.2285, 1.3083,
        2.1704, 2.7105, 4.2589, 4.6003, 5.4902, 5.6077, 6.3065, 6.6374, 7.0427, 8.6523,
    ),
    ChannelClass.TDL_D: (
        0.0, 0.0, 0.035, 0.612, 1.363, 1.405, 1.804, 2.596, 1.775, 4.042, 7.937, 9.424, 9.708, 12.525,
    ),
}  # fmt: skip
_POWERS_DB = {
    ChannelClass.TDL_A: (
        -13.4, 0.0, -2.2, -4.0, -6.0, -8.2, -9.9, -10.5, -7.5, -15.9, -6.6, -16.7, -12.4, -15.2,
        -10.8, -11.3, -12.7, -16.2, -18.3, -18.9, -16.6, -19.9, -29.7,
    ),
    ChannelClass.TDL_C: (
        -4.4, -1.2, -3.5, -5.2, -2.5, 0.0, -2.2, -3.9, -7.4, -7.1, -10.7, -11.1, -5.1, -6.8,
        -8.7, -13.2, -13.9, -13.9, -15.8, -17.1, -16.0, -15.7, -21.6, -22.8,
    ),
    ChannelClass.TDL_D: (
        -0.2, -13.5, -18.8, -21.0, -22.8, -17.9, -20.1, -21.9, -22.9, -27.8, -23.6, -24.8, -30.0, -27.7,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel class at a delay spread in symbols and a Doppler in cycles per symbol."""

    kind: ChannelClass
    spread: float = 0.0
    doppler: float = 0.0

    @property
    def line_of_sight(self) -> bool:
        """Whether the first tap does not fade."""
        return self.kind is ChannelClass.TDL_D


def taps(channel: Channel, device: torch.device) -> tuple[Tensor, Tensor]:
    """Delays in symbols and powers that sum to 1, float64 [taps]; one tap in AWGN."""
    if channel.kind is ChannelClass.AWGN:
        return torch.zeros(1, device=device, dtype=torch.float64), torch.ones(
            1, device=device, dtype=torch.float64
        )
    delay = torch.tensor(_DELAYS[channel.kind], dtype=torch.float64, device=device)
    power = 10.0 ** (torch.tensor(_POWERS_DB[channel.kind], dtype=torch.float64, device=device) / 10.0)
    return delay * channel.spread, power / power.sum()


def covariance(channel: Channel, frequency: Tensor, time: Tensor) -> Tensor:
    """Covariance of the channel at distances in subcarriers and symbols, complex64; shapes broadcast."""
    delay, power = taps(channel, frequency.device)
    turn = torch.polar(power, -2.0 * math.pi * frequency.double()[..., None] * delay)
    faded = torch.special.bessel_j0(2.0 * math.pi * channel.doppler * time.double())[..., None].expand_as(
        turn.real
    )
    if channel.kind is ChannelClass.AWGN:
        return turn.sum(-1).to(torch.complex64)
    kept = faded.to(torch.complex128)
    if channel.line_of_sight:
        steady = torch.polar(
            torch.ones_like(time.double()), 2.0 * math.pi * LOS_DOPPLER * channel.doppler * time.double()
        )
        kept = torch.cat((steady[..., None].expand_as(turn[..., :1]), kept[..., 1:]), dim=-1)
    found: Tensor = (turn * kept).sum(-1).to(torch.complex64)
    return found


def responses(
    channel: Channel, shape: tuple[int, int, int], frequency: Tensor, time: Tensor, draw: torch.Generator
) -> Tensor:
    """Frequency responses of mean power 1: shape (blocks, rx, tx), subcarriers [f] and symbols [t] -> complex64.

    Result [blocks, t, f, rx, tx]. In AWGN antennas see one signal at random phases.
    """
    blocks, rx, tx = shape
    device = frequency.device
    delay, power = taps(channel, device)
    count = len(delay)
    angle = 2.0 * math.pi * torch.rand(2, blocks, rx, tx, count, SINUSOIDS, generator=draw, device=device)
    time = time.to(torch.float32)
    # [blocks, rx, tx, taps, sinusoids, t] would be large: sinusoids are summed one after the other.
    speed = 2.0 * math.pi * channel.doppler * torch.cos(angle[0])
    waves = torch.zeros(blocks, rx, tx, count, len(time), dtype=torch.complex64, device=device)
    for index in range(SINUSOIDS):
        phase = speed[..., index, None] * time + angle[1, ..., index, None]
        waves += torch.polar(torch.full_like(phase, SINUSOIDS**-0.5), phase)
    if channel.kind is ChannelClass.AWGN or channel.line_of_sight:
        turning = LOS_DOPPLER * channel.doppler if channel.line_of_sight else 0.0
        phase = angle[1, ..., :1, :1] + 2.0 * math.pi * turning * time
        waves[..., :1, :] = torch.polar(torch.ones_like(phase), phase)
    waves = waves * power.sqrt().to(torch.float32)[:, None]
    turn = -2.0 * math.pi * delay[:, None] * frequency.double()
    steering = torch.polar(torch.ones_like(turn), turn).to(torch.complex64)
    return torch.einsum("brxpt,pf->btfrx", waves, steering)


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """A channel at some points by its fading modes: normal draws of these stand for a channel, seen at any point.

    Statistics are those of `responses` but for the number of waves, which is without bound here.
    """

    factor: Tensor
    """What each mode, of power 1, adds at each point, complex64 [points, modes + 1]; the last does not fade."""

    @classmethod
    def of(cls, channel: Channel, frequency: Tensor, time: Tensor) -> "Modes":
        """At subcarriers and symbols, int64 [points] each."""
        device = frequency.device
        # A handful of points: their factor is found on the CPU.
        frequency, time = frequency.cpu(), time.cpu()
        known = covariance(channel, frequency[:, None] - frequency, time[:, None] - time)
        steady = _steady(channel, frequency, time)
        size, mode = torch.linalg.eigh(known.to(torch.complex128) - steady[:, None] * steady.conj())
        kept = size > LEAST_MODE
        fading = mode[:, kept] * size[kept].sqrt()
        return cls(torch.cat((fading, steady[:, None]), dim=1).to(torch.complex64).to(device))

    def draws(self, shape: tuple[int, int, int], draw: torch.Generator) -> Tensor:
        """Draws of shape (blocks, rx, tx), complex64 [blocks, rx, tx, modes + 1]."""
        device = draw.device
        pair = torch.randn(*shape, self.factor.shape[1] - 1, 2, generator=draw, device=device) * 0.5**0.5
        angle = 2.0 * math.pi * torch.rand(*shape, 1, generator=draw, device=device)
        return torch.cat((torch.view_as_complex(pair), torch.polar(torch.ones_like(angle), angle)), dim=-1)

    def seen(self, draws: Tensor, points: Tensor | None = None) -> Tensor:
        """Responses at these points, or at all, complex64 [blocks, points, rx, tx]."""
        factor = self.factor if points is None else self.factor[points]
        moved: Tensor = (draws @ factor.mT).movedim(-1, 1)
        return moved


def samples(
    channel: Channel, shape: tuple[int, int, int], frequency: Tensor, time: Tensor, draw: torch.Generator
) -> Tensor:
    """Responses at a few subcarriers and symbols only, int64 [n] each: shape (blocks, rx, tx) -> complex64.

    Result [blocks, n, rx, tx].
    """
    modes = Modes.of(channel, frequency.to(draw.device), time)
    return modes.seen(modes.draws(shape, draw))


def selectivity(kind: ChannelClass, product: np.ndarray) -> np.ndarray:
    """Deviation of the mean power over a bandwidth from that of one subcarrier, 0..1, float64 [n].

    By bandwidth in subcarriers times delay spread in symbols, [n]. Power's covariance at a distance is a sum of
    cosines over pairs of taps, whose mean over all pairs of subcarriers is a squared sinc; what is steady in
    sight of each other does not vary.
    """
    channel = Channel(kind, 1.0)
    delay, power = (part.numpy() for part in taps(channel, torch.device("cpu")))
    pairs = power[:, None] * power
    still = float(pairs[0, 0]) if channel.line_of_sight else 0.0
    mean = (pairs * np.sinc(product[:, None, None] * (delay[:, None] - delay)) ** 2).sum((1, 2))
    found: np.ndarray = np.sqrt(np.clip((mean - still) / (1.0 - still), 0.0, 1.0))
    return found


def power_covariance(channel: Channel, frequency: Tensor) -> Tensor:
    """Covariance of the channel's power at distances in subcarriers, up to a factor, float64 of the same shape."""
    still = torch.zeros_like(frequency)
    steady = _steady(channel, frequency, still)
    whole = covariance(channel, frequency, still).to(torch.complex128)
    # Only what is steady at both does not vary.
    return whole.abs().square() - steady.abs() ** 4


def _steady(channel: Channel, frequency: Tensor, time: Tensor) -> Tensor:
    """The wave that does not fade at these subcarriers and symbols, but for its phase, complex128."""
    if not (channel.line_of_sight or channel.kind is ChannelClass.AWGN):
        return torch.zeros(frequency.shape, dtype=torch.complex128, device=frequency.device)
    delay, power = taps(channel, frequency.device)
    turning = LOS_DOPPLER * channel.doppler if channel.line_of_sight else 0.0
    phase = 2.0 * math.pi * (turning * time - delay[0] * frequency)
    return torch.polar(power[0].sqrt().expand_as(phase), phase)
