"""Aligned PER primitives: what is written is read back, as asn1tools has it too, and bad bits fail cleanly."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import asn1tools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.e2.aper import FRAGMENT, Reader, Writer
from oran.e2.errors import CodecError, DecodeError, EncodeError
from oran.e2.real import real_from_octets, real_to_octets

phases = st.integers(0, 7)
SCHEMA = """
Primitives DEFINITIONS AUTOMATIC TAGS ::= BEGIN
Narrow ::= SEQUENCE { before BOOLEAN, value INTEGER (-7..40), after BOOLEAN }
Octet ::= SEQUENCE { before BOOLEAN, value INTEGER (1..256), after BOOLEAN }
Two ::= SEQUENCE { before BOOLEAN, value INTEGER (0..65535), after BOOLEAN }
Wide ::= SEQUENCE { before BOOLEAN, value INTEGER (1..4294967295), after BOOLEAN }
Huge ::= SEQUENCE { before BOOLEAN, value INTEGER (0..1099511627775), after BOOLEAN }
Open ::= SEQUENCE { before BOOLEAN, value INTEGER, after BOOLEAN }
Grows ::= SEQUENCE { before BOOLEAN, value INTEGER (1..15, ...), after BOOLEAN }
Kind ::= SEQUENCE { before BOOLEAN, value ENUMERATED { a, b, c, d, e, ... }, after BOOLEAN }
Pair ::= SEQUENCE { before BOOLEAN, value OCTET STRING (SIZE(2)), after BOOLEAN }
Three ::= SEQUENCE { before BOOLEAN, value OCTET STRING (SIZE(3)), after BOOLEAN }
Some ::= SEQUENCE { before BOOLEAN, value OCTET STRING (SIZE(1..20)), after BOOLEAN }
Any ::= SEQUENCE { before BOOLEAN, value OCTET STRING, after BOOLEAN }
Short ::= SEQUENCE { before BOOLEAN, value BIT STRING (SIZE(10)), after BOOLEAN }
Long ::= SEQUENCE { before BOOLEAN, value BIT STRING (SIZE(36)), after BOOLEAN }
Node ::= SEQUENCE { before BOOLEAN, value BIT STRING (SIZE(22..32)), after BOOLEAN }
Name ::= SEQUENCE { before BOOLEAN, value PrintableString (SIZE(1..150, ...)), after BOOLEAN }
Text ::= SEQUENCE { before BOOLEAN, value UTF8String, after BOOLEAN }
Number ::= SEQUENCE { before BOOLEAN, value REAL, after BOOLEAN }
Few ::= SEQUENCE { before BOOLEAN, value SEQUENCE (SIZE(0..40)) OF INTEGER (0..9), after BOOLEAN }
Many ::= SEQUENCE { before BOOLEAN, value SEQUENCE (SIZE(1..65535)) OF INTEGER (0..9), after BOOLEAN }
Free ::= SEQUENCE { before BOOLEAN, value SEQUENCE OF INTEGER (0..9), after BOOLEAN }
END
"""


@cache
def oracle() -> Any:
    """The compiled schema."""
    return asn1tools.compile_string(SCHEMA, "per")


def bit_strings(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    """BIT STRINGs as (value, bits)."""
    return st.integers(low, high).flatmap(lambda count: st.tuples(st.integers(0, 2**count - 1), st.just(count)))


def as_bits(value: tuple[int, int]) -> tuple[bytes, int]:
    """A BIT STRING in asn1tools' form."""
    number, count = value
    size = (count + 7) // 8
    return (number << (size * 8 - count)).to_bytes(size, "big"), count


def digit(writer: Writer, value: int) -> None:
    writer.constrained(value, 0, 9, "digit")


def read_digit(reader: Reader) -> int:
    return reader.constrained(0, 9, "digit")


digits = st.lists(st.integers(0, 9), min_size=1, max_size=40)
printable = st.text("abcXYZ019 .-", min_size=1, max_size=150)

