"""Quantities: what an English text says of times, rates, shares and numbers, in SI units.

>>> [(found.kind, found.value) for found in find("20 Mbit/s in half a second, one wrong bit in a million")]
[('rate', 20000000.0), ('time', 0.5), ('ratio', 1e-06)]
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from rapps.orchestrator.figures import plain
from rapps.orchestrator.numerals import Numeral, numerals
from rapps.orchestrator.units import Unit, unit

Kind = Literal["time", "rate", "ratio", "reliability", "number"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity of a text, from `start` up to `end`.

    `value` is in seconds (time) or bit/s (rate), a share below 0.9 (ratio) or from 0.9 to below 1 (reliability:
    what is to go well), or without a unit (number).
    """

    start: int
    end: int
    kind: Kind
    value: float


_RELIABLE = Fraction(9, 10)
_LEAST_WHOLE, _LEAST_WHOLE_IN_SIGNS, _LEAST_WHOLE_BEFORE = 10, 100, 1_000
"""From which number on "1 in 10", "1:100" and "in 1000 bits, one" are shares."""
_LONGEST_TIME_S = 7 * 86_400
_MINUTE_S = 60
_MOST_NINES = 12
_LEAST_PART = 100
"""A hundredth is a share, a quarter without a unit is none."""

_GAP = re.compile(r"\s{0,2}[-(]?")
_GAP_OF_PART = re.compile(r"[\s-]{0,2}(?:of[\s-])?(?:(?:an?|one|1)[\s-])?", re.IGNORECASE)
_FAULTY = (
    r"(?:(?:single|bits?|errors?|errored|erroneous|wrong|false|bad|faulty|flip(?:s|ped)?|corrupt(?:ed|ions?)?"
    r"|incorrect|inverted|broken|lost|loss|losses|failed|failures?|packets?|frames?|blocks?|symbols?|parts?|undetected|residual|defective|damaged"
    r"|dropped|mistakes?|may|can|be|is|at|most|transmitted|received)[\s-]{1,2}){0,5}"
)
_SHARE = re.compile(
    rf"[\s-]{{1,2}}(?P<what>{_FAULTY})(?:in|out[\s-]of|per|(?P<of>of)|every|among)[\s-]{{1,2}}"
    r"(?:(?:every|each|all|an?|total|of)[\s-]{1,2}){0,3}|(?P<sign>\s?:\s?|/)",
    re.IGNORECASE,
)
_LONGEST_SHARE = 90
_WHOLE_BEFORE = re.compile(r"\b(?:of|in|per|among)\s(?:(?:every|each|an?)\s)?$", re.IGNORECASE)
_BITS = r"\s(?:transmitted\s)?(?:bits|packets|frames|blocks|symbols)"
_AT_MOST = r"\s(?:at\smost|no\smore\sthan|not\smore\sthan|only|up\sto|fewer\sthan|less\sthan)"
_PART_AFTER = re.compile(rf"(?:{_BITS},?(?:{_AT_MOST})?|,?{_AT_MOST})\s", re.IGNORECASE)
_SHORT_SCALE = re.compile(r"[kKM](?![A-Za-z0-9])")
_NINES = re.compile(r"[\s-]?(?:nines|9'?s)\b", re.IGNORECASE)
_TO = re.compile(r"-|\s?(?:\.{2,3}|~|±|\+/-)\s?|\s(?:to|or|up\sto|through)\s|(?P<between>\sand\s)", re.IGNORECASE)
_BETWEEN = re.compile(r"\bbetween\s$", re.IGNORECASE)
_HALF_MORE = re.compile(r"\sand\sa\shalf\b", re.IGNORECASE)
_LABEL = re.compile(
    r"(?:(?P<open>[(\[])(?:in\s)?|_|\bin\s)(?P<unit>[A-Za-zµ%/]{1,12})(?(open)[)\]])[\"']?\s?"
    r"(?:(?:[:=]|[<>]=?|≤|≥|is\b|of\b)\s?|(?(open)|(?!)))"
)
_WITHIN = re.compile(
    r"\b(?:within|under|below|than|about|most|over|beyond|after|exceed|inside|in|to|is|exactly|nearly"
    r"|(?<!fraction )(?<!fractions )(?<!part )of)\s$",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"second\s+(?!(?:or|and|at|from|to|with|for|is|but|of|per|end|max|when|after|between|delay|latency|if|as|on|please)\b)\w",
    re.IGNORECASE,
)
_DECADE = re.compile(r"(?:1[89]|20)\d0s\b")
_LONGEST_BEFORE = 20


