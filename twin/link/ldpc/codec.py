"""Encode and decode blocks of a code: rate matching, systematic encoding, layered normalised min-sum.

Each row of the base graph is a layer whose messages count at once for the next (Hocevar 2004), and a check's
message is the least of its inputs, scaled to undo the overestimate (Chen and Fossorier 2002). A block whose checks
all hold is done.
Budget: 0.5 ms for a block of 6912 bits at rate 1/2, one thread.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np

from twin.link.errors import CodeError
from twin.link.ldpc.code import LdpcCode
from twin.link.ldpc.code import code as code_of_size

ITERATIONS = 20
CERTAIN = 1e4
"""Belief in filler bits, which are known."""
LARGEST_LLR = 200.0
_WIDTH = 2048
"""Positions to compute on side by side; several blocks share them, each of which has as many as its lifting."""
_MOST_BLOCKS = 64


def encode(code: LdpcCode, bits: np.ndarray, rv: int = 0) -> np.ndarray:
    """Encode information bits, uint8 [blocks, k] -> [blocks, n]; CodeError for another shape or other values."""
    from twin.link.ldpc.kernels import encode_blocks

    if bits.ndim != 2 or bits.shape[1] != code.k:
        raise CodeError(f"bits are {list(bits.shape)}; they must be [blocks, {code.k}]")
    if bits.size and not 0 <= bits.min() <= bits.max() <= 1:
        raise CodeError("bits hold other values than 0 and 1")
    places = code.sent(rv)
    words = np.zeros((len(bits), code.bits), dtype=np.uint8)
    words[:, : code.k] = bits
    starts, columns, shifts = _edges(code)
    encode_blocks(words, starts, columns, shifts, code.graph.info_columns, code.rows((rv,)), code.lifting)
    sent: np.ndarray = words[:, places]
    return sent


def decode(
    code: LdpcCode, llr: np.ndarray, *, iterations: int = ITERATIONS, rvs: Sequence[int] = (0,)
) -> tuple[np.ndarray, np.ndarray]:
    """Decode LLRs log p1/p0 into bits, uint8 [blocks, k], and whether all checks hold, bool [blocks].

    `llr` is float [blocks, n], or [blocks, transmissions, n] with one redundancy version each in `rvs`; what tells
    of the same bit is added up. CodeError for another shape, NaN, or no iteration.
    """
    from twin.link.ldpc.kernels import decode_group

    llr = np.asarray(llr, dtype=np.float32)
    llr = llr[:, None] if llr.ndim == 2 else llr
    if llr.ndim != 3 or llr.shape[1:] != (len(rvs), code.n):
        raise CodeError(f"llr is {list(llr.shape)}; it must be [blocks, {len(rvs)}, {code.n}]")
    if iterations < 1:
        raise CodeError(f"iterations is {iterations}; it must be at least 1")
    if np.isnan(llr).any():
        raise CodeError("llr holds NaN")
    rows, (starts, columns, shifts) = code.rows(tuple(rvs)), _edges(code)
    bits = np.empty((len(llr), code.k), dtype=np.uint8)
    converged = np.empty(len(llr), dtype=np.bool_)
    side_by_side = max(1, min(_MOST_BLOCKS, _WIDTH // code.lifting, len(llr)))
    for first in range(0, len(llr), side_by_side):
        part = slice(first, first + side_by_side)
        belief = _beliefs(code, llr[part], tuple(rvs))
        blocks = belief.shape[1]
        decode_group(
            belief.reshape(-1), starts, columns, shifts * blocks, rows, code.lifting * blocks, blocks, iterations,
            np.float32(_scale(code)), code.k, bits[part], converged[part],
        )  # fmt: skip
    return bits, converged


class Codec(Protocol):
    """A codec of one size, of either code."""

    def encode(self, bits: np.ndarray, rv: int) -> np.ndarray:
        """Bits uint8 [blocks, k] -> [blocks, n] of a redundancy version."""

    def decode(self, llr: np.ndarray, rvs: tuple[int, ...]) -> np.ndarray:
        """LLRs log p1/p0 [blocks, transmissions, n] -> bits uint8 [blocks, k]."""


class LdpcBlocks:
    """LDPC blocks of one size."""

    def __init__(self, k: int, n: int) -> None:
        self._code = code_of_size(k, n)

    def encode(self, bits: np.ndarray, rv: int) -> np.ndarray:
        """See Codec."""
        return encode(self._code, bits, rv)

    def decode(self, llr: np.ndarray, rvs: tuple[int, ...]) -> np.ndarray:
        """See Codec."""
        return decode(self._code, llr, rvs=rvs)[0]


def _scale(code: LdpcCode) -> float:
    """Scale of min-sum messages: low rates, whose checks are many, want a smaller one (found by trial)."""
    return 0.62 + 0.16 * min(code.k / code.n, 1.0)


def _beliefs(code: LdpcCode, llr: np.ndarray, rvs: tuple[int, ...]) -> np.ndarray:
    """What is known of each bit of the mother code before decoding, log p0/p1, float32 [bits, blocks]."""
    belief = np.zeros((code.bits, len(llr)), dtype=np.float32)
    for turn, rv in enumerate(rvs):
        known = -np.clip(llr[:, turn], -LARGEST_LLR, LARGEST_LLR).T
        size = len(code.buffer)
        places = code.sent(rv)
        # What is sent more than once comes in whole rounds of the buffer.
        for start in range(0, code.n, size):
            belief[places[start : start + size]] += known[start : start + size]
    belief[code.fillers] = CERTAIN
    return belief


@lru_cache(maxsize=512)
def _edges(code: LdpcCode) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each row's entries begin, and each entry's column and shift."""
    starts = np.searchsorted(code.graph.row, np.arange(code.graph.rows + 1))
    return starts.astype(np.int64), np.ascontiguousarray(code.graph.column), np.ascontiguousarray(code.shifts)
