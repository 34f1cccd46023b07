"""Rates: questions about slots, PRBs, bits per symbol and what SNR allows."""

import math
import random

from training.orchestrator.corpus.figures import counted, digits, said_rate
from training.orchestrator.instructions.instruction import Instruction
from twin.link.catalogue import (
    BITS_PER_SYMBOL,
    CODE_RATES,
    DATA_SYMBOLS_PER_SLOT,
    REFERENCE_NUMEROLOGY,
    REFERENCE_POWER_DBM,
    REFERENCE_PRBS,
    SUBCARRIERS_PER_PRB,
)

SOURCE = "rates"
DATA = SUBCARRIERS_PER_PRB * DATA_SYMBOLS_PER_SLOT
"""Data resource elements of a PRB and slot."""


def slots(draw: random.Random) -> Instruction:
    """How long a slot lasts, or how many there are."""
    numerology = draw.randrange(4)
    duration = f"{1000 / 2**numerology:g} microseconds"
    if draw.random() < 0.5:
        question = draw.choice(
            ("How long is a slot at numerology {}?", "What is the slot duration of numerology {}?")
        )
        return Instruction(
            question=question.format(numerology),
            reasoning=f"1 ms / 2^{numerology} = {duration}.",
            answer=duration,
            source=SOURCE,
        )
    return Instruction(
        question=f"How many slots does numerology {numerology} have in a second?",
        reasoning=f"A slot lasts 1 ms / 2^{numerology}, so there are 1000 x 2^{numerology} in a second.",
        answer=str(1000 * 2**numerology),
        source=SOURCE,
    )


def bandwidth(draw: random.Random) -> Instruction:
    """The width of PRBs, in hertz or in PRBs of numerology 1."""
    numerology, prbs = draw.randrange(4), draw.choice((1, 2, 4, 6, 10, 12, 24, 40, 51))
    spacing = 15 * 2**numerology
    if draw.random() < 0.5:
        width = prbs * SUBCARRIERS_PER_PRB * spacing
        return Instruction(
            question=f"How wide are {counted(prbs, 'PRB')} of numerology {numerology}?",
            reasoning=f"{prbs} x {SUBCARRIERS_PER_PRB} subcarriers of {spacing} kHz = {width} kHz.",
            answer=f"{width / 1000:g} MHz",
            source=SOURCE,
        )
    factor = 2.0 ** (numerology - REFERENCE_NUMEROLOGY)
    return Instruction(
        question=f"How many PRBs of numerology 1 do {counted(prbs, 'PRB')} of numerology {numerology} take?",
        reasoning=f"{prbs} x 2^({numerology} - 1) = {prbs} x {factor:g}.",
        answer=f"{prbs * factor:g}",
        source=SOURCE,
    )


def efficiency(draw: random.Random) -> Instruction:
    """Information bits of a symbol."""
    modulation, rate = draw.choice(list(BITS_PER_SYMBOL)), draw.choice(CODE_RATES)
    bits = BITS_PER_SYMBOL[modulation]
    return Instruction(
        question=f"How many information bits does a symbol carry with {modulation.value} at code rate {rate:g}?",
        reasoning=f"{modulation.value} has {bits} bits; {bits} x {rate:g} = {bits * rate:g}.",
        answer=f"{bits * rate:g}",
        source=SOURCE,
    )


def throughput(draw: random.Random) -> Instruction:
    """What a link carries if no block is lost."""
    numerology, prbs, layers = (
        draw.randrange(4),
        draw.choice((2, 5, 10, 20, 24, 40, 51)),
        draw.choice((1, 1, 2, 4)),
    )
    modulation, rate = draw.choice(list(BITS_PER_SYMBOL)), draw.choice(CODE_RATES)
    bits = prbs * DATA * BITS_PER_SYMBOL[modulation] * rate * layers
    return Instruction(
        question=f"What do {prbs} PRBs of numerology {numerology} carry with {modulation.value}, code rate "
        f"{rate:g} and {counted(layers, 'layer')}, if no block is lost?",
        reasoning=f"A slot has {prbs} x {DATA} x {BITS_PER_SYMBOL[modulation]} x {rate:g} x {layers} = "
        f"{digits(bits, 6)} bits, and there are {1000 * 2**numerology} slots in a second.",
        answer=f"about {said_rate(bits * 1000 * 2**numerology, 3)}",
        source=SOURCE,
    )


