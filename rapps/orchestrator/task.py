"""Task: what an upper-layer service asks for in plain language, and the equipment that there is for it.

Tasks are exchanged as JSON, in files one a line (JSONL): `text`, and where they are known `demand` and `equipment`
with the fields of `twin.link.demand.Demand` and `twin.link.equipment.EquipmentState`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from twin.link.catalogue import ChannelClass
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.errors import LinkError

Part = TypeVar("Part", Demand, EquipmentState)

_PARTS: Mapping[str, type[Demand] | type[EquipmentState]] = {"demand": Demand, "equipment": EquipmentState}
_FLAGS = ("has_deeprx", "has_deeptx")
_COUNTS = ("free_prbs", "tx_antennas", "rx_antennas")
_MOST_LETTERS = 40

USUAL_EQUIPMENT = EquipmentState(
    free_prbs=51,
    tx_antennas=2,
    rx_antennas=2,
    compute_flops=1e13,
    max_tx_power_dbm=30.0,
    channel=ChannelClass.TDL_C,
    snr_db=15.0,
    delay_spread_s=100e-9,
    doppler_hz=50.0,
)
"""The equipment of a task that names none."""


class TaskError(ValueError):
    """A task that cannot be read; names the line, where there is one, the field and what it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A service in plain language. TaskError for a text that is empty or no Unicode."""

    text: str
    demand: Demand | None = None
    """What the text stands for; None where nobody has said."""
    equipment: EquipmentState | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or not self.text.strip():
            raise TaskError("text is empty; it must say in words what the service needs")
        try:
            self.text.encode()
        except UnicodeEncodeError:
            raise TaskError("text has half a surrogate pair; it must be Unicode") from None

    def to_json(self) -> str:
        """The task as one line of JSON, without what is not known."""
        return json.dumps(
            {"text": self.text}
            | {name: asdict(part) for name in _PARTS if (part := getattr(self, name)) is not None},
            ensure_ascii=False,
        )


def parse(line: str) -> Task:
    """Read one task from JSON; TaskError names the field that is wrong."""
    try:
        told = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"this is not JSON: {error}") from None
    if not isinstance(told, dict):
        raise TaskError("this is not a task; it must be an object with text, and demand and equipment if known")
    _known(told, ("text", *_PARTS), "")
    if not isinstance(told.get("text"), str):
        raise TaskError("text is missing or no string; it must say in words what the service needs")
    return Task(
        text=told["text"],
        demand=_part(Demand, "demand", told.get("demand")),
        equipment=_part(EquipmentState, "equipment", told.get("equipment")),
    )


def read(path: Path) -> tuple[Task, ...]:
    """Read the tasks of a JSONL file, skipping blank lines; TaskError names file, line and field."""
    tasks = []
    try:
        # Not splitlines, which breaks lines within a text too.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path}: {error}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                tasks.append(parse(line))
            except TaskError as error:
                raise TaskError(f"{path}, line {number}: {error}") from None
    return tuple(tasks)


def write(path: Path, tasks: Iterable[Task]) -> None:
    """Write tasks as JSONL."""
    path.write_text("".join(f"{task.to_json()}\n" for task in tasks), encoding="utf-8", newline="\n")


def _part(kind: type[Part], name: str, told: object) -> Part | None:
    if told is None:
        return None
    if not isinstance(told, dict):
        raise TaskError(f"{name} is no object; it must have {', '.join(field.name for field in fields(kind))}")
    _known(told, tuple(field.name for field in fields(kind)), f"{name}.")
    missing = [field.name for field in fields(kind) if field.default is MISSING and field.name not in told]
    if missing:
        raise TaskError(f"{name}.{missing[0]} is missing")
    values = {field: _value(f"{name}.{field}", field, value) for field, value in told.items()}
    try:
        return kind(**values)
    except LinkError as error:
        raise TaskError(f"{name}.{error}") from None


def _value(name: str, field: str, value: object) -> Any:
    """A field's value in its type."""
    if field == "channel":
        good, kind = isinstance(value, str), "a name"
    elif field in _FLAGS:
        good, kind = isinstance(value, bool), "true or false"
    elif field in _COUNTS:
        good, kind = isinstance(value, int) and not isinstance(value, bool), "a whole number"
    else:
        good, kind = isinstance(value, int | float) and not isinstance(value, bool), "a number"
        if good:
            try:
                return float(value)  # type: ignore[arg-type]
            except OverflowError:
                good = False
    if not good:
        raise TaskError(f"{name} is {_brief(value)}; it must be {kind}")
    return value


def _known(told: Mapping[str, object], names: tuple[str, ...], prefix: str) -> None:
    for name in told:
        if name not in names:
            raise TaskError(f"there is no {prefix}{_brief(name)}; there are {', '.join(names)}")


def _brief(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 3]}..."


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")
