"""Mixing: text of the domain and general text at a stated ratio, by characters, in an order by seed.

No text of the domain is left out. There is as much general text as the ratio asks for: some of it, or all of it
again and again, up to so many passes.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from training.orchestrator.corpus.gathering import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Documents in the order of the corpus."""

    places: Sequence[Place]
    domain_share: float
    """The share of characters that are of the domain; 0 where there are none at all."""
    general_passes: float


def mixed(places: Sequence[Place], domain_share: float, most_passes: float, seed: int) -> Mix:
    """Mix documents. Without any of the domain, all general text is taken once."""
    domain = [place for place in places if place.kind == "domain"]
    general = [place for place in places if place.kind == "general"]
    inside, outside = _characters(domain), _characters(general)
    wanted = inside * (1.0 - domain_share) / domain_share if domain else float(outside)
    draw = random.Random(f"mix {seed}")
    taken = _taken(general, min(wanted, most_passes * outside), draw)
    together = domain + taken
    draw.shuffle(together)
    return Mix(
        places=together,
        domain_share=inside / max(1, _characters(together)),
        general_passes=_characters(taken) / outside if outside else 0.0,
    )


def _taken(general: Sequence[Place], wanted: float, draw: random.Random) -> list[Place]:
    """About so many characters of general text, each document as often as any other, or once more."""
    taken: list[Place] = []
    passes = math.ceil(wanted / max(1, _characters(general)))
    for _ in range(passes):
        for place in draw.sample(general, len(general)):
            # To the nearest document.
            if wanted < place.characters / 2.0:
                return taken
            taken.append(place)
            wanted -= place.characters
    return taken


def _characters(places: Sequence[Place]) -> int:
    return sum(place.characters for place in places)
