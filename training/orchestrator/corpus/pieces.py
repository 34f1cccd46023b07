"""Pieces: long texts cut where their headings and paragraphs are.

Clauses of the highest level are cut apart first, so that what two versions of a standard have in common becomes
the same pieces.
"""

import re
from collections.abc import Iterator

_HEADING = re.compile(r"^(?=#+ )", re.MULTILINE)


def pieces(text: str, most: int) -> Iterator[str]:
    """The parts of a text, of at most `most` characters each; together they are the text, white space apart."""
    if len(text) <= most:
        yield from filter(None, (text.strip(),))
        return
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]
    top = min(levels, default=1)
    for clause in re.split(rf"^(?=#{{{top}}} )", text, flags=re.MULTILINE):
        yield from _packed([part for section in _HEADING.split(clause) for part in _parts(section, most)], most)


def _parts(text: str, most: int) -> Iterator[str]:
    """Paragraphs, lines or, where there are no others, words that fit."""
    if len(text) <= most:
        yield text
        return
    for mark in ("\n\n", "\n", ". ", " "):
        if mark in text.strip():
            cut = text.split(mark)
            for part in _packed([part + mark for part in cut[:-1]] + cut[-1:], most, strip=False):
                yield from _parts(part, most)
            return
    yield from _hard(text, most)


def _hard(text: str, most: int) -> Iterator[str]:
    for start in range(0, len(text), most):
        yield text[start : start + most]


def _packed(parts: list[str], most: int, *, strip: bool = True) -> Iterator[str]:
    """Parts that follow each other, as many together as fit."""
    together = ""
    for part in [*parts, ""]:
        if together and (len(together) + len(part) > most or not part):
            whole = together.strip() if strip else together
            if whole:
                yield whole
            together = ""
        together += part
