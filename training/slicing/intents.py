"""Intents: what an operator wants of a network for a while, and the words for it.

An intent says how much each kind of slice counts. Operators say so in words only, which are read from files: those
for training, which a grammar adds to, and those that no training sees. What a text says of weights can be read
apart from what to do about it: the slicing reward is linear in the weights and the network does not depend on
them, so an agent that is unsure of an intent does best by the mean of the weights it may stand for.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class Wording:
    """A text and the intent that it stands for."""

    text: str
    intent: str


@lru_cache
def wordings(which: Literal["training", "heldout", "languages"]) -> tuple[Wording, ...]:
    """Those written by hand, intent by intent."""
    told = yaml.safe_load((FOLDER / f"{which}.yaml").read_text(encoding="utf-8"))
    return tuple(Wording(text, intent) for intent in NAMES for text in told[intent])


@lru_cache
def grown(each: int, seed: int) -> tuple[Wording, ...]:
    """So many different ones of each intent by the grammar, for training."""
    grammar = yaml.safe_load((FOLDER / "grammar.yaml").read_text(encoding="utf-8"))
    draw = random.Random(seed)
    made = []
    for intent, weight in INTENTS.items():
        counting = [kind for kind, value in zip(KINDS, weight, strict=True) if value > LITTLE]
        sentences = grammar[("one_counts", "two_count", "all_count")[len(counting) - 1]]
        texts: dict[str, None] = {}
        while len(texts) < each:
            kinds = [
                *draw.sample(counting, len(counting)),
                *draw.sample([kind for kind in KINDS if kind not in counting], len(KINDS) - len(counting)),
            ]
            # The sentences about one call the others c and d.
            letters = "acd" if len(counting) == 1 else "abc"
            names = {
                letter: draw.choice(grammar["names"][kind]) for letter, kind in zip(letters, kinds, strict=True)
            }
            text = draw.choice(sentences).format(**names)
            texts[text[0].upper() + text[1:]] = None
        made += [Wording(text, intent) for text in texts]
    return tuple(made)


def weights(found: Sequence[Wording]) -> np.ndarray:
    """The weights that wordings stand for: [wordings, kinds]."""
    return WEIGHTS[[NAMES.index(item.intent) for item in found]]
