"""Timing: questions about delay, HARQ and computing, answered by the twin's hardware model."""

import random

import numpy as np

from training.orchestrator.corpus.figures import counted, digits, said_delay
from training.orchestrator.instructions.instruction import Instruction
from twin.link import hardware
from twin.link.catalogue import Modulation
from twin.link.plan import ChainGrid, LinkChain

SOURCE = "timing"
_BUDGETS_S = (0.5e-3, 1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 8e-3, 10e-3, 20e-3, 50e-3)
_COMPUTE_SHARES = (0.05, 0.1, 0.2, 0.4, 0.6, 0.9)


def in_slots(draw: random.Random) -> Instruction:
    """A budget in slots."""
    numerology, budget_s = draw.randrange(4), draw.choice(_BUDGETS_S)
    count = budget_s * 1000 * 2**numerology
    return Instruction(
        question=f"How many slots of numerology {numerology} fit into {_said(budget_s)}?",
        reasoning=f"A slot lasts {_said(_slot_s(numerology))}; {_said(budget_s)} has {count:g} of them.",
        answer=f"{count:g}",
        source=SOURCE,
    )


def first_transmission(draw: random.Random) -> Instruction:
    """The delay of a block that passes at once."""
    numerology, repetition, compute_s = _timing(draw)
    slot_s = _slot_s(numerology)
    delay_s = _delay_s(numerology, repetition, compute_s, 1)
    return Instruction(
        question=f"What is the mean delay of a block that passes at once, at numerology {numerology} with "
        f"repetition {repetition} and {_said(compute_s)} of computing?",
        reasoning=f"Half a slot of waiting and {counted(repetition, 'slot')} of {_said(slot_s)}: "
        f"{_said((0.5 + repetition) * slot_s)}. Computing adds {_said(compute_s)}.",
        answer=_said(delay_s),
        source=SOURCE,
    )


def round_trip(draw: random.Random) -> Instruction:
    """A HARQ round trip."""
    numerology, repetition, compute_s = _timing(draw)
    slot_s = _slot_s(numerology)
    trip_s = float(hardware.round_trip_s(np.array(slot_s), np.array(repetition), np.array(compute_s)))
    count = round(trip_s / slot_s)
    return Instruction(
        question=f"How long is a HARQ round trip at numerology {numerology} with repetition {repetition} and "
        f"{_said(compute_s)} of computing?",
        reasoning=f"{counted(repetition, 'slot')} to send, computing rounded up to 1 slot, 2 for feedback and "
        f"grant: {count} slots of {_said(slot_s)}.",
        answer=_said(trip_s),
        source=SOURCE,
    )


def in_time(draw: random.Random) -> Instruction:
    """Whether a block that takes all its transmissions is in time."""
    numerology, repetition, compute_s = _timing(draw)
    transmissions, budget_s = draw.randint(1, 4), draw.choice(_BUDGETS_S)
    delay_s = _delay_s(numerology, repetition, compute_s, transmissions)
    trip_s = float(hardware.round_trip_s(np.array(_slot_s(numerology)), np.array(repetition), np.array(compute_s)))
    first_s = _delay_s(numerology, repetition, compute_s, 1)
    told = f"The first takes {_said(first_s)}"
    if transmissions > 1:
        told += f", {counted(transmissions - 1, 'round trip')} of {_said(trip_s)} more"
    return Instruction(
        question=f"Does a block that needs {counted(transmissions, 'transmission')} arrive within "
        f"{_said(budget_s)} at numerology {numerology}, repetition {repetition}, with {_said(compute_s)} "
        "of computing?",
        reasoning=f"{told}: {_said(delay_s)} in all.",
        answer="yes" if delay_s <= budget_s * (1 + 1e-9) else "no",
        source=SOURCE,
    )


def most_transmissions(draw: random.Random) -> Instruction:
    """How many transmissions a budget allows."""
    while True:
        numerology, repetition, compute_s = _timing(draw)
        budget_s = draw.choice(_BUDGETS_S)
        fitting = [
            count
            for count in range(1, 5)
            if _delay_s(numerology, repetition, compute_s, count) <= budget_s * (1 + 1e-9)
        ]
        if fitting:
            break
    delays = [_said(_delay_s(numerology, repetition, compute_s, count)) for count in range(1, 5)]
    return Instruction(
        question=f"How many transmissions (4 at most) fit into {_said(budget_s)} at numerology {numerology}, "
        f"repetition {repetition}, with {_said(compute_s)} of computing?",
        reasoning=f"1 takes {delays[0]}, 2 take {delays[1]}, 3 take {delays[2]}, 4 take {delays[3]}.",
        answer=str(max(fitting)),
        source=SOURCE,
    )


def least_numerology(draw: random.Random) -> Instruction:
    """The lowest numerology at which one transmission is in time."""
    while True:
        budget_s, repetition = draw.choice((0.2e-3, *_BUDGETS_S)), draw.choice((1, 1, 2, 4, 8))
        delays_s = [_delay_s(numerology, repetition, 0.0, 1) for numerology in range(4)]
        good = [numerology for numerology, delay_s in enumerate(delays_s) if delay_s <= budget_s * (1 + 1e-9)]
        if good:
            break
    told = ", ".join(f"{_said(delay_s)} at {numerology}" for numerology, delay_s in enumerate(delays_s))
    return Instruction(
        question=f"Which is the lowest numerology at which a block with repetition {repetition} arrives within "
        f"{_said(budget_s)}, computing aside?",
        reasoning=f"{0.5 + repetition:g} slots take {told}.",
        answer=str(good[0]),
        source=SOURCE,
    )


def computing(draw: random.Random) -> Instruction:
    """How long a slot takes to compute, and whether the receiver keeps up."""
    chain = LinkChain(
        numerology=draw.randrange(4),
        prbs=draw.choice((5, 10, 20, 40, 51)),
        modulation=draw.choice(list(Modulation)),
        code_rate=0.5,
    )
    grid = ChainGrid.of((chain,))
    required = float(hardware.required_flops(grid)[0])
    available = required / draw.choice((0.4, 0.7, 0.9, 1.25, 2.0, 5.0))
    compute_s, slot_s = float(hardware.compute_s(grid, available)[0]), float(hardware.slot_s(grid)[0])
    return Instruction(
        question=f"A link needs {required:.2e} operations per second, and {available:.2e} are free. Its slots "
        f"last {_said(slot_s)}. Does the receiver keep up?",
        reasoning=f"A slot takes {digits(compute_s / slot_s)} of its length to compute, {_said(compute_s)}.",
        answer="yes" if compute_s <= slot_s else "no",
        source=SOURCE,
    )


def _said(delay_s: float) -> str:
    """A delay to as many digits as sums of slots have."""
    return said_delay(delay_s, 4)


def _timing(draw: random.Random) -> tuple[int, int, float]:
    """A numerology, a repetition and a time of computing below a slot, to two digits."""
    numerology = draw.randrange(4)
    compute_s = float(f"{draw.choice(_COMPUTE_SHARES) * _slot_s(numerology):.1e}")
    return numerology, draw.choice((1, 1, 1, 2, 4, 8)), compute_s


def _slot_s(numerology: int) -> float:
    return 1e-3 / 2.0**numerology


def _delay_s(numerology: int, repetition: int, compute_s: float, transmissions: int) -> float:
    slot_s = np.array(_slot_s(numerology))
    return float(hardware.timeline_s(slot_s, np.array(repetition), np.array(compute_s), transmissions))


GENERATORS = (in_slots, first_transmission, round_trip, in_time, most_transmissions, least_numerology, computing)
