"""Climbing: answers made better by the twin, one choice after the other.

Every option of a choice is tried, all else as it is, and the best is taken; then those of the next choice, and so
on for some sweeps. Options are worth their mean reward where the link is as told, a little better and a little
worse: a plan at the very edge of its demand is no example for one who has to guess where the edge lies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rapps.orchestrator import sizing
from rapps.orchestrator.decoding import Sample
from rapps.orchestrator.grammar import TARGETS, Script
from rapps.orchestrator.legal import ORDER
from training.orchestrator.advantages import chosen_columns, sized
from training.orchestrator.asking import Asked
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.tasks.task import Task
from twin.link.catalogue import PARAMETERS
from twin.link.plan import ChainGrid, LinkChain, code

Columns = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """How far to climb; OrchestratorError for values that cannot be."""

    sweeps: int = 2
    doubt_db: float = 1.0
    """How much better or worse the SNR may be than told."""

    def __post_init__(self) -> None:
        if self.sweeps < 1 or not self.doubt_db >= 0:
            raise OrchestratorError("sweeps must be at least 1 and doubt_db at least 0")


def climbed(asked: Asked, tasks: Sequence[Task], samples: Sequence[Sample], how: Climb) -> list[tuple[str, ...]]:
    """The options of answers, one to each task, after a climb; the demand stays as it was understood.

    An answer that the twin has no word of stays as it was.
    """
    states = [chosen_columns([sample]) for sample in samples]
    for _ in range(how.sweeps):
        for name in ORDER:
            trials = [_trials(state, name) for state in states]
            worths = _worths(asked, tasks, trials, how)
            for state, trial, worth in zip(states, trials, worths, strict=True):
                if np.isfinite(worth).all():
                    best = int(worth.argmax())
                    state |= {field: column[best : best + 1] for field, column in trial.items()}
    found = []
    for task, sample, state in zip(tasks, samples, states, strict=True):
        chain = sized(state, task.equipment)
        options = [choice.option for choice in sample.choices]
        if chain.consistent()[0]:
            options = written(asked.script(task), options[: len(TARGETS)], chain.chain(0)) or options
        found.append(tuple(options))
    return found


def written(script: Script, demand: Sequence[str], chain: LinkChain) -> list[str] | None:
    """The options that make a chain, after those of a demand; None where the grammar has none for it."""
    for option in demand:
        script.choose(option)
    told, values = list(demand), chain.model_dump(mode="json")
    for field in ORDER:
        own = [option for option, value in script.meaning.items() if value == values[field]]
        if not own:
            return None
        told.append(own[0])
        script.choose(own[0])
    return told


def _trials(state: Columns, name: str) -> Columns:
    """An answer with every value of a parameter, the present one first, which wins where none is better."""
    every = (
        sizing.BEYOND[name] if name in sizing.BEYOND else [code(name, value) for value in PARAMETERS[name].values]
    )
    own = int(state[name][0])
    values = np.array([own, *(value for value in every if value != own)], dtype=state[name].dtype)
    return {field: values if field == name else np.repeat(column, len(values)) for field, column in state.items()}


def _worths(asked: Asked, tasks: Sequence[Task], trials: Sequence[Columns], how: Climb) -> list[np.ndarray]:
    """Mean rewards of trials over what the SNR may be, by task."""
    grids: list[ChainGrid] = [sized(trial, task.equipment) for task, trial in zip(tasks, trials, strict=True)]
    total = [np.zeros(len(grid)) for grid in grids]
    doubts = (-how.doubt_db, 0.0, how.doubt_db) if how.doubt_db else (0.0,)
    for doubt in doubts:
        doubted = [
            replace(task, equipment=replace(task.equipment, snr_db=task.equipment.snr_db + doubt))
            for task in tasks
        ]
        total = [own + told.rewards for own, told in zip(total, asked.judge(doubted, grids), strict=True)]
    return [own / len(doubts) for own in total]
