"""DeepTx: a constellation that is learnt for the code rate, in the place of square QAM.

Which constellation carries most depends on the SNR, and the SNR at which a link is run follows from its code
rate, which both ends know. So a small network turns the rate into points, and nothing needs to be signalled. As in
square QAM the first two bits of a label are the signs in phase and in quadrature; the network places the points of
one quadrant, from the square ones on.
"""

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from twin.link.chain.mapping import points
from twin.link.shipped import shipped

PACKAGE = Path(__file__).with_name("deeptx")
KIND = "deeptx"
SIZES = (4, 6)
"""Bits per symbol that there are constellations for."""
HIDDEN = 48


class DeepTx(nn.Module):
    """Constellations of 16 and 64 points by code rate."""

    def __init__(self, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(3, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        heads = {str(bits): nn.Linear(hidden, 2 << (bits - 2)) for bits in SIZES}
        for head in heads.values():
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        self.heads = nn.ModuleDict(heads)

    def forward(self, bits: int, rate: float) -> Tensor:
        """The points by their bits, read as a number, of mean power 1: complex64 [2^bits].

        KeyError for another number of bits than `SIZES` has.
        """
        head = self.heads[str(bits)]
        device = next(self.parameters()).device
        centred = 2.0 * rate - 1.0
        powers = torch.tensor((centred, centred**2, centred**3), device=device)
        quadrant = 1 << (bits - 2)
        moved = head(self.trunk(powers)).reshape(quadrant, 2)
        # Labels that begin with 00 are the quadrant of positive parts.
        first = torch.view_as_real(points(bits, device)[:quadrant]) + moved
        first = first / first.square().sum(-1).mean().sqrt()
        sign = torch.tensor(((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)), device=device)
        placed: Tensor = torch.view_as_complex((sign[:, None] * first).reshape(-1, 2).contiguous())
        return placed


@lru_cache(maxsize=2)
def load(folder: Path = PACKAGE, device: str = "cpu") -> DeepTx:
    """The shipped network, verified; PackageError where the package is absent or not what was shipped."""
    return shipped(DeepTx(), folder, KIND, device)


@lru_cache(maxsize=64)
def constellation(bits: int, rate: float, device: str = "cpu") -> Tensor:
    """The shipped network's points for a code rate: complex64 [2^bits]."""
    with torch.no_grad():
        made: Tensor = load(device=device)(bits, rate)
    return made
