"""The E2SM-KPM messages as frozen values (O-RAN.WG3.E2SM-KPM v2.03 to v4, clause 8.2)."""

from dataclasses import dataclass
from enum import Enum

from oran.e2.functions import FunctionName
from oran.e2.identity import CellGlobalId, UeId
from oran.slices import SNssai


class StartEnd(Enum):
    """Whether a value was taken at the start or the end of its period, in wire order."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Label:
    """MeasurementLabel: what a value was measured over; a label says at least one thing."""

    no_label: bool = False
    plmn: bytes | None = None
    slice_id: SNssai | None = None
    five_qi: int | None = None
    qfi: int | None = None
    qci: int | None = None
    qci_max: int | None = None
    qci_min: int | None = None
    arp_max: int | None = None
    arp_min: int | None = None
    bitrate_range: int | None = None
    layer_mu_mimo: int | None = None
    sum: bool = False
    dist_bin_x: int | None = None
    dist_bin_y: int | None = None
    dist_bin_z: int | None = None
    pre_label_override: bool = False
    start_end: StartEnd | None = None
    min: bool = False
    max: bool = False
    avg: bool = False
    ssb_index: int | None = None
    non_gob_bf_mode_index: int | None = None
    mimo_mode_index: int | None = None
    """1 SU-MIMO, 2 MU-MIMO."""
    cell: CellGlobalId | None = None
    beam_id: int | None = None
    """SSB index of the beam, 0..63."""


NO_LABEL = Label(no_label=True)

Measurement = str | int
"""A measurement by its TS 28.552 name, or by the id the node's RAN function definition gave it."""


class TestType(Enum):
    """What a test condition looks at, in wire order (the last five are extensions)."""

    __test__ = False
    GBR = "gBR"
    AMBR = "aMBR"
    IS_STAT = "isStat"
    IS_CAT_M = "isCatM"
    RSRP = "rSRP"
    RSRQ = "rSRQ"
    UL_RSRP = "ul-rSRP"
    CQI = "cQI"
    FIVE_QI = "fiveQI"
    QCI = "qCI"
    SNSSAI = "sNSSAI"


class TestExpression(Enum):
    """How a test condition compares, in wire order."""

    __test__ = False
    EQUAL = "equal"
    GREATER_THAN = "greaterthan"
    LESS_THAN = "lessthan"
    CONTAINS = "contains"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class TestValue:
    """The value compared with.

    `kind` is valueInt, valueEnum, valueBool, valueBitS, valueOctS, valuePrtS or valueReal.
    """

    __test__ = False
    kind: str
    value: int | bool | bytes | str | float | tuple[int, int]


@dataclass(frozen=True, slots=True)
class ReportCondition:
    """A measured value is reported only when it compares so; `logical_or` joins it to the next by OR (v5)."""

    expression: TestExpression
    value: TestValue
    logical_or: bool = False


@dataclass(frozen=True, slots=True)
class MeasurementInfo:
    """A measurement and the labels it is reported for, in the order of a record's values."""

    measurement: Measurement
    labels: tuple[Label, ...] = (NO_LABEL,)
    report_conditions: tuple[ReportCondition, ...] = ()


Value = int | float | None
"""A measured value: INTEGER, REAL or noValue (None)."""


@dataclass(frozen=True, slots=True)
class Record:
    """One granularity period's values, one per measurement and label; `incomplete` marks a partial period."""

    values: tuple[Value, ...]
    incomplete: bool = False
    unsatisfied: tuple[int, ...] = ()
    """Where in `values` a None means: measured, but the report condition was not met (v5)."""


@dataclass(frozen=True, slots=True)
class IndicationHeader:
    """Indication header format 1: when collection began, and optional origin."""

    collection_start: bytes
    """4 octets (KPM up to v2.03: whole NTP seconds) or 8 octets (NTP seconds and fraction)."""
    file_format_version: str | None = None
    sender_name: str | None = None
    sender_type: str | None = None
    vendor_name: str | None = None


