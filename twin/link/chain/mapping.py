"""Mapping of bits to constellation points (TS 38.211 5.1), and of received points to LLRs log p1/p0."""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

HERMITE_POINTS = 10
SQUARE_HERMITE_POINTS = 32
AT_ONCE = 16384
"""Symbols that a CPU's cache holds with what square_llrs makes of them."""


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
    """Exact LLRs of square QAM; received complex [...], its noise variance [...] -> [..., bits].

    They end at about 80, where single precision does.
    """
    half = bits // 2
    if received.is_cpu and half > 1 and received.numel() > AT_ONCE:
        flat, spread = torch.split(received.flatten(), AT_ONCE), torch.split(variance.flatten(), AT_ONCE)
        each = [square_llrs(*part, bits=bits) for part in zip(flat, spread, strict=True)]
        return torch.cat(each).reshape(*received.shape, bits)
    levels = amplitudes(half, received.device)
    parts = torch.view_as_real(received)
    found = _told(-(parts[..., None] - levels).square() / variance[..., None, None], half)
    # [..., 2 dimensions, half] -> bits alternate between the dimensions.
    return found.transpose(-1, -2).flatten(-2)


def llrs(received: Tensor, variance: Tensor, constellation: Tensor) -> Tensor:
    """Exact LLRs of any constellation; received complex [...], its noise variance [...] -> [..., bits].

    They end at about 80, where single precision does.
    """
    metric = -(received[..., None] - constellation).abs().square() / variance[..., None]
    return _told(metric, len(constellation).bit_length() - 1)


def _told(metric: Tensor, bits: int) -> Tensor:
    """LLRs of labels' bits by the labels' log-likelihoods [..., labels] -> [..., bits]."""
    likely = (metric - metric.amax(-1, keepdim=True)).exp()
    labels = torch.arange(1 << bits, device=metric.device)
    shift = torch.arange(bits - 1, -1, -1, device=metric.device)
    one = (labels[:, None] >> shift & 1).to(likely.dtype)
    found: Tensor = (likely @ one).clamp(min=1e-35).log() - (likely @ (1.0 - one)).clamp(min=1e-35).log()
    return found


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
