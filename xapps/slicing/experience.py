"""Experience: what was seen, decided and earned, appended to a file that retraining reads."""

import contextlib
from dataclasses import replace
from typing import IO

from oran.experience import Transition
from oran.logs import get_logger
from oran.slices import from_policy
from xapps.slicing.cell import Decision, rows
from xapps.slicing.in_force import Told
from xapps.slicing.quiet import Quiet

_log = get_logger(__name__)


class ExperienceFile:
    """One JSON record per line; raises OSError when the file is not to be had, and later only logs."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: IO[str] = open(path, "a", encoding="utf-8")  # noqa: SIM115  held until close
        self._waiting: dict[str, Transition] = {}
        self._quiet = Quiet(_log)

    def write(self, decision: Decision, controller: str) -> None:
        """Append a decision that was carried out here."""
        self._append(decision.transition(controller))

    def overhear(self, decision: Decision, told: Told) -> None:
        """Append the report before this one: what an actor decided from it has been in force since."""
        seen = decision.observation
        if seen is None:
            return
        key = f"{seen.node}/{seen.cell}"
        before = self._waiting.pop(key, None)
        record = decision.transition(told.controller)
        if record is not None:
            self._waiting[key] = replace(record, guard=())
        if before is not None and seen.time_s - before.time_s < 1.5 * seen.period_s:
            self._append(replace(before, action=rows(from_policy(told.policy)), controller=told.controller))

    def flush(self) -> None:
        """Let readers see what was written."""
        with contextlib.suppress(OSError):
            self._file.flush()

    def close(self) -> None:
        """Write what is buffered and close."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _append(self, record: Transition | None) -> None:
        if record is None:
            return
        try:
            self._file.write(record.to_json() + "\n")
        except OSError as error:
            self._quiet.warning("experience_not_written", self._path, reason=str(error))
