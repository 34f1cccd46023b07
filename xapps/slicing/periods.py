"""Puts together the UE reports of one period, which may come in several indications.

A node splits a report that is long, and reports each slice by itself where one subscription per slice was made; a
slice or cell without UEs sends nothing. So nobody says which indication is a period's last: it is taken that as
many will come as came in the period before.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from xapps.slicing.reports import OwnedReport

MAX_UES = 20_000
"""UE reports kept of one period; more are passed over."""


class PeriodCollector:
    """Collects one cell's UE reports. `sources` are its subscriptions' keys, each expected once at first."""

    def __init__(self, sources: Iterable[int | None]) -> None:
        self._expected: Counter[int | None] = Counter(sources)
        self._came: Counter[int | None] = Counter()
        self._starts: dict[int | None, bytes] = {}
        self._ues: list[OwnedReport] = []

    def add(self, source: int | None, start: bytes, ues: Sequence[OwnedReport]) -> list[OwnedReport] | None:
        """Take an indication whose collection began at `start`; a whole period's UE reports where one is complete.

        A period is complete when as much came as in the one before, or when the next one begins.
        """
        ended = None
        if self._came[source]:
            if self._starts[source] != start:
                ended = self._end()
        elif self._starts.get(source) == start:
            # A straggler of the period that was taken to be complete: the next one waits for it.
            self._expected[source] += 1
            return None
        self._starts[source] = start
        self._came[source] += 1
        self._ues += ues[: max(0, MAX_UES - len(self._ues))]
        if all(self._came[key] >= count for key, count in self._expected.items()):
            return self._end()
        return ended

    def _end(self) -> list[OwnedReport]:
        whole, self._ues = self._ues, []
        self._expected, self._came = +self._came, Counter()
        return whole
