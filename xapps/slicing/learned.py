"""The `learned` controller: a trained agent decides; it remembers of each cell what training remembered."""

from typing import Protocol

import numpy as np

from oran.sla import SlaTargets
from xapps.slicing.observation import CellObservation
from xapps.slicing.shares import ratios_of
from xapps.slicing.state import Memory, features, remember


class Agent(Protocol):
    """Whoever turns features [n, slices, FEATURES] into shares [n, slices]; raises ModelError."""

    def share(self, seen: np.ndarray) -> np.ndarray:
        """The shares of cells."""
        ...


class LearnedController:
    """Works on one cell or on a batch, [..., slices]; raises ModelError where the model fails."""

    name = "learned"

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._memory: Memory[np.ndarray] | None = None

    def decide(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
        """Quotas [..., slices, 3]: min is the agent's share, nothing dedicated, max 100."""
        self._memory = remember(self._memory, observation)
        seen = features(observation, targets, self._memory)
        share = self._agent.share(seen.reshape(-1, *seen.shape[-2:]))
        return ratios_of(share.reshape(seen.shape[:-1]))
