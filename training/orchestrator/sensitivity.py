"""Sensitivity: how much the reward hangs on each token of an answer (eqs. 3-5 of the RLDTF paper).

A token is replaced by another one of the answer, or dropped, and the changed text is read as any answer is. What
it says is put to the twin; what can no longer be read is refused. S of a token is the mean of |R - R'|.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rapps.orchestrator.answer import said
from rapps.orchestrator.decoding import Sample
from rapps.orchestrator.grammar import ANSWER, TARGETS
from rapps.orchestrator.legal import ORDER
from rapps.orchestrator.sizing import SIZED, Sketch, drawn_up
from training.orchestrator.feedback import Judge
from training.orchestrator.lm import Lm
from training.orchestrator.tasks.task import Task
from twin.link.equipment import EquipmentState
from twin.link.plan import ChainGrid, LinkChain
from twin.link.reward import DEFAULT_WEIGHTS

TokenClass = Literal["syntax", "field", "value"]
EPSILON = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighting:
    """How a token's weight follows from its sensitivity (eq. 5)."""

    alpha: float = 1.0
    threshold: float = 0.05
    """Of the largest sensitivity; tokens below it weigh 1."""
    perturbations: int = 2
    answers: int = 32
    """Answers of a step that are perturbed; decisions of the others weigh as theirs do on average."""


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """S of the tokens of one answer's plan."""

    place: np.ndarray
    """Their places in the answer's tokens."""
    value: np.ndarray
    classes: tuple[TokenClass, ...]


def sensitivity(
    lm: Lm, task: Task, sample: Sample, reward: float, how: Weighting, judge: Judge, draw: np.random.Generator
) -> Sensitivity | None:
    """S of every token of a plan; None where the twin has no word of its changes."""
    ids, script = list(sample.ids), sample.script
    begin = ids.index(lm.encode(ANSWER[0])[0])
    places = np.arange(begin, len(ids) - 1)
    told = np.empty((len(places), how.perturbations))
    chains: list[LinkChain | Sketch] = []
    where = []
    for row, place in enumerate(places):
        for turn in range(how.perturbations):
            text = lm.decode(_perturbed(ids, begin, int(place), draw))
            chain = said(text, script.reading, margin=script.margin).chain
            told[row, turn] = DEFAULT_WEIGHTS.refused
            if chain is not None:
                chains.append(chain)
                where.append((row, turn))
    if chains:
        (found,) = judge([task], [_made(chains, script.equipment)])
        if not found.known.all():
            return None
        for (row, turn), value in zip(where, found.rewards, strict=True):
            told[row, turn] = value
    chosen = {decision.place for decision in sample.decisions}
    classes = tuple(_class(lm, ids[place], int(place) in chosen) for place in places)
    return Sensitivity(places, np.abs(reward - told).mean(axis=1), classes)


def _made(chains: Sequence[LinkChain | Sketch], equipment: EquipmentState) -> ChainGrid:
    """The chains, those with sizes to be made in one go."""
    places = [place for place, chain in enumerate(chains) if isinstance(chain, Sketch)]
    made = drawn_up([chain for chain in chains if isinstance(chain, Sketch)], equipment) if places else None
    whole = ChainGrid.of([chain.modules if isinstance(chain, Sketch) else chain for chain in chains])
    if made is not None:
        for name in SIZED:
            getattr(whole, name)[places] = getattr(made, name)
    return whole


def weights(found: Sensitivity, how: Weighting) -> np.ndarray:
    """Weights of the tokens (eq. 5)."""
    top = found.value.max(initial=0.0)
    scaled = 1.0 + how.alpha * found.value / (top + EPSILON)
    heavy: np.ndarray = np.where(found.value > how.threshold * top, scaled, 1.0)
    return heavy


def of_decisions(samples: Sequence[Sample], found: Mapping[int, Sensitivity], how: Weighting) -> list[np.ndarray]:
    """Weights of each answer's decisions, of mean 1 over all, from the sensitivities of some of the answers."""
    choices = len(TARGETS) + len(ORDER)
    known: list[list[float]] = [[] for _ in range(choices)]
    own: dict[int, dict[int, float]] = {}
    for row, item in found.items():
        own[row] = dict(zip(item.place.tolist(), weights(item, how).tolist(), strict=True))
        for decision in samples[row].decisions:
            if decision.place in own[row]:
                known[decision.choice].append(own[row][decision.place])
    usual = [float(np.mean(values)) if values else 1.0 for values in known]
    told = [
        np.array([own.get(row, {}).get(item.place, usual[item.choice]) for item in sample.decisions])
        for row, sample in enumerate(samples)
    ]
    mean = float(np.concatenate(told).mean())
    return [row / mean for row in told]


def by_class(found: Sequence[Sensitivity]) -> dict[str, float]:
    """Mean S of each class of tokens."""
    pairs = [(name, value) for item in found for name, value in zip(item.classes, item.value, strict=True)]
    return {
        f"S {name}": float(np.mean([value for other, value in pairs if other == name]))
        for name in dict.fromkeys(name for name, _ in pairs)
    }


def _perturbed(ids: Sequence[int], begin: int, place: int, draw: np.random.Generator) -> list[int]:
    """Eq. 3: another token of the plan in this one's place, or none."""
    others = sorted({token for token in ids[begin:-1] if token != ids[place]})
    drop = not others or draw.random() < 0.5
    return [*ids[:place], *([] if drop else [int(draw.choice(others))]), *ids[place + 1 :]]


def _class(lm: Lm, token: int, chosen: bool) -> TokenClass:
    if chosen:
        return "value"
    return "field" if any(letter.isalpha() for letter in lm.decode((token,))) else "syntax"
