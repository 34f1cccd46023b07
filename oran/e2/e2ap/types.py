"""The kinds of ASN.1 type that E2AP needs beside those of `oran.e2.schema`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from oran.e2 import asn1_value as json
from oran.e2.aper import Reader, Writer
from oran.e2.asn1_value import JsonValue
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.schema import Type

T = TypeVar("T")
W = TypeVar("W")


class Coded(Type[T], Generic[T]):
    """ENUMERATED whose identifiers, in wire order, stand for Python values; all are root values."""

    def __init__(self, values: dict[str, T], *, extensible: bool = True) -> None:
        self.names = list(values)
        self.values = list(values.values())
        self.extensible = extensible

    def read(self, reader: Reader, field: str) -> T:
        index = reader.enumerated(len(self.values), field, extensible=self.extensible)
        if index >= len(self.values):
            reader.fail(f"enumeration value {index} is unknown", field)
        return self.values[index]

    def write(self, writer: Writer, value: T, field: str) -> None:
        if value not in self.values:
            writer.fail(f"{value!r} is none of {self.names}", field)
        writer.enumerated(self.values.index(value), len(self.values), field, extensible=self.extensible)

    def to_asn1(self, value: T) -> JsonValue:
        return self.names[self.values.index(value)]

    def from_asn1(self, value: JsonValue, field: str) -> T:
        if value not in self.names:
            raise EncodeError(f"{value!r} is none of {self.names}", field=field)
        return self.values[self.names.index(str(value))]


@dataclass(frozen=True, slots=True)
class NumberBits(Type[tuple[int, int]]):
    """BIT STRING (SIZE(low..high[, ...])) as (value, bits), in JSON too: `[25, 20]`."""

    low: int
    high: int
    extensible: bool = False

    def read(self, reader: Reader, field: str) -> tuple[int, int]:
        return reader.bit_string(field, self.low, self.high, extensible=self.extensible)

    def write(self, writer: Writer, value: tuple[int, int], field: str) -> None:
        writer.bit_string(value, field, self.low, self.high, extensible=self.extensible)

    def to_asn1(self, value: tuple[int, int]) -> JsonValue:
        return [value[0], value[1]]

    def from_asn1(self, value: JsonValue, field: str) -> tuple[int, int]:
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], dict):
            return json.as_bits(value, field)
        number, count = (json.as_integer(item, field) for item in _pair(value, field))
        return number, count


def _pair(value: JsonValue, field: str) -> list[JsonValue]:
    items = json.as_list(value, field)
    if len(items) != 2:
        raise EncodeError("a BIT STRING is [value, bits]", field=field)
    return items


class Named(Type[tuple[str, Any]]):
    """CHOICE as (alternative's name, value); the first `root` alternatives are no additions."""

    def __init__(self, alternatives: dict[str, Type[Any]], *, root: int | None = None) -> None:
        self.names = list(alternatives)
        self.types = alternatives
        self.root = len(alternatives) if root is None else root

    def read(self, reader: Reader, field: str) -> tuple[str, Any]:
        if reader.bit(field):
            index = self.root + reader.small_number(field)
            content = reader.open_type(field)
            if index >= len(self.names):
                reader.fail(f"alternative {index} is unknown", field)
            reader = Reader(content)
        else:
            index = reader.constrained(0, self.root - 1, field)
        name = self.names[index]
        try:
            return name, self.types[name].read(reader, name)
        except DecodeError as error:
            raise error.within(field) from None

    def write(self, writer: Writer, value: tuple[str, Any], field: str) -> None:
        name, inner = value
        index = self.names.index(name)
        try:
            if index >= self.root:
                writer.bit(True)
                writer.small_number(index - self.root)
                writer.open_type(self.types[name].encode(inner, name))
            else:
                writer.bit(False)
                writer.constrained(index, 0, self.root - 1, field)
                self.types[name].write(writer, inner, name)
        except EncodeError as error:
            raise error.within(field) from None

    def to_asn1(self, value: tuple[str, Any]) -> JsonValue:
        return json.choice(value[0], self.types[value[0]].to_asn1(value[1]))

    def from_asn1(self, value: JsonValue, field: str) -> tuple[str, Any]:
        name, inner = json.as_choice(value, field)
        if name not in self.types:
            raise EncodeError(f"{name!r} is none of {self.names}", field=field)
        return name, self.types[name].from_asn1(inner, f"{field}.{name}")


class Mapped(Type[T], Generic[T, W]):
    """A type whose wire shape differs from its Python value; ValueError from either way is a codec error."""

    def __init__(self, inner: Type[W], load: Callable[[W], T], dump: Callable[[T], W]) -> None:
        self.inner = inner
        self.load = load
        self.dump = dump

    def read(self, reader: Reader, field: str) -> T:
        start = reader.position
        value = self.inner.read(reader, field)
        try:
            return self.load(value)
        except ValueError as error:
            raise DecodeError(str(error), field=field, bit_offset=start) from None

    def write(self, writer: Writer, value: T, field: str) -> None:
        self.inner.write(writer, self._dumped(value, field), field)

    def to_asn1(self, value: T) -> JsonValue:
        return self.inner.to_asn1(self._dumped(value, ""))

    def from_asn1(self, value: JsonValue, field: str) -> T:
        try:
            return self.load(self.inner.from_asn1(value, field))
        except ValueError as error:
            raise EncodeError(str(error), field=field) from None

    def _dumped(self, value: T, field: str) -> W:
        try:
            return self.dump(value)
        except ValueError as error:
            raise EncodeError(str(error), field=field) from None


class Carried(Type[bytes]):
    """A value that is carried, not interpreted: its own encoding as octets, and its full shape in JSON."""

    def __init__(self, inner: Type[Any]) -> None:
        self.inner = inner

    def read(self, reader: Reader, field: str) -> bytes:
        return self.inner.encode(self.inner.read(reader, field), field)

    def write(self, writer: Writer, value: bytes, field: str) -> None:
        self.inner.write(writer, self._value(value, field), field)

    def to_asn1(self, value: bytes) -> JsonValue:
        return self.inner.to_asn1(self._value(value, ""))

    def from_asn1(self, value: JsonValue, field: str) -> bytes:
        return self.inner.encode(self.inner.from_asn1(value, field), field)

    def _value(self, value: bytes, field: str) -> Any:
        try:
            return self.inner.decode(value, field)
        except DecodeError as error:
            raise EncodeError(f"carried octets are malformed: {error}", field=field) from None
