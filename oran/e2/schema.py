"""ASN.1 types as values: each reads and writes aligned PER and projects its values to JSON and back.

A message is declared once, as a tree of these, and coded in all four directions from that declaration.
Components are named as the standard names them; the values are frozen dataclasses and plain Python types.
Where a path is hot, a module may read or write the common case by hand beside its declaration.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar, cast

from oran.e2 import asn1_value as json
from oran.e2.aper import Reader, Writer
from oran.e2.asn1_value import JsonObject, JsonValue
from oran.e2.errors import DecodeError, EncodeError

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class Type(ABC, Generic[T]):
    """An ASN.1 type; `field` is the component's name, which errors repeat."""

    @abstractmethod
    def read(self, reader: Reader, field: str) -> T:
        """Read a value; DecodeError where the bits hold none."""

    @abstractmethod
    def write(self, writer: Writer, value: T, field: str) -> None:
        """Write a value; EncodeError where it does not fit."""

    @abstractmethod
    def to_asn1(self, value: T) -> JsonValue:
        """Project a value to JSON."""

    @abstractmethod
    def from_asn1(self, value: JsonValue, field: str) -> T:
        """Take a value back from JSON; EncodeError where it is none."""

    def decode(self, data: bytes, field: str = "") -> T:
        """Decode a whole message; padding after it is not looked at."""
        return self.read(Reader(data), field)

    def encode(self, value: T, field: str = "") -> bytes:
        """Encode a whole message."""
        writer = Writer()
        self.write(writer, value, field)
        return writer.getvalue()


@dataclass(frozen=True, slots=True)
class Integer(Type[int]):
    """INTEGER (low..high[, ...]), or without bounds."""

    low: int | None = None
    high: int | None = None
    extensible: bool = False

    def read(self, reader: Reader, field: str) -> int:
        if self.low is None or self.high is None:
            return reader.unconstrained(field)
        return reader.integer(self.low, self.high, field, extensible=self.extensible)

    def write(self, writer: Writer, value: int, field: str) -> None:
        if self.low is None or self.high is None:
            writer.unconstrained(value)
        else:
            writer.integer(value, self.low, self.high, field, extensible=self.extensible)

    def to_asn1(self, value: int) -> JsonValue:
        return value

    def from_asn1(self, value: JsonValue, field: str) -> int:
        return json.as_integer(value, field)


class Boolean(Type[bool]):
    """BOOLEAN."""

    def read(self, reader: Reader, field: str) -> bool:
        return reader.bit(field)

    def write(self, writer: Writer, value: bool, field: str) -> None:
        writer.bit(value)

    def to_asn1(self, value: bool) -> JsonValue:
        return value

    def from_asn1(self, value: JsonValue, field: str) -> bool:
        return json.as_boolean(value, field)


class Real(Type[float]):
    """REAL."""

    def read(self, reader: Reader, field: str) -> float:
        return reader.real(field)

    def write(self, writer: Writer, value: float, field: str) -> None:
        writer.real(value)

    def to_asn1(self, value: float) -> JsonValue:
        return json.real(value)

    def from_asn1(self, value: JsonValue, field: str) -> float:
        return json.as_real(value, field)


@dataclass(frozen=True, slots=True)
class Octets(Type[bytes]):
    """OCTET STRING (SIZE(low..high))."""

    low: int = 0
    high: int | None = None

    def read(self, reader: Reader, field: str) -> bytes:
        return reader.octet_string(field, self.low, self.high)

    def write(self, writer: Writer, value: bytes, field: str) -> None:
        writer.octet_string(value, field, self.low, self.high)

    def to_asn1(self, value: bytes) -> JsonValue:
        return json.octets(value)

    def from_asn1(self, value: JsonValue, field: str) -> bytes:
        return json.as_octets(value, field)


@dataclass(frozen=True, slots=True)
class OctetNumber(Type[int]):
    """OCTET STRING (SIZE(size)) whose octets are an unsigned number."""

    size: int

    def read(self, reader: Reader, field: str) -> int:
        return int.from_bytes(reader.octet_string(field, self.size, self.size), "big")

    def write(self, writer: Writer, value: int, field: str) -> None:
        if not 0 <= value < 1 << self.size * 8:
            writer.fail(f"{value} does not fit in {self.size} octets", field)
        writer.octet_string(value.to_bytes(self.size, "big"), field, self.size, self.size)

    def to_asn1(self, value: int) -> JsonValue:
        return json.octets(value.to_bytes(self.size, "big"))

    def from_asn1(self, value: JsonValue, field: str) -> int:
        return int.from_bytes(json.as_octets(value, field, self.size), "big")


