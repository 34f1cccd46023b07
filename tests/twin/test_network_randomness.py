"""Counter-based draws: their distributions, and that a draw depends on its counter and nothing else."""

import math
from collections.abc import Callable

import pytest
import torch

from twin.network import randomness
from twin.network.randomness import (
    chance,
    exponential,
    key,
    normal,
    normal_pair,
    poisson,
    poisson_most,
    truncated_normal,
    uniform,
    words,
)

N = 200_000


@pytest.fixture
def keys() -> torch.Tensor:
    return key(torch.tensor([7, 8]), 3, 5)


def test_uniform_is_flat_and_open(keys: torch.Tensor) -> None:
    draws = uniform(keys, N)
    assert draws.min() > 0
    assert draws.max() < 1
    counts = torch.histc(draws[0], bins=20, min=0, max=1)
    expected = N / 20
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < 19 + 5 * math.sqrt(2 * 19)


def test_normal_has_the_moments_and_tails(keys: torch.Tensor) -> None:
    draws = normal(keys, N + 1)[0].double()
    assert draws.shape == (N + 1,)
    assert abs(draws.mean()) < 5 / math.sqrt(N)
    assert abs(draws.var() - 1) < 5 * math.sqrt(2 / N)
    assert abs((draws.abs() > 1.959964).double().mean() - 0.05) < 0.003
    assert torch.isfinite(draws).all()


def test_the_two_normals_of_a_word_are_uncorrelated(keys: torch.Tensor) -> None:
    first, second = normal_pair(keys, N)
    assert abs((first * second)[0].double().mean()) < 5 / math.sqrt(N)
    assert abs((first.square() * second.square())[0].double().mean() - 1) < 0.02


def test_exponential_has_mean_and_variance_one(keys: torch.Tensor) -> None:
    draws = exponential(keys, N)
    assert abs(draws.mean() - 1) < 0.01
    assert abs(draws.var() - 1) < 0.03


@pytest.mark.parametrize("mean", [0.0, 0.05, 1.0, 8.0, 60.0])
def test_poisson_has_mean_and_variance_of_its_rate(keys: torch.Tensor, mean: float) -> None:
    rate = torch.tensor(mean, dtype=torch.float64)
    draws = poisson(rate, uniform(keys, N), poisson_most(mean))[0]
    assert abs(draws.mean() - mean) <= 5 * math.sqrt(mean / N)
    assert abs(draws.var() - mean) <= 0.05 * mean
    assert torch.equal(draws, draws.round())


def test_poisson_grows_with_the_rate_draw_by_draw(keys: torch.Tensor) -> None:
    chance = uniform(keys, 1000)
    few = poisson(torch.tensor(1.0, dtype=torch.float64), chance, 40)
    many = poisson(torch.tensor(2.0, dtype=torch.float64), chance, 40)
    assert (many >= few).all()
    assert many.sum() > few.sum()


@pytest.mark.parametrize("draw", [uniform, normal, exponential])
def test_batch_position_does_not_change_a_draw(draw: Callable[[torch.Tensor, int], torch.Tensor]) -> None:
    seeds = torch.arange(-3, 40)
    together = draw(key(seeds, 9, 2), 33)
    for i in (0, 5, 42):
        assert torch.equal(draw(key(seeds[i : i + 1], 9, 2), 33)[0], together[i])


def bits(word: torch.Tensor) -> torch.Tensor:
    """The bits of int32 words [...] as 0 or 1: [..., 32], float64."""
    return ((word.unsqueeze(-1) >> torch.arange(32, dtype=torch.int32)) & 1).to(torch.float64)


def test_every_bit_of_a_word_is_a_fair_coin_of_its_own(keys: torch.Tensor) -> None:
    drawn = bits(words(keys, N))[0]
    slack = 5 / math.sqrt(N)
    assert (drawn.mean(dim=0) - 0.5).abs().max() < 0.5 * slack
    together = torch.corrcoef(drawn.T) - torch.eye(32)
    assert together.abs().max() < slack
    for apart in (1, 2, 6 * 200):
        pair = (2 * drawn[apart:] - 1).T @ (2 * drawn[:-apart] - 1) / (N - apart)
        assert pair.abs().max() < 1.1 * slack, "words near each other in a stream"


@pytest.mark.parametrize("other", [(7, 4, 5), (8, 3, 5), (7, 3, 6), (7 + 2**32, 3, 5), (7, 3 + 2**20, 5)])
def test_streams_of_neighbouring_keys_are_independent(other: tuple[int, int, int]) -> None:
    one, two = (bits(words(key(torch.tensor([s]), c, t), N))[0] for s, c, t in ((7, 3, 5), other))
    pair = (2 * one - 1).T @ (2 * two - 1) / N
    assert pair.abs().max() < 5.5 / math.sqrt(N)


def test_the_words_of_a_stream_are_all_different(keys: torch.Tensor) -> None:
    assert words(keys, N)[0].unique().numel() == N


def test_a_word_gives_a_chance_that_is_flat_and_has_a_logarithm(keys: torch.Tensor) -> None:
    drawn = chance(words(keys, N))[0]
    assert drawn.min() > 0
    assert drawn.max() < 1
    assert abs(drawn.double().mean() - 0.5) < 5 * math.sqrt(1 / 12 / N)
    ends = chance(torch.tensor([-(2**31), 2**31 - 1, 0, -1], dtype=torch.int32))
    assert torch.isfinite(ends.log()).all()
    assert (ends > 0).all()
    assert (ends < 1).all()


@pytest.mark.parametrize("limit", [0.5, 2.0, 4.76])
def test_a_truncated_normal_stays_inside_and_keeps_its_shape(keys: torch.Tensor, limit: float) -> None:
    drawn, _ = truncated_normal(uniform(keys, 2 * N).reshape(2, N, 2), (limit, 1.0))
    assert drawn.abs().max() <= limit
    density = math.exp(-(limit**2) / 2) / math.sqrt(2 * math.pi)
    variance = 1 - 2 * limit * density / math.erf(limit / math.sqrt(2))
    assert abs(drawn.mean()) < 0.01
    assert drawn.var().item() == pytest.approx(variance, rel=0.02)


def test_counter_stream_and_seed_all_matter() -> None:
    seed = torch.tensor([1])
    draws = [
        uniform(key(s, counter, stream), 64)
        for s, counter, stream in ((seed, 0, 0), (seed, 1, 0), (seed, 0, 1), (seed + 1, 0, 0))
    ]
    for i, one in enumerate(draws):
        for other in draws[i + 1 :]:
            assert abs(torch.corrcoef(torch.cat((one, other)))[0, 1]) < 0.6
            assert not (one == other).any()


def test_a_longer_draw_begins_with_the_shorter_one(keys: torch.Tensor) -> None:
    assert torch.equal(uniform(keys, 10), uniform(keys, 20)[:, :10])


def test_the_mix_is_the_published_one() -> None:
    """SplitMix64 seeded with 1234567 gives 6457827717110365317 first: state + golden ratio, then the finaliser."""
    word = torch.tensor([1234567]) + randomness._GOLDEN
    assert randomness._mix(word).item() == 6457827717110365317
