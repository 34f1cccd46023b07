"""Channel estimation from the pilots of one PRB and slot.

Pilots fill the DMRS symbols; each of L layers has every L-th subcarrier of them to itself, at the power of all
layers together. An estimator is a matrix from a layer's pilots to all resource elements, so that estimating is one
product. `ls` interpolates linearly between pilots, holds the outer ones, and weighs what it finds by how much of
it is channel, for deep in noise it is mostly noise; `lmmse` is the Wiener filter of the channel's covariance and
noise (Edfors et al. 1998), within the PRB. Both know the noise and the channel's mean power: their errors have no
part of the estimate in them, so that LLRs by them mean what they say, and those of several slots may be added up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from twin.link.catalogue import DMRS_SYMBOLS, SUBCARRIERS_PER_PRB, SYMBOLS_PER_SLOT, Estimator
from twin.link.chain.channel import Channel, covariance


@dataclass(frozen=True, slots=True)
class Filters:
    """Estimator of each layer: weights complex64 [layers, symbols, subcarriers, pilots], and its error.

    `error` is the variance it assumes, float32 [layers, symbols, subcarriers].
    """

    weights: Tensor
    error: Tensor


def pilots(layers: int, layer: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Symbol and subcarrier of each of a layer's pilots in a PRB, int64 [pilots]."""
    subcarriers = torch.arange(layer, SUBCARRIERS_PER_PRB, layers, device=device)
    symbols = torch.tensor(DMRS_SYMBOLS, device=device)
    return symbols.repeat_interleave(len(subcarriers)), subcarriers.repeat(len(symbols))


def filters(
    estimator: Estimator, channel: Channel, noise: float, powers: Sequence[float], device: torch.device
) -> Filters:
    """The estimator's matrices at a noise variance per resource element, for layers of such mean powers."""
    layers = len(powers)
    made = [
        _filter(estimator, channel, layers, layer, noise / power, device) for layer, power in enumerate(powers)
    ]
    weights, error = zip(*made, strict=True)
    return Filters(
        torch.stack(weights), torch.stack([one * power for one, power in zip(error, powers, strict=True)])
    )


def _filter(
    estimator: Estimator, channel: Channel, layers: int, layer: int, noise: float, device: torch.device
) -> tuple[Tensor, Tensor]:
    """A layer's weights and error, for a channel of mean power 1."""
    if estimator is Estimator.LS:
        weights = interpolation(layers, layer, device)
        error = noise * weights.abs().square().sum(-1)
        share = 1.0 / (1.0 + error)
        return weights * share[..., None], error * share
    symbol, subcarrier = pilots(layers, layer, device)
    shape = (SYMBOLS_PER_SLOT, SUBCARRIERS_PER_PRB)
    time = torch.arange(SYMBOLS_PER_SLOT, device=device).repeat_interleave(SUBCARRIERS_PER_PRB)
    frequency = torch.arange(SUBCARRIERS_PER_PRB, device=device).repeat(SYMBOLS_PER_SLOT)
    seen = covariance(channel, frequency[:, None] - subcarrier, time[:, None] - symbol)
    among = covariance(channel, subcarrier[:, None] - subcarrier, symbol[:, None] - symbol)
    disturbed = among + noise * torch.eye(len(symbol), device=device, dtype=among.dtype)
    weights = torch.linalg.solve(disturbed, seen.mH).mH
    error = (1.0 - (weights * seen.conj()).sum(-1).real).clamp(min=0.0)
    return weights.reshape(*shape, -1), error.reshape(shape)


@lru_cache(maxsize=32)
def interpolation(layers: int, layer: int, device: torch.device) -> Tensor:
    """Weights of linear interpolation between a layer's pilots, complex64 [symbols, subcarriers, pilots]."""
    _, subcarrier = pilots(layers, layer, device)
    known = subcarrier[: len(subcarrier) // len(DMRS_SYMBOLS)]
    along_time = _hold_linear(
        torch.arange(SYMBOLS_PER_SLOT, device=device), torch.tensor(DMRS_SYMBOLS, device=device)
    )
    along_frequency = _hold_linear(torch.arange(SUBCARRIERS_PER_PRB, device=device), known)
    weights = along_time[:, None, :, None] * along_frequency[None, :, None, :]
    return weights.flatten(2).to(torch.complex64)


def _hold_linear(at: Tensor, known: Tensor) -> Tensor:
    """Weights [at, known] of linear interpolation that holds the outermost values."""
    weights = torch.zeros(len(at), len(known), device=at.device)
    inside = at.clamp(int(known[0]), int(known[-1]))
    right = torch.bucketize(inside, known).clamp(1, len(known) - 1) if len(known) > 1 else torch.zeros_like(at)
    if len(known) == 1:
        return weights + 1.0
    left = right - 1
    share = (inside - known[left]) / (known[right] - known[left])
    rows = torch.arange(len(at), device=at.device)
    weights[rows, left] = 1.0 - share
    weights[rows, right] = share
    return weights
