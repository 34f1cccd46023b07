"""Translation: a model writes the program of a plan itself, as in the RLDTF paper; the sandbox runs it.

The twin's own renderer (`twin.link.program`) is the reference: its programs always run and give the plan back.
Whatever a model writes runs in the sandbox alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from oran.slices import SNssai
from rapps.orchestrator.answer import policy
from rapps.orchestrator.chat import Turn
from rapps.orchestrator.endpoint import NoAnswer
from rapps.orchestrator.task import USUAL_EQUIPMENT, Task
from training.orchestrator.evaluation import Outcomes
from training.orchestrator.scores import interval
from training.orchestrator.twin_pool import Question, TwinPool
from training.slicing.score import Interval
from twin.link import catalogue
from twin.link.catalogue import Modulation
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.errors import SandboxRefusal
from twin.link.plan import ChainGrid, LinkChain, Plan, SlicePolicy
from twin.link.program import render
from twin.link.qos import Tier
from twin.link.sandbox import Sandbox

REASONS = 5
"""Commonest reasons for which programs did not run that are told."""
_EXAMPLE = Plan(
    link_chain=LinkChain(numerology=2, prbs=7, code_rate=0.3, modulation=Modulation.QPSK, harq_transmissions=2),
    slice_policy=SlicePolicy(slice=SNssai(3, 10), throughput_bps=2e5, delay_s=0.03),
)
_FENCED = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)


@runtime_checkable
class Translator(Protocol):
    """An entry that can be asked in words."""

    @property
    def name(self) -> str:
        """Which it is."""

    def say(self, turns: Sequence[Turn]) -> Sequence[str | NoAnswer]:
        """What it writes to instructions, or why nothing came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A plan whose program is asked for."""

    text: str
    """Of its task."""
    plan: Plan
    equipment: EquipmentState
    demand: Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """What became of the programs that were asked for. Intervals are by texts; None where nothing ran."""

    entry: str
    programs: int
    ran: Interval | None
    """Share that ran to its end in the sandbox."""
    same: Interval | None
    """Share whose plan is the one that was asked for."""
    reward: Interval | None
    """By the true demand, of what ran."""
    reference_reward: Interval | None
    """Of the plans that those were to be."""
    refusals: Mapping[str, int]
    """The commonest reasons of the others, and how often each."""

    def figures(self) -> dict[str, object]:
        """As JSON holds it."""
        return asdict(self)

    def text(self) -> str:
        """As text."""
        told = {
            "ran": _told(self.ran, 100, " %"),
            "gave the plan": _told(self.same, 100, " %"),
            "reward of what ran": _told(self.reward),
            "of the plans asked": _told(self.reference_reward),
        }
        first = f"{self.entry} wrote {self.programs} programs: " + ", ".join(f"{k} {v}" for k, v in told.items())
        return "\n".join([first, *(f"  {count} x {reason}" for reason, count in self.refusals.items())])


def plans(entry: str, tasks: Sequence[Task], tier: Tier, outcomes: Outcomes, most: int) -> list[Given]:
    """The first plans that an entry of this name answered with, to tasks whose demand is known."""
    found: list[Given] = []
    for task in tasks:
        equipment = task.equipment or USUAL_EQUIPMENT
        outcome = outcomes.get(Task(text=task.text, demand=task.demand, equipment=equipment), entry, tier)
        if outcome is None or outcome.chain is None or task.demand is None:
            continue
        demand = Demand(**outcome.understood) if outcome.understood else task.demand
        plan = Plan(link_chain=LinkChain.model_validate(outcome.chain), slice_policy=policy(demand))
        found.append(Given(text=task.text, plan=plan, equipment=equipment, demand=task.demand))
    return found[:most]


def translate(entry: Translator, given: Sequence[Given], sandbox: Sandbox, pool: TwinPool) -> Translation:
    """Let a model write the programs of plans, run them, and hold what ran to the demand at tier T0."""
    system = instruction()
    said = entry.say([Turn(system, f"Write the program of this plan:\n{one.plan.to_json()}") for one in given])
    found = [_run(text, one.equipment, sandbox) for one, text in zip(given, said, strict=True)]
    ran = [(one, plan) for one, plan in zip(given, found, strict=True) if isinstance(plan, Plan)]
    texts, texts_of_ran = [one.text for one in given], [one.text for one, _ in ran]
    return Translation(
        entry=entry.name,
        programs=len(given),
        ran=_mean([isinstance(plan, Plan) for plan in found], texts),
        same=_mean([plan == one.plan for one, plan in zip(given, found, strict=True)], texts),
        reward=_mean(_rewards(ran, pool), texts_of_ran),
        reference_reward=_mean(_rewards([(one, one.plan) for one, _ in ran], pool), texts_of_ran),
        refusals=dict(Counter(why for why in found if isinstance(why, str)).most_common(REASONS)),
    )


def instruction() -> str:
    """What a model must know to write programs: the toolkit, and one program."""
    return "\n".join(
        (
            "You write short programs in a part of Python for the digital twin of a radio link. A program opens",
            "a link, calls its steps, sets the slice policy and transmits. There is the object twin and nothing",
            "else; nothing can be imported.",
            catalogue.render(),
            f"For example, the plan {_EXAMPLE.to_json()} is the program",
            f"```python\n{render(_EXAMPLE)}```",
            "Give the program alone, in such a block.",
        )
    )


def program(text: str) -> str:
    """The program in what a model wrote: its first block, or else all of it."""
    block = _FENCED.search(text)
    return block[1] if block else text


def _run(text: str | NoAnswer, equipment: EquipmentState, sandbox: Sandbox) -> Plan | str:
    if isinstance(text, NoAnswer):
        return f"no program came: {text}"
    found = sandbox.run(program(text), equipment)
    return found.reason if isinstance(found, SandboxRefusal) else found


def _rewards(pairs: Sequence[tuple[Given, Plan]], pool: TwinPool) -> list[float]:
    questions = [
        Question(chains=ChainGrid.of((plan.link_chain,)), demand=one.demand, equipment=one.equipment)
        for one, plan in pairs
    ]
    return [float(verdict.reward[0]) for verdict in pool.ask(questions)]


def _mean(values: Sequence[float], texts: Sequence[str]) -> Interval | None:
    """Of those that are known, for the twin may have lost a reward."""
    known = [(value, text) for value, text in zip(values, texts, strict=True) if np.isfinite(value)]
    if not known:
        return None
    return interval(np.array([value for value, _ in known], dtype=np.float64), [text for _, text in known])


def _told(found: Interval | None, scale: float = 1.0, unit: str = "") -> str:
    if found is None:
        return "-"
    mean, low, high = (f"{each * scale:.3g}" for each in (found.mean, found.low, found.high))
    return f"{mean}{unit} ({low}..{high})"
