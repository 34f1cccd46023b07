"""State and prompt: relative, bounded, alike for numpy and torch, and readable."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.xapps.slicing.cells import TARGETS, observation
from xapps.slicing.observation import FIELDS, CellObservation
from xapps.slicing.prompt import PRESSURE, QOS, code, levels, places_of, text
from xapps.slicing.state import FEATURES, HISTORY, features, remember

NAMES = ("eMBB", "URLLC", "mMTC")
KPI = st.floats(0, 1e12) | st.just(math.nan)


def seen(cell: CellObservation) -> np.ndarray:
    return features(cell, TARGETS, remember(None, cell))


def column(rows: np.ndarray, name: str) -> np.ndarray:
    return rows[..., FEATURES.index(name)]


@given(kpis=st.fixed_dictionaries({field: arrays(float, 3, elements=KPI) for field in FIELDS}))
def test_any_kpis_give_finite_features_in_the_unit_interval(kpis: dict[str, np.ndarray]) -> None:
    cell = observation(**kpis)
    memory = remember(remember(None, cell), cell)
    rows = features(cell, TARGETS, memory)
    assert rows.shape == (3, len(FEATURES))
    assert np.isfinite(rows).all()
    assert ((rows >= 0) & (rows <= 1)).all()
    assert 0 <= code(levels(rows)) < (len(QOS) * len(PRESSURE)) ** 3


def test_twice_the_cell_with_twice_the_load_looks_the_same() -> None:
    small = observation()
    large = observation(
        prb_available=200.0, **{name: 2 * getattr(small.kpis, name) for name in ("arrived_bit", "delivered_bit")}
    )
    large = replace(large, kpis=replace(large.kpis, prb_used=2 * small.kpis.prb_used))
    for name in ("need", "backlog", "efficiency", "used", "allocation"):
        np.testing.assert_allclose(column(seen(small), name), column(seen(large), name), err_msg=name)


def test_a_promise_kept_exactly_is_a_half() -> None:
    exact = np.where(np.isnan(TARGETS.throughput_bps), 1e6, TARGETS.throughput_bps)
    cell = observation(throughput_bps=exact, delay_s=np.full(3, math.nan), drop_rate=np.full(3, math.nan))
    assert column(seen(cell), "qos")[0] == pytest.approx(0.5)


def test_arrivals_are_remembered_newest_first_and_then_forgotten() -> None:
    memory = None
    for loud in [True, *[False] * HISTORY]:
        arrived = np.full(3, 4e6 if loud else 1e3)
        cell = observation(arrived_bit=arrived)
        memory = remember(memory, cell)
        rows = features(cell, TARGETS, memory)
    oldest = column(rows, f"need {HISTORY} reports ago")
    assert (oldest > 5 * column(rows, "need")).all()
    cell = observation(arrived_bit=np.full(3, 1e3))
    rows = features(cell, TARGETS, remember(memory, cell))
    assert (column(rows, f"need {HISTORY} reports ago") < oldest).all()


def test_torch_and_numpy_and_any_batch_say_the_same() -> None:
    cell = observation()
    kpis = {
        field.name: torch.from_numpy(value).expand(4, 2, 3)
        for field in fields(cell.kpis)
        if isinstance(value := getattr(cell.kpis, field.name), np.ndarray)
    }
    batch = replace(
        cell,
        kpis=replace(cell.kpis, **kpis),
        ratios=torch.from_numpy(cell.ratios).expand(4, 2, 3, 3),
        backlog_bit=torch.from_numpy(cell.backlog_bit).expand(4, 2, 3),
        prb_available=torch.full((4, 2), 100.0, dtype=torch.float64),
    )
    rows = features(batch, TARGETS, remember(None, batch))
    np.testing.assert_allclose(rows[3, 1].numpy(), seen(cell), rtol=1e-12)
    assert int(code(levels(rows))[2, 0]) == int(code(levels(seen(cell))))


@given(number=st.integers(0, 728))
def test_a_code_says_its_levels(number: int) -> None:
    places = places_of(number, 3)
    assert int(code(places)) == number
    words = text(NAMES, places)
    assert len(words.split()) == 9
    assert text(NAMES, places_of((number + 1) % 729, 3)) != words


def test_the_prompt_reads_well_and_holds_the_operators_words() -> None:
    told = text(NAMES, np.array([[1, 1], [2, 0], [0, 2]]), "protect\n the   factory")
    assert told == "eMBB short busy, URLLC kept idle, mMTC failing jammed. Operator: protect the factory"
    assert len(text(NAMES, np.zeros((3, 2), int), "x" * 10_000)) < 1100


def test_levels_follow_qos_and_pressure() -> None:
    rows = np.zeros((5, 3, len(FEATURES)))
    rows[..., FEATURES.index("qos")] = np.array([0.1, 0.4, 0.5, 0.9, 0.3])[:, None]
    rows[..., FEATURES.index("allocation")] = 0.3
    rows[..., FEATURES.index("need")] = np.array([0.0, 0.15, 0.2, 0.24, 0.5])[:, None]
    found = levels(rows)[:, 0]
    assert [QOS[place] for place in found[:, 0]] == ["failing", "short", "kept", "kept", "failing"]
    assert [PRESSURE[place] for place in found[:, 1]] == ["idle", "busy", "busy", "jammed", "jammed"]
