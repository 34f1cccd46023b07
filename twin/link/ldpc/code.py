"""A code: base graph, lifting, shortening, and the bits each redundancy version sends (TS 38.212 5.3.2, 5.4.2).

Bit `c * lifting + z` of the mother code is bit z of base graph column c. The first two columns are never sent,
filler bits behind the information bits neither. No limited buffer is assumed, nor is any CRC added here.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from twin.link.errors import CodeError
from twin.link.ldpc.base_graphs import CORE_ROWS, LIFTING_SIZES, BaseGraph, base_graph, lifting_set

PUNCTURED_COLUMNS = 2
LARGEST_BLOCK = {1: 8448, 2: 3840}
"""Information bits of the largest block by base graph (TS 38.212 5.2.2)."""
SMALLEST_BLOCK = 12
REDUNDANCY_VERSIONS = 4
START = {1: (0, 17, 33, 56), 2: (0, 13, 25, 43)}
"""Where a redundancy version starts in the circular buffer, in lifted columns (TS 38.212 table 5.4.2.1-2)."""
_MOST_REPEATED = 64
_SIZES = np.array(LIFTING_SIZES)


@dataclass(frozen=True)
class LdpcCode:
    """The code of blocks of `k` information bits sent as `n` bits."""

    k: int
    n: int
    graph: BaseGraph
    lifting: int

    @cached_property
    def shifts(self) -> np.ndarray:
        """Cyclic shift of each entry of the base graph at this lifting, int64 [edges]."""
        shifts: np.ndarray = self.graph.shift[lifting_set(self.lifting)] % self.lifting
        return shifts

    @property
    def bits(self) -> int:
        """Bits of the mother code, those that are never sent included."""
        return self.graph.columns * self.lifting

    @property
    def fillers(self) -> slice:
        """Where the filler bits lie, which are 0 and known to be."""
        return slice(self.k, self.graph.info_columns * self.lifting)

    @cached_property
    def buffer(self) -> np.ndarray:
        """The bits that can be sent, in the order of the circular buffer, int64."""
        sendable = np.arange(PUNCTURED_COLUMNS * self.lifting, self.bits)
        kept: np.ndarray = sendable[(sendable < self.fillers.start) | (sendable >= self.fillers.stop)]
        return kept

    def sent(self, rv: int = 0) -> np.ndarray:
        """The bits of the mother code that a redundancy version sends, in their order, int64 [n]."""
        if not 0 <= rv < REDUNDANCY_VERSIONS:
            raise CodeError(f"rv is {rv}; it must lie in 0..{REDUNDANCY_VERSIONS - 1}")
        start = START[self.graph.number][rv] * self.lifting
        first = int(np.searchsorted(self.buffer, start + PUNCTURED_COLUMNS * self.lifting))
        places: np.ndarray = self.buffer[(first + np.arange(self.n)) % len(self.buffer)]
        return places

    def rows(self, rvs: tuple[int, ...] = (0,)) -> int:
        """Rows of the base graph that can tell anything: those below hold a parity bit that was not sent."""
        last = max(int(self.sent(rv).max()) for rv in rvs) // self.lifting
        return max(CORE_ROWS, last - self.graph.info_columns + 1)


@lru_cache(maxsize=512)
def code(k: int, n: int) -> LdpcCode:
    """The code for `k` information bits in `n` sent bits; more than the mother code has are repeated.

    Raises CodeError for sizes that TS 38.212 has no code for.
    """
    if not SMALLEST_BLOCK <= k <= LARGEST_BLOCK[1]:
        raise CodeError(f"k is {k}; it must lie in {SMALLEST_BLOCK}..{LARGEST_BLOCK[1]}")
    if not k < n <= _MOST_REPEATED * k:
        raise CodeError(f"n is {n}; it must lie above k ({k}) and be at most {_MOST_REPEATED} times as large")
    rate = k / n
    number = int(graph_number(np.array(k), np.array(rate)))
    if k > LARGEST_BLOCK[number]:
        raise CodeError(f"k is {k}; at rate {rate:.2f} it must be at most {LARGEST_BLOCK[number]}")
    return LdpcCode(k, n, base_graph(number), int(lifting_size(np.array(k), np.array(number))))


def graph_number(k: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Which base graph blocks of k bits at a code rate take (TS 38.212 6.2.2)."""
    found: np.ndarray = np.where((k <= 292) | ((k <= 3824) & (rate <= 0.67)) | (rate <= 0.25), 2, 1)
    return found


def lifting_size(k: np.ndarray, number: np.ndarray) -> np.ndarray:
    """The smallest lifting size whose information columns hold k bits (TS 38.212 5.2.2)."""
    narrow = np.select([k > 640, k > 560, k > 192], [10, 9, 8], 6)
    found: np.ndarray = _SIZES[np.searchsorted(_SIZES, -(-k // np.where(number == 1, 22, narrow)))]
    return found