def find(text: str) -> tuple[Quantity, ...]:
    """The quantities of any text, in order; no two overlap."""
    told = plain(text)
    numbers, labels = tuple(numerals(told)), _labels(told)
    found: list[Quantity] = []
    for place, number in enumerate(numbers):
        if found and number.start < found[-1].end:
            continue
        following = numbers[place + 1] if place + 1 < len(numbers) else None
        quantity = (
            (following and _share(told, number, following))
            or _measured(told, number, labels)
            or (following and _ranged(told, number, following))
            or _bare(told, number)
        )
        if quantity:
            found.append(quantity)
    return tuple(found)


def _share(told: str, number: Numeral, following: Numeral) -> Quantity | None:
    """One wrong bit in a million; 1:1000000; in a million bits, one."""
    if following.start - number.end > _LONGEST_SHARE:
        return None
    if found := _SHARE.fullmatch(told, number.end, following.start):
        least = _LEAST_WHOLE_IN_SIGNS if found["sign"] or found["of"] else _LEAST_WHOLE
        short = _SHORT_SCALE.match(told, following.end)
        whole = following.value * ({"k": 10**3, "M": 10**6}[short[0].replace("K", "k")] if short else 1)
        part, end = number.value, short.end() if short else following.end
        sound = number.form != "article" or bool(found["what"])
    elif _PART_AFTER.fullmatch(told, number.end, following.start) and _before(_WHOLE_BEFORE, told, number.start):
        least, whole, part, end = _LEAST_WHOLE_BEFORE, number.value, following.value, following.end
        sound = following.form != "article"
    else:
        return None
    if not sound or whole < least or not 0 < part < whole or _counts(told, following):
        return None
    return _quantity(number.start, end, "ratio", part / whole)


def _counts(told: str, number: Numeral) -> bool:
    """Whether a number counts a unit, as the latter of `1 packet in 20 ms`."""
    its = _unit(told, number)
    return its is not None and not (its.kind == "time" and number.value * its.scale > _LONGEST_TIME_S)


def _measured(told: str, number: Numeral, labels: Mapping[int, Unit]) -> Quantity | None:
    """A number with its unit."""
    if nines := _NINES.match(told, number.end):
        if number.value.denominator == 1 and 1 <= number.value <= _MOST_NINES:
            return _quantity(number.start, nines.end(), "ratio", 1 - Fraction(1, 10**number.value.numerator))
        return None
    its = _unit(told, number)
    if its is None:
        if not (label := labels.get(number.start)) or _glued_after(told, number):
            return None
        its = Unit(label.kind, label.scale, number.end)
    value = number.value * its.scale
    if its.kind == "ratio" and _RELIABLE <= value / 1_000 < 1 and "," in told[number.start : number.end]:
        value /= 1_000  # 99,999 %
    end = its.end
    if number.value == 1 and its.kind == "time" and (more := _HALF_MORE.match(told, end)):
        value, end = value * Fraction(3, 2), more.end()
    return _quantity(number.start, end, its.kind, value)


def _unit(told: str, number: Numeral) -> Unit | None:
    gap = (_GAP_OF_PART if number.form == "fraction" else _GAP).match(told, number.end)
    its = unit(told, gap.end()) if gap else None
    if its is None or gap is None:
        return None
    if number.form == "power" and its.kind == "time" and its.scale >= _MINUTE_S:
        return None  # The min of "BER 1e-6 min" is a minimum.
    # Not "30 frames a second", nor "a second camera".
    within = _before(_WITHIN, told, number.start) and not _ORDINAL.match(told, gap.end())
    if number.form == "article" and its.kind == "time" and not within:
        return None
    if _DECADE.match(told, number.start):
        return None
    in_brackets = told[gap.end() - 1] == "(" and told[its.end : its.end + 1] == ")"
    return replace(its, end=its.end + 1) if in_brackets else its


