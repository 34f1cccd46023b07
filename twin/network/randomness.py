"""Counter-based random draws: a draw is a hash of (environment seed, counter, stream, index) and of nothing else.

No generator state exists, so neither the batch position, nor the device, nor what was drawn before can change a
draw. The hash is the finaliser of SplitMix64 (Steele, Lea, Flood 2014), applied once per word of the counter.
Shapes: keys are int64 [...]; a draw of `count` values from them has shape [..., count].
"""

import math

import torch
from torch import Tensor

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit integer
_MIX_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX_2 = -7723592293110705685  # 0x94D049BB133111EB
_LOW_32 = 0xFFFFFFFF


def key(seed: Tensor, counter: Tensor | int, stream: int) -> Tensor:
    """Key of a stream of draws; int64 seed and counter of shapes that broadcast -> int64 of that shape."""
    word = _mix(seed * _GOLDEN + _GOLDEN)
    word = _mix(word + (stream + 1) * 0x632BE5AB)
    return _mix(word + torch.as_tensor(counter, device=seed.device) * _GOLDEN)


def uniform(keys: Tensor, count: int) -> Tensor:
    """Uniform draws in the open interval (0, 1), float64."""
    top_53 = (_words(keys, count) >> 11) & ((1 << 53) - 1)
    return top_53.to(torch.float64).add_(0.5).mul_(2.0**-53)


def normal_pair(keys: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Two independent standard normal draws, float32, by the Box-Muller transform of one 64-bit word."""
    words = _words(keys, count)
    radius = (words >> 32).bitwise_and_(_LOW_32).to(torch.float32).add_(0.5).mul_(2.0**-32)
    radius = radius.log_().mul_(-2.0).sqrt_()
    angle = words.bitwise_and_(_LOW_32).to(torch.float32).mul_(2.0 * math.pi * 2.0**-32)
    return angle.cos().mul_(radius), angle.sin_().mul_(radius)


def normal(keys: Tensor, count: int) -> Tensor:
    """Standard normal draws, float32."""
    first, second = normal_pair(keys, (count + 1) // 2)
    return torch.cat((first, second), dim=-1)[..., :count]


def exponential(keys: Tensor, count: int) -> Tensor:
    """Exponential draws of mean 1, float64."""
    return -uniform(keys, count).log_()


def poisson(mean: Tensor, chance: Tensor, most: int) -> Tensor:
    """Poisson counts by inversion: the smallest n whose distribution function exceeds `chance`.

    `mean` and the uniform draws `chance` have shapes that broadcast; counts end at `most`, which the caller sets
    so high that ending there has no weight (`poisson_most`).
    """
    mass = torch.exp(-mean)
    cumulative = mass.clone()
    count = (chance > cumulative).to(chance.dtype)
    for n in range(1, most):
        mass = mass * (mean / n)
        cumulative = cumulative + mass
        count += chance > cumulative
    return count


def poisson_most(mean: float) -> int:
    """A count that a Poisson draw of this mean exceeds with a chance below 1e-9."""
    return math.ceil(mean + 7.0 * math.sqrt(mean) + 8.0)


def _words(keys: Tensor, count: int) -> Tensor:
    index = torch.arange(1, count + 1, dtype=torch.int64, device=keys.device) * _GOLDEN
    return _mix(keys.unsqueeze(-1) + index)


def _mix(word: Tensor) -> Tensor:
    """SplitMix64's finaliser; shifts are made logical by masking the sign bits that int64 drags in."""
    word = word ^ (word >> 30).bitwise_and_(0x3FFFFFFFF)
    word *= _MIX_1
    word ^= (word >> 27).bitwise_and_(0x1FFFFFFFFF)
    word *= _MIX_2
    word ^= (word >> 31).bitwise_and_(0x1FFFFFFFF)
    return word
