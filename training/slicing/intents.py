"""Intents: what an operator wants of a network for a while, and the words for it.

An intent says how much each kind of slice counts. Operators say so in words only, which are read from files: those
for training, which a grammar adds to, and those that no training sees. What a text says of weights can be read
apart from what to do about it: the slicing reward is linear in the weights and the network does not depend on
them, so an agent that is unsure of an intent does best by the mean of the weights it may stand for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import yaml

KINDS = ("eMBB", "URLLC", "mMTC")
"""The kinds of slices that intents speak of, in the order of weights."""
LITTLE = 0.05
"""Weight of a slice that hardly counts."""
_ONE, _TWO = 1.0 - 2.0 * LITTLE, (1.0 - LITTLE) / 2.0
INTENTS: Mapping[str, tuple[float, float, float]] = {
    "urgent": (LITTLE, _ONE, LITTLE),
    "video": (_ONE, LITTLE, LITTLE),
    "sensors": (LITTLE, LITTLE, _ONE),
    "alike": (1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0),
    "machines": (LITTLE, _TWO, _TWO),
    "people": (_TWO, _TWO, LITTLE),
    "idle_plant": (_TWO, LITTLE, _TWO),
}
"""Weights of the kinds in each intent."""
NAMES = tuple(INTENTS)
WEIGHTS = np.array(list(INTENTS.values()))
"""[intents, kinds]"""
FOLDER = Path(__file__).parent / "wordings"
AUTHORS = (
    *("training", "roles", "operations", "sites", "public", "contrast", "registers", "institutions"),
    *("transport", "industry", "city", "negations", "situations", "forms", "tradeoffs", "routine", "pairs"),
    *("voices", "minimal", "exceptions", "sevens", "trades", "plain", "doubles", "logbooks", "disputes"),
    *("constructions", "breadth", "traps", "blunt", "qualities", "reasons", "favours", "statements", "sayings"),
    *("single", "occasions", "opposites", "nameless"),
)
"""Files of wordings for training, each by another author."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A text and the intent that it stands for."""

    text: str
    intent: str


@lru_cache
def wordings(which: str) -> tuple[Wording, ...]:
    """Those of a file, written by hand, intent by intent; not every author has written for every intent."""
    told = yaml.safe_load((FOLDER / f"{which}.yaml").read_text(encoding="utf-8"))
    return tuple(Wording(text, intent) for intent in NAMES for text in told.get(intent, ()))


def written() -> tuple[Wording, ...]:
    """All that were written by hand for training."""
    return tuple(item for author in AUTHORS for item in wordings(author))


def weights(found: Sequence[Wording]) -> np.ndarray:
    """The weights that wordings stand for: [wordings, kinds]."""
    return WEIGHTS[[NAMES.index(item.intent) for item in found]]
