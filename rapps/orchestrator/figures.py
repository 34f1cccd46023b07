"""Figures: the numbers that a text has in symbols, and the words between them.

They are found by one pattern, in which no repetition without a bound holds another: the time grows with the length
of the text only.
"""

import re
import unicodedata
from collections.abc import Container, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Form = Literal["article", "digits", "words", "power", "fraction"]
"""`article` is the one of "a second", `power` has a power of ten, `fraction` is such as a half."""

_MOST_DIGITS = 30
_GLYPHS = {glyph: Fraction(unicodedata.numeric(glyph)).limit_denominator(10) for glyph in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅛⅜⅝⅞⅒"}

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_PLAIN = str.maketrans(
    dict.fromkeys("‐‑‒–—―−﹣", "-")
    | dict.fromkeys("\t\u00a0\u2007\u2008\u2009\u200a\u202f\u3000", " ")
    | {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | {"μ": "µ", "’": "'"}
)

_NUMBER = r"""(?:
    (?!0,)\d{1,3}(?:,\d{3}){1,9}+(?!,?\d)(?:\.\d++)?   # 1,000,000.5
    | \d{1,3}(?:[\ '_]\d{3}){1,9}+(?!\d)(?:[.,]\d++)?  # 1 000 000
    | \d{1,3}(?:\.\d{3}){2,9}+(?!\.?\d)(?:,\d++)?      # 1.000.000
    | (?<!\d,)\d++,\d++(?!,\d)                         # 2,5
    | \d++(?:\.\d++)?+
    | (?<![\d.])\.\d++
)"""
_TIMES = r"\s?(?:[x*×·⋅∙]|times)\s?"
_EXPONENT = r"""(?:
    \ ?(?:\^|\*\*)\ ?[-+]?\ ?\d{1,2}(?!\d)
    | \ ?(?:\^|\*\*)\ ?[({]{1,2}[-+]?\d{1,2}[)}]{1,2}  # 10^{-6}
    | [⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}
    | \ to\ the\ (?:power\ )?(?:of\ )?-?\ ?\d{1,2}(?!\d)
)"""
_NO_UNIT = r"(?!\s?-?(?:[kmgt]?b(?:it|ps|yte)?s?|[munµ]?s|m?secs?|[a-z]*seconds?|min|minutes?|h|hours?|[ap]m|%)\b)"
_TOKEN = re.compile(
    rf"""
    (?P<none>
        (?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?![\d:])  # a time of day
        | \d{{4}}-\d\d-\d\d(?!\d)                         # a date
        | \d{{1,2}}(?P<dash>[-./])\d{{1,2}}(?P=dash)(?:\d{{4}}|\d\d)(?!\d)
        | (?!\d{{1,3}}(?:\.\d{{3}}){{2,9}}+(?!\.?\d))\d++(?:\.\d++){{2,}}+  # 10.0.0.1
        | 0x[\da-f]++
    )
    | (?P<ten>
        {_NUMBER}{_TIMES}10(?:{_EXPONENT}|\ ?-[1-9]\d?(?!\d){_NO_UNIT})
        | 10{_EXPONENT}
        | 10-[3-9](?![\w:]|[.,]\d){_NO_UNIT}              # 10⁻⁶ that has lost its height
    )
    | (?P<science>{_NUMBER}(?:\ ?e\ ?-\ ?|e\^?\+?)\d{{1,2}}(?!\d))
    | (?P<vulgar>
        (?:\d{{1,3}}[\ -])?\d/[1-9]\d{{0,3}}(?:ths?|rds?)?(?=[\ -]?(?!e-?\d)[a-zµ%])  # 2 1/2 ms
        | [1-9]\d{{0,6}}ths?(?=\ of\ an?\ )
    )
    | (?P<glyph>(?:\d{{1,3}}\ ?)?[{"".join(_GLYPHS)}])
    | (?P<digits>{_NUMBER})
    | (?P<word>[a-z]+)
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_TEN = re.compile(rf"(?:(.+?){_TIMES})?10(\D.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """A number in symbols, or a word, which has no value; nor has a number of more digits than anybody means."""

    start: int
    end: int
    word: str
    value: Fraction | None
    form: Form


def plain(text: str) -> str:
    """The text with dashes, spaces and wide letters as in ASCII, each at its place."""
    return text.translate(_PLAIN)


def tokens(text: str, words: Container[str]) -> Iterator[Token]:
    """The figures of a plain text, and those of its words that are asked for, in order.

    Dates, times of day and names such as 10.0.0.1 are none.
    """
    for found in _TOKEN.finditer(text):
        kind, told = found.lastgroup or "", found[0].lower()
        if kind == "word" and told in words:
            yield Token(*found.span(), told, None, "words")
        elif kind == "digits":
            yield Token(*found.span(), "", _number(told), "digits")
        elif kind in ("ten", "science"):
            yield Token(*found.span(), "", _ten(told) if kind == "ten" else _science(told), "power")
        elif kind in ("vulgar", "glyph"):
            yield Token(*found.span(), "", _vulgar(told) if kind == "vulgar" else _glyph(told), "fraction")


def _number(told: str) -> Fraction | None:
    """The value of digits; None for more of them than anybody means."""
    if told.isdigit() and len(told) <= _MOST_DIGITS:
        return Fraction(int(told))
    told = re.sub(r"[ '_]", "", told)
    if sum(map(str.isdigit, told)) > _MOST_DIGITS:
        return None
    if told.count(",") > 1 or "." in told[told.find(",") + 1 :] or re.fullmatch(r"[1-9]\d{0,2},\d{3}", told):
        told = told.replace(",", "") if "," in told else told
    if told.count(".") > 1:
        told = told.replace(".", "")
    return Fraction(told.replace(",", "."))


def _ten(told: str) -> Fraction | None:
    found = _TEN.fullmatch(told)
    if not found:
        return None
    count = _number(found[1]) if found[1] else Fraction(1)
    exponent = int(re.sub(r"[^\d-]", "", found[2].translate(_SUPERSCRIPTS)))
    return None if count is None else count * Fraction(10) ** exponent


def _science(told: str) -> Fraction | None:
    digits, _, exponent = told.partition("e")
    count = _number(digits.strip())
    return None if count is None else count * Fraction(10) ** int(re.sub(r"[^\d-]", "", exponent))


def _vulgar(told: str) -> Fraction:
    numbers = [int(number) for number in re.findall(r"\d+", told)]
    if "/" not in told:
        return Fraction(1, numbers[0])
    return sum(numbers[:-2]) + Fraction(numbers[-2], numbers[-1])


def _glyph(told: str) -> Fraction:
    whole = told[:-1].strip()
    return int(whole or 0) + _GLYPHS[told[-1]]