def prbs_needed(draw: random.Random) -> Instruction:
    """How many PRBs a rate takes."""
    while True:
        rate_bps = draw.choice((0.2, 0.5, 1, 2, 4, 5, 8, 10, 15, 20, 25, 40, 50, 80, 100)) * 1e6
        numerology, layers = draw.randrange(4), draw.choice((1, 1, 2))
        modulation, rate = draw.choice(list(BITS_PER_SYMBOL)), draw.choice(CODE_RATES)
        each = DATA * BITS_PER_SYMBOL[modulation] * rate * layers
        slot_bits = rate_bps / (1000 * 2**numerology)
        prbs = math.ceil(slot_bits / each - 1e-9)
        if prbs <= 275:
            break
    return Instruction(
        question=f"How many PRBs does {said_rate(rate_bps)} need at numerology {numerology} with "
        f"{modulation.value}, code rate {rate:g} and {counted(layers, 'layer')}?",
        reasoning=f"A slot must carry {digits(slot_bits, 4)} bits; a PRB carries {DATA} x "
        f"{BITS_PER_SYMBOL[modulation]} x {rate:g} x {layers} = {each:g}. "
        f"{digits(slot_bits, 4)} / {each:g} is rounded up.",
        answer=str(prbs),
        source=SOURCE,
    )


def spread(draw: random.Random) -> Instruction:
    """The SNR of a resource element after power and bandwidth."""
    snr_db, power_dbm = draw.randint(-2, 24), draw.choice((10, 13, 17, 20, 23, 26, 30))
    numerology, prbs = draw.randrange(1, 4), draw.choice((2, 5, 10, 20, 40, 51, 68))
    reference = prbs * 2 ** (numerology - REFERENCE_NUMEROLOGY)
    gained_db, lost_db = power_dbm - REFERENCE_POWER_DBM, 10.0 * math.log10(reference / REFERENCE_PRBS)
    return Instruction(
        question=f"The equipment states {snr_db} dB for {REFERENCE_POWER_DBM} dBm over {REFERENCE_PRBS} PRBs of "
        f"numerology 1. Which SNR has a resource element with {power_dbm} dBm over {prbs} PRBs of "
        f"numerology {numerology}?",
        reasoning=f"Power: {power_dbm} - {REFERENCE_POWER_DBM} = {gained_db} dB. Bandwidth: {reference} PRBs of "
        f"numerology 1, 10 log10({reference}/{REFERENCE_PRBS}) = {lost_db:.1f} dB. "
        f"{snr_db} + {gained_db} - ({lost_db:.1f}).",
        answer=f"{round(snr_db + gained_db - lost_db, 1) + 0.0:.1f} dB",
        source=SOURCE,
    )


def capacity(draw: random.Random) -> Instruction:
    """What Shannon allows, or asks for."""
    if draw.random() < 0.5:
        snr_db = draw.choice((-5, -3, 0, 3, 5, 7, 10, 12, 15, 18, 20, 25))
        ratio = 10.0 ** (snr_db / 10.0)
        return Instruction(
            question=f"At most how many bits per symbol does an SNR of {snr_db} dB allow on one layer?",
            reasoning=f"{snr_db} dB is a ratio of {digits(ratio, 3)}; log2(1 + {digits(ratio, 3)}).",
            answer=f"about {math.log2(1.0 + ratio):.2f}",
            source=SOURCE,
        )
    bits = draw.choice((0.2, 0.4, 0.8, 1, 1.2, 1.6, 2, 2.4, 3, 3.6, 4.2, 4.8, 5.6, 6.4, 7.2))
    ratio = 2.0**bits - 1.0
    return Instruction(
        question=f"Which SNR do {bits:g} information bits per symbol need at the very least on one layer?",
        reasoning=f"Shannon: 2^{bits:g} - 1 = {digits(ratio, 3)}, in decibels 10 log10 of it.",
        answer=f"about {round(10.0 * math.log10(ratio), 1) + 0.0:.1f} dB",
        source=SOURCE,
    )


GENERATORS = (slots, bandwidth, efficiency, throughput, prbs_needed, spread, capacity)
