"""Puts together the UE reports of one period, which may come in several indications.

A node splits a report that is long, and reports each slice by itself where one subscription per slice was made; a
slice without UEs sends nothing. So nobody says which indication is a period's last: it is taken that as many will
come as came in the period before. Nor does the header's time tell periods apart, since up to KPM v2.03 it counts
whole seconds; but no UE is reported twice in a period.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from oran.e2.identity import UeId
from xapps.slicing.reports import UeRows

MAX_UES = 20_000
"""UEs kept of one period; indications that bring more are passed over."""


_NOBODY: frozenset[UeId] = frozenset()


class PeriodCollector:
    """Collects one cell's UE reports. `sources` are its subscriptions' keys, each expected once at first."""

    def __init__(self, sources: Iterable[int | None]) -> None:
        self._expected: Counter[int | None] = Counter(sources)
        self._came: Counter[int | None] = Counter()
        self._reported: defaultdict[int | None, set[UeId]] = defaultdict(set)
        self._before: defaultdict[int | None, set[UeId]] = defaultdict(set)
        self._parts: list[UeRows] = []
        self._ues = 0

    def add(self, source: int | None, parts: Sequence[UeRows]) -> list[UeRows] | None:
        """Take an indication's UE reports; a whole period's where one is complete.

        A period is complete when as much came as in the one before, or when a UE comes again: the next has begun.
        """
        names = _NOBODY.union(*(part.roster.names for part in parts))
        ended = None
        if self._came[source]:
            if not names or names & self._reported[source]:
                ended = self._end()
        elif names and self._before[source] and not names & self._before[source]:
            # A straggler of the period that was taken to be complete: the next one waits for it.
            self._expected[source] += 1
            self._before[source] |= names
            return None
        self._came[source] += 1
        self._reported[source] |= names
        if self._ues + len(names) <= MAX_UES:
            self._parts += parts
            self._ues += len(names)
        if all(self._came[key] >= count for key, count in self._expected.items()):
            return self._end()
        return ended

    def _end(self) -> list[UeRows]:
        whole, self._parts, self._ues = self._parts, [], 0
        self._expected, self._came = +self._came, Counter()
        self._before, self._reported = self._reported, defaultdict(set)
        return whole