@dataclass(frozen=True, slots=True)
class IndicationFormat1:
    """Measurements of a node, a cell or one UE; `info` says what each value of a record is."""

    records: tuple[Record, ...]
    info: tuple[MeasurementInfo, ...] = ()
    granularity_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ConditionUeItem:
    """One condition's UEs in format 2: the measurement with its conditions, the UEs that met them."""

    measurement: Measurement
    conditions: "tuple[MatchingCondition, ...]"
    ues: tuple[UeId, ...] = ()
    ues_per_period: tuple[tuple[UeId, ...], ...] = ()
    """The UEs that met them in each granularity period, where told."""


@dataclass(frozen=True, slots=True)
class IndicationFormat2:
    """Measurements of groups of UEs that met conditions."""

    records: tuple[Record, ...]
    info: tuple[ConditionUeItem, ...]
    granularity_ms: int | None = None


@dataclass(frozen=True, slots=True)
class UeReport:
    """One UE's measurements in format 3."""

    ue: UeId
    report: IndicationFormat1


@dataclass(frozen=True, slots=True)
class IndicationFormat3:
    """Measurements of several UEs."""

    ues: tuple[UeReport, ...]


IndicationMessage = IndicationFormat1 | IndicationFormat2 | IndicationFormat3


@dataclass(frozen=True, slots=True)
class TestCondition:
    """A UE is taken when this holds."""

    __test__ = False
    type: TestType
    expression: TestExpression | None = None
    value: TestValue | None = None


@dataclass(frozen=True, slots=True)
class MatchingCondition:
    """A label or a test; `logical_or` joins it to the next by OR instead of AND."""

    condition: Label | TestCondition
    logical_or: bool = False


@dataclass(frozen=True, slots=True)
class BinRange:
    """Bins of a distribution: (bin index, start, end) per axis."""

    measurement: Measurement
    x: tuple[tuple[int, TestValue, TestValue], ...]
    y: tuple[tuple[int, TestValue, TestValue], ...] = ()
    z: tuple[tuple[int, TestValue, TestValue], ...] = ()


@dataclass(frozen=True, slots=True)
class ActionFormat1:
    """Which measurements a node reports, how often, and optionally of which cell."""

    info: tuple[MeasurementInfo, ...]
    granularity_ms: int
    cell: CellGlobalId | None = None
    bins: tuple[BinRange, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionFormat2:
    """Format 1 for one UE."""

    ue: UeId
    subscription: ActionFormat1


@dataclass(frozen=True, slots=True)
class ConditionItem:
    """A measurement reported over the UEs that meet all conditions."""

    measurement: Measurement
    conditions: tuple[MatchingCondition, ...]
    bins: BinRange | None = None


@dataclass(frozen=True, slots=True)
class ActionFormat3:
    """Measurements over UEs that meet conditions per measurement."""

    items: tuple[ConditionItem, ...]
    granularity_ms: int
    cell: CellGlobalId | None = None


@dataclass(frozen=True, slots=True)
class ActionFormat4:
    """Measurements of each UE that meets common conditions."""

    conditions: tuple[MatchingCondition, ...]
    subscription: ActionFormat1


@dataclass(frozen=True, slots=True)
class ActionFormat5:
    """Measurements of the UEs listed (at least two)."""

    ues: tuple[UeId, ...]
    subscription: ActionFormat1


ActionFormat = ActionFormat1 | ActionFormat2 | ActionFormat3 | ActionFormat4 | ActionFormat5


@dataclass(frozen=True, slots=True)
class ActionDefinition:
    """A report style and its parameters."""

    style: int
    format: ActionFormat


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """Event trigger format 1: the reporting period."""

    reporting_period_ms: int


@dataclass(frozen=True, slots=True)
class TriggerStyle:
    """An event trigger style a node offers."""

    style: int
    name: str
    format: int


@dataclass(frozen=True, slots=True)
class ReportStyle:
    """A report style a node offers: its formats and the measurements it can report, as (name, id or None)."""

    style: int
    name: str
    action_format: int
    measurements: tuple[tuple[str, int | None], ...]
    header_format: int
    message_format: int
    bins: tuple[BinRange, ...] = ()
    """Bin ranges of those of the measurements that are distributions."""


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """E2SM-KPM RAN function definition."""

    name: FunctionName
    trigger_styles: tuple[TriggerStyle, ...] = ()
    report_styles: tuple[ReportStyle, ...] = ()
