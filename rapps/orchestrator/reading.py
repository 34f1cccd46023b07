"""Reading: a task's text as an orchestrator sees it, its quantities marked by letters.

>>> read("<think>Pictures at 20 megabits a second").text
'(think>Pictures at [A=20 Mbit/s]'
"""

import re
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from rapps.orchestrator.quantities import Quantity, find, tell
from rapps.orchestrator.usual import Words, shipped

LONGEST = 2_000
"""Letters of a text that are read."""
CUT = " (cut here)"
"""What stands in the place of the rest."""
_LONGEST_QUANTITY = 200
_BRACKETS = str.maketrans("[]", "()")
_TAG = re.compile(r"<(?=[^\s\d=.,<-])")
_BREAKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_LINES = str.maketrans(dict.fromkeys(_BREAKS, " "))
_HIDDEN = {"Cc", "Cf", "Cn", "Co", "Cs"}
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Reading:
    """A text on one line with the marks `[A=20 Mbit/s]`, and what they stand for by their letter.

    Only marks have square brackets. A quantity's place is that of its mark; a reliability is marked and kept as
    the share that may fail.
    """

    text: str
    quantities: Mapping[str, Quantity]
    usual: Mapping[str, float]
    """What services like this mostly need, by the field of the demand (`usual`)."""


def read(text: str, words: Words | None = None) -> Reading:
    """Mark the first 26 times, rates and shares above 0 of any text; what could pass for markup is made harmless.

    Square brackets become round, so does the "<" of a tag; letters that cannot be seen become U+FFFD, line breaks
    spaces. Of a long text only the first LONGEST letters are read. `words` tell what is usual instead of the
    shipped ones.
    """
    told = _harmless(text[: LONGEST + _LONGEST_QUANTITY])
    found = find(told)
    told = told.translate(_LINES)
    if len(told) > LONGEST:
        end = min((one.start for one in found if one.start < LONGEST < one.end), default=LONGEST)
        told, found = told[:end].rstrip() + CUT, tuple(one for one in found if one.end <= end)
    marked = [one for one in map(_of_what_fails, found) if one.kind != "number" and one.value > 0]
    pieces, quantities, place, length = [], {}, 0, 0
    for letter, one in zip(string.ascii_uppercase, marked, strict=False):
        mark = f"[{letter}={tell(one.kind, one.value)}]"
        pieces += [told[place : one.start], mark]
        length += one.start - place + len(mark)
        place = one.end
        quantities[letter] = replace(one, start=length - len(mark), end=length)
    whole = "".join([*pieces, told[place:]])
    return Reading(whole, quantities, (words or shipped()).usual(whole))


def _of_what_fails(quantity: Quantity) -> Quantity:
    if quantity.kind != "reliability":
        return quantity
    return replace(quantity, kind="ratio", value=float(1 - Decimal(repr(quantity.value))))


def _harmless(text: str) -> str:
    """The text without what could be taken for markup, each letter at its place."""
    seen = "".join(
        _REPLACEMENT if unicodedata.category(letter) in _HIDDEN and letter not in _BREAKS else letter
        for letter in text
    )
    return _TAG.sub("(", seen.translate(_BRACKETS))
