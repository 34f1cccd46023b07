"""Gaussian process: regression with a squared-exponential kernel, and expected improvement."""

import math
from dataclasses import dataclass

import numpy as np

LENGTHS = (0.5, 1.0, 2.0, 4.0)
NOISES = (1e-4, 1e-2, 1e-1)
"""Candidate length scales and noise shares; the pair of the highest marginal likelihood is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class GaussianProcess:
    """A fitted process; predictions are in the units of the values it was fitted to."""

    points: np.ndarray
    length: float
    factor: np.ndarray
    """Lower Cholesky factor of the kernel matrix of the points [points, points]."""
    weights: np.ndarray
    mean: float
    scale: float

    @classmethod
    def fit(cls, points: np.ndarray, values: np.ndarray) -> "GaussianProcess":
        """Fit to points [points, features] and values [points]; length scale and noise by marginal likelihood."""
        mean, scale = float(values.mean()), max(float(values.std()), 1e-9)
        standard = (values - mean) / scale
        squares = _squares(points, points)
        best: tuple[float, float, np.ndarray, np.ndarray] | None = None
        for length in LENGTHS:
            for noise in NOISES:
                kernel = np.exp(-squares / (2.0 * length**2)) + noise * np.eye(len(points))
                factor = np.linalg.cholesky(kernel)
                weights = np.linalg.solve(factor.T, np.linalg.solve(factor, standard))
                evidence = -0.5 * float(standard @ weights) - float(np.log(np.diag(factor)).sum())
                if best is None or evidence > best[0]:
                    best = (evidence, length, factor, weights)
        assert best is not None
        return cls(points, best[1], best[2], best[3], mean, scale)

    def predict(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation at points [points, features], [points] each."""
        kernel = np.exp(-_squares(points, self.points) / (2.0 * self.length**2))
        spread = np.linalg.solve(self.factor, kernel.T)
        variance = np.maximum(1.0 - (spread**2).sum(axis=0), 1e-12)
        return self.mean + self.scale * (kernel @ self.weights), self.scale * np.sqrt(variance)

    def expected_improvement(self, points: np.ndarray, best: float) -> np.ndarray:
        """How much a value at each point is expected to exceed the best one so far [points]."""
        mean, deviation = self.predict(points)
        z = (mean - best) / deviation
        density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
        below = 0.5 * (1.0 + np.array([math.erf(value / math.sqrt(2.0)) for value in z]))
        gain: np.ndarray = deviation * (z * below + density)
        return gain


def _squares(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Squared distances [one, other]."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2.0 * one @ other.T
    return np.asarray(np.maximum(squares, 0.0))
