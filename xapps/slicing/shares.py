"""Shares: what a learned agent decides for a cell, and the RRM policy ratios that this means."""

from typing import Any, TypeVar

import numpy as np

from oran.arrays import namespace
from oran.slices import join

A = TypeVar("A")

TOLERANCE = 1e-3
"""How far the sum of shares may be from one, and a share below zero."""


def ratios_of(share: A) -> A:
    """Guarantee each slice its share of the cell and lend what it leaves: [..., slices] -> [..., slices, 3].

    Nothing is dedicated, every min is its share in percent, every max 100. Shares are those of a distribution;
    rounding errors of their sum are taken out, so that the guard finds nothing to mend.
    """
    xp = namespace(share)
    given: Any = share
    low = 100.0 * given / xp.sum(given, axis=-1, keepdims=True)
    ratios: A = join(xp.zeros_like(low), low, xp.full_like(low, 100.0))
    return ratios


def flaw(share: np.ndarray) -> str | None:
    """Why shares [..., slices] are no distributions; None where all are."""
    if not np.isfinite(share).all():
        return "a share is not finite"
    if (share < -TOLERANCE).any():
        return f"a share is {share.min():.3g}, below zero"
    total = share.sum(axis=-1)
    if (np.abs(total - 1.0) > TOLERANCE).any():
        return f"the shares of a cell sum to {total.flat[np.abs(total - 1.0).argmax()]:.4g}, not to 1"
    return None
