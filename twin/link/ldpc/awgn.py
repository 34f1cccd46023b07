"""What the codes reach: block error rates over AWGN by size and rate, as a function of mutual information.

Made by `python -m twin.link.ldpc.make_awgn`, by Monte Carlo with T2's decoders in steps of 0.1 or 0.25 dB. For
each size and rate a normal distribution function over the SNR in dB is fitted, the waterfall: a threshold at 50 %
and a width. What is stored is both, and the points that they were fitted to.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from twin.link import mutual_information
from twin.link.blocks import POLAR_MAX_SENT
from twin.link.catalogue import CODE_RATES, Code
from twin.link.ldpc.code import LARGEST_BLOCK
from twin.link.ldpc.codec import Codec, LdpcBlocks

FILES = {kind: Path(__file__).with_name(f"awgn_{kind.value}.npz") for kind in Code}
SIZES = (24, 40, 64, 128, 256, 512, 1024, 2048, 3840, 8448)
MOST_BLOCKS = 4000
ERRORS = 100
POLAR_CRC_BITS = 11
"""Parity bits in a polar block (TS 38.212 6.3.1.2.1); Sionna's codec adds them."""
_LOWEST_BLER, _HIGHEST_BLER = 0.004, 0.97
_BATCH = 200
_SEEN = (-2.0, 3.0)
"""Distances from the threshold, in widths, at which wrong bits were counted."""
_NARROW = 0.05
"""Ranges below so many widths count as their middle."""


@dataclass(frozen=True, slots=True)
class Point:
    """One Monte Carlo point."""

    snr_db: float
    blocks: int
    errors: int
    bit_errors: int


def codec(kind: Code, k: int, n: int) -> "Codec":
    """The codec of blocks of k bits sent as n; CodeError where there is none."""
    if kind is Code.LDPC:
        return LdpcBlocks(k, n)
    from twin.link.chain.polar import polar_codec

    return polar_codec(k, n)


def simulate(kind: Code, k: int, rate: float, snr_db: float, *, errors: int, blocks: int, seed: int) -> Point:
    """Send blocks by BPSK until so many failed, or so many were sent; `snr_db` as in `mutual_information`."""
    n = round(k / rate)
    made = codec(kind, k, n)
    draw = np.random.default_rng((seed, k, round(rate * 1000), round(snr_db * 1000) + 10**6))
    deviation = math.sqrt(10.0 ** (-snr_db / 10.0))
    sent = failed = wrong_bits = 0
    while sent < blocks and failed < errors:
        bits = draw.integers(0, 2, (min(_BATCH, blocks - sent), k), dtype=np.uint8)
        received = 2.0 * made.encode(bits, 0) - 1.0 + draw.normal(0.0, deviation, (len(bits), n))
        wrong = (made.decode((2.0 * received / deviation**2)[:, None], (0,)) != bits).sum(axis=1)
        sent, failed, wrong_bits = sent + len(bits), failed + int((wrong > 0).sum()), wrong_bits + int(wrong.sum())
    return Point(snr_db, sent, failed, wrong_bits)


def sweep(
    kind: Code, k: int, rate: float, *, errors: int = ERRORS, blocks: int = MOST_BLOCKS, seed: int = 1
) -> list[Point]:
    """Points around the waterfall, from nearly all failed to nearly none."""
    # Large blocks fall steeply; polar blocks take a hundred times as long to decode as LDPC ones.
    step_db = (0.5 if k < 256 else 0.25) if kind is Code.POLAR else (0.25 if k < 512 else 0.1)
    start = round(float(mutual_information.to_snr_db(np.array(rate + 0.04))) / step_db)
    found: dict[int, Point] = {}

    def failing(place: int) -> float:
        if place not in found:
            found[place] = simulate(kind, k, rate, place * step_db, errors=errors, blocks=blocks, seed=seed)
        return found[place].errors / found[place].blocks

    low = high = start
    while failing(low) < _HIGHEST_BLER:
        low -= 1
    while failing(high) > _LOWEST_BLER:
        high += 1
    return [found[place] for place in sorted(found)]


@dataclass(frozen=True, slots=True, eq=False)
class Waterfalls:
    """The fitted curves [sizes, rates]: threshold and width in dB, and the bits that fail in a failed block.

    The share of wrong bits in a failed block is exp(wrong_0 + wrong_1 z), z being the distance from the threshold
    in widths. Where the standard has no code so large, the largest stands in for it.
    """

    sizes: np.ndarray
    rates: np.ndarray
    threshold_db: np.ndarray
    width_db: np.ndarray
    wrong_0: np.ndarray
    wrong_1: np.ndarray

    def at(self, k: np.ndarray, rate: np.ndarray) -> tuple[np.ndarray, ...]:
        """Threshold, width and both parts of the wrong share of codes of these sizes and rates; all broadcast.

        Rates below the lowest are codes whose bits are repeated: their energy adds up.
        """
        low = self.rates[0]
        gain_db = 10.0 * np.log10(np.where(rate < low, low / rate, 1.0))
        place = _weights(np.log(self.sizes), np.log(k)), _weights(self.rates, rate)
        threshold_db, *others = (
            _blend(table, *place) for table in (self.threshold_db, self.width_db, self.wrong_0, self.wrong_1)
        )
        return threshold_db - gain_db, *others


