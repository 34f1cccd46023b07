"""Protocol IE containers: how E2AP carries its information elements, each with an id and a criticality.

Everything here falls on octet boundaries: id (2 octets), criticality (2 bits, padded), an open type.
"""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from oran.e2 import asn1_value as json
from oran.e2.aper import Reader, Writer
from oran.e2.asn1_value import JsonValue
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.schema import Type

T = TypeVar("T")

REJECT, IGNORE, NOTIFY = 0, 1, 2
CRITICALITIES = ("reject", "ignore", "notify")


def opened(reader: Reader, field: str) -> Reader:
    """Step over an open type and return a reader of its contents; offsets in errors stay absolute."""
    count, more = reader.fragment(field)
    if more:
        parts = [reader.octets(count, field)]
        while more:
            count, more = reader.fragment(field)
            parts.append(reader.octets(count, field))
        return Reader(b"".join(parts))
    start = reader.position
    stop = start + count * 8
    if stop > reader.end:
        reader.fail(f"{count} octets announced, {(reader.end - start) // 8} left", field)
    reader.position = stop
    inner = Reader(reader.data, start)
    inner.end = stop
    return inner


def read_elements(reader: Reader, count: int, field: str) -> Iterator[tuple[int, int, Reader]]:
    """Read `count` elements as (id, criticality, contents)."""
    for _ in range(count):
        element_id = reader.constrained(0, 65_535, field)
        criticality = reader.constrained(0, 2, field)
        yield element_id, criticality, opened(reader, field)


def write_element(writer: Writer, element_id: int, criticality: int, content: bytes) -> None:
    """Write one element around its encoded value."""
    writer.constrained(element_id, 0, 65_535, "id")
    writer.bits(criticality, 2)
    writer.open_type(content)


def refuse_unknown(reader: Reader, element_id: int, criticality: int, field: str) -> None:
    """Fail on an element we do not know if its criticality says so; others are stepped over."""
    if criticality == REJECT:
        reader.fail(f"IE {element_id} is unknown and its criticality is reject", field)


def as_criticality(value: JsonValue, field: str) -> int:
    """Read a criticality's name back from JSON."""
    if value not in CRITICALITIES:
        raise EncodeError(f"{value!r} is none of {list(CRITICALITIES)}", field=field)
    return CRITICALITIES.index(str(value))


class ElementList(Type[tuple[T, ...]], Generic[T]):
    """SEQUENCE (SIZE(low..high)) OF single containers, all of one IE, as a tuple of that IE's values."""

    def __init__(self, element_id: int, criticality: int, name: str, item: Type[T], low: int, high: int):
        self.element_id = element_id
        self.criticality = criticality
        self.name = name
        self.item = item
        self.low = low
        self.high = high

    def read(self, reader: Reader, field: str) -> tuple[T, ...]:
        count = reader.constrained(self.low, self.high, field)
        items: list[T] = []
        for element_id, criticality, contents in read_elements(reader, count, field):
            if element_id != self.element_id:
                refuse_unknown(reader, element_id, criticality, field)
                continue
            try:
                items.append(self.item.read(contents, self.name))
            except DecodeError as error:
                raise error.within(f"{field}[{len(items)}]") from None
        return tuple(items)

    def write(self, writer: Writer, value: tuple[T, ...], field: str) -> None:
        if not self.low <= len(value) <= self.high:
            writer.fail(f"{len(value)} items; {self.low}..{self.high} fit", field)
        writer.constrained(len(value), self.low, self.high, field)
        for index, item in enumerate(value):
            try:
                content = self.item.encode(item, self.name)
            except EncodeError as error:
                raise error.within(f"{field}[{index}]") from None
            write_element(writer, self.element_id, self.criticality, content)

    def to_asn1(self, value: tuple[T, ...]) -> JsonValue:
        return [
            {
                "id": self.element_id,
                "criticality": CRITICALITIES[self.criticality],
                "value": [self.name, self.item.to_asn1(item)],
            }
            for item in value
        ]

    def from_asn1(self, value: JsonValue, field: str) -> tuple[T, ...]:
        items: list[T] = []
        for index, element in enumerate(json.as_list(value, field)):
            path = f"{field}[{index}]"
            given: Any = json.as_object(element, path).get("value")
            name, inner = json.as_choice(given, path)
            if name != self.name:
                raise EncodeError(f"{name!r} is not {self.name!r}", field=path)
            items.append(self.item.from_asn1(inner, path))
        return tuple(items)
