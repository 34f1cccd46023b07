"""Record: what a training was made with, kept in its folder beside the stages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from training import provenance
from training.orchestrator.errors import StageError
from training.orchestrator.presets import OrchestratorConfig
from training.orchestrator.tasks.feasibility import tables

FILE = "record.json"

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The configuration as flat values, and the code and the twin at the beginning of the training."""

    config: Mapping[str, Value]
    commit: str
    twin_version: str
    twin_tables: str
    """The digest of the tables of tier T0."""

    @classmethod
    def of(cls, config: OrchestratorConfig) -> Self:
        """With the code and the twin of now."""
        return cls(
            config=dict(_flat(asdict(config))),
            commit=provenance.commit(),
            twin_version=provenance.twin_version(),
            twin_tables=tables(),
        )

    def keep(self, folder: Path) -> None:
        """Write the record, unless the training began earlier."""
        path = folder / FILE
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The record of a training, None where none was kept; StageError where it cannot be read."""
        path = folder / FILE
        if not path.exists():
            return None
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise StageError(f"{path} cannot be read: {error}; mend it or remove it") from None


def _flat(told: Mapping[str, object], before: str = "") -> Iterator[tuple[str, Value]]:
    """Values by their path, such as `rldtf.steps`."""
    for name, value in told.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif value is None or isinstance(value, str | int | float | bool):
            yield f"{before}{name}", value
        else:
            yield f"{before}{name}", str(value) if isinstance(value, Path) else json.dumps(value, default=str)
