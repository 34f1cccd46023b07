"""Orchestration: the objects that a program sees (`twin`, a link, the equipment), and what it asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twin.link.catalogue import SLICE_FIELDS, STEPS
from twin.link.errors import SandboxRefusal
from twin.link.grammar import brief


@dataclass
class Link:
    """A link, or the slice policy, while a program makes it: arguments by name, and the line of each step."""

    arguments: dict[str, object] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Equipment:
    """The equipment that a program may read, by field."""

    values: Mapping[str, object]


@dataclass
class Twin:
    """The object `twin`."""

    equipment: Equipment
    policy: Link = field(default_factory=Link)
    sent: Link | None = None


@dataclass(frozen=True)
class Method:
    """A method of one of these objects: it can be called, and nothing else."""

    owner: Twin | Link
    name: str


@dataclass(frozen=True)
class Orchestration:
    """What a program asked for: the raw parts of a plan, and the line that each step stands on."""

    link_chain: dict[str, object]
    slice_policy: dict[str, object]
    lines: dict[str, int]


_FIELDS = {step.name: tuple(parameter.name for parameter in step.parameters) for step in STEPS}
_TWIN_METHODS = ("link", "slice", "transmit")
_LINK_METHODS = tuple(_FIELDS)[1:]


def attribute(owner: object, name: str, line: int) -> object:
    """An attribute of one of these objects; SandboxRefusal for any other name or object."""
    offer: tuple[str, ...]
    match owner:
        case Twin() if name == "equipment":
            return owner.equipment
        case Twin() if name in _TWIN_METHODS:
            return Method(owner, name)
        case Link() if name in _LINK_METHODS:
            return Method(owner, name)
        case Equipment() if name in owner.values:
            return owner.values[name]
        case Twin():
            offer = ("equipment", *_TWIN_METHODS)
        case Link():
            offer = _LINK_METHODS
        case Equipment():
            offer = tuple(owner.values)
        case _:
            raise SandboxRefusal(line, f"the attribute {brief(name)} is not allowed: {kind(owner)} has none")
    raise SandboxRefusal(line, f"{kind(owner)} has no {brief(name)}; it has {', '.join(offer) or 'nothing'}")


def invoke(method: Method, positional: list[object], named: dict[str, object], line: int) -> object:
    """Call a method; SandboxRefusal for arguments that it does not take, and for a step called twice."""
    match method:
        case Method(owner=Twin() as twin, name="transmit"):
            _transmit(twin, positional, named, line)
        case Method(owner=Twin() as twin, name="slice"):
            _record(twin.policy, "slice", tuple(SLICE_FIELDS), positional, named, line)
        case Method(owner=Twin()):
            link = Link()
            _record(link, "grid", _FIELDS["grid"], positional, named, line)
            return link
        case Method(owner=Link() as link, name=step):
            _record(link, step, _FIELDS[step], positional, named, line)
    return None


def kind(value: object) -> str:
    """A value's kind in words, for a message."""
    if isinstance(value, int | float):
        return "a truth value" if isinstance(value, bool) else "a number"
    words = {
        Twin: "twin",
        Link: "a link",
        Equipment: "twin.equipment",
        Method: "a method",
        dict: "a table",
        list: "a list",
        range: "a list",
        str: "a text",
    }
    return words.get(type(value), "nothing")


def _transmit(twin: Twin, positional: list[object], named: dict[str, object], line: int) -> None:
    if len(positional) != 1 or named or not isinstance(positional[0], Link):
        raise SandboxRefusal(line, "transmit takes one link: twin.transmit(link)")
    if twin.sent is not None:
        raise SandboxRefusal(line, f"transmit was called already, on line {twin.sent.lines['plan']}")
    twin.sent = positional[0]
    twin.sent.lines["plan"] = line


def _record(
    link: Link,
    step: str,
    fields: tuple[str, ...],
    positional: list[object],
    named: dict[str, object],
    line: int,
) -> None:
    if step in link.lines:
        raise SandboxRefusal(line, f"{step} was called already, on line {link.lines[step]}")
    if len(positional) > len(fields):
        raise SandboxRefusal(line, f"{step} takes at most {len(fields)} arguments: {', '.join(fields)}")
    arguments = dict(zip(fields, positional, strict=False))
    for name, value in named.items():
        if name not in fields:
            raise SandboxRefusal(line, f"{step} takes no {brief(name)}; it takes {', '.join(fields)}")
        if name in arguments:
            raise SandboxRefusal(line, f"{step} has {name} twice")
        arguments[name] = value
    for name, value in arguments.items():
        if not (value is None or isinstance(value, bool | int | float | str)):
            raise SandboxRefusal(line, f"{name} is {kind(value)}; it must be a number or a name")
    link.arguments |= arguments
    link.lines[step] = line