@dataclass(frozen=True, slots=True)
class Bits(Type[tuple[int, int]]):
    """BIT STRING (SIZE(low..high)) as (value, length in bits)."""

    low: int = 0
    high: int | None = None

    def read(self, reader: Reader, field: str) -> tuple[int, int]:
        return reader.bit_string(field, self.low, self.high)

    def write(self, writer: Writer, value: tuple[int, int], field: str) -> None:
        writer.bit_string(value, field, self.low, self.high)

    def to_asn1(self, value: tuple[int, int]) -> JsonValue:
        return json.bits(*value)

    def from_asn1(self, value: JsonValue, field: str) -> tuple[int, int]:
        return json.as_bits(value, field)


@dataclass(frozen=True, slots=True)
class BitNumber(Type[int]):
    """BIT STRING (SIZE(count)) as an unsigned number."""

    count: int

    def read(self, reader: Reader, field: str) -> int:
        return reader.bit_string(field, self.count, self.count)[0]

    def write(self, writer: Writer, value: int, field: str) -> None:
        writer.bit_string((value, self.count), field, self.count, self.count)

    def to_asn1(self, value: int) -> JsonValue:
        return json.bits(value, self.count)

    def from_asn1(self, value: JsonValue, field: str) -> int:
        return json.as_bits(value, field, self.count)[0]


@dataclass(frozen=True, slots=True)
class Characters(Type[str]):
    """PrintableString (SIZE(low..high[, ...]))."""

    low: int = 0
    high: int | None = None
    extensible: bool = False

    def read(self, reader: Reader, field: str) -> str:
        return reader.characters(field, self.low, self.high, extensible=self.extensible)

    def write(self, writer: Writer, value: str, field: str) -> None:
        writer.characters(value, field, self.low, self.high, extensible=self.extensible)

    def to_asn1(self, value: str) -> JsonValue:
        return value

    def from_asn1(self, value: JsonValue, field: str) -> str:
        return json.as_text(value, field)


class Enumerated(Type[E]):
    """ENUMERATED as an `Enum` of its identifiers in wire order; those after the first `root` are additions."""

    def __init__(self, members: type[E], *, root: int | None = None, extensible: bool = True) -> None:
        self.members = list(members)
        self.indexes = {member: index for index, member in enumerate(self.members)}
        self.root = len(self.members) if root is None else root
        self.extensible = extensible

    def read(self, reader: Reader, field: str) -> E:
        index = reader.enumerated(self.root, field, extensible=self.extensible)
        if index >= len(self.members):
            reader.fail(f"enumeration value {index} is unknown", field)
        return self.members[index]

    def write(self, writer: Writer, value: E, field: str) -> None:
        writer.enumerated(self.indexes[value], self.root, field, extensible=self.extensible)

    def to_asn1(self, value: E) -> JsonValue:
        return cast(str, value.value)

    def from_asn1(self, value: JsonValue, field: str) -> E:
        for member in self.members:
            if member.value == value:
                return member
        raise EncodeError(f"{value!r} is none of {[member.value for member in self.members]}", field=field)


class TrueFalse(Type[bool]):
    """ENUMERATED {true, false, ...}."""

    def read(self, reader: Reader, field: str) -> bool:
        index = reader.enumerated(2, field, extensible=True)
        if index > 1:
            reader.fail(f"enumeration value {index} is unknown", field)
        return index == 0

    def write(self, writer: Writer, value: bool, field: str) -> None:
        writer.enumerated(0 if value else 1, 2, field, extensible=True)

    def to_asn1(self, value: bool) -> JsonValue:
        return "true" if value else "false"

    def from_asn1(self, value: JsonValue, field: str) -> bool:
        if value not in ("true", "false"):
            raise EncodeError(f"{value!r} is neither 'true' nor 'false'", field=field)
        return value == "true"


