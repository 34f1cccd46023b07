"""The tail: bit error rates below what a tier resolves, and what becomes of HARQ.

Below the BLER that was simulated, a waterfall goes on as the normal distribution function that was fitted to it.
Real codes flatten out into an error floor somewhere; so the tail never falls below FLOOR per block, and answers
that rest on it are flagged.
"""

import numpy as np

RESOLVED_BLER = 1e-3
"""Block error rates below this were not simulated for the tables."""
FLOOR = 1e-9
"""Block error rate that no tail goes below."""


def floored(bler: np.ndarray) -> np.ndarray:
    """Block error rates with the floor; a mean over channels may have been rounded to more than 1."""
    held: np.ndarray = np.clip(bler, FLOOR, 1.0)
    return held


def extrapolated(bler: np.ndarray) -> np.ndarray:
    """Tell which block error rates rest on the tail, bool."""
    told: np.ndarray = bler < RESOLVED_BLER
    return told


def mean_transmissions(failed: np.ndarray) -> np.ndarray:
    """Mean number of transmissions; `failed` [..., transmissions] is the chance that the first n all failed."""
    count: np.ndarray = 1.0 + failed[..., :-1].sum(axis=-1)
    return count