Write = Callable[[Writer, Any], None]
Read = Callable[[Reader], Any]
PRIMITIVES: dict[str, tuple[st.SearchStrategy[Any], Write, Read]] = {
    "Narrow": (
        st.integers(-7, 40),
        lambda w, v: w.constrained(v, -7, 40, "x"),
        lambda r: r.constrained(-7, 40, "x"),
    ),
    "Octet": (
        st.integers(1, 256),
        lambda w, v: w.constrained(v, 1, 256, "x"),
        lambda r: r.constrained(1, 256, "x"),
    ),
    "Two": (
        st.integers(0, 65_535),
        lambda w, v: w.constrained(v, 0, 65_535, "x"),
        lambda r: r.constrained(0, 65_535, "x"),
    ),
    "Wide": (
        st.integers(1, 300) | st.integers(1, 2**32 - 1),
        lambda w, v: w.constrained(v, 1, 2**32 - 1, "x"),
        lambda r: r.constrained(1, 2**32 - 1, "x"),
    ),
    "Huge": (
        st.integers(0, 2**40 - 1),
        lambda w, v: w.constrained(v, 0, 2**40 - 1, "x"),
        lambda r: r.constrained(0, 2**40 - 1, "x"),
    ),
    "Open": (
        st.integers(-200, 200) | st.integers(-(2**70), 2**70),
        lambda w, v: w.unconstrained(v),
        lambda r: r.unconstrained("x"),
    ),
    "Grows": (
        st.integers(1, 15) | st.integers(-1000, 1000),
        lambda w, v: w.integer(v, 1, 15, "x", extensible=True),
        lambda r: r.integer(1, 15, "x", extensible=True),
    ),
    "Kind": (
        st.integers(0, 4),
        lambda w, v: w.enumerated(v, 5, "x", extensible=True),
        lambda r: r.enumerated(5, "x", extensible=True),
    ),
    "Pair": (
        st.binary(min_size=2, max_size=2),
        lambda w, v: w.octet_string(v, "x", 2, 2),
        lambda r: r.octet_string("x", 2, 2),
    ),
    "Three": (
        st.binary(min_size=3, max_size=3),
        lambda w, v: w.octet_string(v, "x", 3, 3),
        lambda r: r.octet_string("x", 3, 3),
    ),
    "Some": (
        st.binary(min_size=1, max_size=20),
        lambda w, v: w.octet_string(v, "x", 1, 20),
        lambda r: r.octet_string("x", 1, 20),
    ),
    "Any": (
        st.binary(max_size=300),
        lambda w, v: w.octet_string(v, "x"),
        lambda r: r.octet_string("x"),
    ),
    "Short": (
        bit_strings(10, 10),
        lambda w, v: w.bit_string(v, "x", 10, 10),
        lambda r: r.bit_string("x", 10, 10),
    ),
    "Long": (
        bit_strings(36, 36),
        lambda w, v: w.bit_string(v, "x", 36, 36),
        lambda r: r.bit_string("x", 36, 36),
    ),
    "Node": (
        bit_strings(22, 32),
        lambda w, v: w.bit_string(v, "x", 22, 32),
        lambda r: r.bit_string("x", 22, 32),
    ),
    "Name": (
        printable,
        lambda w, v: w.characters(v, "x", 1, 150, extensible=True),
        lambda r: r.characters("x", 1, 150, extensible=True),
    ),
    "Text": (st.text(max_size=60), lambda w, v: w.utf8(v), lambda r: r.utf8("x")),
    "Number": (st.floats(allow_nan=False), lambda w, v: w.real(v), lambda r: r.real("x")),
    "Few": (
        digits,
        lambda w, v: w.sequence_of(v, digit, "x", 0, 40),
        lambda r: list(r.sequence_of(read_digit, "x", 0, 40)),
    ),
    "Many": (
        digits,
        lambda w, v: w.sequence_of(v, digit, "x", 1, 65_535),
        lambda r: list(r.sequence_of(read_digit, "x", 1, 65_535)),
    ),
    "Free": (
        digits,
        lambda w, v: w.sequence_of(v, digit, "x"),
        lambda r: list(r.sequence_of(read_digit, "x")),
    ),
}


