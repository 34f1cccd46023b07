"""Preparing: a file or a text becomes clean pieces, and counts of what was dropped and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training.orchestrator.corpus import readers
from training.orchestrator.corpus.cleaning import clean
from training.orchestrator.corpus.errors import CorpusError, Unreadable
from training.orchestrator.corpus.pieces import pieces
from training.orchestrator.corpus.quality import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """How files are prepared; CorpusError for a value that cannot be."""

    most_bytes: int = 64 * 2**20
    """A larger file is dropped."""
    most_characters: int = 20_000
    """Longer texts are cut into documents of at most this length."""
    quality: Quality = field(default_factory=Quality)

    def __post_init__(self) -> None:
        if self.most_bytes < 1:
            raise CorpusError(f"most_bytes is {self.most_bytes}; it must be at least 1")
        if self.most_characters < self.quality.least_characters:
            raise CorpusError(
                f"most_characters is {self.most_characters}; "
                f"it must be at least least_characters, {self.quality.least_characters}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What is left of a file."""

    texts: tuple[str, ...] = ()
    characters: int = 0
    """Characters that were read, before any cleaning."""
    dropped: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Documents and characters that were dropped, by reason."""


def of_file(path: Path, how: Preparation) -> Prepared:
    """Prepare a file; one that no text comes from is a document of no characters that was dropped."""
    try:
        return of_text(readers.read(path, how.most_bytes), how)
    except Unreadable as error:
        return lost(str(error))


def of_text(text: str, how: Preparation) -> Prepared:
    """Prepare a text."""
    texts: list[str] = []
    dropped: dict[str, tuple[int, int]] = {}
    cleaned = clean(text)
    for piece in pieces(cleaned, how.most_characters):
        reason = how.quality.reason(piece)
        if reason is None:
            texts.append(piece)
        else:
            documents, characters = dropped.get(reason, (0, 0))
            dropped[reason] = documents + 1, characters + len(piece)
    if not cleaned:
        return Prepared(characters=len(text), dropped={"no text": (1, 0)})
    return Prepared(texts=tuple(texts), characters=len(text), dropped=dropped)


def lost(reason: str) -> Prepared:
    """What is left of a file that was not read."""
    return Prepared(dropped={reason: (1, 0)})
