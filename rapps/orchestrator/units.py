"""Units: what a number in an English text counts: seconds, bits per second, or parts of a whole."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

_MILLI, _MICRO, _NANO = Fraction(1, 10**3), Fraction(1, 10**6), Fraction(1, 10**9)
_MINUTE, _HOUR, _DAY = Fraction(60), Fraction(3600), Fraction(86400)
_TIMES = {
    "s": Fraction(1), "sec": Fraction(1), "second": Fraction(1),
    "ms": _MILLI, "msec": _MILLI, "millisec": _MILLI, "millisecond": _MILLI,
    "us": _MICRO, "µs": _MICRO, "usec": _MICRO, "µsec": _MICRO, "microsec": _MICRO, "microsecond": _MICRO,
    "ns": _NANO, "nsec": _NANO, "nanosecond": _NANO,
    "min": _MINUTE, "minute": _MINUTE, "h": _HOUR, "hr": _HOUR, "hour": _HOUR, "day": _DAY, "week": 7 * _DAY,
}  # fmt: skip
_TIMES |= {f"{word}s": scale for word, scale in _TIMES.items() if len(word) > 1 and not word.endswith("s")}
_PREFIXES = {
    "k": 10**3, "kilo": 10**3, "m": 10**6, "mega": 10**6, "g": 10**9, "giga": 10**9, "t": 10**12, "tera": 10**12,
    "ki": 2**10, "kibi": 2**10, "mi": 2**20, "mebi": 2**20, "gi": 2**30, "gibi": 2**30, "ti": 2**40, "tebi": 2**40,
}  # fmt: skip
_SPELT = (
    "second",
    "millisecond",
    "microsecond",
    "minute",
    "kilobit",
    "megabit",
    "gigabit",
    "kilobyte",
    "megabyte",
)
_SHORTHAND = {
    "kpbs": "kbps", "mpbs": "Mbps", "gpbs": "Gbps", "meg": "Mbit", "megs": "Mbit", "gig": "Gbit", "gigs": "Gbit",
    "sek": "s", "mus": "us",
}  # fmt: skip
_JOINED = {*_PREFIXES, "milli", "mili", "micro", "nano"}
_LEAST_JOINED = 3
"""Letters that a unit has at least when its prefix is a word of its own, as in "k bit/s"."""

_WORD = re.compile(r"[A-Za-zµ]{1,14}(?![\w²³])")
_SIZE = re.compile(
    rf"(?P<prefix>{'|'.join(sorted(_PREFIXES, key=len, reverse=True))})?"
    r"(?P<base>bits?|bytes?|octets?|b)(?P<per>(?:p|(?<=b))s)?",
    re.IGNORECASE,
)
_PER = re.compile(r"[\s-]{0,2}(?:p?/|(?:per|an?|each|every)\b(?:\s(?:single|one)\b)?)[\s-]{0,2}", re.IGNORECASE)
_PER_SECOND = re.compile(r"\s?[x·⋅*]?\s?s(?:\^?-1\b|⁻¹)")
_DENSITY = re.compile(r"\s?(?:/|per\b)\s?(?:hz|hertz|km|m2|m\^2|m²|square)", re.IGNORECASE)
_AMOUNT = re.compile(
    r"[\s-]?(?:of\s+(?:data|memory|ram|storage)|(?:in|per|a|each|every)\s+(?!total\b|both\b)|files?|images?|pictures?|packets?"
    r"|frames?|blocks?|messages?|payloads?|bursts?|buffers?|memory|ram|storage|disks?)",
    re.IGNORECASE,
)
_PARTS = tuple(
    (re.compile(rf"(?:{signs})", re.IGNORECASE), Fraction(1, whole))
    for signs, whole in (
        (r"%(?!-?i?le\b|-?tile)|percent\b|per[\s-]cent\b|pct\b", 10**2),
        (r"‰|per\s?mille?\b|promille\b", 10**3),
        (r"ppm\b", 10**6),
        (r"ppb\b", 10**9),
    )
)
_SIGNS = ("%", "‰", "p", "P")
"""How the units of parts begin."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts, in seconds, bit/s or as a share of one; its text ends at `end`."""

    kind: Literal["time", "rate", "ratio"]
    scale: Fraction
    end: int


def unit(text: str, place: int) -> Unit | None:
    """The unit that a text has at a place; None where there is none."""
    if text[place : place + 1] in _SIGNS:
        for sign, scale in _PARTS:
            if found := sign.match(text, place):
                return Unit("ratio", scale, found.end())
    if not (found := _WORD.match(text, place)):
        return None
    if found[0].lower() in _JOINED:
        rest = _WORD.match(text, found.end() + (text[found.end() : found.end() + 1] in (" ", "-")))
        if rest and len(rest[0]) >= _LEAST_JOINED and (joined := _named(text, found[0] + rest[0], rest.end())):
            return joined
    return _named(text, found[0], found.end())


def _named(text: str, word: str, end: int) -> Unit | None:
    word = _TYPED.get(word.lower(), word)
    scale = _time(word)
    return Unit("time", scale, end) if scale else _rate(text, word, end)


def _time(word: str) -> Fraction | None:
    # "5 US customers" are no microseconds.
    return None if word == "US" else _TIMES.get(word.lower())


def _rate(text: str, word: str, end: int) -> Unit | None:
    size = _SIZE.fullmatch(word)
    if not size:
        return None
    bits = Fraction(_PREFIXES[size["prefix"].lower()] if size["prefix"] else 1) * (8 if _bytes(word, size) else 1)
    if size["per"]:
        return _unless_density(text, Unit("rate", bits, end))
    if found := _PER_SECOND.match(text, end):
        return _unless_density(text, Unit("rate", bits, found.end()))
    if (found := _PER.match(text, end)) and (per := _WORD.match(text, found.end())):
        time = _time(_TYPED.get(per[0].lower(), per[0]))
        if time:
            return _unless_density(text, Unit("rate", bits / time, per.end()))
    # "A link of 20 Mbit": but bytes, and bits alone, are amounts of data.
    short = size["base"] == "b" and (size["prefix"] or "m") in ("M", "G", "k", "K")
    if size["prefix"] and (short or size["base"].lower() in ("bit", "bits")) and not _AMOUNT.match(text, end):
        return Unit("rate", bits, end)
    return None


def _bytes(word: str, size: re.Match[str]) -> bool:
    """Whether bytes are meant and not bits: MB/s, MBps, but not MBPS, which has no small letter to tell."""
    if len(size["base"]) > 1:
        return size["base"].lower().startswith(("byte", "octet"))
    return size["base"] == "B" and not (size["per"] and word.isupper())


def _unless_density(text: str, rate: Unit) -> Unit | None:
    """Bit/s/Hz and Mbit/s/km² are no rates."""
    return None if _DENSITY.match(text, rate.end) else rate


def _mistyped(word: str) -> Iterator[str]:
    """A word with a letter dropped, doubled or swapped with the next."""
    for place in range(1, len(word)):
        before, letter, after = word[:place], word[place], word[place + 1 :]
        yield before + after
        yield before + 2 * letter + after
        yield before + after[:1] + letter + after[1:]


_TYPED = {typed: word for word in _SPELT for typed in _mistyped(word)}
_TYPED |= {typed: f"{word}s" for word in _SPELT for typed in _mistyped(f"{word}s")}
_TYPED |= {f"{word}{s}": f"{word}{s}" for word in _SPELT for s in ("", "s")} | _SHORTHAND
