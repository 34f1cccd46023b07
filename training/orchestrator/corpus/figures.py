"""Figures as people say them: throughputs, delays, error rates and decibels, to two digits or more."""

import math

LEAST_BER = 1e-9


def said_rate(rate_bps: float, count: int = 2) -> str:
    """A throughput."""
    for size, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if rate_bps >= 0.9995 * size:
            return f"{digits(rate_bps / size, count)} {unit}"
    return f"{digits(rate_bps, count)} bit/s"


def said_delay(delay_s: float, count: int = 2) -> str:
    """A delay."""
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if delay_s >= 0.9995 * size:
            return f"{digits(delay_s / size, count)} {unit}"
    return f"{digits(delay_s * 1e6, count)} microseconds"


def said_ber(ber: float) -> str:
    """A bit error rate; what is below LEAST_BER is said to be so."""
    if ber < LEAST_BER:
        return f"below {said_ber(LEAST_BER)}"
    if ber >= 0.01:
        return digits(ber)
    digit, power = f"{ber:.1e}".split("e")
    return f"{digit.removesuffix('.0')}e{int(power)}"


def ratio(value_db: float) -> str:
    """The power ratio of so many decibels."""
    return digits(10.0 ** (value_db / 10.0))


def counted(number: int, what: str) -> str:
    """So many of something."""
    return f"{number} {what}{'s' * (number != 1)}"


def digits(value: float, count: int = 2) -> str:
    """A number to so many digits, with an exponent only where it is very large or very small."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{count - 1}e}")
    size = math.floor(math.log10(abs(rounded)))
    if not -5 <= size <= 6:
        return f"{rounded:.{count - 1}e}"
    text = f"{rounded:.{max(0, count - 1 - size)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