@pytest.mark.parametrize("name", PRIMITIVES)
@given(data=st.data(), phase=phases)
def test_what_is_written_is_read_back_at_every_bit_phase(name: str, data: st.DataObject, phase: int) -> None:
    strategy, write, read = PRIMITIVES[name]
    value = data.draw(strategy)
    writer = Writer()
    writer.bits(0, phase)
    write(writer, value)
    end = writer.position
    writer.bit(True)
    encoded = writer.getvalue()
    reader = Reader(encoded, phase)
    assert read(reader) == value
    assert reader.position == end
    assert reader.bit("after")


@pytest.mark.parametrize("name", PRIMITIVES)
@given(data=st.data(), before=st.booleans(), after=st.booleans())
def test_asn1tools_has_the_same_octets(name: str, data: st.DataObject, before: bool, after: bool) -> None:
    strategy, write, _ = PRIMITIVES[name]
    value = data.draw(strategy)
    writer = Writer()
    writer.bit(before)
    write(writer, value)
    writer.bit(after)
    theirs: object = value
    if name == "Kind":
        theirs = "abcde"[value]
    elif isinstance(value, tuple):
        theirs = as_bits(value)
    decoded = oracle().decode(name, writer.getvalue())
    assert decoded == {"before": before, "value": theirs, "after": after}
    if name != "Number":
        assert writer.getvalue() == oracle().encode(name, decoded)


