"""Every way to say a quantity says exactly that quantity."""

import random
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.orchestrator.tasks.catalogue import AXES, Axis, Range
from training.orchestrator.tasks.quantities import drawn, in_words, rounded, shares, ways

UNITS = {
    "s": 1, "sec": 1, "seconds": 1, "ms": "1/1000", "msec": "1/1000",
    "milliseconds": "1/1000", "millisecond": "1/1000",
    "us": "1/1000000", "µs": "1/1000000", "microseconds": "1/1000000",
    "bit/s": 1, "bps": 1, "bits": 1, "kbps": 1_000, "kbit/s": 1_000, "kb/s": 1_000, "kilobits": 1_000,
    "kilobit": 1_000, "kilobit/s": 1_000, "Mbps": 10**6, "Mbit/s": 10**6, "Mb/s": 10**6, "Mbit": 10**6,
    "megabits": 10**6, "megabit": 10**6, "megabit/s": 10**6, "Gbit/s": 10**9, "Gbps": 10**9, "gigabits": 10**9,
    "kB/s": 8_000, "kilobytes": 8_000, "kilobyte": 8_000, "kbyte/s": 8_000,
    "MB/s": 8 * 10**6, "megabytes": 8 * 10**6, "megabyte": 8 * 10**6, "Mbyte/s": 8 * 10**6,
    "%": "1/100", "ppm": "1/1000000",
}  # fmt: skip
ONES = {
    "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
SIZES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
PARTS = {
    "half": 2, "quarter": 4, "fifth": 5, "tenth": 10, "twentieth": 20, "fiftieth": 50, "hundredth": 100,
    "two-hundredth": 200, "five-hundredth": 500, "thousandth": 1000,
}  # fmt: skip


def number(text: str) -> Fraction:
    """A number in digits or words."""
    text = text.strip().replace(",", "")
    for size, times in SIZES.items():
        if text.endswith(f" {size}"):
            return number(text.removesuffix(f" {size}")) * times
    if not text[0].isalpha():
        return Fraction(text)
    total = 0
    for word in text.replace("-", " ").replace(" and ", " ").split():
        total = total * 100 if word == "hundred" else total + ONES[word]
    return Fraction(total)


def understood(text: str) -> Fraction:
    """What a way to say a quantity means, in SI units, as a reader of it would work it out."""
    if power := re.fullmatch(r"(?:(\d) x )?10\^-(\d+)", text):
        return Fraction(int(power[1] or 1), 10 ** int(power[2]))
    if spoken := re.fullmatch(r"ten to the minus (\w+)", text):
        return Fraction(1, 10 ** int(number(spoken[1])))
    if half := re.fullmatch(r"half a (\w+) (?:per|a) second", text):
        return Fraction(UNITS[half[1]]) / 2
    if counted := re.fullmatch(rf"(\w+) ({'|'.join(PARTS)})s of a second", text):
        return number(counted[1]) / PARTS[counted[2]]
    if part := re.fullmatch(rf"(?:a |one )?({'|'.join(PARTS)}) (?:of )?a second", text):
        return Fraction(1, PARTS[part[1]])
    if million := re.fullmatch(r"(\S+) per million", text):
        return number(million[1]) / 10**6
    if ratio := re.fullmatch(r"(?:a single bit|one bit|1 bit|1|one) ?(?:in|out of|per|:) ?(.+)", text):
        return 1 / number(ratio[1])
    if digits := re.fullmatch(r"([\d.]+) ?([A-Za-zµ%/]+)(?: (?:per|a) second)?", text):
        return number(digits[1]) * Fraction(UNITS[digits[2]])
    if worded := re.fullmatch(r"(.+?) ([a-z]+)(?: (?:per|a) second)?", text):
        return number(worded[1]) * Fraction(UNITS[worded[2]])
    return Fraction(text)


RANGES = {"delay": (2e-4, 5.0), "throughput": (2e4, 3e8), "ber": (1e-10, 1e-2)}


@given(st.sampled_from(AXES), st.floats(0, 1), st.integers(0, 9))
def test_every_way_says_exactly_the_value(axis: Axis, place: float, seed: int) -> None:
    low, high = RANGES[axis]
    value = drawn(axis, Range(low=low, high=high), random.Random(f"{place} {seed}"))
    told = [text for text in ways(axis, value) if not re.fullmatch(r"\d[eE]-\d+", text)]
    assert len(ways(axis, value)) >= 2
    for text in (*told, *(shares(value) if axis == "ber" else ())):
        assert understood(text) == Fraction(repr(value)), (text, value)


@pytest.mark.parametrize("value", [1e-9, 2e-7, 5e-6, 1e-5, 5e-4, 1e-3])
def test_bit_error_rates_are_said_as_shares_and_powers(value: float) -> None:
    assert {float(text) for text in ways("ber", value) if re.fullmatch(r"\d[eE]-\d+", text)} == {value}
    assert any("bit" in text for text in shares(value))


@given(st.sampled_from(AXES), st.floats(1e-3, 0.9), st.floats(1.5, 50), st.integers(0, 999))
def test_values_are_drawn_within_their_range(axis: Axis, low: float, factor: float, seed: int) -> None:
    within = Range(low=rounded(axis, low), high=rounded(axis, low * factor * 2))
    assert within.low <= drawn(axis, within, random.Random(seed)) <= within.high


def test_numbers_in_words_are_those_numbers() -> None:
    assert all(number(in_words(value)) == value for value in range(1, 1_000))
    with pytest.raises(ValueError, match="1000"):
        in_words(1_000)
