import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oran import kpi
from oran.e2.identity import GnbDuUeId, UeId
from oran.e2.kpm.codec import decode_indication_message, encode_indication_message
from oran.e2.kpm.messages import IndicationFormat1, IndicationFormat3, Label, MeasurementInfo, Record, UeReport
from oran.e2.kpm.tables import decode_ue_table
from oran.slices import SNssai, static_ratios
from tests.xapps.slicing.cells import CELL, EMBB, NODE, THREE, slice_report, ue_report
from xapps.slicing.errors import ReportError
from xapps.slicing.membership import Roster
from xapps.slicing.observation import (
    FIELDS,
    CellObservation,
    SliceKpis,
    backlog,
    bits_per_prb,
    observe,
)
from xapps.slicing.reports import ReportReader, UeRows, tables

READER = ReportReader(THREE, profile=kpi.STANDARD, names={7: kpi.PRB_USED_DL}, period_s=0.1)


def slice_of(ue: UeId) -> int | None:
    """UE n belongs to slice n // 10; from 30 on to none."""
    assert isinstance(ue, GnbDuUeId)
    return ue.f1ap_id // 10 if ue.f1ap_id < 30 else None


def owned(report: IndicationFormat3) -> list[UeRows]:
    return [UeRows(table, Roster.of(table.ues, slice_of)) for table in tables(report)]


def seen(kpis: SliceKpis, previous: CellObservation | None = None, cell_prbs: float = 51.0) -> CellObservation:
    return observe(
        kpis,
        node=NODE,
        cell=CELL,
        time_s=1.0,
        slices=THREE,
        ratios=static_ratios(3),
        previous=previous,
        cell_prbs=cell_prbs,
    )


def test_slice_labels_tell_the_slice_and_units_become_si() -> None:
    kpis = READER.of_cell(
        slice_report(
            {
                kpi.UE_THROUGHPUT_DL: (5000, 100, None),
                kpi.SDU_DELAY_DL: (20.0, 5, 1),
                kpi.DROP_RATE_DL: (0, 1000, 0),
                kpi.PDCP_VOLUME_DL: (1, 0.5, 0),
                kpi.RLC_VOLUME_DL: (900, 500, 0),
            }
        )
    )
    np.testing.assert_allclose(kpis.throughput_bps, [5e6, 1e5, math.nan])
    np.testing.assert_allclose(kpis.delay_s, [2e-3, 5e-4, 1e-4])
    np.testing.assert_allclose(kpis.drop_rate, [0, 1e-3, 0])
    np.testing.assert_allclose(kpis.arrived_bit, [1e6, 5e5, 0])
    np.testing.assert_allclose(kpis.delivered_bit, [9e5, 5e5, 0])
    assert np.isnan(kpis.prb_used).all()
    assert kpis.prb_available == 100
    assert kpis.period_s == 0.1


def test_a_profile_changes_the_units() -> None:
    reader = ReportReader(THREE, profile=kpi.SRSRAN, names={}, period_s=0.1)
    kpis = reader.of_cell(slice_report({kpi.PDCP_VOLUME_DL: (1000, 0, 0)}))
    assert kpis.arrived_bit[0] == 1e6


def test_measurements_by_id_and_those_nobody_knows() -> None:
    labels = tuple(Label(slice_id=name) for name in (SNssai(9), *THREE))
    info = (MeasurementInfo(7, labels), MeasurementInfo(8), MeasurementInfo("Vendor.Thing"))
    kpis = READER.of_cell(IndicationFormat1((Record((99, 1, 2, 3, 5, 6)),), info))
    assert kpis.prb_used.tolist() == [1, 2, 3]


def test_an_sd_of_all_ones_is_no_sd() -> None:
    reader = ReportReader((SNssai(1),), profile=kpi.STANDARD, names={}, period_s=0.1)
    info = (MeasurementInfo(kpi.PRB_USED_DL, (Label(slice_id=SNssai(1, 0xFFFFFF)),)),)
    assert reader.of_cell(IndicationFormat1((Record((4,)),), info)).prb_used[0] == 4