@pytest.mark.parametrize("name", PRIMITIVES)
@given(data=st.data())
def test_any_octets_give_a_value_or_a_decode_error(name: str, data: st.DataObject) -> None:
    octets = data.draw(st.binary(max_size=40))
    reader = Reader(octets, data.draw(phases))
    try:
        PRIMITIVES[name][2](reader)
    except DecodeError as raised:
        outcome = raised.field
    else:
        outcome = "" if reader.position <= max(8, len(octets) * 8) else "read beyond the end"
    assert outcome == "" or outcome.startswith("x")


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 16_385, 32_768, 65_536, 65_537, 150_000])
def test_long_octet_strings_come_in_fragments(size: int) -> None:
    value = bytes(index * 7 & 0xFF for index in range(size))
    writer = Writer()
    writer.bit(True)
    writer.octet_string(value, "x")
    writer.bit(True)
    encoded = writer.getvalue()
    if size >= FRAGMENT:
        assert encoded[1] == 0xC0 | min(4, size // FRAGMENT)
    reader = Reader(encoded, 1)
    assert reader.octet_string("x") == value
    assert reader.bit("after")
    for cut in (1, 2, len(encoded) // 2, len(encoded) - 2):
        if cut < len(encoded) - 1:
            with pytest.raises(DecodeError):
                Reader(encoded[:cut], 1).octet_string("x")


@pytest.mark.parametrize("size", [16_383, 16_384, 40_000, 70_000])
def test_long_sequences_come_in_fragments(size: int) -> None:
    values = [index % 10 for index in range(size)]
    writer = Writer()
    writer.sequence_of(values, digit, "x")
    assert list(Reader(writer.getvalue()).sequence_of(read_digit, "x")) == values


@given(st.floats(allow_nan=False))
def test_reals_have_one_canonical_form(value: float) -> None:
    content = real_to_octets(value)
    found = real_from_octets(content)
    assert found == value
    assert math.copysign(1.0, found) == math.copysign(1.0, value)
    if value and math.isfinite(value):
        assert content[-1] & 1, "the mantissa is odd"
        assert len(content) <= 10


def test_not_a_number_stays_one() -> None:
    assert math.isnan(real_from_octets(real_to_octets(math.nan)))


@pytest.mark.parametrize(
    "content",
    [
        "80",
        "8000",
        "44",
        "4000",
        "b00001",
        "8300",
        "83020001",
        "02",
        "0431",
        "02612e62",
        "03315f30",
        "81 7fff 01",
        "02" + "31" * 80,
        "03" + b"1E999".hex(),
    ],
)
def test_malformed_reals_are_refused(content: str) -> None:
    octets = bytes.fromhex(content)
    data = bytes((len(octets),)) + octets
    if content == "83020001":
        data = data[:-1]
    with pytest.raises(DecodeError, match="x at bit"):
        Reader(data).real("x")


def test_a_zero_length_integer_is_zero() -> None:
    assert Reader(b"\x00").unconstrained("x") == 0


@pytest.mark.parametrize("octets", ["4100" + "00" * 64, "80ff" + "7f" * 255, "bfff" + "11" * 0x3FFF])
def test_a_giant_integer_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError, match="octets"):
        Reader(bytes.fromhex(octets)).unconstrained("x")
    with pytest.raises(DecodeError, match="octets"):
        Reader(bytes.fromhex("80" + octets)).small_number("x")


@given(st.integers(0, 1000) | st.integers(0, 2**60), phases)
def test_small_numbers(value: int, phase: int) -> None:
    writer = Writer()
    writer.bits(0, phase)
    writer.small_number(value)
    assert Reader(writer.getvalue(), phase).small_number("x") == value


additions = st.lists(st.none() | st.binary(min_size=1, max_size=200), min_size=1, max_size=80)


@given(additions, phases)
def test_extension_additions(values: list[bytes | None], phase: int) -> None:
    writer = Writer()
    writer.bits(0, phase)
    writer.extension_additions(values)
    assert Reader(writer.getvalue(), phase).extension_additions("x") == tuple(values)


@pytest.mark.parametrize("size", [5, 200, 20_000])
def test_an_open_type_is_entered(size: int) -> None:
    writer = Writer()
    writer.bit(True)
    writer.open_type(b"\xa5" * size)
    writer.bit(True)
    reader = Reader(writer.getvalue(), 1)
    inner = reader.open_reader("x")
    assert inner.octets(size, "x") == b"\xa5" * size
    with pytest.raises(DecodeError):
        inner.bit("behind the contents")
    assert reader.bit("after")
    with pytest.raises(DecodeError):
        Reader(writer.getvalue()[:-2], 1).open_reader("x")


def test_a_list_below_its_least_size_is_refused() -> None:
    with pytest.raises(DecodeError, match="at least 1"):
        Reader(b"\x00").sequence_of(read_digit, "x", 1, 0x7FFF_FFFF)


def test_a_count_beyond_the_message_is_refused_before_anything_is_read() -> None:
    for octets in ("fffe", "00ff", "bfff"):
        with pytest.raises(DecodeError, match="announced"):
            Reader(bytes.fromhex(octets)).sequence_of(read_digit, "x", 1, 65_535)


def test_values_out_of_range_are_refused() -> None:
    cases: list[Callable[[Writer], None]] = [
        lambda w: w.constrained(41, -7, 40, "x"),
        lambda w: w.octet_string(b"abc", "x", 2, 2),
        lambda w: w.bit_string((4, 2), "x", 2, 2),
        lambda w: w.bit_string((-1, 2), "x"),
        lambda w: w.bit_string((1, 3), "x", 4, 5),
        lambda w: w.characters("", "x", 1, 150),
        lambda w: w.characters("é", "x"),
        lambda w: w.sequence_of([], digit, "x", 1, 5),
        lambda w: w.sequence_of([10], digit, "x"),
        lambda w: w.length(FRAGMENT),
    ]
    for case in cases:
        with pytest.raises(EncodeError) as caught:
            case(Writer())
        assert caught.value.field in ("x", "x[0].digit", "length")


def test_errors_build_the_path_outwards() -> None:
    error: CodecError = DecodeError("is cut off", field="sST", bit_offset=12)
    assert str(error.within("sliceID").within("label")) == "label.sliceID.sST at bit 12: is cut off"
