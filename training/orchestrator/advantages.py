"""Advantages: what a choice was worth beyond what was to be expected, by a critic, by its group or by the twin.

The twin's are counterfactual, as in COMA (Foerster et al., 2018) with a simulator in the critic's place: the same
answer is tried with every likely option of one choice, each of which is worth what it brings over what the policy
may expect of them. That needs no critic, tells the choices of an answer apart, which a reward of the whole answer
cannot, and teaches of options that were not chosen too.
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rapps.orchestrator import sizing
from rapps.orchestrator.decoding import Sample
from rapps.orchestrator.grammar import TARGETS, values
from rapps.orchestrator.legal import ORDER
from training.orchestrator.asking import equipment
from training.orchestrator.feedback import Judge
from training.orchestrator.tasks.task import Task
from twin.link.demand import Targets
from twin.link.equipment import EquipmentGrid
from twin.link.plan import COLUMNS, ChainGrid, code


def chosen(sample: Sample, over: np.ndarray) -> np.ndarray:
    """Advantages of what was chosen [decisions] as those of options, the others' being 0 [decisions, options]."""
    found = np.zeros((len(sample.decisions), max(len(item.allowed) for item in sample.decisions)))
    picked = [item.allowed.index(sample.ids[item.place]) for item in sample.decisions]
    found[np.arange(len(picked)), picked] = over
    return found


def gae(reward: np.ndarray, values: Sequence[np.ndarray], *, discount: float, trace: float) -> list[np.ndarray]:
    """Generalised advantage estimates (Schulman et al., 2016) of each answer's decisions.

    An answer's reward comes at its end, NaN where it is not known; `values` are the critic's before each of its
    decisions.
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
    """Each answer's reward over the mean of the known others to the same task [answers]; NaN stays NaN."""
    rows = reward.reshape(-1, each)
    known = np.isfinite(rows)
    told = np.where(known, rows, 0.0)
    others = known.sum(axis=1, keepdims=True) - known
    mean = (told.sum(axis=1, keepdims=True) - told) / np.maximum(others, 1)
    # An answer without any other is as good as its group.
    over: np.ndarray = (rows - np.where(others > 0, mean, rows)).reshape(-1)
    return over


def worths(
    tasks: Sequence[Task], samples: Sequence[Sample], likely: Sequence[np.ndarray], least: float, judge: Judge
) -> list[np.ndarray]:
    """What each of as many answers to each task would be worth with each option, all else as it was chosen.

    `likely` are the likelihoods of options [decisions, options], 0 where a decision has fewer; options below
    `least` are not tried, but for the chosen one. NaN where the twin was not asked or has no word. Sizes are made
    for the rest, so another module, or another demand understood, changes them too.
    """
    each = len(samples) // len(tasks)
    places, chains = _trials(samples, likely, least)
    ends = np.searchsorted([row for row, _, _ in places], np.arange(0, len(samples) + 1, each))
    owns = [slice(start, end) for start, end in itertools.pairwise(ends.tolist())]
    found = [np.full(shares.shape, np.nan) for shares in likely]
    for own, told in zip(owns, judge(tasks, [chains.take(own) for own in owns]), strict=True):
        if not told.known.all():
            # What is left are options that cannot be run, which say nothing without the others.
            continue
        for (row, place, option), reward in zip(places[own], told.rewards, strict=True):
            found[row][place, option] = reward
    return found


def _trials(
    samples: Sequence[Sample], likely: Sequence[np.ndarray], least: float
) -> tuple[list[tuple[int, int, int]], ChainGrid]:
    """The chains of answers with one choice another; and whose they are: answer, in turn, decision and option."""
    places: list[tuple[int, int, int]] = []
    changed: list[tuple[str, float]] = []
    for row, sample in enumerate(samples):
        for place, (decision, shares) in enumerate(zip(sample.decisions, likely[row], strict=True)):
            options = sample.choices[decision.choice].options
            # What is chosen in several tokens has no one decision of which the twin could be asked.
            if len(options) != len(decision.allowed):
                continue
            picked = sample.ids[decision.place]
            for option, token in enumerate(decision.allowed):
                if shares[option] >= least or token == picked:
                    places.append((row, place, option))
                    changed.append(_value(sample, decision.choice, options[option]))
    rows = np.array([row for row, _, _ in places], dtype=np.intp)
    columns = {name: column[rows] for name, column in _columns(samples).items()}
    for number, (name, value) in enumerate(changed):
        columns[name][number] = value
    return places, _sized(columns, equipment(samples).take(rows))


def _value(sample: Sample, choice: int, option: str) -> tuple[str, float]:
    """Which column an option of a choice stands in, and its value there."""
    if choice < len(TARGETS):
        field, value = TARGETS[choice].field, values(sample.script.reading, TARGETS[choice])[option]
        return field, getattr(replace(sample.script.demand, **{field: value}).tightened(), field)
    name, value = ORDER[choice - len(TARGETS)], json.loads(option)
    return name, int(value) if name in sizing.BEYOND else code(name, value)


def _columns(samples: Sequence[Sample]) -> dict[str, np.ndarray]:
    """What answers chose [answers]: codes of modules, sizes beyond the need, and the demand understood."""
    choices = range(len(TARGETS), len(TARGETS) + len(ORDER))
    chosen = [[_value(item, choice, item.choices[choice].option)[1] for choice in choices] for item in samples]
    columns = dict(zip(ORDER, np.array(chosen, dtype=np.int32).T.copy(), strict=True))
    asked = Targets.of([item.script.demand for item in samples])
    return columns | {target.field: getattr(asked, target.field) for target in TARGETS}


def _sized(columns: Mapping[str, np.ndarray], grid: EquipmentGrid) -> ChainGrid:
    smallest = {name: np.full(len(grid), value, np.int32) for name, value in sizing.SMALLEST.items()}
    modules = ChainGrid(**{name: columns[name] for name in COLUMNS if name not in smallest}, **smallest)
    beyond = {name: columns[name] for name in sizing.BEYOND}
    asked = Targets(**{target.field: columns[target.field] for target in TARGETS})
    return sizing.sized(modules, beyond, asked, grid)


def counterfactual(worth: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """Each option's worth over what the policy may expect of those tried, 0 of others [decisions, options]."""
    known = np.isfinite(worth)
    shares = np.where(known, likely, 0.0)
    total = shares.sum(axis=1, keepdims=True)
    values = np.where(known, worth, 0.0)
    mean = (shares * values).sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0)
    over: np.ndarray = np.where(known, values - mean, 0.0)
    return over
