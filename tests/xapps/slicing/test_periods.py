from hypothesis import given
from hypothesis import strategies as st

from oran.e2.identity import GnbDuUeId
from oran.e2.kpm.messages import IndicationFormat1, UeReport
from xapps.slicing.periods import MAX_UES, PeriodCollector
from xapps.slicing.reports import OwnedReport


def ue(number: int) -> list[OwnedReport]:
    return [(UeReport(GnbDuUeId(number), IndicationFormat1(())), 0)]


def numbers(ues: list[OwnedReport] | None) -> list[int] | None:
    return None if ues is None else [item.ue.f1ap_id for item, _ in ues if isinstance(item.ue, GnbDuUeId)]


def test_one_subscription_gives_a_period_with_each_indication() -> None:
    collector = PeriodCollector([None])
    assert numbers(collector.add(None, b"a", ue(1))) == [1]
    assert numbers(collector.add(None, b"b", ue(2))) == [2]


def test_slices_are_waited_for() -> None:
    collector = PeriodCollector([0, 1, 2])
    for start in (b"a", b"b"):
        assert collector.add(0, start, ue(1)) is None
        assert collector.add(1, start, ue(2)) is None
        assert numbers(collector.add(2, start, ue(3))) == [1, 2, 3]


def test_slices_that_report_at_different_times_are_joined_too() -> None:
    collector = PeriodCollector([0, 1])
    assert collector.add(0, b"a0", ue(1)) is None
    assert numbers(collector.add(1, b"a1", ue(2))) == [1, 2]
    assert collector.add(0, b"b0", ue(3)) is None
    assert numbers(collector.add(1, b"b1", ue(4))) == [3, 4]


def test_a_slice_without_ues_is_waited_for_one_period_only() -> None:
    collector = PeriodCollector([0, 1])
    assert collector.add(0, b"a", ue(1)) is None
    assert numbers(collector.add(0, b"b", ue(2))) == [2]
    assert numbers(collector.add(0, b"c", ue(3))) == [3]


def test_a_report_in_two_parts_is_put_together_from_the_next_period_on() -> None:
    collector = PeriodCollector([None])
    assert numbers(collector.add(None, b"a", ue(1))) == [1]
    assert collector.add(None, b"a", ue(2)) is None
    assert collector.add(None, b"b", ue(3)) is None
    assert numbers(collector.add(None, b"b", ue(4))) == [3, 4]


def test_the_next_period_ends_one_that_stayed_short() -> None:
    collector = PeriodCollector([None])
    collector.add(None, b"a", ue(1))
    collector.add(None, b"a", ue(2))
    assert collector.add(None, b"b", ue(3)) is None
    assert numbers(collector.add(None, b"c", ue(4))) == [4]


def test_ues_of_one_period_are_bounded() -> None:
    collector = PeriodCollector([None, 1])
    for _ in range(30):
        assert collector.add(None, b"a", ue(1) * 1000) is None
    whole = collector.add(1, b"a", ue(2))
    assert whole is not None
    assert len(whole) == MAX_UES


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=60))
def test_no_report_is_told_twice(arrivals: list[tuple[int, int]]) -> None:
    collector = PeriodCollector([0, 1, 2])
    told: list[int] = []
    for number, (source, start) in enumerate(arrivals):
        told += numbers(collector.add(source, bytes([start]), ue(number))) or []
    assert len(told) == len(set(told))
    assert set(told) <= set(range(len(arrivals)))
