"""Aligned packed encoding rules (ITU-T X.691, ALIGNED variant): the primitives every E2 codec is built of.

A `Reader` walks over bytes and a `Writer` grows them; both count in bits. Every primitive takes the name of
the field it codes, which an error repeats. A length read from the wire is checked against the octets that
remain before anything is allocated.
"""

from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from oran.e2.errors import DecodeError, EncodeError
from oran.e2.real import real_from_octets, real_to_octets

T = TypeVar("T")

FRAGMENT = 16_384
"""Octets or items in one unit of a fragmented length (X.691 11.9.3.8)."""

LONGEST_INTEGER = 64
"""Octets of the longest INTEGER that is read: decimal digits grow costly, and no message needs more than 8."""


class Reader:
    """Reads one encoding from `data`; `position` is the next bit."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position
        self.end = len(data) * 8

    def fail(self, reason: str, field: str) -> NoReturn:
        """Raise a `DecodeError` at the current bit."""
        raise DecodeError(reason, field=field, bit_offset=self.position)

    def bit(self, field: str) -> bool:
        """Read one bit."""
        position = self.position
        if position >= self.end:
            self.fail("message is truncated", field)
        self.position = position + 1
        return bool(self.data[position >> 3] >> (7 - (position & 7)) & 1)

    def bits(self, count: int, field: str) -> int:
        """Read `count` bits as an unsigned integer, most significant first."""
        position = self.position
        stop = position + count
        if stop > self.end:
            self.fail("message is truncated", field)
        self.position = stop
        last = (stop + 7) >> 3
        window = int.from_bytes(self.data[position >> 3 : last], "big")
        return window >> (last * 8 - stop) & ((1 << count) - 1)

    def align(self) -> None:
        """Skip to the next octet boundary."""
        self.position = (self.position + 7) & ~7

    def octets(self, count: int, field: str) -> bytes:
        """Read `count` octets from the next octet boundary."""
        start = (self.position + 7) >> 3
        stop = start + count
        if stop * 8 > self.end:
            self.fail(f"{count} octets announced, {max(0, self.end // 8 - start)} left", field)
        self.position = stop * 8
        return self.data[start:stop]

    def constrained(self, low: int, high: int, field: str) -> int:
        """Read a constrained whole number (X.691 11.5)."""
        span = high - low
        if span <= 254:
            value = self.bits(span.bit_length(), field)
        elif span == 255:
            value = self.octets(1, field)[0]
        elif span <= 65_535:
            value = int.from_bytes(self.octets(2, field), "big")
        else:
            widest = (span.bit_length() + 7) // 8
            count = self.constrained(1, widest, field)
            value = int.from_bytes(self.octets(count, field), "big")
        if value > span:
            self.fail(f"{value + low} is outside {low}..{high}", field)
        return value + low

    def integer(self, low: int, high: int, field: str, *, extensible: bool = False) -> int:
        """Read an INTEGER (low..high[, ...])."""
        if extensible and self.bit(field):
            return self.unconstrained(field)
        return self.constrained(low, high, field)

    def unconstrained(self, field: str) -> int:
        """Read an INTEGER without bounds; a length of zero, which some peers send, reads as 0."""
        return int.from_bytes(self._whole_number(field), "big", signed=True)

    def _whole_number(self, field: str) -> bytes:
        count = self.length(field)
        if count > LONGEST_INTEGER:
            self.fail(f"INTEGER of {count} octets; up to {LONGEST_INTEGER} are read", field)
        return self.octets(count, field)

    def length(self, field: str) -> int:
        """Read an unfragmented general length (X.691 11.9.3.5-7)."""
        count, more = self.fragment(field)
        if more:
            self.fail("a fragmented length is not allowed here", field)
        return count

    def fragment(self, field: str) -> tuple[int, bool]:
        """Read one length determinant; `(count, True)` when another fragment follows."""
        first = self.octets(1, field)[0]
        if first < 0x80:
            return first, False
        if first < 0xC0:
            return (first & 0x3F) << 8 | self.octets(1, field)[0], False
        units = first & 0x3F
        if not 1 <= units <= 4:
            self.fail(f"{units} fragment units; 1..4 are legal", field)
        return units * FRAGMENT, True

    def bounded_length(self, low: int, high: int | None, field: str) -> int:
        """Read the length of a type with SIZE(low..high); general where `high` is None or over 64 K."""
        if high is not None and high < 65_536:
            return self.constrained(low, high, field)
        return self.length(field)

    def small_number(self, field: str) -> int:
        """Read a normally small non-negative whole number (X.691 11.6)."""
        if not self.bit(field):
            return self.bits(6, field)
        return int.from_bytes(self._whole_number(field), "big")

    def enumerated(self, count: int, field: str, *, extensible: bool = False) -> int:
        """Read an ENUMERATED index; an extension value comes back as `count` + its index."""
        if extensible and self.bit(field):
            return count + self.small_number(field)
        return self.constrained(0, count - 1, field)

    def octet_string(
        self, field: str, low: int = 0, high: int | None = None, *, extensible: bool = False
    ) -> bytes:
        """Read an OCTET STRING (SIZE(low..high[, ...])), fragmented or not (X.691 17)."""
        if extensible and self.bit(field):
            low, high = 0, None
        if high is not None and low == high and high < 65_536:
            if high <= 2:
                return self.bits(high * 8, field).to_bytes(high, "big")
            return self.octets(high, field)
        if high is not None and high < 65_536:
            count = self.constrained(low, high, field)
            return self.octets(count, field) if count else b""
        return self.fragments(field)

    def fragments(self, field: str) -> bytes:
        """Read octets behind a general length, joining fragments."""
        count, more = self.fragment(field)
        if not more:
            return self.octets(count, field)
        parts = [self.octets(count, field)]
        while more:
            count, more = self.fragment(field)
            parts.append(self.octets(count, field))
        return b"".join(parts)

    open_type = fragments

    def open_reader(self, field: str) -> "Reader":
        """Read an open type as a reader of its contents, which counts bits as this one does.

        Only where the contents came in fragments does it count from their own start.
        """
        start = self.position
        count, more = self.fragment(field)
        if more:
            self.position = start
            return Reader(self.fragments(field))
        inner = Reader(self.data, self.position)
        self.octets(count, field)
        inner.end = self.position
        return inner

    def bit_string(
        self, field: str, low: int = 0, high: int | None = None, *, extensible: bool = False
    ) -> tuple[int, int]:
        """Read a BIT STRING (SIZE(low..high[, ...])) as (value, length in bits) (X.691 16)."""
        if extensible and self.bit(field):
            low, high = 0, None
        if high is not None and low == high:
            count = high
            if count > 16:
                self.align()
        else:
            count = self.bounded_length(low, high, field)
            if count:
                self.align()
        return self.bits(count, field), count

    def characters(self, field: str, low: int = 0, high: int | None = None, *, extensible: bool = False) -> str:
        """Read a PrintableString or VisibleString (SIZE(low..high[, ...])), eight bits a character."""
        if extensible and self.bit(field):
            low, high = 0, None
        raw = self.octets(self.bounded_length(low, high, field), field)
        try:
            return raw.decode("ascii")
        except UnicodeDecodeError:
            self.fail("characters outside ASCII", field)

    def utf8(self, field: str) -> str:
        """Read a UTF8String."""
        raw = self.fragments(field)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.fail("no valid UTF-8", field)

    def real(self, field: str) -> float:
        """Read a REAL: its contents octets are those of BER (X.690 8.5)."""
        start = self.position
        content = self.octets(self.length(field), field)
        try:
            return real_from_octets(content)
        except ValueError as error:
            raise DecodeError(str(error), field=field, bit_offset=start) from None

    def sequence_of(
        self,
        item: Callable[["Reader"], T],
        field: str,
        low: int = 0,
        high: int | None = None,
        *,
        extensible: bool = False,
    ) -> tuple[T, ...]:
        """Read a SEQUENCE OF (SIZE(low..high[, ...])); every item holds at least one bit."""
        if extensible and self.bit(field):
            low, high = 0, None
        items: list[T] = []
        more = True
        while more:
            if high is not None and high < 65_536:
                count, more = self.constrained(low, high, field), False
            else:
                count, more = self.fragment(field)
            if count > self.end - self.position:
                self.fail(f"{count} items announced in {self.end - self.position} bits", field)
            for index in range(count):
                try:
                    items.append(item(self))
                except DecodeError as error:
                    raise error.within(f"{field}[{index}]") from None
        if len(items) < low:
            self.fail(f"{len(items)} items; at least {low} are needed", field)
        return tuple(items)

    def extension_additions(self, field: str) -> tuple[bytes | None, ...]:
        """Read the extension additions of a SEQUENCE or the like, each as its open type's octets."""
        if not self.bit(field):
            count = self.bits(6, field) + 1
        else:
            count = self.length(field)
        if count > self.end - self.position:
            self.fail(f"{count} extension additions announced", field)
        present = self.bits(count, field)
        return tuple(
            self.open_type(field) if present >> (count - 1 - index) & 1 else None for index in range(count)
        )