class SequenceOf(Type[tuple[T, ...]]):
    """SEQUENCE (SIZE(low..high)) OF item, as a tuple."""

    def __init__(self, item: Type[T], low: int, high: int) -> None:
        self.item = item
        self.low = low
        self.high = high

    def read(self, reader: Reader, field: str) -> tuple[T, ...]:
        read = self.item.read
        return reader.sequence_of(lambda inner: read(inner, ""), field, self.low, self.high)

    def write(self, writer: Writer, value: Sequence[T], field: str) -> None:
        write = self.item.write
        writer.sequence_of(value, lambda inner, item: write(inner, item, ""), field, self.low, self.high)

    def to_asn1(self, value: tuple[T, ...]) -> JsonValue:
        return [self.item.to_asn1(item) for item in value]

    def from_asn1(self, value: JsonValue, field: str) -> tuple[T, ...]:
        items = json.as_list(value, field)
        return tuple(self.item.from_asn1(item, f"{field}[{index}]") for index, item in enumerate(items))


@dataclass(frozen=True, slots=True)
class Component:
    """A component of a SEQUENCE: the dataclass field, the standard's name, the type.

    An absent optional component is None, an empty tuple or `absent` (False for a flag). An `addition`
    follows the extension marker.
    """

    attribute: str
    name: str
    type: Type[Any]
    optional: bool = False
    addition: bool = False
    absent: object = None

    def has(self, item: object) -> bool:
        """Whether an optional component with this value is present."""
        return item is not None and item is not self.absent and item != ()


class Record(Type[T]):
    """SEQUENCE as a dataclass; unknown extension additions are read over."""

    def __init__(self, build: Callable[..., T], *components: Component, extensible: bool = True) -> None:
        self.build = build
        self.components = components
        self.root = tuple(component for component in components if not component.addition)
        self.additions = tuple(component for component in components if component.addition)
        self.optionals = sum(component.optional for component in self.root)
        self.extensible = extensible

    def read(self, reader: Reader, field: str) -> T:
        values: dict[str, Any] = {}
        component: Component | None = None
        try:
            extended = self.extensible and reader.bit("")
            left = self.optionals
            present = reader.bits(left, "") if left else 0
            for component in self.root:
                if component.optional:
                    left -= 1
                    if not present >> left & 1:
                        continue
                values[component.attribute] = component.type.read(reader, component.name)
            if extended:
                contents = reader.extension_additions("")
                for component, content in zip(self.additions, contents, strict=False):
                    if content is not None:
                        values[component.attribute] = component.type.decode(content, component.name)
        except DecodeError as error:
            raise (error.within(field) if field else error) from None
        return self.build(**values)

    def write(self, writer: Writer, value: T, field: str) -> None:
        values = [getattr(value, component.attribute) for component in self.root]
        additions = [(component, getattr(value, component.attribute)) for component in self.additions]
        extended = any(component.has(item) for component, item in additions)
        try:
            if self.extensible:
                writer.bit(extended)
            for component, item in zip(self.root, values, strict=True):
                if component.optional:
                    writer.bit(component.has(item))
            for component, item in zip(self.root, values, strict=True):
                if not component.optional or component.has(item):
                    component.type.write(writer, item, component.name)
            if extended:
                writer.extension_additions(
                    [
                        component.type.encode(item, component.name) if component.has(item) else None
                        for component, item in additions
                    ]
                )
        except EncodeError as error:
            raise (error.within(field) if field else error) from None

    def to_asn1(self, value: T) -> JsonValue:
        shown: JsonObject = {}
        for component in self.components:
            item = getattr(value, component.attribute)
            if not (component.optional or component.addition) or component.has(item):
                shown[component.name] = component.type.to_asn1(item)
        return shown

    def from_asn1(self, value: JsonValue, field: str) -> T:
        given = json.as_object(value, field)
        values: dict[str, Any] = {}
        for component in self.components:
            path = f"{field}.{component.name}" if field else component.name
            if component.name in given:
                values[component.attribute] = component.type.from_asn1(given[component.name], path)
            elif not (component.optional or component.addition):
                raise EncodeError("is missing", field=path)
        unknown = given.keys() - {component.name for component in self.components}
        if unknown:
            raise EncodeError(f"unknown components {sorted(unknown)}", field=field)
        return self.build(**values)


