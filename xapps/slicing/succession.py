"""Succession: how a new model takes over from the running one, and how the former one comes back.

A candidate decides beside the running model for some periods, in a thread: no control waits for it. What it
decides has no effect; it is compared and counted. When none of its decisions was refused it takes over, and the
model before it stays in memory.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oran.logs import get_logger
from xapps.slicing.actor import Actor
from xapps.slicing.errors import ModelError

EVENTS = ("shadowed", "took_over", "dropped", "refused", "rolled_back")
"""What may become of a model."""
MOST_DUE = 256
"""Decisions that a slow candidate may lag behind; older ones are not compared."""

_log = get_logger(__name__)


@dataclass(slots=True, eq=False)
class Shadow:
    """A candidate and how it has done so far."""

    actor: Actor
    decisions: int = 0
    difference: float = 0.0
    """Sum over decisions of the mean absolute difference between its shares and the running model's."""

    @property
    def mean_difference(self) -> float:
        """Mean absolute difference in share; 0 before the first decision."""
        return self.difference / max(1, self.decisions)


class Succession:
    """The agent of all cells: the running model, a candidate in its shadow, and the one before.

    A candidate takes over after as many decisions as all cells make in `periods`; 0 lets it take over at once.
    """

    def __init__(self, running: Actor, periods: int, cells: Callable[[], int]) -> None:
        self.running = running
        self.before: Actor | None = None
        self.shadow: Shadow | None = None
        self.difference = 0.0
        """Mean absolute difference in share of the last shadow, while it runs and after."""
        self.reason = ""
        """Why a model was refused or dropped last."""
        self.events: Counter[str] = Counter(dict.fromkeys(EVENTS, 0))
        self.shadow_decisions = 0
        self._periods = periods
        self._cells = cells
        self._due: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=MOST_DUE)
        self._woken = asyncio.Event()

    @property
    def actors(self) -> list[Actor]:
        """All models in memory, the running one first."""
        others = (self.before, self.shadow.actor if self.shadow is not None else None)
        return [self.running, *(actor for actor in others if actor is not None)]

    def share(self, seen: np.ndarray) -> np.ndarray:
        """What the running model decides for features [n, slices, FEATURES]; raises ModelError."""
        share = self.running.share(seen)
        if self.shadow is not None:
            self._due.append((seen, share))
            self._woken.set()
        return share

    async def follow(self) -> None:
        """Let candidates decide what the running model has decided, for ever."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self.catch_up()

    async def catch_up(self) -> None:
        """Compare all that is due."""
        while self.shadow is not None and self._due:
            shadow, (seen, share) = self.shadow, self._due.popleft()
            try:
                other = await asyncio.to_thread(shadow.actor.share, seen)
            except ModelError as error:
                if shadow is self.shadow:
                    self.drop(str(error))
                continue
            if shadow is self.shadow:
                self._compare(shadow, share, other)

    def propose(self, candidate: Actor) -> None:
        """Put a verified model in the running one's shadow, in place of any that is there."""
        self.drop("another candidate came")
        self.shadow, self.difference = Shadow(candidate), 0.0
        self._due.clear()
        self.events["shadowed"] += 1
        _log.info("model_shadows", model=str(candidate), running=str(self.running), periods=self._periods)
        if self._periods == 0:
            self._take_over(self.shadow)

    def refuse(self, reason: str) -> None:
        """Note that a package was not even let into the shadow."""
        self.reason = reason
        self.events["refused"] += 1
        _log.warning("model_refused", reason=reason, running=str(self.running))

    def drop(self, reason: str) -> None:
        """Send the candidate away, if there is one."""
        if self.shadow is not None:
            self.reason = f"{self.shadow.actor}: {reason}"
            self.events["dropped"] += 1
            _log.warning("model_dropped", model=str(self.shadow.actor), reason=reason)
            self.shadow = None

    def roll_back(self) -> bool:
        """Let the model before decide again, and drop any candidate; False where there is none before."""
        if self.before is None:
            return False
        self.drop("rolled back")
        self.running, self.before = self.before, self.running
        self.events["rolled_back"] += 1
        _log.warning("model_rolled_back", running=str(self.running), before=str(self.before))
        return True

    def _compare(self, shadow: Shadow, share: np.ndarray, other: np.ndarray) -> None:
        shadow.decisions += 1
        shadow.difference += float(np.abs(other - share).mean())
        self.shadow_decisions += 1
        self.difference = shadow.mean_difference
        if shadow.decisions >= self._periods * self._cells():
            self._take_over(shadow)

    def _take_over(self, shadow: Shadow) -> None:
        self.before, self.running, self.shadow = self.running, shadow.actor, None
        self.events["took_over"] += 1
        _log.info(
            "model_took_over",
            model=str(self.running),
            before=str(self.before),
            decisions=shadow.decisions,
            difference=round(shadow.mean_difference, 4),
        )
