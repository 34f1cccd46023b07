"""Known tails of reports: they change nothing but the time, and never grow without bound."""

from hypothesis import given, settings
from hypothesis import strategies as st

from oran.e2 import schema
from oran.e2.aper import Reader, Writer
from oran.e2.errors import DecodeError
from oran.e2.kpm import codec
from oran.e2.kpm.messages import IndicationFormat1, IndicationMessage, Label, MeasurementInfo, Record
from oran.e2.kpm.reports import TAILS, WITH_PERIOD, WITHOUT_PERIOD, ReportType, clear_caches
from oran.e2.kpm.schema import INDICATION_FORMAT_1
from oran.e2.kpm.templates import Tail, TailCache, Template, TemplateCache
from tests.oran.e2 import kpm_strategies as strategies


def decoded(data: bytes) -> str:
    """The message, or the error, in words."""
    try:
        return repr(codec.decode_indication_message(data))
    except DecodeError as error:
        return str(error)


@settings(max_examples=60, deadline=None)
@given(messages=st.lists(strategies.messages, min_size=1, max_size=3), data=st.data())
def test_cached_and_uncached_results_are_equal(messages: list[IndicationMessage], data: st.DataObject) -> None:
    octets = [codec.encode_indication_message(message) for message in messages]
    for encoded in list(octets):
        at = data.draw(st.integers(0, len(encoded) - 1))
        octets.append(encoded[:at] + bytes((data.draw(st.integers(0, 255)),)) + encoded[at + 1 :])
    cold = []
    for encoded in octets:
        clear_caches()
        cold.append(decoded(encoded))
    assert [decoded(encoded) for encoded in octets * 2] == cold * 2


@settings(max_examples=60, deadline=None)
@given(message=strategies.messages)
def test_encoding_is_the_same_with_known_tails(message: IndicationMessage) -> None:
    clear_caches()
    cold = codec.encode_indication_message(message)
    assert codec.encode_indication_message(message) == cold
    assert codec.encode_indication_message(codec.decode_indication_message(cold)) == cold


@settings(max_examples=60, deadline=None)
@given(report=strategies.reports, phase=st.integers(0, 7))
def test_the_quick_path_follows_the_declaration(report: IndicationFormat1, phase: int) -> None:
    assert isinstance(INDICATION_FORMAT_1, ReportType)
    quick, plain = Writer(), Writer()
    for writer in (quick, plain):
        writer.bits(0, phase)
    INDICATION_FORMAT_1.write(quick, report, "")
    schema.Record.write(INDICATION_FORMAT_1, plain, report, "")
    assert quick.getvalue() == plain.getvalue()

    quick_reader, plain_reader = Reader(quick.getvalue(), phase), Reader(quick.getvalue(), phase)
    assert INDICATION_FORMAT_1.read(quick_reader, "") == report
    assert schema.Record.read(INDICATION_FORMAT_1, plain_reader, "") == report
    assert quick_reader.position == plain_reader.position


def named(name: str) -> tuple[MeasurementInfo, ...]:
    """A list of one measurement."""
    return (MeasurementInfo(name),)


def test_many_different_reports_leave_a_bounded_number_of_tails() -> None:
    clear_caches()
    for index in range(300):
        for period in (None, 100):
            report = IndicationFormat1((Record((index,)),), named(f"M{index}"), period)
            assert codec.decode_indication_message(codec.encode_indication_message(report)) == report
    assert len(WITH_PERIOD.templates) == WITH_PERIOD.capacity
    assert len(WITHOUT_PERIOD.templates) == WITHOUT_PERIOD.capacity
    assert len(TAILS.tails) == TAILS.capacity


def test_a_tail_that_is_used_stays() -> None:
    cache = TemplateCache(capacity=3)
    tails = [Template(bytes((index, 1)), 0, 0, named(str(index)), None) for index in range(6)]
    for tail in tails:
        cache.add(tail)
        assert cache.find(b"\x00\x01", 0) is tails[0]
    assert cache.templates == (tails[0], tails[5], tails[4])
    assert cache.find(b"\x09\x00\x01", 1) is tails[0]
    assert cache.find(b"\x03\x01", 0) is None


def test_a_long_tail_is_not_kept() -> None:
    cache = TemplateCache(longest=10)
    cache.add(Template(bytes(11), 0, 0, (), None))
    assert cache.find(bytes(20), 0) is None


def test_a_tail_that_ends_inside_an_octet_is_told_by_its_last_bits() -> None:
    template = Template.cut(b"\x01\x02\xb0", 0, 20, named("M"), None)
    assert template.matches(b"\x01\x02\xbf", 0)
    assert not template.matches(b"\x01\x02\xa0", 0)
    assert not template.matches(b"\x01\x02", 0)


def test_equal_lists_share_no_identity_but_an_encoding() -> None:
    labels = (Label(five_qi=9),)
    first = IndicationFormat1((Record((1,)),), (MeasurementInfo("M", labels),), 10)
    second = IndicationFormat1((Record((1,)),), (MeasurementInfo("M", (Label(five_qi=9),)),), 10)
    assert codec.encode_indication_message(first) == codec.encode_indication_message(second)


def test_the_oldest_encoding_makes_room() -> None:
    cache = TailCache(capacity=2)
    lists = [named("A"), named("B"), named("C")]
    for info in lists:
        cache.add(info, None, Tail(b"", 0, 0))
    assert cache.find(lists[0], None) is None
    assert cache.find(lists[1], None) is not None
    assert cache.find(lists[2], 5) is None
