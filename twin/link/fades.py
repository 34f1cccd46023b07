"""Fades: how the mutual information of blocks is spread over channels, deep fades and several copies included.

A few quantiles tell nothing of the fade that one channel in a thousand sees. On a scale of dB a fading link's
lower tail is straight: the chance of an SNR below x falls by 10^(d x / 10), d being the order of diversity. That
order is read off the two lowest quantiles, and the lowest cell is parted into nodes along the tail. A fade is so
many dB less for the channel of the lowest quantile.
"""

from dataclasses import dataclass

import numpy as np

from twin.link import mutual_information
from twin.link.tables import QUANTILES, Lookup

_TAIL_EDGES = np.array([0.0, 1e-4, 1e-3, 1e-2, 0.04, 1.0 / QUANTILES])
_TAIL_PLACES = np.array([3e-5, 3e-4, 3.5e-3, 0.022, 0.09])
"""Probabilities that stand for the cells between those edges."""
_WEIGHT = np.concatenate((np.diff(_TAIL_EDGES), np.full(QUANTILES - 1, 1.0 / QUANTILES)))
_LEAST_ORDER, _LARGEST_ORDER = 0.5, 200.0


@dataclass(frozen=True, slots=True, eq=False)
class Fades:
    """Mutual information per coded bit at some nodes [chains, nodes], and each node's weight [nodes], sum 1."""

    gmi: np.ndarray
    weight: np.ndarray

    @classmethod
    def of_chains(cls, chains: Lookup, snr_db: np.ndarray) -> "Fades":
        """Of chains by the tables, at SNRs per resource element [chains]."""
        below_db = _tail_db(chains.step_db())
        tail = [chains.quantiles(snr_db + below)[:, 0] for below in below_db.T]
        return cls(np.column_stack((*tail, chains.quantiles(snr_db)[:, 1:])), _WEIGHT)

    @classmethod
    def of_channels(cls, gmi: np.ndarray, sampling_variance: float = 0.0) -> "Fades":
        """Of one chain, by channels that are alike likely [channels], less what sampling added."""
        levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
        kept = np.sqrt(max(0.0, 1.0 - sampling_variance / max(float(gmi.var()), 1e-12)))
        quantiles = gmi.mean() + (np.quantile(gmi, levels) - gmi.mean()) * kept
        lowest = mutual_information.to_snr_db(quantiles[:2])
        below_db = _tail_db(lowest[1:] - lowest[:1])
        tail = mutual_information.from_snr_db(lowest[:1] + below_db)
        return cls(np.concatenate((tail, quantiles[None, 1:]), axis=1), _WEIGHT)

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


def _tail_db(step_db: np.ndarray) -> np.ndarray:
    """How far below the lowest quantile the nodes of the tail lie [chains, nodes], 0 or less, in dB.

    `step_db` [chains] is how far the next quantile is above the lowest: they stand at 3/2 and 1/2 parts.
    """
    order = np.clip(10.0 * np.log10(3.0) / np.maximum(step_db, 1e-6), _LEAST_ORDER, _LARGEST_ORDER)
    below: np.ndarray = 10.0 / order[:, None] * np.log10(_TAIL_PLACES * 2.0 * QUANTILES)
    held: np.ndarray = np.minimum(below, 0.0)
    return held
