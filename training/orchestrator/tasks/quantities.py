"""Quantities in words: the many ways in which people write one delay, throughput or bit error rate.

Every way says exactly the value that it is given, which `rounded` makes short enough to be said.
"""

import math
import random
from decimal import Decimal
from fractions import Fraction

from training.orchestrator.tasks.catalogue import Axis, Range

_PLACES = 4
_LEAST, _MOST = Decimal("0.01"), 100_000
"""Nobody says a number of more digits, or a smaller or larger one, but in another unit."""
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_MOST_IN_WORDS = 999
_PARTS = {
    2: "half a second",
    4: "a quarter of a second",
    5: "a fifth of a second",
    10: "a tenth of a second",
    20: "a twentieth of a second",
    50: "a fiftieth of a second",
    100: "a hundredth of a second",
    200: "one two-hundredth of a second",
    500: "one five-hundredth of a second",
    1000: "a thousandth of a second",
}
_DELAYS = (
    (1, ("s", " s", " sec", " seconds")),
    (Decimal("1e-3"), ("ms", " ms", " msec", " milliseconds")),
)
_SHORT_DELAYS = ((Decimal("1e-6"), ("us", " µs", " microseconds")),)
_SHORT_S = Decimal("5e-3")
_RATES = (
    (1, (" bit/s", " bps", " bits per second")),
    (1_000, ("kbps", " kbit/s", " kb/s", " kbps", " kilobits per second", " kilobit/s")),
    (1_000_000, ("Mbps", " Mbit/s", " Mb/s", " Mbps", " megabits per second", " megabit/s", " Mbit per second")),
    (1_000_000_000, (" Gbit/s", " Gbps", " gigabits per second")),
    (8_000, (" kB/s", " kilobytes per second", " kbyte/s")),
    (8_000_000, (" MB/s", " megabytes per second", " Mbyte/s")),
)
_FRACTIONS = ((10, "tenths"), (100, "hundredths"), (1_000, "thousandths"))
_LARGE = ((1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand"))


def rounded(axis: Axis, value: float) -> float:
    """The nearest value that can be said: two digits, or one of 1, 2, 5 for a bit error rate."""
    if axis != "ber":
        return float(f"{value:.1e}")
    power = math.floor(math.log10(value))
    candidates = [float(f"{digit}e{power}") for digit in (1, 2, 5)] + [float(f"1e{power + 1}")]
    return min(candidates, key=lambda near: abs(math.log(near / value)))


def drawn(axis: Axis, within: Range, draw: random.Random) -> float:
    """A value that can be said, log-uniform in a range; every other one has one digit if the range allows it."""
    value = math.exp(draw.uniform(math.log(within.low), math.log(within.high)))
    plain = float(f"{value:.0e}")
    if axis != "ber" and within.low <= plain <= within.high and draw.random() < 0.5:
        return plain
    return min(max(rounded(axis, value), within.low), within.high)


def ways(axis: Axis, value: float) -> tuple[str, ...]:
    """Every way to write a value in a phrase's {q}."""
    exact = Decimal(repr(value))
    return {"delay": _delay_ways, "throughput": _throughput_ways, "ber": _ber_ways}[axis](exact)


def shares(ber: float) -> tuple[str, ...]:
    """Every way to say a bit error rate as a share of the bits, for a phrase's {share}."""
    count = 1 / Fraction(Decimal(repr(ber)))
    if count.denominator != 1:
        return ()
    number = count.numerator
    return tuple(
        f"{one} {per} {many}"
        for one, per in (("one bit", "in"), ("1 bit", "in"), ("a single bit", "out of"), ("1 bit", "per"))
        for many in (*_large(number), f"{number}", f"{number:,}")
        if not (per == "per" and many.startswith("a "))
    )


def in_words(number: int) -> str:
    """A whole number in 1..999 in words. ValueError beyond."""
    if not 1 <= number <= _MOST_IN_WORDS:
        raise ValueError(f"the number is {number}; it must lie in 1..{_MOST_IN_WORDS}")
    hundreds, rest = divmod(number, 100)
    if hundreds:
        head = f"{_ONES[hundreds]} hundred"
        return f"{head} and {in_words(rest)}" if rest else head
    if rest < len(_ONES):
        return _ONES[rest]
    tens, ones = divmod(rest, 10)
    return f"{_TENS[tens]}-{_ONES[ones]}" if ones else _TENS[tens]


def _delay_ways(value_s: Decimal) -> tuple[str, ...]:
    found = _in_units(value_s, _DELAYS if value_s >= _SHORT_S else (*_DELAYS, *_SHORT_DELAYS))
    part = 1 / Fraction(value_s)
    if part.denominator == 1 and part.numerator in _PARTS:
        found.append(_PARTS[part.numerator])
    for scale, name in _FRACTIONS:
        count = value_s * scale
        if count == int(count) and 2 <= count < 10:
            found.append(f"{in_words(int(count))} {name} of a second")
    found += _spoken(value_s * 1_000, "millisecond") * 2
    return tuple(found)


def _throughput_ways(value_bps: Decimal) -> tuple[str, ...]:
    found = _in_units(value_bps, _RATES)
    for scale, unit in ((1_000, "kilobit"), (1_000_000, "megabit"), (8_000, "kilobyte"), (8_000_000, "megabyte")):
        halves = ["half a " + unit] if value_bps * 2 == scale else []
        found += [
            f"{text} {per} second" for text in (*_spoken(value_bps / scale, unit), *halves) for per in ("per", "a")
        ]
    return tuple(found)


def _spoken(count: Decimal, unit: str) -> list[str]:
    """A count of units in words, where it has few enough digits for that."""
    if count != int(count) or not 1 <= count <= _MOST_IN_WORDS:
        return []
    return [f"{in_words(int(count))} {unit}{'s' * (count != 1)}"]


def _ber_ways(ber: Decimal) -> tuple[str, ...]:
    digit, power = f"{ber:.0e}".split("e-")
    plain = f"{ber:f}"
    found = [f"{digit}e-{int(power)}", f"{digit}E-{power.zfill(2)}", plain]
    found.append(f"10^-{int(power)}" if digit == "1" else f"{digit} x 10^-{int(power)}")
    if digit == "1":
        found.append(f"ten to the minus {in_words(int(power))}")
    count = 1 / Fraction(ber)
    if count.denominator == 1:
        found += [f"1 in {count.numerator}", f"1:{count.numerator}"]
        found += [f"{one} in {many}" for one in ("1", "one") for many in _large(count.numerator)]
    if ber * 100 >= Decimal("1e-4"):
        found.append(f"{_short(ber * 100)} %")
    if Decimal("0.1") <= ber * 1_000_000 < 1_000:
        found += [f"{_short(ber * 1_000_000)} per million", f"{_short(ber * 1_000_000)} ppm"]
    return tuple(found)


def _in_units(value: Decimal, units: tuple[tuple[int | Decimal, tuple[str, ...]], ...]) -> list[str]:
    found = []
    for scale, names in units:
        count = value / scale
        text = _short(count)
        if _LEAST <= count < _MOST and len(text.replace(".", "").lstrip("0")) <= _PLACES:
            found += [f"{text}{name}" for name in names]
    return found


def _large(number: int) -> tuple[str, ...]:
    """A whole number by thousands, millions and billions, in digits and in words."""
    for size, name in _LARGE:
        if number % size == 0 and number // size < 1_000:
            count = number // size
            return (f"{count} {name}", f"{in_words(count)} {name}", *((f"a {name}",) if count == 1 else ()))
    return ()


def _short(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
