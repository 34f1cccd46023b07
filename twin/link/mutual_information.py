"""Mutual information of a binary input over AWGN, and back: the scale on which links of all kinds are compared.

A code's block error rate follows the mean mutual information between its coded bits and their LLRs, nearly
whatever modulation, channel and receiver made the LLRs. `J` is that of LLRs from BPSK at an SNR.
"""

from functools import lru_cache

import numpy as np

LOWEST_DB, HIGHEST_DB = -40.0, 20.0
_STEP_DB = 0.05
_HERMITE_POINTS = 96


@lru_cache(maxsize=1)
def _table() -> tuple[np.ndarray, np.ndarray]:
    """SNRs in dB and J there, by Gauss-Hermite integration."""
    snr_db = np.arange(LOWEST_DB, HIGHEST_DB + _STEP_DB / 2, _STEP_DB)
    points, weights = np.polynomial.hermite_e.hermegauss(_HERMITE_POINTS)
    snr = 10.0 ** (snr_db / 10.0)
    # LLRs of the sent sign are normal with mean 2 snr and variance 4 snr.
    llr = 2.0 * snr[:, None] + 2.0 * np.sqrt(snr)[:, None] * points
    loss = np.logaddexp(0.0, -llr) @ weights / (weights.sum() * np.log(2.0))
    return snr_db, np.maximum.accumulate(1.0 - loss)


def from_snr_db(snr_db: np.ndarray) -> np.ndarray:
    """Bits of mutual information per BPSK symbol whose LLRs have mean 2 SNR; [...] -> 0..1 [...]."""
    grid_db, information = _table()
    found: np.ndarray = np.interp(snr_db, grid_db, information)
    return found


def to_snr_db(information: np.ndarray) -> np.ndarray:
    """The SNR in dB at which BPSK has this mutual information; [...] within the table's range."""
    grid_db, known = _table()
    rising = np.concatenate(([True], np.diff(known) > 0))
    found: np.ndarray = np.interp(information, known[rising], grid_db[rising])
    return found


def of_llrs(llr: np.ndarray, bits: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Mutual information between bits and their LLRs log p1/p0, as a decoder can use it (GMI), bits per bit.

    1 - mean log2(1 + exp(-LLR of the sent bit)) (ten Brink 2004); may be below 0 for LLRs that mislead.
    """
    sent = np.where(bits > 0, llr, -llr)
    found: np.ndarray = 1.0 - np.logaddexp(0.0, -sent).mean(axis=axis) / np.log(2.0)
    return found
