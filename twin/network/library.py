"""Library of scenarios: YAML files, by name, each with the lesson it is for.

A file gives `about`, a sentence, and fields of `Scenario`; what it leaves out keeps its default. A slice may say
`like: eMBB`, `URLLC` or `mMTC` to take over all that it does not say itself, and its `sla` need not repeat the
S-NSSAI. Numbers have the unit that their field ends with. `trace` names a trace's CSV file beside the scenario's.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from oran.slices import SNssai
from twin.network.errors import ScenarioError
from twin.network.scenario import EMBB, MMTC, URLLC, Scenario, SliceTraffic
from twin.network.trace import Trace, load_trace

FOLDER = Path(__file__).with_name("scenarios")
DEFAULT = "pa_mrl"
LIKE = {item.name: item for item in (EMBB, URLLC, MMTC)}
LARGEST_FILE_BYTE = 1 << 20
_SCENARIO: TypeAdapter[Scenario] = TypeAdapter(Scenario)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A scenario of the library."""

    name: str
    about: str
    scenario: Scenario
    trace: Trace | None = None
    """What drives its UEs, to be given to `reset`."""


def names() -> tuple[str, ...]:
    """The scenarios that are shipped."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load(name: str | Path) -> Scenario:
    """A scenario by its name, or from a YAML or JSON file; ScenarioError says what is wrong."""
    return entry(name).scenario


def entry(name: str | Path) -> Entry:
    """A scenario with all that goes with it, by its name, or from a YAML or JSON file.

    ScenarioError says what is wrong with it, TraceError with its trace.
    """
    path = FOLDER / f"{name}.yaml" if str(name) in names() else Path(name)
    if path.suffix == ".json":
        return Entry(path.stem, "", Scenario.load(path))
    if path.suffix not in (".yaml", ".yml"):
        raise ScenarioError(f"scenario {str(name)!r}: name a .yaml or .json file, or one of {', '.join(names())}")
    try:
        return _read(path)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def _read(path: Path) -> Entry:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTE:
            raise ScenarioError(f"the file is larger than {LARGEST_FILE_BYTE} bytes")
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ScenarioError(str(error)) from None
    if not isinstance(values, dict):
        raise ScenarioError("it must hold fields of a scenario, each with its value")
    about, trace = (_text(values, field) for field in ("about", "trace"))
    return Entry(
        name=path.stem,
        about=" ".join(about.split()),
        scenario=scenario_of({key: value for key, value in values.items() if key not in ("about", "trace")}),
        trace=load_trace(path.with_name(trace)) if trace else None,
    )


def _text(values: dict[object, object], field: str) -> str:
    text = values.get(field, "")
    if not isinstance(text, str):
        raise ScenarioError(f"{field}: it must be text")
    return text


def scenario_of(values: dict[object, object]) -> Scenario:
    """A scenario of plain values as YAML has them; ScenarioError names what is wrong."""
    slices = values.get("slices")
    if isinstance(slices, list):
        values = {**values, "slices": [_slice(item) for item in slices]}
    try:
        return _SCENARIO.validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f"{part}: " for part in (".".join(map(str, first["loc"])),) if part)
        # Errors of our own dataclasses come wrapped: their words already say where.
        raise ScenarioError(place + first["msg"].removeprefix("Value error, ")) from None


def _slice(item: object) -> object:
    """One slice with what it takes over, and its S-NSSAI where its SLA does not repeat it."""
    if not isinstance(item, dict):
        return item
    own = dict(item)
    like = own.pop("like", None)
    if like is not None and like not in LIKE:
        raise ScenarioError(f"slices: like is {like!r}; it must be one of {', '.join(LIKE)}")
    try:
        if isinstance(own.get("slice"), str):
            own["slice"] = SNssai.parse(own["slice"])
    except ValueError as error:
        raise ScenarioError(f"slices: {error}") from None
    base: SliceTraffic | None = LIKE.get(like) if like else None
    taken = {} if base is None else {part.name: getattr(base, part.name) for part in fields(base)}
    merged = {**taken, **own}
    sla = own.get("sla")
    if isinstance(sla, dict):
        merged["sla"] = {"slice": merged.get("slice"), "name": str(merged.get("name", "")), **sla}
    return merged
