"""Mapping of bits to constellation points (TS 38.211 5.1), and of received points to LLRs log p1/p0."""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

HERMITE_POINTS = 10
SQUARE_HERMITE_POINTS = 32
AT_ONCE = 8192
"""Symbols that a CPU's cache holds with what becomes of them."""
LEAST_LIKELY = -80.0
"""Of a label, in natural logarithms, beside the likeliest: about the least that single precision holds."""


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
    weight = 2.0 ** torch.arange(bits.shape[-1] - 1, -1, -1, device=bits.device)
    # As a product of whole floats, which is quicker than a sum of integers.
    return constellation[(bits.to(weight.dtype) @ weight).int()]


def square_llrs(received: Tensor, variance: Tensor, bits: int) -> Tensor:
    """Exact LLRs of square QAM; received complex [...], its noise variance [...] -> [..., bits].

    They end at about 80, where single precision does.
    """
    half = bits // 2
    levels = amplitudes(half, received.device)
    slope = torch.stack((2.0 * levels, -levels.square()), dim=-1)

    def told(received: Tensor, precision: Tensor) -> Tensor:
        parts = torch.view_as_real(received).mT * precision
        found = _told(slope.to(parts.dtype) @ torch.stack((parts, precision.expand_as(parts))).flatten(1))
        # [half, 2 dimensions, n] -> bits alternate between the dimensions.
        return found.reshape(2 * half, -1)

    return _in_cache(told, received, variance)


def llrs(received: Tensor, variance: Tensor, constellation: Tensor) -> Tensor:
    """Exact LLRs of any constellation; received complex [...], its noise variance [...] -> [..., bits].

    They end at about 80, where single precision does.
    """
    parts = torch.view_as_real(constellation)
    slope = torch.cat((2.0 * parts, -parts.square().sum(-1, keepdim=True)), dim=-1)

    def told(received: Tensor, precision: Tensor) -> Tensor:
        parts = torch.view_as_real(received).mT * precision
        return _told(slope.to(parts.dtype) @ torch.cat((parts, precision[None])))

    return _in_cache(told, received, variance)


def _in_cache(told: Callable[[Tensor, Tensor], Tensor], received: Tensor, variance: Tensor) -> Tensor:
    """What is told of points [n] and precisions [n], [bits, n], as [..., bits]; on a CPU of a part at a time."""
    at_once = AT_ONCE if received.is_cpu else max(received.numel(), 1)
    points, precisions = (torch.split(part.flatten(), at_once) for part in (received, variance.reciprocal()))
    each = [told(*part).mT for part in zip(points, precisions, strict=True)]
    return torch.cat(each).reshape(*received.shape, -1)


def _told(metric: Tensor) -> Tensor:
    """LLRs of labels' bits by the labels' log-likelihoods, each but for a constant [labels, n] -> [bits, n]."""
    bits = len(metric).bit_length() - 1
    shift = torch.arange(bits - 1, -1, -1, device=metric.device)[:, None]
    one = (torch.arange(len(metric), device=metric.device) >> shift & 1).to(metric.dtype)
    # Where numbers are denormal a product takes ten times as long.
    likely = (metric - metric.amax(0)).clamp(min=LEAST_LIKELY).exp()
    ones, zeros = (torch.cat((one, 1.0 - one)) @ likely).log().chunk(2)
    return ones - zeros


def awgn_information(constellation: Tensor, snr_db: Tensor) -> Tensor:
    """GMI per bit of a constellation over AWGN, by Gauss-Hermite integration; [n] -> [n].

    It has mean power 1, and its first two bits are signs, so that one quadrant's points speak for all.
    """
    place, weight = (torch.from_numpy(part) for part in np.polynomial.hermite_e.hermegauss(HERMITE_POINTS))
    noise = torch.complex(*torch.meshgrid(place, place, indexing="ij")).flatten() * 0.5**0.5
    chance = (weight[:, None] * weight).flatten() / weight.sum() ** 2
    quadrant = torch.arange(len(constellation) // 4, device=constellation.device)
    shift = torch.arange(len(constellation).bit_length() - 2, -1, -1, device=constellation.device)
    one = (quadrant[:, None] >> shift & 1)[:, None] > 0
    variance = 10.0 ** (-snr_db.to(constellation.device) / 10.0)
    spread = variance.sqrt()[:, None, None] * noise.to(constellation)
    received = constellation[quadrant][:, None] + spread
    llr = llrs(received, variance[:, None, None].expand(received.shape), constellation)
    lost = torch.nn.functional.softplus(torch.where(one, -llr, llr)).mean((1, 3))
    return 1.0 - (lost * chance.to(lost)).sum(-1) / math.log(2.0)


def square_information(bits: int, snr_db: Tensor) -> Tensor:
    """GMI per bit of square QAM over AWGN, by Gauss-Hermite integration in one dimension; float64 [n] -> [n]."""
    place, weight = (torch.from_numpy(part) for part in np.polynomial.hermite_e.hermegauss(SQUARE_HERMITE_POINTS))
    half = bits // 2
    levels = amplitudes(half, torch.device("cpu")).double()
    variance = 10.0 ** (-snr_db.double() / 10.0)
    received = levels[:, None] + (variance / 2.0).sqrt()[:, None, None] * place
    metric = -(received[..., None] - levels).square() / variance[:, None, None, None]
    labels = torch.arange(1 << half)
    lost = torch.zeros_like(variance)
    for shift in range(half):
        one = (labels >> shift & 1).bool()
        llr = torch.logsumexp(metric[..., one], -1) - torch.logsumexp(metric[..., ~one], -1)
        lost += torch.nn.functional.softplus(torch.where(one[:, None], -llr, llr)).mean(1) @ weight
    return 1.0 - lost / (half * weight.sum() * math.log(2.0))
