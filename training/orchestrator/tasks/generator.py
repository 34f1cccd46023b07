"""The generator of training tasks: service, demand, words and equipment, all by one seed."""

import random
from collections.abc import Iterable, Iterator

from training.orchestrator.tasks import equipment
from training.orchestrator.tasks.catalogue import AXES, Axis, Service, services
from training.orchestrator.tasks.phrasing import phrased
from training.orchestrator.tasks.quantities import drawn, rounded
from training.orchestrator.tasks.task import Task
from training.orchestrator.tasks.wording import Wording
from twin.link.demand import Demand

STATED = (0.2, 0.1, 0.1, 0.6)
"""Chances that a text states none, one, two or all of the numbers."""
SHADED = 0.4
"""Chance that a text asks for more or less than usual of what it states no number of."""


def draw(seed: int) -> Task:
    """The training task of a seed."""
    die = random.Random(f"task {seed}")
    return Task.of(worded(die), equipment.drawn("training", die), seed)


def draws(seeds: Iterable[int]) -> Iterator[Task]:
    """The training tasks of many seeds."""
    return map(draw, seeds)


def worded(die: random.Random) -> Wording:
    """A service and a demand in its range, in words.

    What the text states no number of has the service's usual value, the middle of its range, or that of the end
    which the text asks for; so a text always stands for one demand.
    """
    service = die.choice(services())
    count = die.choices(range(len(AXES) + 1), weights=STATED)[0]
    spoken = set(die.sample(AXES, count))
    stated = {axis: drawn(axis, service.range(axis), die) for axis in AXES if axis in spoken}
    shades = {
        axis: die.choice(("strict", "easy")) for axis in AXES if axis not in spoken and die.random() < SHADED
    }
    delay_s, throughput_bps, ber = (
        stated[axis] if axis in stated else left_open(service, axis, shades.get(axis)) for axis in AXES
    )
    return Wording(
        text=phrased(service, stated, shades, die),
        demand=Demand(max_delay_s=delay_s, min_throughput_bps=throughput_bps, max_ber=ber),
        explicit=len(stated) == len(AXES),
        service=service.key,
        vertical=service.vertical,
    )


def left_open(service: Service, axis: Axis, shade: str | None) -> float:
    """What a text means that states no number: the usual, or one end of the service's range."""
    within = service.range(axis)
    if shade is None:
        return rounded(axis, within.middle)
    return within.high if (shade == "strict") == (axis == "throughput") else within.low
