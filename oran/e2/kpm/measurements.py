"""The list that says what a report's values are (O-RAN.WG3.E2SM-KPM 8.2.1.4.1)."""

from oran.e2.kpm.conditions import REPORT_CONDITION
from oran.e2.kpm.messages import MeasurementInfo
from oran.e2.kpm.types import MEASUREMENT, LabelItem
from oran.e2.schema import Component, Record, SequenceOf, Type

MEASUREMENT_INFO: Type[MeasurementInfo] = Record(
    MeasurementInfo,
    Component("measurement", "measType", MEASUREMENT),
    Component("labels", "labelInfoList", SequenceOf(LabelItem(), 1, 0x7FFF_FFFF)),
    Component("report_conditions", "matchCondReportList", SequenceOf(REPORT_CONDITION, 1, 32_768), addition=True),
)
MEASUREMENT_INFO_LIST = SequenceOf(MEASUREMENT_INFO, 1, 65_535)
