"""Known tails of reports: what a node repeats in every report, kept so that it is parsed and built only once.

Behind its values a report says what they are: the list of measurements with their labels, and the granularity
period. A node sends the same octets for every UE and every period, several times as many as the values take.
PER is self-delimiting: where the same bits stand, the same value ends at the same place. So octets that start
with a known tail need no second look. The list starts on an octet boundary, so no bit phase has to be told apart.
"""

from dataclasses import dataclass

from oran.e2.kpm.messages import MeasurementInfo

Infos = tuple[MeasurementInfo, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A tail: its whole octets, the bits after them, and what it says."""

    octets: bytes
    spare_bits: int
    spare: int
    info: Infos
    granularity_ms: int | None

    @classmethod
    def cut(cls, data: bytes, start: int, end: int, info: Infos, granularity_ms: int | None) -> "Template":
        """The tail of `data` from octet `start` to bit `end`."""
        stop, spare_bits = end >> 3, end & 7
        spare = data[stop] >> (8 - spare_bits) if spare_bits else 0
        return cls(data[start:stop], spare_bits, spare, info, granularity_ms)

    def matches(self, data: bytes, start: int) -> bool:
        """Whether this tail stands at octet `start` of `data`."""
        if not data.startswith(self.octets, start):
            return False
        if not self.spare_bits:
            return True
        stop = start + len(self.octets)
        return stop < len(data) and data[stop] >> (8 - self.spare_bits) == self.spare


class TemplateCache:
    """The tails met last, at most `capacity` of at most `longest` octets, the latest first."""

    def __init__(self, capacity: int = 64, longest: int = 8192) -> None:
        self.capacity = capacity
        self.longest = longest
        self.templates: tuple[Template, ...] = ()

    def find(self, data: bytes, start: int) -> Template | None:
        """The known tail at octet `start` of `data`."""
        templates = self.templates
        for index, template in enumerate(templates):
            if template.matches(data, start):
                if index:
                    self.templates = (template, *templates[:index], *templates[index + 1 :])
                return template
        return None

    def add(self, template: Template) -> None:
        """Keep a tail, in place of the one unused for longest when there are too many."""
        if len(template.octets) <= self.longest:
            self.templates = (template, *self.templates[: self.capacity - 1])

    def clear(self) -> None:
        """Forget all."""
        self.templates = ()


@dataclass(frozen=True, slots=True)
class Tail:
    """The encoding of a tail: its whole octets and the bits after them."""

    octets: bytes
    spare_bits: int
    spare: int


class TailCache:
    """The encodings used last, at most `capacity`, told by the identity of the tuple that they encode.

    An entry holds its tuple, so its identity is never that of another object. Hashing such a tuple would take
    longer than writing a UE's values.
    """

    def __init__(self, capacity: int = 64) -> None:
        self.capacity = capacity
        self.tails: dict[tuple[int, int | None], tuple[Infos, Tail]] = {}

    def find(self, info: Infos, granularity_ms: int | None) -> Tail | None:
        """The encoding of this very tuple with this granularity period."""
        entry = self.tails.get((id(info), granularity_ms))
        return entry[1] if entry else None

    def add(self, info: Infos, granularity_ms: int | None, tail: Tail) -> None:
        """Keep an encoding, in place of the oldest when there are too many."""
        tails = self.tails
        while len(tails) >= self.capacity:
            tails.pop(next(iter(tails)), None)
        tails[id(info), granularity_ms] = (info, tail)

    def clear(self) -> None:
        """Forget all."""
        self.tails.clear()
