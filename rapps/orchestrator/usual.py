"""Usual: what services like that of a text mostly need, told by its words.

Each word, or piece of a word, says how far the demand of services that it is said of lies from that of all, in
decades. A text says the sum of what its words say, the rarer the more, over the root of the sum of their squared
weights. What words say is learnt from the training catalogue (`training.orchestrator.tasks.likeness`).

>>> camera, meter = (shipped().usual(text) for text in ("a camera over a crossing", "the meter of a water pipe"))
>>> camera["min_throughput_bps"] > meter["min_throughput_bps"]
True
"""

import csv
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "usual.csv"
FIELDS = ("max_delay_s", "min_throughput_bps", "max_ber")
"""What is told, as the fields of `twin.link.demand.Demand`."""
ALL = "*"
"""The row of the file that tells the mean of all services."""
STEP = 0.01
"""What a one in the file stands for."""
WITHIN = "##"
"""What a piece begins with that only goes on with a word."""
LONGEST = 24
"""Letters of the longest piece that is looked for; no word of the file has more."""
_MARK = re.compile(r"\[[A-Z]=[^\]]*\]")
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """What words say of a demand."""

    rows: Mapping[str, int]
    weight: np.ndarray
    """How much each word counts, more than 0 [words]."""
    said: np.ndarray
    """Decades from the mean of all services [words, FIELDS]."""
    base: np.ndarray
    """Decimal logarithms of that mean [FIELDS]."""

    def usual(self, text: str) -> Mapping[str, float]:
        """What a text mostly needs, its marked quantities unread; the mean of all where it has no known word."""
        rows = [self.rows[piece] for piece in pieces(text, self.rows)]
        weight = self.weight[rows]
        said = weight @ self.said[rows] / np.sqrt(weight @ weight) if rows else 0.0
        return dict(zip(FIELDS, (10.0 ** (self.base + said)).tolist(), strict=True))


def pieces(text: str, known: Container[str]) -> Iterator[str]:
    """The words of a text, cut into the longest pieces that are known; what is left of a word counts nothing."""
    for found in _WORD.finditer(_MARK.sub(" ", text).lower()):
        word, begin = found[0], ""
        while word:
            end = next((end for end in range(min(len(word), LONGEST), 0, -1) if begin + word[:end] in known), 0)
            if not end:
                break
            yield begin + word[:end]
            word, begin = word[end:], WITHIN


@lru_cache
def shipped() -> Words:
    """What the words of the catalogue say."""
    with FILE.open(encoding="utf-8", newline="") as file:
        told = {piece: [int(step) for step in steps] for piece, *steps in csv.reader(file)}
    _, *base = told.pop(ALL)
    table = np.array([*told.values()]) * STEP
    return Words({piece: row for row, piece in enumerate(told)}, table[:, 0], table[:, 1:], np.array(base) * STEP)
