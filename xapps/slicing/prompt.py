"""Prompt: what a language model is told of a cell, about 24 tokens that an engineer can read.

    eMBB short busy, URLLC kept idle, mMTC failing jammed. Operator: protect the factory.

Numbers stay in the state vector; here stand levels as words, and the operator's own words: the names of slices and
the intent text of A1 policies. There are few levels, so that what a model makes of them can be kept by their code.
"""

from typing import Any, TypeVar

import numpy as np

from oran.arrays import namespace
from xapps.slicing.state import KINDS

A = TypeVar("A")

QOS = ("failing", "short", "kept")
"""QoS ratio below 1/2, below 1, from 1 on; as features 1/3 and 1/2."""
PRESSURE = ("idle", "busy", "jammed")
"""What arrives and waits needs less than half of the slice's quota, less than all of it, or more."""
WORDS = (QOS, PRESSURE)
_STATES = len(QOS) * len(PRESSURE)
_QOS, _NEED, _BACKLOG, _ALLOCATION = (KINDS.index(name) for name in ("qos", "need", "backlog", "allocation"))
_LEAST_QUOTA = 0.01
MOST_WORDS = 1000
"""Characters of an intent text that are told."""


def levels(features: A) -> A:
    """The levels of each slice: features [..., slices, FEATURES] -> int64 places in `WORDS` [..., slices, 2]."""
    xp = namespace(features)
    seen: Any = features
    qos = seen[..., _QOS]
    quota = xp.where(seen[..., _ALLOCATION] > _LEAST_QUOTA, seen[..., _ALLOCATION], _LEAST_QUOTA)
    pressure = (_undone(seen[..., _NEED]) + _undone(seen[..., _BACKLOG])) / quota
    found = [
        xp.astype(low, xp.int64) + xp.astype(high, xp.int64)
        for low, high in ((qos >= 1.0 / 3.0, qos >= 0.5), (pressure >= 0.5, pressure >= 1.0))
    ]
    place: A = xp.stack(found, axis=-1)
    return place


def code(places: A) -> A:
    """One number for all levels of a cell, of len(WORDS..)^slices: int64 [..., slices, 2] -> [...]."""
    xp = namespace(places)
    told: Any = places
    each = told[..., 0] * len(PRESSURE) + told[..., 1]
    weight = xp.asarray([_STATES**slot for slot in range(told.shape[-2])], dtype=xp.int64, device=told.device)
    number: A = xp.sum(each * weight, axis=-1)
    return number


def places_of(number: int, slices: int) -> np.ndarray:
    """The levels that a code stands for: [slices, 2]."""
    each = [number // _STATES**slot % _STATES for slot in range(slices)]
    return np.array([divmod(value, len(PRESSURE)) for value in each], dtype=np.int64)


def text(names: tuple[str, ...], places: np.ndarray, words: str = "") -> str:
    """The prompt of one cell: slices' names, their levels [slices, 2] and the operator's words."""
    told = ", ".join(
        f"{name} {QOS[int(qos)]} {PRESSURE[int(pressure)]}"
        for name, (qos, pressure) in zip(names, places, strict=True)
    )
    said = plain(words)
    return f"{told}. Operator: {said}" if said else f"{told}."


def plain(words: str) -> str:
    """The operator's words as models are told them: on one line, cut at `MOST_WORDS`."""
    return " ".join(words.split())[:MOST_WORDS]


def _undone(half_at_one: Any) -> Any:
    """0..infinity again, from x / (1 + x)."""
    return half_at_one / (1.0 + 1e-9 - half_at_one)
