"""Answer: what an orchestrator's text says, whoever wrote it: the demand understood and the plan."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import ValidationError

from oran.slices import SNssai
from rapps.orchestrator import sizing
from rapps.orchestrator.grammar import ANSWER, REFLECT, TARGETS, THINK, Target, values
from rapps.orchestrator.quantities import find
from rapps.orchestrator.reading import Reading
from rapps.orchestrator.sizing import Sketch, drawn_up
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.errors import DemandError, PlanError
from twin.link.grammar import MAX_NUMBER
from twin.link.plan import LinkChain, Plan, SlicePolicy

LONGEST = 20_000
"""Letters of an answer that are read."""
URLLC_DELAY_S, MMTC_THROUGHPUT_BPS = 10e-3, 200e3
_BEYOND = re.compile(r"[+-]\d{1,3}")
_NAMES = "; ".join(f"{target.name} (?P<{target.field}>[^;<\n]{{1,60}})" for target in TARGETS)
_DEMAND = re.compile(f"Demand: {_NAMES}")


class AnswerError(ValueError):
    """A text that is no answer; says what is missing."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says, its sizes as they are told; a part that is None was not said, and `wrong` tells why."""

    demand: Demand | None
    chain: LinkChain | Sketch | None
    wrong: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a text says; a part that is None was not said, and `wrong` tells why."""

    demand: Demand | None
    chain: LinkChain | None
    wrong: str = ""

    @property
    def plan(self) -> Plan | None:
        """The whole orchestration, when there is a demand and a chain for it."""
        if self.demand is None or self.chain is None:
            return None
        return Plan(link_chain=self.chain, slice_policy=policy(self.demand))


def parse(text: str, reading: Reading, equipment: EquipmentState, *, margin: float = 0.0) -> Answer:
    """Read an answer; never raises, whatever the text is.

    Sizes that are told as what to have beyond the need are those for the demand that was understood, with the
    margin, on the equipment.
    """
    found = said(text, reading, margin=margin)
    chain = found.chain
    if isinstance(chain, Sketch):
        chain = drawn_up([chain], equipment).chain(0)
    return Answer(found.demand, chain, found.wrong)


def said(text: str, reading: Reading, *, margin: float = 0.0) -> Said:
    """Read an answer without making its sizes; never raises, whatever the text is."""
    text = text[:LONGEST]
    demand, chain, wrong = None, None, []
    try:
        demand = _demand(_between(text, THINK), reading)
    except (AnswerError, DemandError) as error:
        wrong.append(str(error))
    try:
        chain = _chain(_between(text, ANSWER), demand and replace(demand, margin=margin))
    except (AnswerError, PlanError) as error:
        wrong.append(str(error))
    except ValidationError as error:
        wrong.append(f"the answer is no link chain: {error.errors(include_input=False)[0]['msg']}")
    return Said(demand, chain, "; ".join(wrong))


def well_formed(text: str) -> bool:
    """Tell whether a text has the parts of an answer, each once, in order, and nothing else."""
    marks = [*THINK, *REFLECT, *ANSWER]
    places = [text.find(mark) for mark in marks]
    alone = all(text.count(mark) == 1 for mark in marks) and places == sorted(places)
    return alone and text.strip().startswith(marks[0]) and text.strip().endswith(marks[-1])


def policy(demand: Demand) -> SlicePolicy:
    """The slice that a demand belongs to and what it is promised (SST by TS 23.501 5.15.2.2).

    No promise is beyond what a program may say, whatever absurd demand was read.
    """
    if demand.max_delay_s <= URLLC_DELAY_S:
        sst = 2
    else:
        sst = 3 if demand.min_throughput_bps < MMTC_THROUGHPUT_BPS else 1
    throughput_bps, delay_s = min(demand.min_throughput_bps, MAX_NUMBER), min(demand.max_delay_s, MAX_NUMBER)
    return SlicePolicy(slice=SNssai(sst, 1), throughput_bps=throughput_bps, delay_s=delay_s)


def _demand(thought: str, reading: Reading) -> Demand:
    found = _DEMAND.search(thought)
    if not found:
        names = "; ".join(f"{target.name} ..." for target in TARGETS)
        raise AnswerError(f"the thought has no line of the form: Demand: {names}")
    told = {target.field: _value(found[target.field].strip(" ."), target, reading) for target in TARGETS}
    return Demand(**told)


def _chain(text: str, demand: Demand | None) -> LinkChain | Sketch:
    """A chain whose sizes are told as numbers, or as what to have beyond the need."""
    parts = _object(text)
    told = {name: parts[name] for name in sizing.BEYOND if isinstance(parts.get(name), str)}
    if not told:
        return LinkChain.model_validate_json(text)
    steps = {name: int(found[0]) for name, own in told.items() if (found := _BEYOND.fullmatch(str(own)))}
    wrong = [name for name in sizing.BEYOND if name not in steps]
    if wrong:
        raise AnswerError(
            f'{wrong[0]} is not told as what to have beyond the need, such as "+1", as other sizes are'
        )
    if demand is None:
        raise AnswerError("the sizes of the answer are told for a demand, which cannot be read")
    return Sketch(LinkChain.model_validate(parts | sizing.SMALLEST), steps, demand)


def _object(told: str) -> dict[str, object]:
    try:
        found = json.loads(told)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _value(word: str, target: Target, reading: Reading) -> float:
    known: Mapping[str, float] = values(reading, target)
    if word in known:
        return known[word]
    quantities = [item.value for item in find(word) if item.kind == target.kind]
    if len(quantities) != 1:
        raise AnswerError(f"{target.name} is {word[:40]!r}; it must be a letter of the text, or a {target.kind}")
    return quantities[0]


def _between(text: str, marks: tuple[str, str]) -> str:
    start, end = marks
    _, mark, rest = text.partition(start)
    inner, mark_end, _ = rest.partition(end)
    if not (mark and mark_end):
        raise AnswerError(f"there is no {start} ... {end}")
    return inner