def bler(information: np.ndarray, k: np.ndarray, rate: np.ndarray, kind: Code = Code.LDPC) -> np.ndarray:
    """Block error rate at a mean mutual information per coded bit; all broadcast, 0..1 [...]."""
    snr_db = mutual_information.to_snr_db(np.asarray(information))
    found, _ = mean_errors(snr_db, snr_db, np.asarray(k, float), np.asarray(rate, float), kind)
    return found


def mean_errors(
    low_db: np.ndarray, high_db: np.ndarray, k: np.ndarray, rate: np.ndarray, kind: Code = Code.LDPC
) -> tuple[np.ndarray, np.ndarray]:
    """Block and bit error rate after decoding, over blocks spread evenly between two SNRs of BPSK in dB.

    All broadcast. The mean of the waterfall over a range has a closed form. A failed block has at least one wrong
    bit, and as many as were received wrong where decoding is hopeless.
    """
    from scipy.special import ndtr

    threshold_db, width_db, wrong_0, wrong_1 = waterfalls(kind).at(k, rate)
    low, high = (low_db - threshold_db) / width_db, (high_db - threshold_db) / width_db
    middle, apart = (low + high) / 2.0, high - low
    narrow, hopeless = apart < _NARROW, middle < _SEEN[0]
    block = np.asarray(np.maximum(_integral(high) - _integral(low), 0.0) / np.where(narrow, 1.0, apart))
    block[narrow] = ndtr(-middle[narrow])
    share = np.asarray(np.exp(wrong_0 + wrong_1 * np.clip(middle, *_SEEN)))
    received_db = np.broadcast_to(low_db + high_db, share.shape)[hopeless] / 2.0
    share[hopeless] = np.maximum(share[hopeless], ndtr(-(10.0 ** (received_db / 20.0))))
    return block, block * np.clip(share, 1.0 / k, 0.5)


def _integral(distance: np.ndarray) -> np.ndarray:
    """The integral of the normal distribution's upper tail up to here."""
    from scipy.special import ndtr

    density = np.exp(-0.5 * distance**2) / math.sqrt(2.0 * math.pi)
    found: np.ndarray = distance * ndtr(-distance) - density
    return found


@lru_cache(maxsize=2)
def waterfalls(kind: Code = Code.LDPC) -> Waterfalls:
    """The stored curves of a code."""
    with np.load(FILES[kind]) as stored:
        names = ("threshold_db", "width_db", "wrong_0", "wrong_1")
        threshold_db, width_db, wrong_0, wrong_1 = (stored[name] for name in names)
        # More SNR never leaves more wrong bits; where a fit says so it is by chance.
        falling = np.minimum(wrong_1, 0.0)
        return Waterfalls(stored["sizes"].astype(float), stored["rates"], threshold_db, width_db, wrong_0, falling)


def fit(points: list[Point], k: int) -> tuple[float, float, float, float]:
    """Threshold and width of the most likely waterfall, and the line through the logarithm of the wrong share."""
    from scipy.optimize import minimize
    from scipy.special import log_ndtr

    snr_db = np.array([item.snr_db for item in points])
    sent, failed = np.array([item.blocks for item in points]), np.array([item.errors for item in points])

    def cost(values: np.ndarray) -> float:
        distance = (snr_db - values[0]) / math.exp(values[1])
        return -float(failed @ log_ndtr(-distance) + (sent - failed) @ log_ndtr(distance))

    middle = float(np.interp(-0.5, -failed / sent, snr_db))
    threshold, width = minimize(cost, [middle, math.log(0.3)], method="Nelder-Mead").x
    width = math.exp(width)
    seen = failed > 0
    share = np.array([item.bit_errors for item in points])[seen] / (failed[seen] * k)
    distance = np.clip((snr_db[seen] - threshold) / width, *_SEEN)
    slope, base = np.polyfit(distance, np.log(share), 1, w=np.sqrt(failed[seen]))
    return float(threshold), width, float(base), float(slope)


def _weights(grid: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell of a grid that a value lies in, and how far into it, 0..1."""
    cell = np.clip(np.searchsorted(grid, value, side="right") - 1, 0, len(grid) - 2)
    share = np.clip((value - grid[cell]) / (grid[cell + 1] - grid[cell]), 0.0, 1.0)
    return cell, share


def _blend(
    table: np.ndarray, size: tuple[np.ndarray, np.ndarray], rate: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    (row, down), (column, right) = size, rate
    upper = table[row, column] * (1 - right) + table[row, column + 1] * right
    lower = table[row + 1, column] * (1 - right) + table[row + 1, column + 1] * right
    blended: np.ndarray = upper * (1 - down) + lower * down
    return blended


def cells(kind: Code) -> list[tuple[int, float]]:
    """Sizes and rates that there is a code for."""
    if kind is Code.LDPC:
        return [(k, rate) for k in SIZES for rate in CODE_RATES if k <= LARGEST_BLOCK[1 if rate > 0.25 else 2]]
    return [
        (k, rate)
        for k in SIZES
        for rate in CODE_RATES
        if round(k / rate) <= POLAR_MAX_SENT and k + POLAR_CRC_BITS < round(k / rate)
    ]
