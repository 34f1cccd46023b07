"""Reading the members of a JSON object that a client sent; every fault names its member."""

from typing import TypeGuard, TypeVar

from oran.rest import JsonObject, JsonValue, RequestError

T = TypeVar("T")


class Fields:
    """A JSON object under inspection. Every reader raises RequestError 400 for a member that does not fit.

    Members that nobody reads are ignored, as the OSC platform does; types are never converted. A member with a
    default may be absent or null.
    """

    def __init__(self, body: JsonObject, path: str = "") -> None:
        self._body = body
        self._path = path

    def text(self, name: str, *, longest: int, shortest: int = 0, default: str | None = None) -> str:
        """A text of `shortest` to `longest` characters."""
        value = self._body.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise self.fault(name, f"must be a text of {shortest} to {longest} characters")
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self.optional_integer(name, low, high)
        if value is None:
            raise self.fault(name, f"must be a whole number from {low} to {high}")
        return value

    def optional_integer(self, name: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`, None where there is none."""
        value = self._body.get(name)
        if value is not None and not (_is_integer(value) and low <= value <= high):
            raise self.fault(name, f"must be a whole number from {low} to {high}")
        return value

    def boolean(self, name: str) -> bool:
        """True or false; false where there is none."""
        value = self._body.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.fault(name, "must be true or false")
        return bool(value)

    def octets(self, name: str, longest: int) -> bytes | None:
        """A list of numbers from 0 to 255, None where there is none."""
        value = self._body.get(name)
        if value is None:
            return None
        numbers = [item for item in value if _is_integer(item)] if isinstance(value, list) else None
        if numbers is None or len(numbers) > longest or value != numbers or not _are_octets(numbers):
            raise self.fault(name, f"must be a list of at most {longest} numbers from 0 to 255")
        return bytes(numbers)

    def child(self, name: str) -> "Fields":
        """An object."""
        child = self.optional_child(name)
        if child is None:
            raise self.fault(name, "must be an object")
        return child

    def optional_child(self, name: str) -> "Fields | None":
        """An object, None where there is none."""
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.fault(name, "must be an object")
        return Fields(value, self._where(name))

    def children(self, name: str, most: int) -> list["Fields"]:
        """A list of 1 to `most` objects."""
        value = self._body.get(name)
        items = value if isinstance(value, list) else []
        children = [
            Fields(item, self._where(f"{name}.{index}"))
            for index, item in enumerate(items)
            if isinstance(item, dict)
        ]
        if len(children) != len(items) or not 1 <= len(children) <= most:
            raise self.fault(name, f"must be a list of 1 to {most} objects")
        return children

    def choice(self, name: str, values: dict[str, T]) -> T:
        """One of the given texts, as what it stands for."""
        value = self._body.get(name)
        if not isinstance(value, str) or value not in values:
            raise self.fault(name, f"must be one of {', '.join(values)}")
        return values[value]

    def fault(self, name: str, reason: str) -> RequestError:
        """The refusal of a member."""
        return RequestError(400, f"{self._where(name)} {reason}")

    def _where(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _is_integer(value: JsonValue) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_octets(numbers: list[int]) -> bool:
    return not numbers or (min(numbers) >= 0 and max(numbers) <= 255)
