"""Questions that were written by hand: of the domain (questions.yaml) and of everyday knowledge (general.yaml)."""

from functools import lru_cache
from pathlib import Path

import yaml

from training.orchestrator.instructions.instruction import Instruction

_FOLDER = Path(__file__).parent


@lru_cache
def domain() -> tuple[Instruction, ...]:
    """Over 150 questions about the radio access network, which the primers of the corpus answer."""
    return _read("questions.yaml")


@lru_cache
def general() -> tuple[Instruction, ...]:
    """A few questions about anything else: enough to mix without a file of one's own, not enough to teach much."""
    return _read("general.yaml")


def _read(name: str) -> tuple[Instruction, ...]:
    topics = yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))
    return tuple(
        Instruction(question=question, reasoning=reasoning, answer=answer, source=f"{name}: {topic}")
        for topic, entries in topics.items()
        for question, reasoning, answer in entries
    )
