"""Orchestrator: from an operator's text to a plan that the twin has checked, whoever wrote the plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from rapps.orchestrator import proof
from rapps.orchestrator.answer import AnswerError, policy
from rapps.orchestrator.grammar import Script
from rapps.orchestrator.prompt import prompt
from rapps.orchestrator.reading import read
from rapps.orchestrator.search import search
from rapps.orchestrator.sizing import drawn_up
from twin.link.calibration import UNCALIBRATED, Calibration
from twin.link.demand import Demand, Targets
from twin.link.equipment import EquipmentState
from twin.link.evaluate import evaluate
from twin.link.plan import ChainGrid, LinkChain, Plan
from twin.link.qos import Result, Tier
from twin.link.reward import deviations, reward, satisfied


class Writer(Protocol):
    """A model that writes answers."""

    @property
    def name(self) -> str:
        """Which model it is."""

    def write(self, prompt: str, script: Script) -> str:
        """Choose in the script until it is done, and give the text of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an operator gets."""

    text: str
    """What was read of the operator's words, quantities marked."""
    answer: str
    demand: Demand
    """As it was understood."""
    guessed: tuple[str, ...]
    """The fields of it that no quantity of the text was taken for."""
    plan: Plan | None
    """None where there is nothing that could be run."""
    result: Result | None
    """What the twin says of the plan."""
    reward: float
    feasible: bool
    """Whether the plan meets the demand that was understood."""
    refusal_reason: str | None
    by_search: bool = False
    """Whether the model's plan missed the demand and a search found this one."""


def ask(
    text: str,
    equipment: EquipmentState,
    writer: Writer,
    *,
    margin: float = 0.0,
    seed: int = 0,
    calibration: Calibration = UNCALIBRATED,
    tier: Tier = Tier.T0,
) -> Outcome:
    """Let a model plan for a text, and the twin size and check it, both with the equipment as it was calibrated.

    What the text leaves open is planned as cautiously as the model says where the equipment has enough for it, and
    judged as it was guessed. Tier T0 goes by tables, and a decibel more; T1 runs the chains, which takes torch.
    Where the model's chain misses the demand a search goes on from it; where that finds none either the demand is
    called infeasible, and the best that is within reach is told. PlanError where the equipment can run no chain,
    AnswerError where the model ends before its answer does.
    """
    reading, equipment = read(text), calibration.applied(equipment)
    script = Script(reading, equipment, margin=margin)
    answer = writer.write(prompt(reading, equipment), script)
    if not script.done:
        raise AnswerError(f"{writer.name} did not end its answer, which goes on with {script.step().whole!r}")
    demand, careful, sketch = script.understood, replace(script.demand, margin=0.0), script.sketch()
    checked = partial(_checked, equipment=equipment, tier=tier, seed=seed)

    def worth(plan: tuple[LinkChain, Result]) -> float:
        return reward(plan[1].qos, demand)

    of_model = checked(script.chain(), sketch.beyond["tx_power_dbm"], careful)
    if not _meets(of_model[1], demand) and careful != demand:
        # There is not enough for caution.
        bare = drawn_up([replace(sketch, demand=replace(demand, margin=margin))], equipment).chain(0)
        of_model = max(of_model, checked(bare, sketch.beyond["tx_power_dbm"], demand), key=worth)
    best = of_model
    if not _meets(best[1], demand):
        found = search(demand, equipment, seed=seed, begin=best[0])
        best = max(best, checked(found, 0, demand), key=worth)
    chain, result = best
    feasible = _meets(result, demand)
    return Outcome(
        text=reading.text,
        answer=answer,
        demand=demand,
        guessed=script.guessed,
        plan=Plan(link_chain=chain, slice_policy=policy(demand)),
        result=result,
        reward=reward(result.qos, demand),
        feasible=feasible,
        refusal_reason=None if feasible else _missed(result, demand),
        by_search=best is not of_model,
    )


def _checked(
    chain: LinkChain, beyond_db: int, demand: Demand, *, equipment: EquipmentState, tier: Tier, seed: int
) -> tuple[LinkChain, Result]:
    """A chain, of which so many decibels are beyond the need, with the power that a tier gives it, and its QoS."""
    one = ChainGrid.of((chain,))
    if tier is Tier.T0:
        one = proof.by_tables(one, equipment)
    else:
        # Not by the channels that it is judged with.
        look = proof.by_twin(demand, equipment, seed + 1)
        one = proof.proved(one, beyond_db, Targets.of((demand,)), equipment, look, otherwise=True)
    return one.chain(0), evaluate(one.chain(0), equipment, tier, seed=seed)


def _meets(result: Result, demand: Demand) -> bool:
    return bool(satisfied(_deviations(result, demand)))


def _deviations(result: Result, demand: Demand) -> np.ndarray:
    qos = result.qos
    return deviations(qos.delay_s, qos.throughput_bps, qos.ber_high, demand)


def _missed(result: Result, demand: Demand) -> str:
    """Which targets the best plan misses, and by how much."""
    qos = result.qos
    parts = (
        f"delay {qos.delay_s * 1e3:.3g} ms where {demand.max_delay_s * 1e3:.3g} ms are asked",
        f"throughput {qos.throughput_bps / 1e6:.3g} Mbit/s where {demand.min_throughput_bps / 1e6:.3g} are asked",
        f"bit error rate up to {qos.ber_high:.2g} where {demand.max_ber:.2g} is asked",
    )
    missed = [part for part, error in zip(parts, _deviations(result, demand), strict=True) if error > 0]
    return "no link chain was found that meets the demand on this equipment; the best has " + ", ".join(missed)