def test_the_newest_complete_record_counts() -> None:
    info = (MeasurementInfo(kpi.PRB_USED_DL, (Label(slice_id=EMBB),)),)
    report = IndicationFormat1((Record((1,)), Record((2,)), Record((3,), incomplete=True)), info)
    assert READER.of_cell(report).prb_used[0] == 2


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (IndicationFormat1((), ()), "empty"),
        (IndicationFormat1((Record((1,), incomplete=True),), (MeasurementInfo("x"),)), "incomplete"),
        (IndicationFormat1((Record((1, 2)),), (MeasurementInfo(kpi.PRB_USED_DL),)), "wrong_length"),
        (IndicationFormat1((Record((1,)),), (MeasurementInfo(kpi.PRB_USED_DL),)), "no_slice_values"),
    ],
)
def test_reports_that_say_nothing_are_refused_with_a_reason(report: IndicationFormat1, reason: str) -> None:
    with pytest.raises(ReportError) as error:
        READER.of_cell(report)
    assert error.value.reason == reason


def test_ues_are_summed_and_averaged_by_slice() -> None:
    kpis = READER.of_ues(
        owned(
            ue_report(
                {
                    1: {
                        kpi.UE_THROUGHPUT_DL: 4000,
                        kpi.SDU_DELAY_DL: 100,
                        kpi.RLC_VOLUME_DL: 300,
                        kpi.PDCP_VOLUME_DL: 1,
                        kpi.DROP_RATE_DL: 0,
                        kpi.PRB_USED_DL: 3,
                    },
                    2: {
                        kpi.UE_THROUGHPUT_DL: 2000,
                        kpi.SDU_DELAY_DL: 200,
                        kpi.RLC_VOLUME_DL: 100,
                        kpi.PDCP_VOLUME_DL: 3,
                        kpi.DROP_RATE_DL: 1000,
                        kpi.PRB_USED_DL: 1,
                    },
                    3: {kpi.UE_THROUGHPUT_DL: 0, kpi.RLC_VOLUME_DL: 0, kpi.PDCP_VOLUME_DL: 0},
                    11: {kpi.UE_THROUGHPUT_DL: 0, kpi.PDCP_VOLUME_DL: 2, kpi.PRB_AVAILABLE_DL: 106},
                    99: {kpi.PRB_USED_DL: 50},
                }
            )
        )
    )
    np.testing.assert_allclose(kpis.throughput_bps, [3e6, 0.0, math.nan])
    np.testing.assert_allclose(kpis.delay_s, [0.0125, math.nan, math.nan])
    np.testing.assert_allclose(kpis.drop_rate, [7.5e-4, math.nan, math.nan])
    np.testing.assert_allclose(kpis.arrived_bit, [4e6, 2e6, 0])
    np.testing.assert_allclose(kpis.delivered_bit, [4e5, math.nan, 0])
    np.testing.assert_allclose(kpis.prb_used, [4, math.nan, 0])
    np.testing.assert_allclose(kpis.active_ues, [2, 1, 0])
    assert kpis.prb_available == 106


def test_the_throughput_of_a_starved_ue_counts_and_that_of_a_silent_one_does_not() -> None:
    starved = ue_report({1: {kpi.UE_THROUGHPUT_DL: 1000}, 2: {kpi.UE_THROUGHPUT_DL: 0, kpi.PDCP_VOLUME_DL: 1}})
    silent = ue_report({1: {kpi.UE_THROUGHPUT_DL: 1000}, 2: {kpi.UE_THROUGHPUT_DL: 0, kpi.PDCP_VOLUME_DL: 0}})
    assert READER.of_ues(owned(starved)).throughput_bps[0] == 5e5
    assert READER.of_ues(owned(silent)).throughput_bps[0] == 1e6


def test_no_ues_are_a_quiet_cell() -> None:
    kpis = READER.of_ues([])
    assert kpis.arrived_bit.tolist() == kpis.prb_used.tolist() == [0, 0, 0]
    assert np.isnan(kpis.delay_s).all()


def test_ues_with_different_measurements_are_read_together() -> None:
    kpis = READER.of_ues(
        owned(ue_report({1: {kpi.PRB_USED_DL: 1}, 2: {kpi.RLC_VOLUME_DL: 5, kpi.PRB_USED_DL: 2}}))
    )
    assert kpis.prb_used[0] == 3
    assert kpis.delivered_bit[0] == 5e3


