from hypothesis import given
from hypothesis import strategies as st

from oran.e2.identity import GnbDuUeId
from oran.e2.kpm.tables import UeTable
from xapps.slicing.membership import Roster
from xapps.slicing.periods import MAX_UES, PeriodCollector
from xapps.slicing.reports import UeRows


def report(*numbers: int, mark: int = 0) -> list[UeRows]:
    """A report of these UEs; `mark` tells one period's from another's."""
    ues = tuple(map(GnbDuUeId, numbers))
    return [UeRows(UeTable(ues, [], (), mark), Roster.of(ues, lambda ue: 0))]


def told(parts: list[UeRows] | None) -> list[tuple[int, int | None]] | None:
    if parts is None:
        return None
    pairs = [(ue, part.table.granularity_ms) for part in parts for ue in part.table.ues]
    return [(ue.f1ap_id, mark) for ue, mark in pairs if isinstance(ue, GnbDuUeId)]


def test_one_subscription_gives_a_period_with_each_indication() -> None:
    collector = PeriodCollector([None])
    for mark in range(3):
        assert told(collector.add(None, report(1, 2, mark=mark))) == [(1, mark), (2, mark)]


def test_slices_are_waited_for() -> None:
    collector = PeriodCollector([0, 1, 2])
    for mark in range(3):
        assert collector.add(0, report(1, mark=mark)) is None
        assert collector.add(1, report(2, mark=mark)) is None
        assert told(collector.add(2, report(3, mark=mark))) == [(1, mark), (2, mark), (3, mark)]


def test_a_slice_that_comes_late_is_waited_for_from_then_on() -> None:
    collector = PeriodCollector([0, 1])
    collector.add(0, report(1, mark=0))
    assert told(collector.add(0, report(1, mark=1))) == [(1, 1)]
    assert collector.add(1, report(2, mark=1)) is None
    whole = [told(collector.add(source, report(source + 1, mark=mark))) for mark in (2, 3, 4) for source in (0, 1)]
    assert sum(ues is not None and {ue for ue, _ in ues} == {1, 2} for ues in whole) == 3


def test_a_slice_without_ues_is_waited_for_one_period_only() -> None:
    collector = PeriodCollector([0, 1])
    assert collector.add(0, report(1, mark=0)) is None
    for mark in (1, 2):
        assert told(collector.add(0, report(1, mark=mark))) == [(1, mark)]


def test_a_report_in_two_parts_is_put_together_from_the_next_period_on() -> None:
    collector = PeriodCollector([None])
    assert told(collector.add(None, report(1))) == [(1, 0)]
    assert collector.add(None, report(2)) is None
    for mark in (1, 2):
        assert collector.add(None, report(1, mark=mark)) is None
        assert told(collector.add(None, report(2, mark=mark))) == [(1, mark), (2, mark)]


def test_the_next_period_ends_one_that_stayed_short() -> None:
    collector = PeriodCollector([None])
    collector.add(None, report(1))
    collector.add(None, report(2))
    assert collector.add(None, report(1, mark=1)) is None
    assert told(collector.add(None, report(1, mark=2))) == [(1, 2)]


def test_empty_reports_are_periods_too() -> None:
    collector = PeriodCollector([None])
    assert collector.add(None, []) == []
    assert collector.add(None, []) == []


def test_ues_of_one_period_are_bounded() -> None:
    collector = PeriodCollector([None, 1])
    for first in range(0, 30_000, 1000):
        assert collector.add(None, report(*range(first, first + 1000))) is None
    whole = collector.add(1, report(99_999))
    assert whole is not None
    assert sum(len(part.table.ues) for part in whole) == MAX_UES


@given(st.lists(st.tuples(st.integers(0, 2), st.sets(st.integers(0, 5), max_size=3)), max_size=60))
def test_no_report_is_told_twice_and_no_ue_twice_in_a_period(arrivals: list[tuple[int, set[int]]]) -> None:
    collector = PeriodCollector([0, 1, 2])
    seen: list[tuple[int, int | None]] = []
    for mark, (source, ues) in enumerate(arrivals):
        period = told(collector.add(source, report(*(10 * source + ue for ue in ues), mark=mark))) or []
        assert len({ue for ue, _ in period}) == len(period)
        seen += period
    assert len(seen) == len(set(seen))
