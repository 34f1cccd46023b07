"""Computed answers are right: they are computed here again, from the words of the question, by another way."""

import math
import random
import re

import numpy as np
import pytest

from training.orchestrator.instructions import chains, rates, timing, units
from training.orchestrator.instructions.instruction import Instruction
from training.orchestrator.tasks.equipment import is_unseen
from twin.link.catalogue import BITS_PER_SYMBOL, Modulation
from twin.link.errors import PlanError
from twin.link.hardware import processing_delay_s
from twin.link.plan import ChainGrid, LinkChain

SEEDS = range(60)
UNITS = {"microseconds": 1e-6, "ms": 1e-3, "s": 1.0, "bit/s": 1.0, "kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9}


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found, text
    return float(found[1])


def quantity(pattern: str, text: str) -> float:
    found = re.search(pattern + r" ([A-Za-z/]+)", text)
    assert found, text
    return float(found[1]) * UNITS[found[2]]


def drawn(generator: object) -> list[Instruction]:
    assert callable(generator)
    return [generator(random.Random(seed)) for seed in SEEDS]


def test_bytes_are_eight_bits() -> None:
    for one in drawn(units.bytes_to_bits):
        assert number(r"([\d.]+)", one.answer) == 8 * number(r"([\d.]+) [kM]B", one.question)


def test_units_become_si() -> None:
    for one in drawn(units.rate_to_si):
        assert quantity(r"([\d.]+)", one.answer) == pytest.approx(quantity(r"([\d.]+)", one.question))
    for one in drawn(units.delay_to_si):
        assert quantity(r"([\d.]+)", one.answer) == pytest.approx(quantity(r"(\d+)", one.question))


def test_decibels() -> None:
    for one in drawn(units.decibels_to_ratio):
        expected = 10 ** (number(r"(-?\d+) dB", one.question) / 10)
        assert number(r"about ([\d.]+)", one.answer) == pytest.approx(expected, rel=0.01)
    for one in drawn(units.ratio_to_decibels):
        asked = number(r"([\d.]+)", one.question.replace("times", ""))
        assert number(r"(-?[\d.]+) dB", one.answer) == pytest.approx(10 * math.log10(asked), abs=0.06)


def test_error_rates() -> None:
    for one in drawn(units.error_rate):
        if (found := re.search(r"in (\d+)", one.question)) is not None:
            assert float(one.answer) == pytest.approx(1 / float(found[1]))
        elif (found := re.search(r"([\d.]+) %", one.question)) is not None:
            assert float(one.answer) == pytest.approx(float(found[1]) / 100)


def test_prbs_are_as_few_as_can_be() -> None:
    for one in drawn(rates.prbs_needed):
        asked = quantity(r"does ([\d.]+)", one.question)
        numerology = number(r"numerology (\d)", one.question)
        bits = BITS_PER_SYMBOL[Modulation(re.findall(r"\w*qam|qpsk", one.question)[0])]
        rate, layers = number(r"code rate ([\d.]+)", one.question), number(r"(\d) layer", one.question)
        each = 144 * bits * rate * layers * 1000 * 2**numerology
        assert each * int(one.answer) >= asked * (1 - 1e-9)
        assert each * (int(one.answer) - 1) < asked


def test_spread_power_is_the_equipment_s_formula() -> None:
    for one in drawn(rates.spread):
        stated, power = number(r"states (-?\d+) dB", one.question), number(r"with (\d+) dBm", one.question)
        prbs, numerology = re.findall(r"(\d+) PRBs of numerology (\d)\?", one.question)[0]
        reference = int(prbs) * 2.0 ** (int(numerology) - 1)
        expected = stated + power - 23 - 10 * math.log10(reference / 51)
        assert number(r"(-?[\d.]+) dB", one.answer) == pytest.approx(expected, abs=0.06)


def test_delays_are_those_of_the_hardware_model() -> None:
    """Computing is chosen so that a chain of the stated timing takes the stated time."""
    for one in drawn(timing.in_time):
        transmissions = number(r"needs (\d)", one.question)
        numerology, repetition = re.findall(r"numerology (\d), repetition (\d)", one.question)[0]
        chain = LinkChain(
            numerology=int(numerology),
            prbs=10,
            modulation=Modulation.QPSK,
            code_rate=0.5,
            repetition=int(repetition),
            harq_transmissions=4,
        )
        grid = ChainGrid.of((chain,))
        compute_s = quantity(r"with ([\d.]+)", one.question)
        flops = float(
            processing_delay_s(grid, 1.0, 1.0)[0] - (0.5 + int(repetition)) * 1e-3 / 2 ** int(numerology)
        )
        delay_s = processing_delay_s(grid, flops / compute_s, np.array([transmissions]))[0]
        assert one.answer == (
            "yes" if delay_s <= quantity(r"within ([\d.]+)", one.question) * (1 + 1e-9) else "no"
        )


def test_most_transmissions_and_least_numerology_are_extremes() -> None:
    for one in drawn(timing.most_transmissions):
        budget, most = quantity(r"into ([\d.]+)", one.question), int(one.answer)
        told = [float(count) * UNITS[unit] for count, unit in re.findall(r"takes? ([\d.]+) (\w+)", one.reasoning)]
        assert told[most - 1] <= budget * 1.001
        assert most == 4 or told[most] > budget * 0.999
    for one in drawn(timing.least_numerology):
        budget, least = quantity(r"within ([\d.]+)", one.question), int(one.answer)
        slots = 0.5 + number(r"repetition (\d)", one.question)
        assert slots * 1e-3 / 2**least <= budget * 1.001
        assert least == 0 or slots * 1e-3 / 2 ** (least - 1) > budget


def test_a_broken_rule_is_the_one_that_a_plan_is_refused_for() -> None:
    for one in drawn(chains.broken_rule):
        pairs = dict(pair.split(" ") for pair in one.question.split("? ")[1].split(", "))
        values = {
            name: float(value) if re.fullmatch(r"-?[\d.]+", value) else value for name, value in pairs.items()
        }
        whole = {
            name: int(value) if name != "code_rate" and isinstance(value, float) else value
            for name, value in values.items()
        }
        if one.answer == "none":
            LinkChain(**whole)  # type: ignore[arg-type]
        else:
            with pytest.raises(PlanError) as caught:
                LinkChain(**whole)  # type: ignore[arg-type]
            assert caught.value.field == one.answer


def test_comparisons_say_what_their_reasons_say() -> None:
    for one in drawn(chains.lower_error_rate)[:20]:
        first, second = re.findall(r"has (?:below )?([\d.e-]+) and \S+ (?:below )?([\d.e-]+)\.$", one.reasoning)[0]
        name, one_value, other = re.findall(r"with (\w+) (\S+) or with \w+ (\S+)\?", one.question)[0]
        assert one.answer == f"{name} {one_value if float(first) < float(second) else other}"
    targets = (("delay", "above"), ("throughput", "below"), ("bit error rate", "above"))
    for one in drawn(chains.what_is_missed)[:20]:
        said = re.findall(r"is (above|below)", one.reasoning)
        missed = [name for (name, miss), found in zip(targets, said, strict=True) if found == miss]
        assert one.answer == (" and ".join(missed) or "nothing")


def test_an_exceeded_limit_is_exceeded() -> None:
    for one in drawn(chains.exceeded_limit):
        free, transmit, receive, power = re.findall(r"(-?\d+)", one.question)[:4]
        told = dict(re.findall(r"(\w+) (-?\d+)", one.question.split("? ")[1]))
        over = {
            "prbs": int(told["prbs"]) * 2.0 ** (int(told["numerology"]) - 1) > int(free),
            "tx_antennas": int(told["tx_antennas"]) > int(transmit),
            "rx_antennas": int(told["rx_antennas"]) > int(receive),
            "tx_power_dbm": int(told["tx_power_dbm"]) > int(power),
        }
        assert [name for name, exceeded in over.items() if exceeded] == [one.answer]


def test_equipments_are_of_training() -> None:
    assert not any(is_unseen(chains._sample(random.Random(seed))[0]) for seed in range(5))
