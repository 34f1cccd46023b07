"""The E2SM-KPM types, each declared once for the wire and for JSON (O-RAN.WG3.E2SM-KPM v2.03 to v5, 8.4).

What a later version added stands behind the extension marker; additions that we do not know are read over.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from oran.e2.aper import Reader, Writer
from oran.e2.asn1_value import JsonValue
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.kpm.messages import (
    NO_LABEL,
    Label,
    Measurement,
    StartEnd,
)
from oran.e2.schema import (
    Alternative,
    Characters,
    Choice,
    Component,
    Enumerated,
    Integer,
    Record,
    Type,
    Wrapped,
)
from oran.e2.ue_id import CELL_GLOBAL_ID, PLMN, S_NSSAI

T = TypeVar("T")
W = TypeVar("W")


class Mapped(Type[T], Generic[T, W]):
    """A type whose Python value differs from what the wire nests."""

    def __init__(self, inner: Type[W], to_wire: Callable[[T], W], from_wire: Callable[[W], T]) -> None:
        self.inner = inner
        self.to_wire = to_wire
        self.from_wire = from_wire

    def read(self, reader: Reader, field: str) -> T:
        return self.from_wire(self.inner.read(reader, field))

    def write(self, writer: Writer, value: T, field: str) -> None:
        self.inner.write(writer, self.to_wire(value), field)

    def to_asn1(self, value: T) -> JsonValue:
        return self.inner.to_asn1(self.to_wire(value))

    def from_asn1(self, value: JsonValue, field: str) -> T:
        return self.from_wire(self.inner.from_asn1(value, field))


class Flag(Type[T]):
    """ENUMERATED {true, ...}, standing for one Python value."""

    def __init__(self, value: T) -> None:
        self.value = value

    def read(self, reader: Reader, field: str) -> T:
        if reader.bit(field):
            reader.fail("enumeration value is unknown", field)
        return self.value

    def write(self, writer: Writer, value: T, field: str) -> None:
        writer.bit(False)

    def to_asn1(self, value: T) -> JsonValue:
        return "true"

    def from_asn1(self, value: JsonValue, field: str) -> T:
        if value != "true":
            raise EncodeError(f"{value!r:.40} is not 'true'", field=field)
        return self.value


class Null(Type[T]):
    """NULL, standing for one Python value."""

    def __init__(self, value: T) -> None:
        self.value = value

    def read(self, reader: Reader, field: str) -> T:
        return self.value

    def write(self, writer: Writer, value: T, field: str) -> None:
        pass

    def to_asn1(self, value: T) -> JsonValue:
        return None

    def from_asn1(self, value: JsonValue, field: str) -> T:
        if value is not None:
            raise EncodeError("expected null", field=field)
        return self.value


def flag(attribute: str, name: str, *, optional: bool = True, addition: bool = False) -> Component:
    """An optional ENUMERATED {true, ...} as a bool."""
    return Component(attribute, name, Flag(True), optional and not addition, addition, absent=False)


UINT16 = Integer(1, 65_535, extensible=True)
QCI = Integer(0, 255)
ARP = Integer(1, 15, extensible=True)
PERIOD = Integer(1, 0xFFFF_FFFF)
"""GranularityPeriod and reporting period, in ms."""

MEASUREMENT_NAME = Characters(1, 150, extensible=True)
MEASUREMENT_ID = Integer(1, 65_536, extensible=True)
MEASUREMENT: Type[Measurement] = Choice(
    Alternative(str, "measName", MEASUREMENT_NAME),
    Alternative(int, "measID", MEASUREMENT_ID),
)

_BEAM_ID: Type[int] = Choice(Alternative(int, "nR-Beam-ID", Integer(0, 63)))


class LabelType(Record[Label]):
    """MeasurementLabel; where nothing later than v2 is present, what is absent costs no time."""

    def read(self, reader: Reader, field: str) -> Label:
        start = reader.position
        present = reader.bits(22, field)
        if present >> 21:
            reader.position = start
            return super().read(reader, field)
        values: dict[str, Any] = {}
        try:
            while present:
                left = present.bit_length()
                component = self.root[21 - left]
                values[component.attribute] = component.type.read(reader, component.name)
                present ^= 1 << left - 1
        except DecodeError as error:
            raise (error.within(field) if field else error) from None
        return Label(**values)


LABEL: Type[Label] = LabelType(
    Label,
    flag("no_label", "noLabel"),
    Component("plmn", "plmnID", PLMN, optional=True),
    Component("slice_id", "sliceID", S_NSSAI, optional=True),
    Component("five_qi", "fiveQI", Integer(0, 255, extensible=True), optional=True),
    Component("qfi", "qFI", Integer(0, 63, extensible=True), optional=True),
    Component("qci", "qCI", QCI, optional=True),
    Component("qci_max", "qCImax", QCI, optional=True),
    Component("qci_min", "qCImin", QCI, optional=True),
    Component("arp_max", "aRPmax", ARP, optional=True),
    Component("arp_min", "aRPmin", ARP, optional=True),
    Component("bitrate_range", "bitrateRange", UINT16, optional=True),
    Component("layer_mu_mimo", "layerMU-MIMO", UINT16, optional=True),
    flag("sum", "sUM"),
    Component("dist_bin_x", "distBinX", UINT16, optional=True),
    Component("dist_bin_y", "distBinY", UINT16, optional=True),
    Component("dist_bin_z", "distBinZ", UINT16, optional=True),
    flag("pre_label_override", "preLabelOverride"),
    Component("start_end", "startEndInd", Enumerated(StartEnd), optional=True),
    flag("min", "min"),
    flag("max", "max"),
    flag("avg", "avg"),
    Component("ssb_index", "ssbIndex", UINT16, addition=True),
    Component("non_gob_bf_mode_index", "nonGoB-BFmode-Index", UINT16, addition=True),
    Component("mimo_mode_index", "mIMO-mode-Index", Integer(1, 2, extensible=True), addition=True),
    Component("cell", "cellGlobalID", CELL_GLOBAL_ID, addition=True),
    Component("beam_id", "beamID", _BEAM_ID, addition=True),
)

NO_LABEL_BITS = 1 << 21
"""LabelInfoItem of `noLabel` alone: two extension bits, 21 presence bits, one enumeration bit."""


class LabelItem(Wrapped[Label]):
    """LabelInfoItem; the label that nearly all nodes send is read and written at once."""

    def __init__(self) -> None:
        super().__init__("measLabel", LABEL)

    def read(self, reader: Reader, field: str) -> Label:
        start = reader.position
        if reader.end - start >= 24:
            if reader.bits(24, field) == NO_LABEL_BITS:
                return NO_LABEL
            reader.position = start
        return super().read(reader, field)

    def write(self, writer: Writer, value: Label, field: str) -> None:
        if value is NO_LABEL:
            writer.bits(NO_LABEL_BITS, 24)
        else:
            super().write(writer, value, field)
