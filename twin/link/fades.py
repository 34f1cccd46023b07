"""Fades: how the mutual information of blocks is spread over channels, deep fades and several copies included.

Mutual information is told by the SNR in dB at which BPSK has as much of it, on which a fading link's lower tail is
straight: the chance of less than x falls by 10^(d x / 10), d being the order of diversity. Between known quantiles
a cell's blocks are spread evenly in dB, about the mean that they would have were all of them normal; below the
lowest the tail goes on as between the two lowest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twin.link import mutual_information
from twin.link.tables import LEVELS, TAIL_LEVEL, Lookup

_TAIL = (1e-5, 1e-4)
"""Probabilities below the lowest quantile at which the tail is told."""
_EDGES = np.array((0.0, *_TAIL, *LEVELS, 1.0))
_WEIGHT = np.diff(_EDGES)
_DECADES = np.log10(np.array(_TAIL) / LEVELS[0])


def _shifts() -> np.ndarray:
    """How far the mean of each cell lies from its middle, in its lengths, were the whole normally distributed."""
    from statistics import NormalDist

    normal = NormalDist()
    place = np.array([normal.inv_cdf(edge) for edge in _EDGES[1:-1]])
    density = np.array([normal.pdf(x) for x in place])
    mean = -np.diff(density) / _WEIGHT[1:-1]
    inner = (mean - (place[1:] + place[:-1]) / 2.0) / np.diff(place)
    return np.concatenate(([0.0], inner, [0.0]))


_SHIFT = _shifts()
_ROOT = 0.25
_LEAST_ORDER, _LARGEST_ORDER = 0.5, 200.0


@dataclass(frozen=True, slots=True, eq=False)
class Fades:
    """Cells of blocks: the ends of each in dB [chains, cells], and its share [cells], sum 1."""

    low_db: np.ndarray
    high_db: np.ndarray
    weight: np.ndarray

    @classmethod
    def of_chains(cls, chains: Lookup, snr_db: np.ndarray) -> "Fades":
        """Of chains by the tables, at SNRs per resource element [chains]."""
        return cls.of_quantiles(chains.quantiles_db(snr_db), chains.step_db())

    @classmethod
    def of_channels(cls, rising_db: np.ndarray, times: np.ndarray) -> "Fades":
        """By what is carried over channels [channels], in rising order, each seen so often [rows, channels].

        How the tail falls is told by all channels below `TAIL_LEVEL` (Hill 1975), not by two quantiles alone: a
        tail that falls by the same dB per decade lies that much / ln 10 below its quantile on average.
        """
        seen = times.cumsum(axis=1)
        quantiles = np.stack([_quantiles(rising_db, row) for row in seen])
        most = np.maximum(1, np.round(TAIL_LEVEL * seen[:, -1:])).astype(int)
        few = int((seen < most).any(axis=0).sum()) + 1
        taken = np.clip(most - (seen - times)[:, :few], 0, times[:, :few])
        below = quantiles[:, LEVELS.index(TAIL_LEVEL)] - (taken @ rising_db[:few]) / most[:, 0]
        return cls.of_quantiles(quantiles, below * np.log(LEVELS[1] / LEVELS[0]))

    @classmethod
    def of_quantiles(cls, quantiles_db: np.ndarray, step_db: np.ndarray) -> "Fades":
        """Of chains by quantiles [chains, LEVELS], and how far the two lowest are apart [chains]."""
        per_decade = step_db / np.log10(LEVELS[1] / LEVELS[0])
        per_decade = np.clip(per_decade, 10.0 / _LARGEST_ORDER, 10.0 / _LEAST_ORDER)
        tail = quantiles_db[:, :1] + per_decade[:, None] * _DECADES
        edges = np.column_stack((tail[:, :1], tail, quantiles_db, quantiles_db[:, -1:]))
        moved = _SHIFT * np.diff(edges, axis=1)
        return cls(edges[:, :-1] + moved, edges[:, 1:] + moved, _WEIGHT)

    @classmethod
    def stack(cls, each: "Sequence[Fades]") -> "Fades":
        """One after the other."""
        low_db, high_db = (np.concatenate([getattr(one, end) for one in each]) for end in ("low_db", "high_db"))
        return cls(low_db, high_db, each[0].weight)

    def take(self, rows: np.ndarray) -> "Fades":
        """Of some of the chains only."""
        return Fades(self.low_db[rows], self.high_db[rows], self.weight)

    def shifted(self, change: Callable[[np.ndarray], np.ndarray]) -> "Fades":
        """The same with each cell's ends changed."""
        return Fades(change(self.low_db), change(self.high_db), self.weight)

    def copies(self, count: np.ndarray) -> "Fades":
        """Of the mean over so many copies [chains], two at least, that see independent channels.

        Two copies, or two halves of more of them, are paired in every way, so that both may fade. The halves vary
        less than one copy does, in the root in which they are nearly normal: the third would be (Wilson and
        Hilferty 1931), the fourth errs to the safe side where a copy may fade to nothing.
        """
        one, other = np.triu_indices(len(self.weight))
        weight = self.weight[one] * self.weight[other] * np.where(one == other, 1.0, 2.0)
        ends = mutual_information.from_snr_db(np.stack((self.low_db, self.high_db)))
        roots = ends**_ROOT
        middle, shrunk = self.mean(roots.mean(axis=0))[:, None], (count / 2.0)[:, None] ** -0.5
        halves = (middle + (roots - middle) * shrunk) ** (1.0 / _ROOT)
        # The mean of a mean is that of one.
        kept = (self.mean(ends.mean(axis=0)) / self.mean(halves.mean(axis=0)))[:, None]
        low_db, high_db = mutual_information.to_snr_db(kept * (halves[..., one] + halves[..., other]) / 2.0)
        return Fades(low_db, high_db, weight)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The mean over channels of the cells' values [chains, cells], [chains]."""
        # Unlike a product of matrices the same for a chain whatever others there are.
        found: np.ndarray = (values * self.weight).sum(axis=1)
        return found


def _quantiles(rising: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Quantiles LEVELS of rising values [n], of which so many were seen up to each [n], linear in between."""
    rank, share = np.divmod(np.array(LEVELS) * (seen[-1] - 1), 1.0)
    places = np.searchsorted(seen, np.stack((rank, rank + 1.0)), side="right")
    low, high = rising[places.clip(max=len(rising) - 1)]
    found: np.ndarray = low + share * (high - low)
    return found
