"""Numerals: the numbers of an English text, in figures, in words and in both.

They are parsed from the figures and words found, looking a few words ahead only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from rapps.orchestrator.figures import Form, Token, tokens

_ONES = {
    word: number
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
         "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
    )
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "ninty": 90,
}  # fmt: skip
_DIGITS = {word: number for word, number in _ONES.items() if number < 10}
_SMALL = _ONES | _TENS | {ten + one: _TENS[ten] + _DIGITS[one] for ten in _TENS for one in _DIGITS}
_DOZEN = 12
_SCALES = {"dozen": _DOZEN, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "twentieth": 20, "fiftieth": 50, "hundredth": 100,
    "thousandth": 10**3, "millionth": 10**6, "billionth": 10**9,
}  # fmt: skip
_PARTS |= {f"{word}s": number for word, number in _PARTS.items()}
_ARTICLES = ("a", "an")
_FIRST = {*_SMALL, *_SCALES, *_PARTS, *_ARTICLES, "hundred", "single"}
_ALONE = {"hundred": 100, "single": 1} | dict.fromkeys(_ARTICLES, 1) | _SCALES | _SMALL
_LATER = {*_SCALES, *_PARTS, "hundred", "single", "and", "point", "to", "times", "x"}
_OF_PART = ("of", *_ARTICLES)
_WORDS = _FIRST | {"and", "of", "point", "to", "the", "power", "minus", "negative", "times", "x"}
_GAPS = ("", " ", "  ", "\n", "-")
_OF_SHARE = re.compile(r"(?:\bone|\ba|\d|\bbits?|\berrors?)\s(?:in|per|out\sof)\s(?:every\s)?$", re.IGNORECASE)
_LONGEST_BEFORE = 20


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number in a text, from `start` up to `end`."""

    start: int
    end: int
    value: Fraction
    form: Form


_Found = tuple[Fraction, int] | None
"""A number and the place after its last token."""


def numerals(text: str) -> Iterator[Numeral]:
    """The numbers of a plain text, in order."""
    words = _Words(text)
    place = 0
    while place < len(words.tokens):
        value, after, form = words.longest(place)
        if value is not None:
            yield Numeral(words.tokens[place].start, words.tokens[after - 1].end, value, form)
        place = after