class Writer:
    """Writes one encoding; `getvalue` pads the last octet with zeros."""

    __slots__ = ("buffer", "count", "pending")

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.pending = 0
        self.count = 0

    @property
    def position(self) -> int:
        """Bits written so far."""
        return len(self.buffer) * 8 + self.count

    def fail(self, reason: str, field: str) -> NoReturn:
        """Raise an `EncodeError` at the current bit."""
        raise EncodeError(reason, field=field, bit_offset=self.position)

    def getvalue(self) -> bytes:
        """The encoding, padded to whole octets; an empty one is a single zero octet (X.691 11.1.3)."""
        self.align()
        return bytes(self.buffer) or b"\0"

    def bit(self, value: bool | int) -> None:
        """Write one bit."""
        self.bits(1 if value else 0, 1)

    def bits(self, value: int, count: int) -> None:
        """Write the low `count` bits of `value`, most significant first."""
        total = self.count + count
        pending = self.pending << count | value
        spare = total & 7
        if total >= 8:
            self.buffer += (pending >> spare).to_bytes(total >> 3, "big")
            pending &= (1 << spare) - 1
        self.pending = pending
        self.count = spare

    def align(self) -> None:
        """Pad with zeros to the next octet boundary."""
        if self.count:
            self.buffer.append(self.pending << (8 - self.count))
            self.pending = self.count = 0

    def octets(self, value: bytes) -> None:
        """Write octets from the next octet boundary."""
        self.align()
        self.buffer += value

    def constrained(self, value: int, low: int, high: int, field: str) -> None:
        """Write a constrained whole number (X.691 11.5)."""
        if not low <= value <= high:
            self.fail(f"{value} is outside {low}..{high}", field)
        span, value = high - low, value - low
        if span <= 254:
            self.bits(value, span.bit_length())
        elif span == 255:
            self.octets(bytes((value,)))
        elif span <= 65_535:
            self.octets(value.to_bytes(2, "big"))
        else:
            count = max(1, (value.bit_length() + 7) // 8)
            self.constrained(count, 1, (span.bit_length() + 7) // 8, field)
            self.octets(value.to_bytes(count, "big"))

    def integer(self, value: int, low: int, high: int, field: str, *, extensible: bool = False) -> None:
        """Write an INTEGER (low..high[, ...])."""
        if extensible:
            outside = not low <= value <= high
            self.bit(outside)
            if outside:
                self.unconstrained(value)
                return
        self.constrained(value, low, high, field)

    def unconstrained(self, value: int) -> None:
        """Write an INTEGER without bounds in the fewest octets."""
        magnitude = value if value >= 0 else ~value
        count = magnitude.bit_length() // 8 + 1
        self.length(count)
        self.octets(value.to_bytes(count, "big", signed=True))

    def length(self, count: int) -> None:
        """Write a general length below 16 K."""
        if count >= FRAGMENT:
            self.fail(f"length {count} needs fragments", "length")
        self.align()
        if count < 0x80:
            self.buffer.append(count)
        else:
            self.buffer += (0x8000 | count).to_bytes(2, "big")

    def bounded_length(self, count: int, low: int, high: int | None, field: str) -> None:
        """Write the length of a type with SIZE(low..high)."""
        if high is not None and high < 65_536:
            self.constrained(count, low, high, field)
        else:
            self.length(count)

    def small_number(self, value: int) -> None:
        """Write a normally small non-negative whole number (X.691 11.6)."""
        if value < 64:
            self.bits(value, 7)
            return
        self.bit(True)
        count = (value.bit_length() + 7) // 8
        self.length(count)
        self.octets(value.to_bytes(count, "big"))

    def enumerated(self, value: int, count: int, field: str, *, extensible: bool = False) -> None:
        """Write an ENUMERATED index; extension values are numbered from `count`."""
        if extensible:
            self.bit(value >= count)
            if value >= count:
                self.small_number(value - count)
                return
        self.constrained(value, 0, count - 1, field)

    def octet_string(
        self, value: bytes, field: str, low: int = 0, high: int | None = None, *, extensible: bool = False
    ) -> None:
        """Write an OCTET STRING (SIZE(low..high[, ...])), in fragments from 16 K."""
        size = len(value)
        if extensible:
            outside = size < low or (high is not None and size > high)
            self.bit(outside)
            if outside:
                low, high = 0, None
        if size < low or (high is not None and size > high):
            self.fail(f"{size} octets; {low}..{high} fit", field)
        if high is not None and high < 65_536:
            if low == high:
                if high <= 2:
                    self.bits(int.from_bytes(value, "big"), high * 8)
                    return
            else:
                self.constrained(size, low, high, field)
            if size:
                self.octets(value)
            return
        self.fragments(value)

    def fragments(self, value: bytes) -> None:
        """Write octets behind a general length, in fragments from 16 K (X.691 11.9.3.8)."""
        start, left = 0, len(value)
        while left >= FRAGMENT:
            units = min(4, left // FRAGMENT)
            step = units * FRAGMENT
            self.octets(bytes((0xC0 | units,)))
            self.octets(value[start : start + step])
            start, left = start + step, left - step
        self.length(left)
        self.octets(value[start:])

    open_type = fragments

    def bit_string(
        self,
        value: tuple[int, int],
        field: str,
        low: int = 0,
        high: int | None = None,
        *,
        extensible: bool = False,
    ) -> None:
        """Write a BIT STRING (SIZE(low..high[, ...])) given as (value, length in bits)."""
        number, count = value
        if number < 0 or number.bit_length() > count:
            self.fail(f"{number} does not fit in {count} bits", field)
        if extensible:
            outside = count < low or (high is not None and count > high)
            self.bit(outside)
            if outside:
                low, high = 0, None
        if count < low or (high is not None and count > high):
            self.fail(f"{count} bits; {low}..{high} fit", field)
        if high is not None and low == high:
            if count > 16:
                self.align()
        else:
            self.bounded_length(count, low, high, field)
            if count:
                self.align()
        self.bits(number, count)

    def characters(
        self, value: str, field: str, low: int = 0, high: int | None = None, *, extensible: bool = False
    ) -> None:
        """Write a PrintableString or VisibleString (SIZE(low..high[, ...]))."""
        try:
            raw = value.encode("ascii")
        except UnicodeEncodeError:
            self.fail("characters outside ASCII", field)
        size = len(raw)
        if extensible:
            outside = size < low or (high is not None and size > high)
            self.bit(outside)
            if outside:
                low, high = 0, None
        if size < low or (high is not None and size > high):
            self.fail(f"{size} characters; {low}..{high} fit", field)
        self.bounded_length(size, low, high, field)
        self.octets(raw)

    def utf8(self, value: str) -> None:
        """Write a UTF8String."""
        self.fragments(value.encode())

    def real(self, value: float) -> None:
        """Write a REAL in the canonical form of X.690 11.3: base 2, odd mantissa, fewest octets."""
        content = real_to_octets(value)
        self.length(len(content))
        self.octets(content)

    def sequence_of(
        self,
        items: Sequence[T],
        item: Callable[["Writer", T], None],
        field: str,
        low: int = 0,
        high: int | None = None,
        *,
        extensible: bool = False,
    ) -> None:
        """Write a SEQUENCE OF (SIZE(low..high[, ...])), in fragments from 16 K items where unbounded."""
        size = len(items)
        if extensible:
            outside = size < low or (high is not None and size > high)
            self.bit(outside)
            if outside:
                low, high = 0, None
        if size < low or (high is not None and size > high):
            self.fail(f"{size} items; {low}..{high} fit", field)
        start = 0
        if high is None or high >= 65_536:
            while size - start >= FRAGMENT:
                units = min(4, (size - start) // FRAGMENT)
                self.octets(bytes((0xC0 | units,)))
                self._items(items, item, field, start, start + units * FRAGMENT)
                start += units * FRAGMENT
            self.length(size - start)
        else:
            self.constrained(size, low, high, field)
        self._items(items, item, field, start, size)

    def _items(
        self, items: Sequence[T], item: Callable[["Writer", T], None], field: str, start: int, stop: int
    ) -> None:
        for index in range(start, stop):
            try:
                item(self, items[index])
            except EncodeError as error:
                raise error.within(f"{field}[{index}]") from None

    def extension_additions(self, additions: Sequence[bytes | None]) -> None:
        """Write extension additions, each given as the octets of its open type."""
        count = len(additions)
        if count <= 64:
            self.bits(count - 1, 7)
        else:
            self.bit(True)
            self.length(count)
        for addition in additions:
            self.bit(addition is not None)
        for addition in additions:
            if addition is not None:
                self.open_type(addition)