@given(
    st.dictionaries(
        st.integers(0, 40),
        st.dictionaries(
            st.sampled_from([*FIELDS.values(), kpi.PRB_AVAILABLE_DL, "Vendor.Thing"]),
            st.one_of(st.none(), st.integers(), st.floats()),
        ),
    )
)
def test_any_ue_values_give_kpis_or_a_reason(rows: dict[int, dict[str, float | None]]) -> None:
    try:
        kpis = READER.of_ues(owned(ue_report(rows)))
    except ReportError:
        return
    assert all(getattr(kpis, field).shape == (3,) for field in FIELDS)


def test_a_table_from_the_wire_and_one_of_objects_give_the_same_kpis() -> None:
    rows = {ue: {kpi.PRB_USED_DL: ue, "Vendor.Thing": 9, kpi.RLC_VOLUME_DL: None} for ue in (1, 2, 11, 35)}
    octets = encode_indication_message(ue_report(rows))
    table = decode_ue_table(octets)
    report = decode_indication_message(octets)
    assert table is not None
    assert isinstance(report, IndicationFormat3)
    kpis = READER.of_ues([UeRows(table, Roster.of(table.ues, slice_of))])
    others = READER.of_ues(owned(report))
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(kpis, field), getattr(others, field))
    assert kpis.prb_used.tolist() == [3, 11, 0]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record((1, 2)), "wrong_length"),
        (Record((1,), incomplete=True), "incomplete"),
    ],
)
def test_ue_reports_that_say_nothing_are_refused_with_a_reason(record: Record, reason: str) -> None:
    report = IndicationFormat1((record,), (MeasurementInfo(kpi.PRB_USED_DL),))
    with pytest.raises(ReportError) as error:
        tables(IndicationFormat3((UeReport(GnbDuUeId(1), report),)))
    assert error.value.reason == reason


def test_infinite_values_do_not_hide_each_other() -> None:
    rows = {ue: {kpi.PRB_USED_DL: math.inf, kpi.UE_THROUGHPUT_DL: math.inf} for ue in (1, 11)}
    kpis = READER.of_ues(owned(ue_report(rows)))
    for values in (kpis.prb_used, kpis.throughput_bps):
        assert values[0] == values[1] > 1e100


def test_many_layouts_are_forgotten() -> None:
    reader = ReportReader(THREE, profile=kpi.STANDARD, names={}, period_s=0.1)
    for _ in range(1000):
        reader.of_cell(slice_report({kpi.PRB_USED_DL: (1, 2, 3)}))
    assert len(reader._layouts) <= 64


def test_prbs_come_from_the_report_the_last_report_or_the_configuration() -> None:
    with_prbs = READER.of_cell(slice_report({kpi.PRB_USED_DL: (1, 2, 3)}, 106))
    without = READER.of_cell(slice_report({kpi.PRB_USED_DL: (1, 2, 3)}, None))
    first = seen(with_prbs)
    assert first.prb_available == 106
    assert seen(without).prb_available == 51
    assert seen(without, first).prb_available == 106


def test_backlog_grows_by_what_is_not_served_and_forgets_unseen_losses() -> None:
    none, delay = np.zeros(1), np.array([0.1])
    first = backlog(none, np.array([100.0]), np.array([60.0]), none, delay, 0.1)
    assert first.tolist() == [40]
    assert backlog(first, np.array([0.0]), np.array([40.0]), none, delay, 0.1).tolist() == [0]
    waiting = np.array([1e9])
    assert backlog(waiting, np.array([100.0]), np.array([100.0]), none, delay, 0.1).tolist() == [500]


@given(*[arrays(np.float64, (2, 3), elements=st.floats(0, 1e9))] * 3)
def test_backlog_is_never_negative_and_alike_in_torch(
    waiting: np.ndarray, came: np.ndarray, left: np.ndarray
) -> None:
    rates = np.full_like(came, math.nan), np.full_like(came, 0.01)
    ours = backlog(waiting, came, left, *rates, 0.1)
    assert (ours >= 0).all()
    theirs = backlog(*map(torch.from_numpy, (waiting, came, left, *rates)), 0.1)
    np.testing.assert_allclose(theirs.numpy(), ours)


def test_spectral_efficiency_is_unknown_without_prbs() -> None:
    per_prb = bits_per_prb(np.array([1e5, 0, 1e5]), np.array([10.0, 0, 0]), 0.1)
    np.testing.assert_allclose(per_prb, [1e5, math.nan, math.nan])
