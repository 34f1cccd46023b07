"""Made-up cells for the tests: observations, targets and KPM reports of three slices."""

import math
from dataclasses import replace

import numpy as np

from oran import kpi
from oran.e2.identity import GnbDuUeId, NrCgi
from oran.e2.kpm.messages import (
    IndicationFormat1,
    IndicationFormat3,
    Label,
    MeasurementInfo,
    Record,
    UeReport,
    Value,
)
from oran.sla import SlaTargets, SliceSla
from oran.slices import SNssai, static_ratios
from xapps.slicing.observation import FIELDS, CellObservation, SliceKpis

EMBB, URLLC, MMTC = SNssai(1, 1), SNssai(2, 1), SNssai(3, 1)
THREE = (EMBB, URLLC, MMTC)
CELL = NrCgi(bytes.fromhex("00f110"), 0x19B001)
NODE = "gnbd_001_001_00019b_1"
TARGETS = SlaTargets.of(
    (
        SliceSla(EMBB, throughput_bps=5e6, weight=0.4),
        SliceSla(URLLC, delay_s=0.01, drop_rate=0.01, weight=0.4),
        SliceSla(MMTC, drop_rate=0.05, weight=0.2),
    )
)


def observation(**changes: object) -> CellObservation:
    """A quiet, plausible cell of 100 PRBs that carry 100 kbit/s each; `changes` replace KPIs by field."""
    kpis = SliceKpis(
        throughput_bps=np.array([8e6, 4e6, math.nan]),
        delay_s=np.array([0.02, 0.004, 0.05]),
        drop_rate=np.array([0.0, 0.001, 0.0]),
        arrived_bit=np.array([2e5, 1e5, 2e4]),
        delivered_bit=np.array([2e5, 1e5, 2e4]),
        prb_used=np.array([20.0, 10.0, 2.0]),
        active_ues=np.array([1.0, 2.0, 4.0]),
        prb_available=100.0,
        period_s=0.1,
    )
    arrays = {
        name: np.array(value, dtype=np.float64) if name in FIELDS else value for name, value in changes.items()
    }
    kpis = replace(kpis, **arrays)
    return CellObservation(NODE, CELL, 1000.0, 0.1, THREE, kpis, kpis.prb_available, static_ratios(3), np.zeros(3))


def slice_report(values: dict[str, tuple[Value, ...]], prb_available: int | None = 100) -> IndicationFormat1:
    """A format 1 report with the given wire values per slice, and the cell's PRBs."""
    labels = tuple(Label(slice_id=snssai) for snssai in THREE)
    info = [MeasurementInfo(name, labels) for name in values]
    row: list[Value] = [value for name in values for value in values[name]]
    if prb_available is not None:
        info.append(MeasurementInfo(kpi.PRB_AVAILABLE_DL))
        row.append(prb_available)
    return IndicationFormat1((Record(tuple(row)),), tuple(info), 100)


def ue_report(rows: dict[int, dict[str, Value]]) -> IndicationFormat3:
    """A format 3 report with the given wire values by UE (F1AP id) and measurement."""
    return IndicationFormat3(
        tuple(
            UeReport(
                GnbDuUeId(ue),
                IndicationFormat1(
                    (Record(tuple(row.values())),), tuple(MeasurementInfo(name) for name in row), 100
                ),
            )
            for ue, row in rows.items()
        )
    )
