"""Controllers: from what is seen of a cell to the RRM policy ratios wanted, behind one protocol."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from oran.sla import SlaTargets
from oran.slices import hard_ratios, static_ratios
from xapps.slicing.demand import DemandConfig, DemandController
from xapps.slicing.errors import SettingsError
from xapps.slicing.learned import Agent, LearnedController
from xapps.slicing.observation import CellObservation


class Controller(Protocol):
    """Decides the quotas of one cell; one instance per cell, which may remember."""

    @property
    def name(self) -> str:
        """What the controller is called in metrics and experience records."""
        ...

    def decide(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """The wanted RRM policy ratios, [..., slices, 3] in percent; the guard makes them safe."""
        ...


class StaticController:
    """Keeps the same quotas whatever happens."""

    def __init__(self, name: str, ratios: Callable[[int], np.ndarray]) -> None:
        self.name = name
        self._ratios = ratios

    def decide(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """The quotas that were decided beforehand."""
        ratios = self._ratios(len(observation.slices))
        return np.broadcast_to(ratios, observation.ratios.shape).copy()


class Bystander:
    """Wants what is in force already: for cells that another instance controls."""

    name = "bystander"

    def decide(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """The quotas in force."""
        return observation.ratios


NAMES = ("static", "hard", "demand", "learned")


def create(name: str, demand: DemandConfig | None = None, agent: Agent | None = None) -> Controller:
    """Make a controller for one cell by its name, one of `NAMES`; raises SettingsError for another.

    `learned` is what the agent decides, which all cells share.
    """
    if name == "static":
        return StaticController(name, static_ratios)
    if name == "hard":
        return StaticController(name, hard_ratios)
    if name == "demand":
        return DemandController(demand or DemandConfig())
    if name == "learned" and agent is not None:
        return LearnedController(agent)
    if name == "learned":
        raise SettingsError("controller 'learned' needs an agent: load a model package")
    raise SettingsError(f"controller {name!r} is none of {', '.join(NAMES)}")
