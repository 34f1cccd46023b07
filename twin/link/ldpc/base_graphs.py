"""The two base graphs of TS 38.212 (tables 5.3.2-1 to 5.3.2-3), as numbers in a file of our own.

`python -m twin.link.ldpc.base_graphs make` writes that file anew from the tables that Sionna carries.
"""

import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("base_graphs.npz")

LIFTING_SETS: tuple[tuple[int, ...], ...] = tuple(
    tuple(size for power in range(8) if (size := start << power) <= 384) for start in (2, 3, 5, 7, 9, 11, 13, 15)
)
"""Lifting sizes by set index (TS 38.212 table 5.3.2-1)."""
LIFTING_SIZES = tuple(sorted(size for sizes in LIFTING_SETS for size in sizes))
ROWS, COLUMNS = {1: 46, 2: 42}, {1: 68, 2: 52}
CORE_ROWS = 4
"""Rows of the dual-diagonal core; each row below adds one parity column of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class BaseGraph:
    """A base graph: its non-empty entries in row order, int [edges], and their shifts by set, int [8, edges]."""

    number: int
    rows: int
    columns: int
    row: np.ndarray
    column: np.ndarray
    shift: np.ndarray

    @property
    def info_columns(self) -> int:
        """Columns of information bits: 22 or 10."""
        return self.columns - self.rows


@lru_cache(maxsize=2)
def base_graph(number: int) -> BaseGraph:
    """Base graph 1 or 2."""
    with np.load(FILE) as stored:
        row, column, *shifts = stored[f"bg{number}"].astype(np.int64)
    return BaseGraph(number, ROWS[number], COLUMNS[number], row, column, np.stack(shifts))


def lifting_set(size: int) -> int:
    """The set index of a lifting size."""
    return next(index for index, sizes in enumerate(LIFTING_SETS) if size in sizes)


def _make() -> None:
    from importlib.resources import files

    tables = {}
    for number in (1, 2):
        text = files("sionna.phy.fec.ldpc.codes").joinpath(f"5G_bg{number}.csv").read_text()
        entries, row = [], 0
        for line in text.splitlines()[2:]:
            first, *rest = line.split(";")
            row = int(first) if first else row
            entries.append((row, *map(int, rest[:9])))
        tables[f"bg{number}"] = np.array(entries, dtype=np.int16).T
    np.savez_compressed(FILE, bg1=tables["bg1"], bg2=tables["bg2"])
    print(f"{FILE}: {', '.join(f'{name} with {table.shape[1]} entries' for name, table in tables.items())}")


if __name__ == "__main__":
    if sys.argv[1:] != ["make"]:
        sys.exit("usage: python -m twin.link.ldpc.base_graphs make")
    _make()
