"""Statistics: interquartile means with bootstrap intervals, those of scores by rliable (Agarwal et al. 2021)."""

from functools import lru_cache

import numpy as np

from training.slicing.score import Interval

RESAMPLES = 1000


def iqm(scores: np.ndarray, *, networks: bool = True) -> Interval:
    """Of scores [training seeds, networks]: seeds are resampled on each network, and `networks` too."""
    scores = np.ascontiguousarray(scores, dtype=np.float64)
    return _iqm(scores.tobytes(), scores.shape, networks, RESAMPLES)


@lru_cache(maxsize=4096)
def _iqm(scores: bytes, shape: tuple[int, ...], networks: bool, resamples: int) -> Interval:
    """The same, kept, since a page asks for the same ones again and again."""
    from rliable import library, metrics

    # rliable draws from NumPy's global state.
    before = np.random.get_state()
    np.random.seed(0)
    try:
        point, interval = library.get_interval_estimates(
            {"": np.frombuffer(scores).reshape(shape)},
            lambda drawn: np.array([metrics.aggregate_iqm(drawn)]),
            reps=resamples,
            task_bootstrap=networks,
        )
    finally:
        np.random.set_state(before)
    low, high = interval[""][:, 0]
    return Interval(float(point[""][0]), float(low), float(high))


def gain(differences: np.ndarray) -> Interval:
    """IQM of paired differences [training seeds, networks]; seeds are resampled whole, and networks.

    rliable resamples seeds on each network apart. But one agent plays all networks, well or badly, so that where
    arms lie close its intervals are too narrow.
    """
    draw = np.random.default_rng(0)
    seeds, networks = differences.shape
    rows = draw.integers(0, seeds, (RESAMPLES, seeds, 1))
    columns = draw.integers(0, networks, (RESAMPLES, 1, networks))
    low, high = np.quantile(_middles(differences[rows, columns].reshape(RESAMPLES, -1)), (0.025, 0.975))
    return Interval(float(_middles(differences.reshape(1, -1))[0]), float(low), float(high))


def _middles(values: np.ndarray) -> np.ndarray:
    """The interquartile mean of each row."""
    cut = values.shape[1] // 4
    means: np.ndarray = np.sort(values, axis=1)[:, cut : values.shape[1] - cut].mean(axis=1)
    return means


def middle(scores: np.ndarray) -> float:
    """The interquartile mean alone, which takes no resampling."""
    return float(_middles(scores.reshape(1, -1))[0])


def band(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and 95 % bootstrap interval of curves [seeds, points] at each point."""
    draw = np.random.default_rng(0)
    means = curves[draw.integers(0, len(curves), (RESAMPLES, len(curves)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975), axis=0)
    return curves.mean(axis=0), low, high
