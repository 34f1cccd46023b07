"""DeepRx: a convolutional receiver that learns the channel from the data too, not from the pilots alone.

After Honkala, Korpi and Huttunen (2021), at a hundredth of the size: residual blocks of depthwise separable
convolutions over the grid of a PRB's symbols and subcarriers see what was received, what least squares make of the
pilots, and the symbols that follow from it. They correct the channel estimate and say how far it may be off. With
one layer, combining the antennas by that estimate and demapping exactly is then the best one can do, so the bits
need no further network, and one network serves all modulations.
"""

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from twin.link.catalogue import Modulation
from twin.link.shipped import shipped

PACKAGE = Path(__file__).with_name("deeprx")
KIND = "deeprx"
MOST_ANTENNAS = 2
CHANNELS = 64
DILATIONS = ((1, 1), (2, 2), (1, 1), (3, 2), (1, 1), (2, 2))
_INPUTS = 4 * MOST_ANTENNAS + 2 + 1 + 1 + len(Modulation)
_LARGEST = 4.0
AT_ONCE = 16
"""Grids that a CPU's cache holds with what the network makes of them."""


class Block(nn.Module):
    """Two depthwise separable convolutions and what came in."""

    def __init__(self, channels: int, dilation: tuple[int, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [
                nn.GroupNorm(8, channels),
                nn.GELU(),
                nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, groups=channels, bias=False),
                nn.Conv2d(channels, channels, 1),
            ]
        self.layers = nn.Sequential(*layers)

    def forward(self, grid: Tensor) -> Tensor:
        """[n, channels, symbols, subcarriers] -> the same shape."""
        found: Tensor = grid + self.layers(grid)
        return found


class DeepRx(nn.Module):
    """Channel estimator for one layer and one or two receive antennas, on grids of any size."""

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.first = nn.Conv2d(_INPUTS, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(channels, dilation) for dilation in DILATIONS))
        self.last = nn.Conv2d(channels, 2 * MOST_ANTENNAS + 1, 1)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def forward(
        self, received: Tensor, start: Tensor, pilot: Tensor, noise: float, modulation: Modulation
    ) -> tuple[Tensor, Tensor]:
        """Estimate the channel: complex64 [n, symbols, subcarriers, rx], and the variance of its error.

        `received` and `start`, the least squares estimate, are complex64 [n, symbols, subcarriers, rx]; `pilot`
        tells where pilots are, float32 [symbols, subcarriers] (1 there, 0 where there is data), which are sent as
        1; `noise` is the noise variance. The error's variance is float32 [n, symbols, subcarriers], per antenna.
        """
        seen = planes(received, start, pilot, noise, modulation)
        parts = torch.split(seen, AT_ONCE) if seen.is_cpu else (seen,)
        return self.estimate(start, noise, torch.cat([self.body(part) for part in parts]))

    def body(self, grid: Tensor) -> Tensor:
        """The network proper, on planes of any links side by side: [n, planes, symbols, subcarriers]."""
        found: Tensor = self.last(self.blocks(self.first(grid)))
        return found

    def estimate(self, start: Tensor, noise: float, out: Tensor) -> tuple[Tensor, Tensor]:
        """What the network's output says of the channel, as `forward` does."""
        antennas = start.shape[-1]
        correction = torch.complex(out[:, :antennas], out[:, MOST_ANTENNAS : MOST_ANTENNAS + antennas])
        # Corrections are as large as the noise that spoils the start, not as the channel.
        scale = min(1.0, noise**0.5)
        error = noise * torch.nn.functional.softplus(out[:, -1])
        return start + scale * correction.movedim(1, -1), error


def planes(received: Tensor, start: Tensor, pilot: Tensor, noise: float, modulation: Modulation) -> Tensor:
    """What the network looks at, [n, planes, symbols, subcarriers], of what `DeepRx.forward` is given."""
    antennas = received.shape[-1]
    strength = start.abs().square().sum(-1) + noise
    symbol = ((start.conj() * received).sum(-1) / strength).clone()
    symbol = torch.complex(symbol.real.clamp(-_LARGEST, _LARGEST), symbol.imag.clamp(-_LARGEST, _LARGEST))
    flat = torch.full_like(strength, 0.1 * float(torch.log10(torch.tensor(noise))))
    kind = [torch.full_like(strength, float(item is modulation)) for item in Modulation]
    spare = [torch.zeros_like(strength)] * (4 * (MOST_ANTENNAS - antennas))
    parts = [part for signal in (received, start) for part in _parts(signal)]
    return torch.stack([*parts, *spare, symbol.real, symbol.imag, pilot.expand_as(strength), flat, *kind], dim=1)


def _parts(signal: Tensor) -> list[Tensor]:
    return [part for antenna in signal.unbind(-1) for part in (antenna.real, antenna.imag)]


@lru_cache(maxsize=2)
def load(folder: Path = PACKAGE, device: str = "cpu") -> DeepRx:
    """The shipped network, verified; PackageError where the package is absent or not what was shipped."""
    return shipped(DeepRx(), folder, KIND, device)
