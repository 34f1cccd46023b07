"""Incremental redundancy: how much of a code word was sent after several copies of a block, and how often.

Copies carry redundancy versions 0, 2, 3, 1, and again from the start (TS 38.214 5.1.2.1): arcs of one length of
the circular buffer (TS 38.212 5.4.2.1). Bits that are new lower the code's rate, down to that of the mother code;
bits that come again add up their energy.
"""

import numpy as np

from twin.link.ldpc.base_graphs import COLUMNS, ROWS
from twin.link.ldpc.code import PUNCTURED_COLUMNS, START, graph_number, lifting_size

RV_ORDER = (0, 2, 3, 1)
"""Redundancy versions of a block's transmissions (TS 38.214 5.1.2.1)."""
_STARTS = np.array([START[number] for number in (1, 2)])
_COLUMNS = np.array([COLUMNS[number] for number in (1, 2)])
_INFORMATION = _COLUMNS - [ROWS[number] for number in (1, 2)]


def distinct_bits(k: np.ndarray, n: np.ndarray, copies: np.ndarray) -> np.ndarray:
    """Different bits among so many copies of n of blocks of k bits, int64; all [blocks]."""
    graph = graph_number(k, k / n) - 1
    lifting = lifting_size(k, graph + 1)
    fillers = _INFORMATION[graph] * lifting - k
    buffer = (_COLUMNS[graph] - PUNCTURED_COLUMNS) * lifting - fillers
    # Where each version starts in the buffer, from which the fillers are left out.
    start = _STARTS[graph] * lifting[:, None]
    behind = start + PUNCTURED_COLUMNS * lifting[:, None] >= (k + fillers)[:, None]
    start = np.where(
        behind, start - fillers[:, None], np.minimum(start, (k - PUNCTURED_COLUMNS * lifting)[:, None])
    )
    sent = np.minimum(copies, len(RV_ORDER))[:, None] > np.argsort(RV_ORDER)
    # Each arc covers what lies before the next one's start; the first comes again at the buffer's end.
    nearest = buffer[:, None]
    covered = np.zeros_like(n)
    for version in reversed(range(len(RV_ORDER))):
        gap = nearest[:, 0] - start[:, version]
        covered += np.where(sent[:, version], np.minimum(gap, n), 0)
        nearest = np.where(sent[:, version, None], start[:, version, None], nearest)
    return covered


def combined(k: np.ndarray, n: np.ndarray, copies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Code rate of all that so many copies sent, and what it gains in dB where bits came again; all [blocks].

    A single copy that repeats bits by itself is one code of its own rate, as the tables of codes have it.
    """
    kept = np.maximum(distinct_bits(k, n, copies), n)
    return k / kept, 10.0 * np.log10(copies * n / kept)
