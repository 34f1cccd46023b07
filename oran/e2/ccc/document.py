"""Reading and writing the JSON documents of E2SM-CCC, with errors that name the place in the document."""

import json

from oran.e2.asn1_value import JsonValue
from oran.e2.errors import DecodeError

LARGEST = 1 << 20
"""Octets that a document may have; the function definition of 64 cells has under 200 kB."""


class Node:
    """A value in a document and its path, from which its parts are taken or a `DecodeError` is raised."""

    __slots__ = ("path", "value")

    def __init__(self, value: JsonValue, path: str = "") -> None:
        self.value = value
        self.path = path

    def error(self, reason: str) -> DecodeError:
        """An error at this place."""
        return DecodeError(reason, field=self.path)

    def get(self, name: str) -> "Node":
        """A member that must be there."""
        found = self.find(name)
        if found is None:
            raise DecodeError("is missing", field=self._member(name))
        return found

    def find(self, name: str) -> "Node | None":
        """A member, or None."""
        if not isinstance(self.value, dict):
            raise self.error("expected an object")
        if name not in self.value:
            return None
        return Node(self.value[name], self._member(name))

    def items(self) -> "list[Node]":
        """The items of a list."""
        if not isinstance(self.value, list):
            raise self.error("expected a list")
        return [Node(item, f"{self.path}[{index}]") for index, item in enumerate(self.value)]

    def integer(self, low: int, high: int) -> int:
        """An integer in low..high; 1.0 and true are none."""
        if type(self.value) is not int:
            raise self.error("expected an integer")
        if not low <= self.value <= high:
            raise self.error(f"{self.value} is outside {low}..{high}")
        return self.value

    def text(self, longest: int = 1000) -> str:
        """A string of at most `longest` characters."""
        if not isinstance(self.value, str):
            raise self.error("expected a string")
        if len(self.value) > longest:
            raise self.error(f"{len(self.value)} characters; {longest} fit")
        return self.value

    def hexadecimal(self, digits: int) -> int:
        """A number written as exactly so many hexadecimal digits."""
        text = self.text(digits)
        if len(text) != digits or not all(digit in "0123456789abcdefABCDEF" for digit in text):
            raise self.error(f"expected {digits} hexadecimal digits")
        return int(text, 16)

    def _member(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def parse(data: bytes) -> Node:
    """Parse a document; DecodeError when it is no JSON, has NaN or infinities, or is too large or too deep."""
    if len(data) > LARGEST:
        raise DecodeError(f"{len(data)} octets; {LARGEST} fit")
    try:
        return Node(json.loads(data.decode("utf-8"), parse_constant=_refuse))
    except RecursionError:
        raise DecodeError("nested too deep") from None
    except ValueError as error:
        raise DecodeError(f"no JSON: {error}") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def dump(value: JsonValue) -> bytes:
    """Write a document without white space."""
    return _ENCODER.encode(value).encode()
