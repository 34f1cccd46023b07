"""Warnings that do not flood: each kind is logged once in a while, with how often it was held back."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

PERIOD_S = 10.0
MAX_KEYS = 1024


class Quiet:
    """Logs each (event, key) at most every `PERIOD_S`."""

    def __init__(self, log: "FilteringBoundLogger") -> None:
        self._log = log
        self._next: dict[tuple[str, str], tuple[float, int]] = {}

    def warning(self, event: str, key: str, **fields: object) -> None:
        """Log a warning about `key`, or count it for the next time."""
        now_s = time.monotonic()
        not_before_s, held_back = self._next.get((event, key), (0.0, 0))
        if now_s < not_before_s:
            self._next[event, key] = (not_before_s, held_back + 1)
            return
        if len(self._next) >= MAX_KEYS:
            self._next.clear()
        self._next[event, key] = (now_s + PERIOD_S, 0)
        more = {"held_back": held_back} if held_back else {}
        self._log.warning(event, about=key, **fields, **more)