class _Words:
    """The parser: each method tries to read one kind of number at the place of a token."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(tokens(text, _WORDS))
        self._first = 0
        self._of_share = False
        self._wholes: dict[int, _Found] = {}

    def longest(self, place: int) -> tuple[Fraction | None, int, Form]:
        """The longest number that begins at a place, the place after it, and its form."""
        self._first = place
        token = self.tokens[place]
        if token.value is None and token.word not in _FIRST:
            return None, place + 1, "words"
        if not self._goes_on(place):
            return self._alone(token), place + 1, _form(token)
        self._wholes.clear()
        # "One in a million and forty milliseconds" says two things, whatever "a million and forty" is elsewhere.
        before = self.text[max(0, token.start - _LONGEST_BEFORE) : token.start]
        self._of_share = _OF_SHARE.search(before) is not None
        ways: tuple[tuple[_Found, Form], ...] = (
            (self._literal(place), token.form),
            (self._power(place), "power"),
            (self._whole(place), "words"),
            (self._point(place), "words"),
            (self._mixed(place), "words"),
            (self._part(place), "fraction"),
            (self._share_of_scale(place), "words"),
            (self._article(place), "article"),
        )
        found = [(value, after, form) for way, form in ways if way for value, after in (way,)]
        return max(found, key=lambda one: one[1], default=(None, place + 1, "words"))

    def _goes_on(self, place: int) -> bool:
        """Whether the token after this one may belong to the same number."""
        if place + 1 == len(self.tokens) or not self._near(place + 1):
            return False
        word, after = self.tokens[place].word, self.tokens[place + 1].word
        return after in _LATER or (after in _SMALL and word != "single") or (after in _OF_PART and word in _PARTS)

    def _alone(self, token: Token) -> Fraction | None:
        word = token.word
        if word in _PARTS:
            return Fraction(1, _PARTS[word])
        return token.value if not word else Fraction(_ALONE[word])

    def _word(self, place: int) -> str:
        return self.tokens[place].word if self._near(place) else ""

    def _near(self, place: int) -> bool:
        """Whether a token belongs to the one before it."""
        if not self._first <= place < len(self.tokens):
            return False
        return place == self._first or self.text[self.tokens[place - 1].end : self.tokens[place].start] in _GAPS

    def _literal(self, place: int) -> _Found:
        value = self.tokens[place].value if self._near(place) else None
        return None if value is None else (value, place + 1)

    def _digits(self, place: int) -> _Found:
        found = self._literal(place)
        return found if found and self.tokens[place].form == "digits" else None

    def _article(self, place: int) -> _Found:
        after = place + (self._word(place) in _ARTICLES)
        after += self._word(after) == "single"
        return (Fraction(1), after) if after > place else None

    def _small(self, place: int) -> _Found:
        word = self._word(place)
        if word in _TENS and self._word(place + 1) in _DIGITS and self._word(place + 1) != "zero":
            return Fraction(_TENS[word] + _DIGITS[self._word(place + 1)]), place + 2
        return (Fraction(_SMALL[word]), place + 1) if word in _SMALL else None

    def _group(self, place: int) -> _Found:
        """A hundred and fifty."""
        head = self._small(place) or (self._word(place) in _ARTICLES and (Fraction(1), place + 1)) or None
        count, after = head or (Fraction(1), place)
        if self._word(after) != "hundred":
            return self._small(place)
        rest = self._small(after + 1 + (self._word(after + 1) == "and"))
        if rest and self._word(rest[1]) != "hundred":
            return count * 100 + rest[0], rest[1]
        return count * 100, after + 1

    def _whole(self, place: int) -> _Found:
        if place not in self._wholes:
            self._wholes[place] = self._parsed_whole(place)
        return self._wholes[place]

    def _parsed_whole(self, place: int) -> _Found:
        """Two million three hundred thousand."""
        total, below, after = Fraction(0), 10**15, place
        while True:
            begun, joined = after > place, self._word(after) == "and"
            start = after + (begun and joined)
            head = self._group(start) or (None if begun else self._digits(start)) or self._one_before_scale(start)
            count, following = head or (Fraction(1), start)
            scale = _SCALES.get(self._word(following), 1)
            if scale == 1:
                # Without an "and" it is the next number: one in a million forty milliseconds.
                more = head and (not begun or (count < below and (joined or below == 1000)))
                return (total + count, following) if more else (total, after) if begun else None
            if scale >= below or (begun and not head):
                return total, after
            total, below, after = total + count * scale, scale, following + 1
            if scale == _DOZEN or self._of_share:
                return total, after

    def _one_before_scale(self, place: int) -> _Found:
        return (
            (Fraction(1), place + 1)
            if self._word(place) in _ARTICLES and self._word(place + 1) in _SCALES
            else None
        )

    def _point(self, place: int) -> _Found:
        """Two point five million."""
        head = self._group(place)
        if not head or self._word(head[1]) != "point":
            return None
        value, after = head[0], head[1] + 1
        for power in range(1, 7):
            if self._word(after) not in _DIGITS:
                break
            value, after = value + Fraction(_DIGITS[self._word(after)], 10**power), after + 1
        return self._scaled(value, after) if after > head[1] + 1 else None

    def _mixed(self, place: int) -> _Found:
        """One and a half million."""
        head = None if self._of_share else self._whole(place)
        part = self._part(head[1] + 1) if head and self._word(head[1]) == "and" else None
        return self._scaled(head[0] + part[0], part[1]) if head and part and part[0] < 1 else None

    def _part(self, place: int) -> _Found:
        """Two thirds, a hundred-thousandth, one five-hundredth."""
        head = self._whole(place) or self._article(place)
        count, after = head or (Fraction(1), place)
        if self._word(after) in _PARTS:
            word = self._word(after)
            if word.endswith("s") or count == 1:
                return count / _PARTS[word], after + 1
            return (1 / (count * _PARTS[word]), after + 1) if _PARTS[word] >= 10 else None
        many = self._group(after) if head else None
        if many and many[0] and self._word(many[1]) in _PARTS:
            return count / (many[0] * _PARTS[self._word(many[1])]), many[1] + 1
        return None

    def _share_of_scale(self, place: int) -> _Found:
        """Half a million."""
        part = self._part(place)
        if not part:
            return None
        after = part[1] + (self._word(part[1]) == "of")
        after += self._word(after) in _ARTICLES
        return self._scaled(part[0], after) if self._word(after) in _SCALES else None

    def _power(self, place: int) -> _Found:
        """Five times ten to the minus six."""
        count, base = Fraction(1), place
        head = self._whole(place)
        if head and self._word(head[1]) in ("times", "x"):
            count, base = head[0], head[1] + 1
        ten = self._small(base) or self._digits(base)
        if not ten or ten[0] != 10 or self._word(ten[1]) != "to" or self._word(ten[1] + 1) != "the":
            return None
        after = ten[1] + 2
        after += self._word(after) == "power"
        after += self._word(after) == "of"
        sign = -1 if self._word(after) in ("minus", "negative") else 1
        after += sign < 0
        if self._word(after) in _PARTS:
            exponent: _Found = (Fraction(_PARTS[self._word(after)]), after + 1)
        else:
            exponent = self._small(after) or self._digits(after)
        if not exponent or exponent[0].denominator > 1 or exponent[0] >= 100:
            return None
        return count * Fraction(10) ** (sign * exponent[0].numerator), exponent[1]

    def _scaled(self, value: Fraction, place: int) -> tuple[Fraction, int]:
        scale = _SCALES.get(self._word(place))
        return (value * scale, place + 1) if scale else (value, place)


def _form(token: Token) -> Form:
    if token.word in (*_ARTICLES, "single"):
        return "article"
    return "fraction" if token.word in _PARTS else token.form
