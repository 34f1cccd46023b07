"""Mapping of bits to constellation points (TS 38.211 5.1), and of received points to LLRs log p1/p0."""

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=32)
def amplitudes(bits: int, device: torch.device) -> Tensor:
    """Amplitudes of one dimension of square QAM by their bits, read as a number, mean power 1/2 [2^bits]."""
    labels = torch.arange(1 << bits, device=device)
    sign = 1.0 - 2.0 * (labels[:, None] >> torch.arange(bits - 1, -1, -1, device=device) & 1)
    level = sign[:, -1]
    for place in range(bits - 2, -1, -1):
        level = sign[:, place] * (2.0 ** (bits - 1 - place) - level)
    return level / (2.0 * level.square().mean()).sqrt()


def points(bits: int, device: torch.device) -> Tensor:
    """Square QAM by its bits, read as a number, complex64 [2^bits]: even bits in phase, odd in quadrature."""
    labels = torch.arange(1 << bits, device=device)
    half = bits // 2
    shift = torch.arange(half - 1, -1, -1, device=device)
    weight = 1 << shift
    phase = ((labels[:, None] >> (2 * shift + 1) & 1) * weight).sum(-1)
    quadrature = ((labels[:, None] >> (2 * shift) & 1) * weight).sum(-1)
    levels = amplitudes(half, device)
    return torch.complex(levels[phase], levels[quadrature])


def modulate(bits: Tensor, constellation: Tensor) -> Tensor:
    """Bits [..., bits per symbol] -> symbols [...], the first bit being the most significant of the label."""
    count = bits.shape[-1]
    weight = 1 << torch.arange(count - 1, -1, -1, device=bits.device)
    return constellation[(bits * weight).sum(-1)]


def square_llrs(received: Tensor, variance: Tensor, bits: int) -> Tensor:
    """Exact LLRs of square QAM; received complex [...], its noise variance [...] -> [..., bits]."""
    half = bits // 2
    levels = amplitudes(half, received.device)
    parts = torch.view_as_real(received)
    metric = -(parts[..., None] - levels).square() / variance[..., None, None]
    labels = torch.arange(1 << half, device=received.device)
    found = []
    for place in range(half - 1, -1, -1):
        one = (labels >> place & 1).bool()
        found.append(torch.logsumexp(metric[..., one], -1) - torch.logsumexp(metric[..., ~one], -1))
    # [..., 2 dimensions, half] -> bits alternate between the dimensions.
    return torch.stack(found, dim=-1).transpose(-1, -2).flatten(-2)
