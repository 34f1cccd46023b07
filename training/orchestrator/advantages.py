"""Advantages: what a choice was worth beyond what was to be expected, by a critic, by its group or by the twin.

The twin's are counterfactual, as in COMA (Foerster et al., 2018) with a simulator in the critic's place: the same
answer is tried with one choice drawn anew, and what was chosen and what was drawn are worth what they bring over
each other. That needs no critic, tells the choices of an answer apart, which a reward of the whole answer cannot,
and teaches of options that were not chosen too.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rapps.orchestrator.decoding import Sample
from rapps.orchestrator.grammar import TARGETS
from training.orchestrator.feedback import feedback
from training.orchestrator.tasks.task import Task
from twin.link.plan import COLUMNS, ChainGrid, code


def chosen(sample: Sample, over: np.ndarray) -> np.ndarray:
    """Advantages of what was chosen [decisions] as those of options, the others' being 0 [decisions, options]."""
    found = np.zeros((len(sample.decisions), max(len(item.allowed) for item in sample.decisions)))
    picked = [item.allowed.index(sample.ids[item.place]) for item in sample.decisions]
    found[np.arange(len(picked)), picked] = over
    return found


def gae(reward: np.ndarray, values: Sequence[np.ndarray], *, discount: float, trace: float) -> list[np.ndarray]:
    """Generalised advantage estimates (Schulman et al., 2016) of each answer's decisions.

    An answer's reward comes at its end; `values` are the critic's before each of its decisions.
    """
    found = []
    for told, value in zip(reward, values, strict=True):
        following = np.append(discount * value[1:], told)
        errors, estimate, later = following - value, np.empty_like(value), 0.0
        for place in range(len(value) - 1, -1, -1):
            later = errors[place] + discount * trace * later
            estimate[place] = later
        found.append(estimate)
    return found


def group(reward: np.ndarray, each: int) -> np.ndarray:
    """Each answer's reward over the mean of the others to the same task [answers]."""
    rows = reward.reshape(-1, each)
    others = (rows.sum(axis=1, keepdims=True) - rows) / (each - 1)
    over: np.ndarray = (rows - others).reshape(-1)
    return over


@dataclass(frozen=True, slots=True)
class Draws:
    """How values are drawn anew: so many of each parameter; the demand has a margin."""

    each: int
    margin: float
    generator: np.random.Generator


def counterfactual(
    task: Task, sample: Sample, likely: Sequence[np.ndarray], reward: float, how: Draws
) -> np.ndarray:
    """What each option of each decision was worth over the others that were tried [decisions, options].

    Tried are the one that was chosen and values drawn by `likely`, the likelihoods of the options of each
    decision, all else being as it was chosen. Decisions about the demand change the thought and not the link, so
    nothing is known of them here.
    """
    chain = ChainGrid.of((sample.script.chain(),))
    tried: list[tuple[int, str, np.ndarray, list[int]]] = []
    for place, (decision, shares) in enumerate(zip(sample.decisions, likely, strict=True)):
        if decision.choice < len(TARGETS):
            continue
        name = COLUMNS[decision.choice - len(TARGETS)]
        codes = [code(name, json.loads(item)) for item in sample.choices[decision.choice].options]
        # What is chosen in several tokens has no one decision of which the twin could be asked.
        if len(codes) == len(shares):
            picks = how.generator.choice(len(codes), size=how.each, p=shares / shares.sum())
            tried.append((place, name, picks, codes))
    over = np.zeros((len(sample.decisions), max(map(len, likely))))
    if not tried:
        return over
    grid = chain.take(np.zeros(len(tried) * how.each, dtype=np.intp))
    columns = {name: getattr(grid, name).copy() for name in COLUMNS}
    for number, (_, name, picks, codes) in enumerate(tried):
        columns[name][number * how.each : (number + 1) * how.each] = np.array(codes)[picks]
    told = feedback(task, ChainGrid(**columns), how.margin).rewards.reshape(len(tried), how.each)
    for (place, _, picks, _), found in zip(tried, told, strict=True):
        decision = sample.decisions[place]
        options = np.append(picks, decision.allowed.index(sample.ids[decision.place]))
        values = np.append(found, reward)
        np.add.at(over[place], options, (values - values.mean()) / how.each)
    return over
