"""Families of scenarios: ranges to draw scenarios from, and splits for what a model has seen and what it has not.

A family has a base scenario and axes. Each axis changes some fields together and has an inside, which training
draws from, and an outside beyond it. Split `in` draws every axis inside. Split `out-AXIS` draws that one outside
and the others inside, so that a loss of performance can be put down to it. Split `out` draws all of them outside.
A draw is a function of split and seed alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path

import numpy as np
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from oran.sla import SliceSla
from twin.network import library
from twin.network.errors import ScenarioError
from twin.network.scenario import Scenario
from twin.network.slices import SliceTraffic

FOLDER = Path(__file__).with_name("families")
IN, OUT = "in", "out"
SLA = "sla."
_TRIED = 8
"""Draws of each split that a family must pass when it is read."""
Value = float | int | str
Span = tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that an axis changes: a number in low..high where there are two, else one of so many choices."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    field: str
    """A field of the scenario, or `SLICE.FIELD`, `SLICE.sla.FIELD` of a slice by its name; `*` is every slice."""
    inside: Span
    outside: Span
    scale: bool = False
    """Whether the draw multiplies what the base has, both ends of a range alike."""
    choose: bool = False
    """Whether the values are choices, be they two numbers."""

    def drawn(self, part: str, draw: np.random.Generator) -> Value:
        """A value from the inside or the outside; whole where both ends are."""
        span = self.inside if part == IN else self.outside
        if self.choose or len(span) != 2 or any(isinstance(value, str) for value in span):
            return span[int(draw.integers(len(span)))]
        low, high = (float(value) for value in span)
        if all(isinstance(value, int) for value in span) and not self.scale:
            return int(draw.integers(int(low), int(high) + 1))
        if low > 0:
            return round(math.exp(draw.uniform(math.log(low), math.log(high))), 6)
        return round(float(draw.uniform(low, high)), 6)


@dataclass(frozen=True, slots=True)
class Family:
    """A base scenario and the axes along which others differ from it."""

    name: str
    about: str
    base: Scenario
    axes: Mapping[str, tuple[Change, ...]]

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits."""
        return (IN, *(f"{OUT}-{axis}" for axis in self.axes), OUT)

    def draw(self, split: str, seed: int) -> Scenario:
        """A scenario of a split; ScenarioError for a split that is not there."""
        if split not in self.splits:
            raise ScenarioError(
                f"family {self.name}: split is {split!r}; it must be one of {', '.join(self.splits)}"
            )
        scenario = self.base
        for number, (axis, changes) in enumerate(self.axes.items()):
            part = OUT if split in (OUT, f"{OUT}-{axis}") else IN
            # One draw for each axis: whether another axis is outside does not change this one.
            draw = np.random.default_rng((seed, number, part == OUT))
            values = {change.field: (change, change.drawn(part, draw)) for change in changes}
            scenario = _changed(scenario, values)
        return scenario


def _changed(scenario: Scenario, values: Mapping[str, tuple[Change, Value]]) -> Scenario:
    """All changes of an axis at once, so that only their sum must be valid."""
    own: dict[str, object] = {}
    slices = list(scenario.slices)
    for field, (change, value) in values.items():
        owner, _, rest = field.partition(".")
        if not rest:
            own[field] = _value(change, getattr(scenario, field), value)
            continue
        for place, item in enumerate(slices):
            if owner in ("*", item.name):
                slices[place] = _changed_slice(item, rest, change, value)
    return scenario.with_(**own, slices=tuple(slices))


def _changed_slice(item: SliceTraffic, field: str, change: Change, value: Value) -> SliceTraffic:
    part = field.removeprefix(SLA)
    if part == field:
        made: SliceTraffic = replace(item, **{field: _value(change, getattr(item, field), value)})  # type: ignore[arg-type]
        return made
    before = getattr(item.sla, part)
    # What a slice does not promise stays so.
    changed = before if before is None else _value(change, before, value)
    return replace(item, sla=replace(item.sla, **{part: changed}))  # type: ignore[arg-type]


def _value(change: Change, before: object, value: Value) -> object:
    if not change.scale:
        return value
    if isinstance(value, str) or not isinstance(before, int | float | tuple):
        raise ScenarioError(f"field {change.field!r}: {before!r} cannot be scaled by {value!r}")
    if isinstance(before, tuple):
        return tuple(part * value for part in before)
    return round(before * value) if isinstance(before, int) else before * value


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What a family's file holds."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    about: str
    base: str
    axes: dict[str, list[Change]]


_FILE: TypeAdapter[_File] = TypeAdapter(_File)


def names() -> tuple[str, ...]:
    """The families that are shipped."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load(name: str | Path) -> Family:
    """A family by its name or from a YAML file; ScenarioError says what is wrong with it or a draw of it."""
    path = FOLDER / f"{name}.yaml" if str(name) in names() else Path(name)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        file = _FILE.validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ScenarioError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ScenarioError(f"family {str(name)!r} is none of {', '.join(names())}: {error}") from None
    family = Family(
        name=path.stem,
        about=" ".join(file.about.split()),
        base=library.load(file.base),
        axes={axis: tuple(changes) for axis, changes in file.axes.items()},
    )
    _check(family, path)
    return family


def _check(family: Family, path: Path) -> None:
    for axis, changes in family.axes.items():
        for change in changes:
            try:
                _check_field(family.base, change)
            except ScenarioError as error:
                raise ScenarioError(f"{path}: axes.{axis}: {error}") from None
    for split, seed in product(family.splits, range(_TRIED)):
        try:
            family.draw(split, seed)
        except ValueError as error:
            raise ScenarioError(f"{path}: split {split}, seed {seed}: {error}") from None


def _check_field(base: Scenario, change: Change) -> None:
    owner, _, rest = change.field.partition(".")
    slices = [item.name for item in base.slices]
    if rest and owner not in ("*", *slices):
        raise ScenarioError(f"field {change.field!r}: the slice must be * or one of {', '.join(slices)}")
    target: type = SliceTraffic if rest else Scenario
    name = rest or owner
    if name.startswith(SLA):
        target, name = SliceSla, name.removeprefix(SLA)
    if name not in {item.name for item in fields(target)}:
        raise ScenarioError(f"field {change.field!r}: a {target.__name__} has no {name!r}")
    if not change.inside or not change.outside:
        raise ScenarioError(f"field {change.field!r}: inside and outside need values")
