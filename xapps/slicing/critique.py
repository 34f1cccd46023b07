"""Critique: how well all cells do together: reward, the critic's value, its temporal-difference error, and drift.

Reports of one period make a round. What was decided from a report is in force when the next one comes, so a round
tells the actions of the round before it, whoever decided them:

    error = earned in round k-1 + gamma x value(state k-1, shares k-1) - value(state k-2, shares k-2)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oran.e2.identity import CellGlobalId
from oran.logs import get_logger
from oran.sla import reward
from oran.slices import MIN
from xapps.slicing.actor import Actor
from xapps.slicing.cell import Decision
from xapps.slicing.drift import Drift
from xapps.slicing.errors import ModelError
from xapps.slicing.quiet import Quiet
from xapps.slicing.state import Memory, features, remember
from xapps.slicing.succession import Succession

SMOOTHING = 0.02
"""Weight of the newest round in the error that is reported."""

_log = get_logger(__name__)

Place = tuple[str, CellGlobalId | None]


@dataclass(frozen=True, slots=True)
class Report:
    """What a report told of a cell."""

    memory: Memory[np.ndarray]
    seen: np.ndarray
    """Features, [slices, FEATURES]."""
    share: np.ndarray
    """What each slice was guaranteed while it was measured, [slices]."""
    reward: float
    satisfaction: float


class Critique:
    """Follows the reports of so many cells, by the critic and the reference of the running model."""

    def __init__(self, cells: Callable[[], int], models: Succession | None) -> None:
        self.reports: dict[Place, Report] = {}
        """The last round's, or the one before where a round has begun."""
        self.values: dict[Place, float] = {}
        self.errors: dict[Place, float] = {}
        """The last temporal-difference error of each cell."""
        self.mean_error = 0.0
        """Mean absolute error over cells and, fading, over rounds."""
        self.rounds = 0
        self.drift: Drift | None = None
        self._cells = cells
        self._models = models
        self._model: Actor | None = None
        self._round: dict[Place, Report] = {}
        self._quiet = Quiet(_log)

    def note(self, decision: Decision) -> None:
        """Take in what a report told; a cell whose KPIs could not be used begins anew."""
        observation, targets = decision.observation, decision.targets
        if observation is None:
            return
        self._follow(None if self._models is None else self._models.running)
        place = observation.node, observation.cell
        if place in self._round:
            self._conclude()  # some cell is silent
        before = self.reports.get(place)
        memory = remember(None if before is None else before.memory, observation)
        seen = features(observation, targets, memory)
        low = observation.ratios[:, MIN]
        share = low / low.sum() if low.sum() > 0 else np.full(len(low), 1.0 / len(low))
        earned = float(reward(targets, decision.qos))
        self._round[place] = Report(memory, seen, share, earned, decision.satisfaction)
        if self.drift is not None:
            self.drift.see(seen)
        if len(self._round) >= self._cells():
            self._conclude()

    def _follow(self, model: Actor | None) -> None:
        """Begin anew where another model runs."""
        if model is not self._model:
            self._model = model
            self.values, self.errors, self.mean_error = {}, {}, 0.0
            reference = None if model is None else model.reference
            self.drift = None if reference is None else Drift(reference)

    def _conclude(self) -> None:
        """End a round: judge what was in force in it by what was seen at its beginning."""
        now, self._round = self._round, {}
        before, self.reports = self.reports, now
        self.rounds += 1
        both = [place for place in now if place in before]
        if self._model is None or self._model.critic is None or not both:
            return
        critic = self._model.critic
        try:
            found = critic.value(
                np.stack([before[place].seen for place in both]), np.stack([now[place].share for place in both])
            )
        except ModelError as error:
            self._quiet.warning("critic_failed", str(self._model), reason=str(error))
            self.values, self.errors = {}, {}
            return
        then, self.values = self.values, dict(zip(both, found.tolist(), strict=True))
        self.errors = {
            place: critic.earned(before[place].reward, before[place].satisfaction)
            + critic.gamma * value
            - then[place]
            for place, value in self.values.items()
            if place in then
        }
        if self.errors:
            mean = float(np.mean(np.abs(list(self.errors.values()))))
            self.mean_error += (SMOOTHING if self.mean_error else 1.0) * (mean - self.mean_error)
