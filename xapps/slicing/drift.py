"""Drift: how far what an agent sees has moved from what it was trained on, feature by feature.

Measured by the population stability index, sum of (seen - trained) ln(seen / trained) over bins. By the usual
reading 0.1 is a small shift and 0.25 a large one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from oran.model_package import PackageError
from xapps.slicing.schema import REFERENCE
from xapps.slicing.state import FEATURES

BINS = 10
MEMORY = 2000.0
"""Rows after which what was seen counts 1/e."""
FEWEST = 200.0
"""Rows below which nothing is said."""
_LEAST_SHARE = 1e-4
"""Empty bins count as this, so that no logarithm is infinite."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What training saw: for each feature the inner edges of its bins and the share of rows in each."""

    edges: Mapping[str, np.ndarray]
    shares: Mapping[str, np.ndarray]

    @classmethod
    def parse(cls, data: bytes) -> "Reference":
        """Read `reference.json`, {feature: {"edges": [e, ...], "shares": [p, ...]}}; raises PackageError."""
        try:
            raw = json.loads(data)
            edges = {str(name): np.array(item["edges"], dtype=np.float64) for name, item in raw.items()}
            shares = {str(name): np.array(item["shares"], dtype=np.float64) for name, item in raw.items()}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise PackageError(f"{REFERENCE} cannot be read: {error!r:.200}") from None
        if not edges:
            raise PackageError(f"{REFERENCE} names no feature")
        for name in edges:
            inner, share = edges[name], shares[name]
            if name not in FEATURES:
                raise PackageError(f"{REFERENCE}: {name!r:.60} is no feature")
            if inner.ndim != 1 or not np.isfinite(inner).all() or (np.diff(inner) <= 0).any():
                raise PackageError(f"{REFERENCE}: the edges of {name} do not rise")
            if share.shape != (len(inner) + 1,) or not (share >= 0).all() or abs(share.sum() - 1.0) > 1e-3:
                raise PackageError(f"{REFERENCE}: {name} needs {len(inner) + 1} shares that sum to 1")
        return cls(edges, shares)


def reference_of(seen: np.ndarray) -> bytes:
    """`reference.json` of what training saw, [..., FEATURES]: bins between quantiles that differ.

    The least and the greatest value are edges too, so that values never seen in training have bins of their own.
    """
    rows = np.asarray(seen, dtype=np.float64).reshape(-1, len(FEATURES))
    told = {}
    for name, column in zip(FEATURES, rows.T, strict=True):
        edges = np.unique(np.quantile(column, np.arange(BINS + 1) / BINS))
        told[name] = {"edges": edges.tolist(), "shares": (_counts(edges, column) / len(column)).tolist()}
    return json.dumps(told, allow_nan=False).encode()


class Drift:
    """Counts what is seen and compares it with a reference."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._counts = {name: np.zeros(len(share)) for name, share in reference.shares.items()}
        self._rows = 0.0

    def see(self, seen: np.ndarray) -> None:
        """Take in the features of a cell, [slices, FEATURES]."""
        fade = np.exp(-len(seen) / MEMORY)
        self._rows = self._rows * fade + len(seen)
        for name, counts in self._counts.items():
            counts *= fade
            counts += _counts(self._reference.edges[name], seen[:, FEATURES.index(name)])

    def index(self) -> dict[str, float]:
        """The population stability index by feature; empty until enough was seen."""
        if self._rows < FEWEST:
            return {}
        found = {}
        for name, counts in self._counts.items():
            now = np.maximum(counts / self._rows, _LEAST_SHARE)
            then = np.maximum(self._reference.shares[name], _LEAST_SHARE)
            found[name] = float(((now - then) * np.log(now / then)).sum())
        return found


def _counts(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """How many values lie in each bin; one on an edge lies below it."""
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1).astype(np.float64)
