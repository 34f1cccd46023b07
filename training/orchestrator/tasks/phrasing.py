"""Phrasing: a text for a service and a demand, in varied words (phrases.yaml)."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from training.orchestrator.tasks.catalogue import AXES, Axis, Service
from training.orchestrator.tasks.quantities import shares, ways

FILE = Path(__file__).parent / "phrases.yaml"

_SLOT = re.compile(r"(\{\w+\})")
_TYPO_SHARE = 0.04
_SHORTEST_TYPO = 5
"""Letters of the shortest word that gets a typing error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """The phrases by their use, as in phrases.yaml."""

    openings: list[str]
    noun: Mapping[Axis, list[str]]
    sentence: Mapping[Axis, list[str]]
    terse: Mapping[Axis, list[str]]
    joined: list[str]
    listed: list[str]
    shades: Mapping[Axis, Mapping[str, list[str]]]
    asides: list[str]
    greetings: list[str]


@lru_cache
def bank() -> Bank:
    """The phrases, read once."""
    told: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return Bank(**told)


def phrased(
    service: Service, stated: Mapping[Axis, float], shades: Mapping[Axis, str], draw: random.Random
) -> str:
    """A text that asks for a service.

    `stated` are the targets that it says as numbers, in SI units; `shades` says of others whether it asks for a
    stricter (`strict`) or an easier (`easy`) one than usual. The text says nothing of the rest.
    """
    if len(stated) == len(AXES) and draw.random() < 0.6:
        text = _in_one(service, stated, draw)
    else:
        text = _by_sentences(service, stated, shades, draw)
    return _noisy(text, draw)


def _in_one(service: Service, stated: Mapping[Axis, float], draw: random.Random) -> str:
    """All wishes in one sentence or list, in any order."""
    phrases = bank()
    frame, wishes = (phrases.joined, phrases.noun) if draw.random() < 0.6 else (phrases.listed, phrases.terse)
    told = [_wish(wishes[axis], axis, stated[axis], draw) for axis in draw.sample(AXES, len(AXES))]
    text = _filled(draw.choice(frame), s=draw.choice(service.names), **dict(zip("abc", told, strict=True)))
    if frame is phrases.joined and draw.random() < 0.4:
        extras = [_sentence(draw.choice((*service.about, *service.cues))), draw.choice(phrases.asides)]
        parts = [text, draw.choice(extras)]
        draw.shuffle(parts)
        text = " ".join(parts)
    return text


def _by_sentences(
    service: Service, stated: Mapping[Axis, float], shades: Mapping[Axis, str], draw: random.Random
) -> str:
    """Each wish in a sentence of its own, in any order, among others."""
    phrases = bank()
    told = [_wish(phrases.sentence[axis], axis, value, draw) for axis, value in stated.items()]
    told += [draw.choice(phrases.shades[axis][shade]) for axis, shade in shades.items()]
    if draw.random() < (0.3 if len(stated) == len(AXES) else 0.8):
        told.append(_sentence(draw.choice(service.cues)))
    if draw.random() < 0.25:
        told.append(draw.choice(phrases.asides))
    draw.shuffle(told)
    first = draw.choice(phrases.openings).replace("{s}", draw.choice(service.names))
    if draw.random() < 0.4:
        about = _sentence(draw.choice(service.about))
        first = about if draw.random() < 0.5 else f"{first} {about}"
    told.insert(0 if draw.random() < 0.8 else len(told), first)
    return " ".join(told)


def _wish(phrases: list[str], axis: Axis, value: float, draw: random.Random) -> str:
    """One target in words, its quantity between marks that no noise passes."""
    phrase = draw.choice(phrases)
    quantity = draw.choice(shares(value) if "{share}" in phrase else ways(axis, value))
    return _SLOT.sub(f"{{{quantity}}}", phrase)


def _filled(frame: str, **parts: str) -> str:
    return re.sub(r"\{(\w)\}", lambda slot: parts[slot[1]], frame)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _noisy(text: str, draw: random.Random) -> str:
    """The text as people type it; quantities, in braces, are left alone and lose their braces."""
    greeting = draw.choice(bank().greetings) + " " if draw.random() < 0.12 else ""
    typos, lower, bare = draw.random() < 0.2, draw.random() < 0.15, draw.random() < 0.08
    parts = re.split(r"\{([^}]*)\}", greeting + text)
    for place in range(0, len(parts), 2):
        part = parts[place]
        if typos:
            part = re.sub(rf"[a-z]{{{_SHORTEST_TYPO},}}", lambda word: _mistyped(word[0], draw), part)
        if lower:
            part = part.lower()
        if bare:
            part = re.sub(r"[.,](?= |$)", "", part)
        parts[place] = part
    whole = "".join(parts)
    return whole if lower else whole[:1].upper() + whole[1:]


def _mistyped(word: str, draw: random.Random) -> str:
    """A word with one letter doubled, dropped or swapped, or most often as it is."""
    if draw.random() >= _TYPO_SHARE * 3:
        return word
    place = draw.randrange(1, len(word) - 1)
    change = draw.choice(("double", "drop", "swap"))
    if change == "double":
        return word[:place] + word[place] + word[place:]
    if change == "drop":
        return word[:place] + word[place + 1 :]
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
