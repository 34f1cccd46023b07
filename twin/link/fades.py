"""Fades: how the mutual information of blocks is spread over channels, deep fades and several copies included.

A few quantiles tell nothing of the fade that one channel in a thousand sees. On a scale of dB a fading link's
lower tail is straight: the chance of an SNR below x falls by 10^(d x / 10), d being the order of diversity. That
order is read off the two lowest quantiles, and the lowest cell is parted into nodes along the tail.
"""

from dataclasses import dataclass

import numpy as np

from twin.link import mutual_information
from twin.link.tables import QUANTILES

_TAIL_EDGES = np.array([0.0, 1e-4, 1e-3, 1e-2, 0.04, 1.0 / QUANTILES])
_TAIL_PLACES = np.array([3e-5, 3e-4, 3.5e-3, 0.022, 0.09])
"""Probabilities that stand for the cells between those edges."""
_LEAST_ORDER, _LARGEST_ORDER = 0.5, 200.0


@dataclass(frozen=True, slots=True, eq=False)
class Fades:
    """Mutual information per coded bit at some nodes [chains, nodes], and each node's weight [nodes], sum 1."""

    gmi: np.ndarray
    weight: np.ndarray

    @classmethod
    def of_quantiles(cls, quantiles: np.ndarray) -> "Fades":
        """Of the middles of QUANTILES equal parts [chains, QUANTILES], rising."""
        lowest = mutual_information.to_snr_db(quantiles[:, :2])
        apart = np.maximum(lowest[:, 1] - lowest[:, 0], 1e-6)
        # The two stand at 1/2 and 3/2 parts.
        order = np.clip(10.0 * np.log10(3.0) / apart, _LEAST_ORDER, _LARGEST_ORDER)
        below = 10.0 / order[:, None] * np.log10(_TAIL_PLACES * 2.0 * QUANTILES)
        tail = mutual_information.from_snr_db(lowest[:, :1] + np.minimum(below, 0.0))
        weight = np.concatenate((np.diff(_TAIL_EDGES), np.full(QUANTILES - 1, 1.0 / QUANTILES)))
        return cls(np.concatenate((tail, quantiles[:, 1:]), axis=1), weight)

    @classmethod
    def of_channels(cls, gmi: np.ndarray) -> "Fades":
        """Of channels that are alike likely [channels], as one chain's."""
        levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
        return cls.of_quantiles(np.quantile(gmi, levels)[None])

    def copies(self, count: np.ndarray) -> "Fades":
        """Of the mean over so many copies [chains] that see independent channels.

        Two copies, or two halves of more of them, are paired in every way, so that both may fade; the halves vary
        less than one copy does.
        """
        if (count == 1).all():
            return self
        half = np.maximum(count / 2.0, 1.0)[:, None]
        mean = (self.gmi @ self.weight)[:, None]
        some = mean + (self.gmi - mean) / np.sqrt(half)
        one, other = np.triu_indices(len(self.weight))
        weight = self.weight[one] * self.weight[other] * np.where(one == other, 1.0, 2.0)
        paired = np.where((count == 1)[:, None], some[:, one], (some[:, one] + some[:, other]) / 2.0)
        if (count == 1).any():
            # A single copy is paired with itself: its nodes keep their own weights.
            alone = np.where(one == other, self.weight[one], 0.0)
            return Fades(paired, np.where((count == 1)[:, None], alone, weight))
        return Fades(paired, weight)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The mean of values at the nodes [chains, nodes] over channels, [chains]."""
        found: np.ndarray = (values * self.weight).sum(axis=1)
        return found
