"""RANParameter-Testing: conditions on RAN parameters, as event triggers and policies state them."""

from dataclasses import dataclass
from enum import Enum

from oran.e2.rc.parameters import DEPTH, MANY, PARAMETER_ID, VALUE, KeyElement, RanValue
from oran.e2.schema import (
    Alternative,
    Choice,
    Component,
    Enumerated,
    Record,
    SequenceOf,
    TrueFalse,
    Type,
    nested,
)


class Comparison(Enum):
    """How a parameter's value compares, in wire order."""

    EQUAL = "equal"
    DIFFERENCE = "difference"
    GREATER_THAN = "greaterthan"
    LESS_THAN = "lessthan"
    CONTAINS = "contains"
    STARTS_WITH = "starts-with"


class Presence(Enum):
    """In what way a parameter is there, in wire order."""

    PRESENT = "present"
    CONFIGURED = "configured"
    ROLLOVER = "rollover"
    NON_ZERO = "non-zero"
    VALUE_CHANGE = "value-change"


@dataclass(frozen=True, slots=True)
class ElementTest:
    """A condition on an element; `logical_or` joins it to the next by OR (True) or AND (False)."""

    condition: Comparison | Presence
    value: RanValue | None = None
    logical_or: bool | None = None


@dataclass(frozen=True, slots=True)
class StructureTest:
    """Conditions on the parameters of a structure."""

    tests: "tuple[ParameterTest, ...]"


@dataclass(frozen=True, slots=True)
class ListTest:
    """Conditions on the items of a list."""

    tests: "tuple[ParameterTest, ...]"


Test = ListTest | StructureTest | KeyElement | ElementTest


@dataclass(frozen=True, slots=True)
class ParameterTest:
    """A RAN parameter and what is asked of it."""

    id: int
    test: Test


_CONDITION: Type[Comparison | Presence] = Choice(
    Alternative(Comparison, "ranP-Choice-comparison", Enumerated(Comparison)),
    Alternative(Presence, "ranP-Choice-presence", Enumerated(Presence, root=4)),
)


def _item(test: Type[Test]) -> Type[ParameterTest]:
    return Record(
        ParameterTest,
        Component("id", "ranParameter-ID", PARAMETER_ID),
        Component("test", "ranParameter-Type", test),
    )


def _level(inner: Type[Test]) -> Type[Test]:
    tests = SequenceOf(_item(inner), 1, MANY)
    return Choice(
        Alternative(
            ListTest, "ranP-Choice-List", Record(ListTest, Component("tests", "ranParameter-List", tests))
        ),
        Alternative(
            StructureTest,
            "ranP-Choice-Structure",
            Record(StructureTest, Component("tests", "ranParameter-Structure", tests)),
        ),
        Alternative(
            KeyElement,
            "ranP-Choice-ElementTrue",
            Record(KeyElement, Component("value", "ranParameter-value", VALUE)),
        ),
        Alternative(
            ElementTest,
            "ranP-Choice-ElementFalse",
            Record(
                ElementTest,
                Component("condition", "ranParameter-TestCondition", _CONDITION),
                Component("value", "ranParameter-Value", VALUE, optional=True),
                Component("logical_or", "logicalOR", TrueFalse(), optional=True),
            ),
        ),
    )


TESTING: Type[tuple[ParameterTest, ...]] = SequenceOf(_item(nested(_level, DEPTH)), 1, 255)