def _ranged(told: str, number: Numeral, following: Numeral) -> Quantity | None:
    """The 5 of `5 to 10 ms`."""
    between = _TO.fullmatch(told, number.end, following.start)
    if not between or number.form not in ("digits", "words", "fraction") or _glued_before(told, number):
        return None
    if between["between"] and not _before(_BETWEEN, told, number.start):
        return None
    its = _unit(told, following)
    return _quantity(number.start, number.end, its.kind, number.value * its.scale) if its else None


def _bare(told: str, number: Numeral) -> Quantity | None:
    """A number without a unit; None where it is rather part of a name or phrase."""
    small = _part(number.value)
    if _glued_before(told, number) or _glued_after(told, number):
        sound = number.form == "power" and small
    elif number.form == "fraction":
        sound = small and number.value.denominator >= _LEAST_PART
    else:
        sound = number.form != "article" and told[number.start : number.end].lower() != "one"
    return _quantity(number.start, number.end, "ratio", number.value) if sound else None


def _quantity(start: int, end: int, kind: Literal["time", "rate", "ratio"], value: Fraction) -> Quantity:
    if kind != "ratio":
        return Quantity(start, end, kind, float(value))
    if _part(value):
        return Quantity(start, end, "ratio" if value < _RELIABLE else "reliability", float(value))
    return Quantity(start, end, "number", float(value))


def _part(value: Fraction) -> bool:
    """Whether a value lies between 0 and 1."""
    return 0 < value.numerator < value.denominator


def _labels(told: str) -> dict[int, Unit]:
    """Units that stand before their number, as in `delay (ms): 5` and `max_delay_s=5`, by the number's place."""
    found = {label.end(): (unit(label["unit"], 0), len(label["unit"])) for label in _LABEL.finditer(told)}
    return {place: its for place, (its, length) in found.items() if its and its.end == length}


def _before(pattern: re.Pattern[str], told: str, place: int) -> bool:
    return pattern.search(told[max(0, place - _LONGEST_BEFORE) : place]) is not None


def _glued_before(told: str, number: Numeral) -> bool:
    return told[max(0, number.start - 1) : number.start].isalpha()


def _glued_after(told: str, number: Numeral) -> bool:
    after = told[number.end : number.end + 1]
    return after.isalnum() or after == "_"


_UNITS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "time": (("s", 0), ("ms", -3), ("us", -6), ("ns", -9)),
    "rate": (("Gbit/s", 9), ("Mbit/s", 6), ("kbit/s", 3), ("bit/s", 0)),
}
_MOST_PLAIN_POWER = 9


def tell(kind: Kind, value: float) -> str:
    """The short form of a quantity, of three digits at most: `75 ms`, `20 Mbit/s`, `1e-6`, `99.999 %`.

    ValueError for a value that is negative or not finite.
    """
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"the {kind} is {value}; it must be finite and at least 0")
    if kind == "reliability":
        return f"{100 * (1 - _rounded(1 - Decimal(repr(value)))):f}".rstrip("0").rstrip(".") + " %"
    exact = _rounded(Decimal(repr(value)))
    if kind == "ratio":
        return _power(exact)
    if kind == "number":
        return _digits(exact)
    units = _UNITS[kind]
    name, power = next((one for one in units if exact >= Decimal(10) ** one[1]), units[-1])
    return f"{_digits(exact.scaleb(-power))} {name}"


def _rounded(value: Decimal) -> Decimal:
    return Decimal(f"{value:.2e}")


def _digits(value: Decimal) -> str:
    if value and not -3 <= value.adjusted() < _MOST_PLAIN_POWER:
        return _power(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _power(value: Decimal) -> str:
    digits, power = f"{value:e}".split("e")
    return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits}e{int(power)}"
