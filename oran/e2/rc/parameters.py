"""RAN parameters: the values and trees of values that E2SM-RC carries (O-RAN.WG3.E2SM-RC clause 9.3.8 on).

A parameter has an id and a value: an element, a structure of parameters or a list of structures. Trees are
limited to `DEPTH` levels, far beyond the deepest that the standard defines (7).
"""

from dataclasses import dataclass

from oran.e2.schema import (
    Alternative,
    Bits,
    Boolean,
    Characters,
    Choice,
    Component,
    Integer,
    Octets,
    Real,
    Record,
    SequenceOf,
    Type,
    Wrapped,
    nested,
)

DEPTH = 24
"""Levels of values that a parameter tree may have."""

PARAMETER_ID = Integer(1, 0xFFFFFFFF, extensible=True)
"""RANParameter-ID."""

MANY = 65535
"""maxnoofParametersinStructure and the like."""

RanValue = bool | int | float | tuple[int, int] | bytes | str
"""RANParameter-Value: BOOLEAN, INTEGER, REAL, BIT STRING (value, length in bits), OCTET STRING or text."""

VALUE: Type[RanValue] = Choice(
    Alternative(bool, "valueBoolean", Boolean()),
    Alternative(int, "valueInt", Integer()),
    Alternative(float, "valueReal", Real()),
    Alternative(tuple, "valueBitS", Bits()),
    Alternative(bytes, "valueOctS", Octets()),
    Alternative(str, "valuePrintableString", Characters()),
)


@dataclass(frozen=True, slots=True)
class KeyElement:
    """ELEMENT with key flag true: its value tells which item of a list is meant."""

    value: RanValue


@dataclass(frozen=True, slots=True)
class Element:
    """ELEMENT with key flag false; without a value it only names the parameter."""

    value: RanValue | None = None


@dataclass(frozen=True, slots=True)
class Structure:
    """STRUCTURE: parameters side by side."""

    parameters: "tuple[Parameter, ...]" = ()

    def get(self, parameter_id: int) -> "ParameterValue | None":
        """The value of the first parameter with this id."""
        for parameter in self.parameters:
            if parameter.id == parameter_id:
                return parameter.value
        return None


@dataclass(frozen=True, slots=True)
class ParameterList:
    """LIST: structures of one kind."""

    items: tuple[Structure, ...]


ParameterValue = KeyElement | Element | Structure | ParameterList
"""RANParameter-ValueType."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A RAN parameter: id (1..4294967295) and value."""

    id: int
    value: ParameterValue


def parameter_of(value: Type[ParameterValue]) -> Type[Parameter]:
    """SEQUENCE of id and value, the form of every parameter item."""
    return Record(
        Parameter,
        Component("id", "ranParameter-ID", PARAMETER_ID),
        Component("value", "ranParameter-valueType", value),
    )


def _level(inner: Type[ParameterValue]) -> Type[ParameterValue]:
    structure: Type[Structure] = Record(
        Structure,
        Component(
            "parameters", "sequence-of-ranParameters", SequenceOf(parameter_of(inner), 1, MANY), optional=True
        ),
    )
    items: Type[ParameterList] = Record(
        ParameterList, Component("items", "list-of-ranParameter", SequenceOf(structure, 1, MANY))
    )
    return Choice(
        Alternative(
            KeyElement,
            "ranP-Choice-ElementTrue",
            Record(KeyElement, Component("value", "ranParameter-value", VALUE)),
        ),
        Alternative(
            Element,
            "ranP-Choice-ElementFalse",
            Record(Element, Component("value", "ranParameter-value", VALUE, optional=True)),
        ),
        Alternative(Structure, "ranP-Choice-Structure", Wrapped("ranParameter-Structure", structure)),
        Alternative(ParameterList, "ranP-Choice-List", Wrapped("ranParameter-List", items)),
    )


PARAMETER_VALUE: Type[ParameterValue] = nested(_level, DEPTH)
PARAMETER: Type[Parameter] = parameter_of(PARAMETER_VALUE)
