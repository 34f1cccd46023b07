"""Units: questions that turn bytes into bits, decibels into ratios and words into numbers."""

import math
import random

from training.orchestrator.corpus.figures import digits
from training.orchestrator.instructions.instruction import Instruction

SOURCE = "units"
_SIZES = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000}


def bytes_to_bits(draw: random.Random) -> Instruction:
    """A rate in bytes, asked in bits."""
    count, size = draw.choice((1, 2, 2.5, 4, 5, 8, 10, 12, 16, 20, 25, 40)), draw.choice("kM")
    question = draw.choice(
        (
            "How many {size}bit/s are {count} {size}B/s?",
            "A camera sends {count} {size}B/s. What is that in {size}bit/s?",
        )
    )
    bits = count * 8
    return Instruction(
        question=question.format(count=f"{count:g}", size=size),
        reasoning=f"A byte has 8 bits, so {count:g} x 8 = {bits:g}.",
        answer=f"{bits:g} {size}bit/s",
        source=SOURCE,
    )


def rate_to_si(draw: random.Random) -> Instruction:
    """A rate in bits per second."""
    count, size = draw.choice((1, 1.5, 2, 3, 5, 8, 12, 20, 25, 50, 64, 80, 100, 250)), draw.choice("kMG")
    value = count * _SIZES[size]
    question = draw.choice(
        ("Write {} in bit/s.", "What is {} in bits per second?", "How many bits per second are {}?")
    )
    return Instruction(
        question=question.format(f"{count:g} {size}bit/s"),
        reasoning=f"{size} stands for {_SIZES[size]}, so {count:g} x {_SIZES[size]}.",
        answer=f"{value:.0f} bit/s",
        source=SOURCE,
    )


def delay_to_si(draw: random.Random) -> Instruction:
    """A delay in seconds."""
    count, (unit, power) = (
        draw.choice((1, 2, 4, 5, 8, 10, 20, 25, 50, 75, 150, 300)),
        draw.choice((("ms", 3), ("microseconds", 6))),
    )
    question = draw.choice(("Write {} in seconds.", "What is {} in s?", "How many seconds are {}?"))
    return Instruction(
        question=question.format(f"{count} {unit}"),
        reasoning=f"One second has {10**power} {unit}, so {count} / {10**power}.",
        answer=f"{_plain(count / 10**power)} s",
        source=SOURCE,
    )


def error_rate(draw: random.Random) -> Instruction:
    """A bit error rate told otherwise."""
    power = draw.randint(2, 9)
    words = {3: "a thousand", 4: "ten thousand", 5: "a hundred thousand", 6: "a million", 9: "a billion"}
    told = [f"one wrong bit in {10**power}", f"10^-{power}", f"{_plain(100 * 10.0**-power)} % of the bits"]
    if power in words:
        told.append(f"one wrong bit in {words[power]}")
    if power >= 6:
        told.append(f"{_plain(10.0 ** (6 - power))} per million")
    question = draw.choice(("Write as a bit error rate: {}.", "Which bit error rate is {}?"))
    return Instruction(
        question=question.format(draw.choice(told)),
        reasoning=f"That is one in 10^{power}.",
        answer=f"1e-{power}",
        source=SOURCE,
    )


def decibels_to_ratio(draw: random.Random) -> Instruction:
    """A power ratio of decibels."""
    value_db = draw.choice((-20, -10, -6, -5, -3, 0, 1, 2, 3, 5, 6, 7, 9, 10, 12, 13, 15, 17, 18, 20, 23, 25, 30))
    question = draw.choice(
        (
            "Which power ratio is {} dB?",
            "An SNR is {} dB. How many times as strong as the noise is the signal?",
            "Convert {} dB to a ratio of powers.",
        )
    )
    return Instruction(
        question=question.format(value_db),
        reasoning=f"The ratio is 10^({value_db}/10) = 10^{value_db / 10:g}.",
        answer=f"about {digits(10.0 ** (value_db / 10.0), 3)}",
        source=SOURCE,
    )


def ratio_to_decibels(draw: random.Random) -> Instruction:
    """Decibels of a power ratio."""
    ratio = draw.choice((0.01, 0.1, 0.25, 0.5, 1, 2, 4, 5, 8, 10, 16, 20, 25, 32, 50, 64, 100, 200, 500, 1000))
    question = draw.choice(
        (
            "How many dB is a power ratio of {}?",
            "A signal is {} times as strong as the noise. What is the SNR in dB?",
            "Convert a factor of {} to decibels.",
        )
    )
    logarithm = math.log10(ratio)
    return Instruction(
        question=question.format(f"{ratio:g}"),
        reasoning=f"10 log10({ratio:g}) = 10 x {_signed(logarithm, 3)}.",
        answer=f"{_signed(10.0 * logarithm, 1)} dB",
        source=SOURCE,
    )


def power(draw: random.Random) -> Instruction:
    """DBm and milliwatts."""
    value_dbm = draw.choice((-10, 0, 3, 10, 13, 17, 20, 23, 26, 30, 33, 36, 40, 43, 46))
    value_mw = 10.0 ** (value_dbm / 10.0)
    if draw.random() < 0.5:
        return Instruction(
            question=draw.choice(("How many milliwatts are {} dBm?", "What is {} dBm in mW?")).format(value_dbm),
            reasoning=f"dBm counts from 1 mW: 10^({value_dbm}/10) mW.",
            answer=f"about {digits(value_mw, 3)} mW",
            source=SOURCE,
        )
    change_db = draw.choice((3, 6, 7, 10, 13, 20))
    return Instruction(
        question=f"A transmitter of {value_dbm} dBm is made {change_db} dB stronger. What is its power?",
        reasoning=f"Decibels add to dBm: {value_dbm} + {change_db} = {value_dbm + change_db}. "
        f"That is a factor of {digits(10.0 ** (change_db / 10.0))}.",
        answer=f"{value_dbm + change_db} dBm",
        source=SOURCE,
    )


def _plain(value: float) -> str:
    """Without an exponent."""
    text = f"{value:.12f}".rstrip("0").rstrip(".")
    return text or "0"


def _signed(value: float, places: int) -> str:
    """With so many places, and no minus before a zero."""
    return f"{round(value, places) + 0.0:.{places}f}"


GENERATORS = (bytes_to_bits, rate_to_si, delay_to_si, error_rate, decibels_to_ratio, ratio_to_decibels, power)