class Wrapped(Type[T]):
    """SEQUENCE of one component, as that component's bare value (None where it is optional and absent)."""

    def __init__(self, name: str, inner: Type[T], *, optional: bool = False, extensible: bool = True) -> None:
        self.name = name
        self.record = Record(_Box, Component("value", name, inner, optional), extensible=extensible)

    def read(self, reader: Reader, field: str) -> T:
        return cast(T, self.record.read(reader, field).value)

    def write(self, writer: Writer, value: T, field: str) -> None:
        self.record.write(writer, _Box(value), field)

    def to_asn1(self, value: T) -> JsonValue:
        return self.record.to_asn1(_Box(value))

    def from_asn1(self, value: JsonValue, field: str) -> T:
        return cast(T, self.record.from_asn1(value, field).value)


@dataclass(frozen=True, slots=True)
class _Box:
    value: Any = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """An alternative of a CHOICE: what tells its Python values, the standard's name, the type."""

    key: object
    name: str
    type: Type[Any]
    addition: bool = False


class Choice(Type[T]):
    """CHOICE; `key` of a value, its class by default, tells its alternative."""

    def __init__(
        self, *alternatives: Alternative, key: Callable[[T], object] = type, extensible: bool = True
    ) -> None:
        self.alternatives = alternatives
        self.key = key
        self.by_key = {alternative.key: index for index, alternative in enumerate(alternatives)}
        self.root = sum(not alternative.addition for alternative in alternatives)
        self.extensible = extensible

    def read(self, reader: Reader, field: str) -> T:
        if self.extensible and reader.bit(field):
            index = self.root + reader.small_number(field)
            if index >= len(self.alternatives):
                reader.fail(f"alternative {index} is unknown", field)
            reader = reader.open_reader(field)
        else:
            index = reader.constrained(0, self.root - 1, field)
        alternative = self.alternatives[index]
        try:
            return cast(T, alternative.type.read(reader, alternative.name))
        except DecodeError as error:
            raise (error.within(field) if field else error) from None

    def write(self, writer: Writer, value: T, field: str) -> None:
        index, alternative = self._alternative(value, field)
        if self.extensible:
            writer.bit(alternative.addition)
        try:
            if alternative.addition:
                writer.small_number(index - self.root)
                writer.open_type(alternative.type.encode(value, alternative.name))
            else:
                writer.constrained(index, 0, self.root - 1, field)
                alternative.type.write(writer, value, alternative.name)
        except EncodeError as error:
            raise (error.within(field) if field else error) from None

    def to_asn1(self, value: T) -> JsonValue:
        _, alternative = self._alternative(value, "")
        return json.choice(alternative.name, alternative.type.to_asn1(value))

    def from_asn1(self, value: JsonValue, field: str) -> T:
        name, inner = json.as_choice(value, field)
        for alternative in self.alternatives:
            if alternative.name == name:
                return cast(T, alternative.type.from_asn1(inner, f"{field}.{name}" if field else name))
        raise EncodeError(f"{name!r} is none of {[item.name for item in self.alternatives]}", field=field)

    def _alternative(self, value: T, field: str) -> tuple[int, Alternative]:
        index = self.by_key.get(self.key(value))
        if index is None:
            raise EncodeError(f"{value!r:.80} is none of {[item.name for item in self.alternatives]}", field=field)
        return index, self.alternatives[index]


class Unsupported(Type[T]):
    """A type that is known but not coded: reading or writing a value of it fails with `reason`."""

    def __init__(self, reason: str = "not supported") -> None:
        self.reason = reason

    def read(self, reader: Reader, field: str) -> T:
        reader.fail(self.reason, field)

    def write(self, writer: Writer, value: T, field: str) -> None:
        writer.fail(self.reason, field)

    def to_asn1(self, value: T) -> JsonValue:
        raise EncodeError(self.reason)

    def from_asn1(self, value: JsonValue, field: str) -> T:
        raise EncodeError(self.reason, field=field)


def nested(build: Callable[[Type[T]], Type[T]], levels: int) -> Type[T]:
    """A recursive type unrolled to `levels`, so that no message can nest deeper than that.

    `build` makes one level from the type of the level inside it.
    """
    level: Type[T] = Unsupported("nested too deep")
    for _ in range(levels):
        level = build(level)
    return level
