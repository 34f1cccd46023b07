"""Counter-based random draws: a draw is a hash of (environment seed, counter, stream, index) and of nothing else.

No generator state exists, so neither the batch position, nor the device, nor what was drawn before can change a
draw. Keys and double precision draws hash with the finaliser of SplitMix64 (Steele, Lea, Flood 2014). Single
precision draws, of which fading needs millions, hash 32-bit words, since a CPU multiplies many of those at once:
the key's halves go into the rounds of a mixer of the multiply and xorshift family.
Shapes: keys are int64 [...]; a draw of `count` values from them has shape [..., count].
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit integer
_MIX_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX_2 = -7723592293110705685  # 0x94D049BB133111EB
_GOLDEN_32 = -1640531527  # 0x9E3779B9
_MULTIPLIERS = (-312814405, -1404298415, 830770091)


def key(seed: Tensor, counter: Tensor | int, stream: int) -> Tensor:
    """Key of a stream of draws; int64 seed and counter of shapes that broadcast -> int64 of that shape."""
    word = _mix(seed * _GOLDEN + _GOLDEN)
    word = _mix(word + (stream + 1) * 0x632BE5AB)
    return _mix(word + torch.as_tensor(counter, device=seed.device) * _GOLDEN)


def uniform(keys: Tensor, count: int) -> Tensor:
    """Uniform draws in the open interval (0, 1), float64."""
    top_53 = (_words(keys, count) >> 11) & ((1 << 53) - 1)
    return top_53.to(torch.float64).add_(0.5).mul_(2.0**-53)


def words(keys: Tensor, count: int) -> Tensor:
    """Words of 32 random bits, int32; every word of one key is another, in a run of up to 2^32."""
    halves = keys.contiguous().unsqueeze(-1).view(torch.int32)
    word = _weyl(count, keys.device) ^ halves[..., :1]
    spare = (word >> 17).bitwise_and_(0x7FFF)
    word.bitwise_xor_(spare).mul_(_MULTIPLIERS[0])
    torch.bitwise_right_shift(word, 11, out=spare).bitwise_and_(0x1FFFFF)
    word.bitwise_xor_(spare).add_(halves[..., 1:]).mul_(_MULTIPLIERS[1])
    torch.bitwise_right_shift(word, 15, out=spare).bitwise_and_(0x1FFFF)
    word.bitwise_xor_(spare).mul_(_MULTIPLIERS[2])
    torch.bitwise_right_shift(word, 14, out=spare).bitwise_and_(0x3FFFF)
    return word.bitwise_xor_(spare)


def chance(word: Tensor) -> Tensor:
    """Uniform draws in the open interval (0, 1), float32 of 23 bits, one of each word.

    One bit more, and the half that keeps them from 0 would be lost in rounding.
    """
    return (word >> 9).to(torch.float32).add_(2.0**22 + 0.5).mul_(2.0**-23)


def normal_pair(keys: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Two independent standard normal draws, float32, by the Box-Muller transform of two 32-bit words."""
    word = words(keys, 2 * count)
    radius = chance(word[..., :count]).log_().mul_(-2.0).sqrt_()
    angle = word[..., count:].to(torch.float32).mul_(2.0 * math.pi * 2.0**-32)
    return angle.cos().mul_(radius), angle.sin_().mul_(radius)


def normal(keys: Tensor, count: int) -> Tensor:
    """Standard normal draws, float32."""
    first, second = normal_pair(keys, (count + 1) // 2)
    return torch.cat((first, second), dim=-1)[..., :count]


def exponential(keys: Tensor, count: int) -> Tensor:
    """Exponential draws of mean 1, float64."""
    return -uniform(keys, count).log_()


def truncated_normal(chance: Tensor, limits: tuple[float, ...]) -> tuple[Tensor, ...]:
    """Standard normal draws cut off at +-limit, one for each entry of the last axis of uniform draws."""
    drawn = []
    for draw, limit in zip(chance.unbind(dim=-1), limits, strict=True):
        tail = 0.5 * math.erfc(limit / math.sqrt(2.0))
        drawn.append(torch.special.ndtri(tail + (1.0 - 2.0 * tail) * draw).clamp(-limit, limit))
    return tuple(drawn)


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


@lru_cache(maxsize=64)
def _weyl(count: int, device: torch.device) -> Tensor:
    return torch.arange(1, count + 1, dtype=torch.int32, device=device) * _GOLDEN_32


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
