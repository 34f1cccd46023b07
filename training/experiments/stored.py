"""Stored: the policies that earlier experiments left, for those that measure them elsewhere."""

from collections.abc import Callable
from functools import lru_cache
from typing import cast

from training.experiments.references import ARMS, DEMAND, HARD, HOME, SHIPPED_AGENT, STATIC, TUNED, shipped
from training.experiments.run import ExperimentError, Run, Task, folder_of
from training.experiments.trained import load
from training.slicing import arms
from training.slicing.arms import Policy
from training.slicing.sac import Sac
from twin.network.scenario import Scenario
from xapps.slicing.demand import DemandConfig

RULES = (STATIC, DEMAND, TUNED)
Make = Callable[[Scenario], Policy]
"""A policy for a scenario, anew."""


def stored(name: str, task: Task, experiment: str = "table1") -> Make:
    """A rule or the shipped agent by its name, or the agent that an arm left with the task's seed."""
    if name == HARD:
        return lambda scenario: arms.hard(len(scenario.slices))
    if name == STATIC:
        return lambda scenario: arms.static(len(scenario.slices))
    if name == DEMAND:
        return lambda scenario: arms.demand()
    if name == TUNED:
        config = _knobs(task)
        return lambda scenario: arms.demand(config)
    if name == SHIPPED_AGENT:
        return shipped
    folder = folder_of(task.runs, experiment, name, task.seed)

    @lru_cache
    def agent(names: tuple[str, ...]) -> Sac:
        return load(folder, names)[0]

    return lambda scenario: arms.learnt(agent(tuple(item.name for item in scenario.slices)))


def _knobs(task: Task) -> DemandConfig:
    """As they were tuned for table 1."""
    (arm,) = (arm for arm in ARMS if arm.name == TUNED)
    folder = folder_of(task.runs, HOME, TUNED, 1)
    run = Run(arm, Task(folder=folder, runs=task.runs, seed=1, episodes=task.episodes))
    if (result := run.result) is None:
        raise ExperimentError(f"the heuristic is not tuned yet: ranloop experiment table1 --only '{TUNED}'")
    return DemandConfig(**cast(dict[str, float], result["knobs"]))
