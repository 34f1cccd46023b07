"""Grammar: how an orchestrator answers, as text that is given and choices between options.

    <think>Demand: delay B; throughput A; BER strict</think>
    <reflect>Budget: delay 18.5 dB, rate 21.5 dB, ...</reflect>
    <answer>{"numerology": 1, "code": "polar", ..., "prbs": "+1", "tx_power_dbm": "-3"}</answer>

The model thinks first: which quantity of the text (a letter of its reading) is each target of the demand, or,
where the text leaves it open, how strict it is to be taken by what is usual for such services. What it reflects
on is computed by a tool: the budget. Then it chooses the link chain: its modules, and how many steps of PRBs and
decibels to have beyond what these need (`sizing`).
`Script` writes such an answer one choice after the other and offers no option that would make it wrong, so a model
that is held to it answers in the format, and with a chain that the equipment can run.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from rapps.orchestrator import sizing
from rapps.orchestrator.budget import Budget
from rapps.orchestrator.legal import ORDER, Legal, Value
from rapps.orchestrator.quantities import Kind
from rapps.orchestrator.reading import Reading
from rapps.orchestrator.sizing import SIZES, Sketch, drawn_up
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.plan import LinkChain

FORM = 2
"""Which form of prompts and answers this is: a model writes in the form that it has learnt."""
THINK, REFLECT, ANSWER = ("<think>", "</think>"), ("<reflect>", "</reflect>"), ("<answer>", "</answer>")


@dataclass(frozen=True, slots=True)
class Target:
    """A target of the demand: its field, how an answer calls it, and the values that it is told in."""

    field: str
    name: str
    kind: Kind
    steps: tuple[float, ...]
    stricter: int
    """1 where more is stricter, -1 where less is."""

    def usual(self, reading: Reading) -> float:
        """What is usual for such services, the nearest of the steps."""
        told = reading.usual[self.field]
        return min(self.steps, key=lambda step: abs(math.log(step / told)))

    def words(self, reading: Reading) -> Mapping[str, float]:
        """What is meant by the words for what a text leaves open."""
        usual = self.usual(reading)
        return {word: usual * times if self.stricter > 0 else usual / times for word, times in STRICTNESS.items()}


def _decades(low: int, high: int, steps: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(f"{step}e{decade}") for decade in range(low, high) for step in steps)


TARGETS = (
    Target("max_delay_s", "delay", "time", _decades(-4, 1, (1, 2, 5)), -1),
    Target("min_throughput_bps", "throughput", "rate", _decades(3, 10, (1, 2, 5)), 1),
    Target("max_ber", "BER", "ratio", _decades(-9, -1, (1, 5)), -1),
)
STRICTNESS: Mapping[str, float] = {"easy": 0.3, "usual": 1.0, "strict": 3.0, "stricter": 10.0, "strictest": 30.0}
"""How many times stricter than usual a target is taken that a text leaves open. What is stricter than usual is
caution: such a guess is off by half a decade to a whole one, and a plan that falls short is worth less than one
that wastes."""


@dataclass(frozen=True, slots=True)
class Step:
    """Text that comes next, and the options that one is chosen from after it; none at the end."""

    text: str
    options: tuple[str, ...] = ()
    after: str = ""
    """How the text goes on after every option."""
    end: str = ""
    """What ends the thought, before `told`."""
    told: str = ""
    """What a tool says, before `text`."""

    @property
    def whole(self) -> str:
        """All of the text."""
        return self.end + self.told + self.text


class Script:
    """One answer while it is written. PlanError where the equipment can run no link chain.

    `margin` is worked into the budget and the sizes, so that a chain within the figures has so much to spare.
    """

    def __init__(self, reading: Reading, equipment: EquipmentState, *, margin: float = 0.0) -> None:
        self.reading, self.equipment, self.margin = reading, equipment, margin
        self._legal = Legal(equipment)
        self._sizes: list[int] = []
        self.values: list[float] = []
        """Targets as they are planned for."""
        self._told: list[str] = []
        """How the answer calls them."""
        self.text = ""
        self._step = self._following()

    def step(self) -> Step:
        """What comes next."""
        return self._step

    def _following(self) -> Step:
        place = len(self.values)
        if place < len(TARGETS):
            after = _before(place + 1) if place + 1 < len(TARGETS) else f"{THINK[1]}{REFLECT[0]}"
            return Step(_before(place), tuple(self._known(place)), after)
        if self.done:
            return Step(_END)
        field = self._field
        after = _END if field == ORDER[-1] else _key(ORDER[ORDER.index(field) + 1])
        if field in SIZES:
            return Step(_key(field), tuple(sizing.options(field)), after)
        options = tuple(map(json.dumps, self._legal.options()))
        if field == ORDER[0]:
            told = reflection(self.demand, self.equipment)
            return Step(ANSWER[0] + _key(field), options, after, THINK[1], told)
        return Step(_key(field), options, after)

    def choose(self, option: str) -> None:
        """Take an option of the present step; ValueError for any other."""
        step = self.step()
        if option not in step.options:
            raise ValueError(f"{option[:40]!r} is none of {', '.join(step.options)}")
        place = len(self.values)
        self.text += step.whole + option
        if place < len(TARGETS):
            self.values.append(self._known(place)[option])
            self._told.append(option)
        elif self._legal.done:
            self._sizes.append(int(json.loads(option)))
        else:
            self._legal.choose(json.loads(option))
        self._step = self._following()
        if self.done:
            self.text += self._step.text

    @property
    def done(self) -> bool:
        """Whether the answer is whole."""
        return len(self._sizes) == len(SIZES)

    @property
    def understood(self) -> Demand:
        """The demand without the answer's caution about guesses; ValueError before its targets are chosen."""
        bare = ("usual" if STRICTNESS.get(option, 1.0) > 1.0 else option for option in self._told)
        delay_s, throughput_bps, ber = (self._known(place)[option] for place, option in enumerate(bare))
        return Demand(max_delay_s=delay_s, min_throughput_bps=throughput_bps, max_ber=ber)

    @property
    def guessed(self) -> tuple[str, ...]:
        """The fields of the demand that no quantity of the text was taken for."""
        return tuple(TARGETS[place].field for place, option in enumerate(self._told) if option in STRICTNESS)

    @property
    def demand(self) -> Demand:
        """What is planned for, with caution and margin; ValueError as there."""
        delay_s, throughput_bps, ber = self.values
        return Demand(max_delay_s=delay_s, min_throughput_bps=throughput_bps, max_ber=ber, margin=self.margin)

    def sketch(self) -> Sketch:
        """The chain of a whole answer, its sizes as they are told."""
        return Sketch(self._legal.chain(), dict(zip(SIZES, self._sizes, strict=True)), self.demand)

    def chain(self) -> LinkChain:
        """The link chain of a whole answer."""
        return drawn_up([self.sketch()], self.equipment).chain(0)

    def meaning(self) -> Mapping[str, Value]:
        """What the options of the present step, one of the chain, stand for in it."""
        if not self._legal.done:
            return {json.dumps(value): value for value in self._legal.options()}
        own, options = self._field, self.step().options
        begun = dict.fromkeys(SIZES, 0) | dict(zip(SIZES, self._sizes, strict=False))
        modules = self._legal.chain()
        sketches = [Sketch(modules, begun | {own: int(json.loads(option))}, self.demand) for option in options]
        made = getattr(drawn_up(sketches, self.equipment), own)
        return dict(zip(options, made.tolist(), strict=True))

    @property
    def _field(self) -> str:
        return SIZES[len(self._sizes)] if self._legal.done else self._legal.field

    def _known(self, place: int) -> Mapping[str, float]:
        return values(self.reading, TARGETS[place])


def values(reading: Reading, target: Target) -> Mapping[str, float]:
    """What a target may be by how an answer calls it: letters of quantities of its kind, and STRICTNESS."""
    letters = {letter: found.value for letter, found in reading.quantities.items() if found.kind == target.kind}
    return {**letters, **target.words(reading)}


def reflection(demand: Demand, equipment: EquipmentState) -> str:
    """What is computed from the demand that was understood."""
    return f"{REFLECT[0]}Budget: {Budget.of(demand, equipment).text()}{REFLECT[1]}"


def _before(place: int) -> str:
    name = TARGETS[place].name
    return f"{THINK[0]}Demand: {name} " if place == 0 else f"; {name} "


def _key(field: str) -> str:
    return f'{"{" if field == ORDER[0] else ", "}"{field}": '


_END = "}" + ANSWER[1]
