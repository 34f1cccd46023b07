"""Reading the KPI log that the nodes write while they run (`ranloop e2node --kpi-log`)."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from oran.sla import SliceSla
from ranloop.errors import RanloopError
from ranloop.phases import Phase

FIELDS = ("throughput_bps", "delay_s", "drop_rate", "quotas")


@dataclass(slots=True)
class KpiLog:
    """A log that grows: `poll` reads what has come since, `phase` makes arrays of it.

    Steps up to `warm_up` of each run are left out: a run begins with the header that a node process writes.
    """

    path: Path
    warm_up: int = 0
    step_s: float = 0.1
    runs: int = 0
    steps: list[dict[str, Any]] = field(default_factory=list)
    _offset: int = 0

    def poll(self) -> int:
        """Read complete new lines; returns how many steps were added."""
        if not self.path.exists():
            return 0
        before = len(self.steps)
        with self.path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(line)
        return len(self.steps) - before

    def _take(self, text: bytes) -> None:
        try:
            line = json.loads(text)
            if "nodes" in line:
                self.step_s = float(line["step_s"])
                self.runs += 1
            elif line["step"] > self.warm_up:
                self.steps.append({name: line[name] for name in FIELDS})
        except (ValueError, KeyError, TypeError) as error:
            raise RanloopError(f"{self.path} holds a line that is no KPI record: {error!r}") from error

    def phase(self, name: str, slas: tuple[SliceSla, ...], start: int = 0) -> Phase:
        """The steps from `start` on as arrays; raises RanloopError when there are none."""
        if len(self.steps) <= start:
            raise RanloopError(f"{self.path} holds no step of the phase {name!r}; the nodes' log tells why")
        arrays = {
            field: np.array([step[field] for step in self.steps[start:]], dtype=np.float64) for field in FIELDS
        }
        return Phase(name, slas, self.step_s, **arrays)
