"""Which UEs a KPM action with common conditions means (E2SM-KPM action definition format 4)."""

import math
from collections.abc import Sequence

import numpy as np

from oran import kpi
from oran.e2.e2ap.messages import Cause
from oran.e2.kpm.messages import (
    Label,
    MatchingCondition,
    TestCondition,
    TestExpression,
    TestType,
    TestValue,
)
from oran.slices import SNssai
from twin.e2node.errors import Refused
from twin.e2node.sample import CellSample

NO_SD = 0xFFFFFF
"""An SD of all ones says that there is none (TS 23.003 28.4.2)."""

_REPORTED_RANGES = {
    TestType.RSRP: (-156.0, 127.0),
    TestType.UL_RSRP: (-156.0, 127.0),
    TestType.RSRQ: (-43.0, 127.0),
}
"""What a UE in service can report, in dB(m) or in the indexes of TS 38.133 10.1.6.

xApps that want all UEs test one of these against a value beyond any report. The twin knows no RSRP, so it can
decide such a test only.
"""

_COMPARE = {
    TestExpression.EQUAL: np.equal,
    TestExpression.GREATER_THAN: np.greater,
    TestExpression.LESS_THAN: np.less,
}


def check(conditions: Sequence[MatchingCondition], slices: tuple[SNssai, ...]) -> None:
    """Raise Refused when a condition is one that the node cannot decide."""
    nobody = CellSample.of(
        1.0, {}, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), {kpi.CQI: np.zeros(0)}
    )
    matching(conditions, slices, nobody)


def matching(
    conditions: Sequence[MatchingCondition], slices: tuple[SNssai, ...], sample: CellSample
) -> np.ndarray:
    """Tell for each UE of a sample whether it meets the conditions, joined from left to right; bool [ues]."""
    result: np.ndarray | None = None
    by_or = False
    for item in conditions:
        met = _met(item.condition, slices, sample)
        result = met if result is None else (result | met if by_or else result & met)
        by_or = item.logical_or
    return np.ones(len(sample.ue_ids), dtype=bool) if result is None else result


def label_slice(label: Label) -> SNssai | None:
    """The slice that a label names; None for noLabel. Refused for a label that the node does not measure by."""
    plain = Label(no_label=label.no_label, plmn=label.plmn, slice_id=label.slice_id)
    if label != plain or (label.slice_id is None and not label.no_label):
        raise _unsupported("measurements are labelled by slice or not at all")
    return None if label.slice_id is None else normal(label.slice_id)


def normal(slice_id: SNssai) -> SNssai:
    """The S-NSSAI in its one form: an SD that says "none" is None."""
    return SNssai(slice_id.sst) if slice_id.sd == NO_SD else slice_id


def _met(condition: Label | TestCondition, slices: tuple[SNssai, ...], sample: CellSample) -> np.ndarray:
    if isinstance(condition, Label):
        wanted = label_slice(condition)
        return np.ones(len(sample.ue_ids), dtype=bool) if wanted is None else _of_slice(wanted, slices, sample)
    if condition.type is TestType.SNSSAI:
        if condition.expression not in (TestExpression.EQUAL, None) or condition.value is None:
            raise _unsupported("an S-NSSAI can be tested for equality only")
        return _of_slice(_slice_value(condition.value), slices, sample)
    if condition.type is TestType.CQI:
        cqi, expression, bound = sample.ues[kpi.CQI], *_comparison(condition)
        met: np.ndarray = _COMPARE[expression](cqi, bound)
        return met
    if condition.type in _REPORTED_RANGES:
        return np.full(len(sample.ue_ids), _decided(condition))
    raise _unsupported(f"test condition {condition.type.value} is not known here")


def _of_slice(wanted: SNssai, slices: tuple[SNssai, ...], sample: CellSample) -> np.ndarray:
    indexes = [index for index, item in enumerate(slices) if normal(item) == wanted]
    return np.isin(sample.ue_slices, indexes)


def _slice_value(value: TestValue) -> SNssai:
    """An S-NSSAI as octets (SST, or SST and SD), as the same in an integer, or as text such as `1-000001`."""
    found = value.value
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 1 << 32:
        found = found.to_bytes(1 if found < 256 else 4, "big")
    if isinstance(found, bytes) and len(found) in (1, 4):
        return normal(SNssai(found[0], int.from_bytes(found[1:], "big") if len(found) == 4 else None))
    if isinstance(found, str):
        try:
            return normal(SNssai.parse(found))
        except ValueError:
            pass
    raise _unsupported("an S-NSSAI is tested as SST or as SST and SD, in octets")


def _comparison(condition: TestCondition) -> tuple[TestExpression, float]:
    bound = None if condition.value is None else condition.value.value
    number = isinstance(bound, int | float) and not isinstance(bound, bool) and not math.isnan(bound)
    if condition.expression not in _COMPARE or not number:
        raise _unsupported(f"test condition {condition.type.value} needs a comparison with a number")
    return condition.expression, float(bound)  # type: ignore[arg-type]


def _decided(condition: TestCondition) -> bool:
    """The verdict that holds for whatever a UE may report."""
    low, high = _REPORTED_RANGES[condition.type]
    expression, bound = _comparison(condition)
    if expression is TestExpression.EQUAL:
        verdicts = {False} if not low <= bound <= high else {False, True}
    else:
        verdicts = {bool(_COMPARE[expression](value, bound)) for value in (low, high)}
    if len(verdicts) > 1:
        raise _unsupported(f"{condition.type.value} is not measured here")
    return verdicts.pop()


def _unsupported(reason: str) -> Refused:
    return Refused(reason, Cause("ricRequest", "action-not-supported"))
