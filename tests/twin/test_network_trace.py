"""Traces: parsing of what drive-test apps write, clear errors for all else, and networks that follow a trace."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.twin.network_cases import EVERYTHING, SMALL, play, static
from twin.network.errors import TraceError
from twin.network.network import reset, step
from twin.network.trace import LONGEST_S, Drive, Trace, load_trace, parse_trace

ARCHIVE = Path(__file__).parents[3] / "shared/data/operator_5g_traces.zip"
HEAD = "Timestamp,Speed,SNR,DL_bitrate,CellID\n"
GOOD = HEAD + (
    "2020.02.14_09.38.22,36,10.0,1000,1\n"
    "2020.02.14_09.38.22,36,12.0,3000,1\n"
    "2020.02.14_09.38.24,72,-,5000,1\n"
    "2020.02.14_09.38.26,0,-5,-,2\n"
)


def test_a_trace_is_put_on_a_grid_of_seconds_in_si_units() -> None:
    trace = parse_trace(GOOD)
    assert trace.duration_s == 5
    assert trace.speed_mps.tolist() == [10, 15, 20, 10, 0]
    assert trace.snr_db.tolist() == [11, 7, 3, -1, -5]
    assert trace.demand_bps.tolist() == [2e6, 3.5e6, 5e6, 5e6, 5e6]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Timestamp"),
        ("Timestamp,Speed,DL_bitrate\n", "no column SNR"),
        (HEAD, "two rows"),
        (HEAD + "2020.02.14_09.38.22,1,1,1,1\n", "two rows"),
        (HEAD + "yesterday,1,1,1,1\n", "line 2: Timestamp is 'yesterday'"),
        (HEAD + "2020.02.14_09.38.22,fast,1,1,1\n", "line 2: Speed is 'fast'"),
        (HEAD + "2020.02.14_09.38.22,1,nan,1,1\n", "line 2: SNR is nan"),
        (HEAD + "2020.02.14_09.38.22,-3,1,1,1\n", "line 2: Speed is -3"),
        (GOOD + "2020.02.14_09.38.20,1,1,1,1\n", "line 6: Timestamp .* before"),
        (GOOD + "2021.02.14_09.38.20,1,1,1,1\n", f"at most {LONGEST_S}"),
        (GOOD.replace("10.0", "-").replace("12.0", "-").replace("-5", "-"), "column SNR holds no value"),
        (HEAD + '"' + "x" * 200_000 + "\n", "not CSV|Timestamp"),
        (HEAD + "2020.02.14_09.38.22\n2020.02.14_09.38.25\n", "column SNR holds no value"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(TraceError, match=words):
        parse_trace(text)


cell = st.sampled_from(
    ["-", "", "1", "-3.5", "1e3", "nan", "x", '"', "2020.02.14_09.38.22", "2020.02.14_09.38.29"]
)
table = st.lists(st.lists(cell, min_size=1, max_size=6).map(",".join), max_size=6).map(
    lambda rows: HEAD + "\n".join(rows)
)


@given(st.text() | st.text().map(lambda text: HEAD + text) | table)
def test_any_text_is_a_trace_or_a_trace_error(text: str) -> None:
    try:
        trace = parse_trace(text)
    except TraceError:
        return
    for values in (trace.snr_db, trace.speed_mps, trace.demand_bps):
        assert values.shape == (trace.duration_s,)
        assert np.isfinite(values).all()


def test_files_and_archive_members_are_read(tmp_path: Path) -> None:
    plain = tmp_path / "drive.csv"
    plain.write_text("\ufeff" + GOOD, encoding="utf-8")
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(plain, "Driving/drive.csv")
    assert load_trace(plain).snr_db.tolist() == load_trace(archive / "Driving/drive.csv").snr_db.tolist()
    assert load_trace(plain).source == str(plain)
    for missing in (archive, archive / "Driving/other.csv"):
        with pytest.raises(TraceError, match=r"Driving/drive\.csv"):
            load_trace(missing)


def test_unreadable_files_are_trace_errors(tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 not really")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x80")
    for name in ("absent.csv", "broken.zip", "broken.zip/x.csv", "binary.csv", "."):
        with pytest.raises(TraceError):
            load_trace(tmp_path / name)


def test_ues_enter_the_trace_at_different_places_and_it_starts_over() -> None:
    trace = Trace(np.arange(100.0), np.zeros(100), np.ones(100))
    drive = Drive.of(trace, SMALL, torch.tensor([1, 2]))
    start = drive.snr_db(torch.zeros(2, 1, dtype=torch.float64))[:, 0]
    assert start.unique().numel() > 40
    later = drive.snr_db(torch.full((2, 1), 0.5, dtype=torch.float64))[:, 0]
    inside = drive.offset_s < 98
    assert torch.allclose((later - start)[inside], torch.tensor(0.5), atol=1e-4)
    around = drive.snr_db(torch.full((2, 1), 100.0, dtype=torch.float64))[:, 0]
    assert torch.allclose(around, start, atol=1e-3)


def driven(snr_db: float, **changes: float) -> torch.Tensor:
    """Mean SINR of each UE under a steady trace."""
    trace = Trace(np.full(30, snr_db), np.full(30, 10.0), np.ones(30))
    scenario = SMALL.with_(fading_branches=64, **changes)
    state = reset(scenario, torch.tensor([3]), trace=trace)
    levels = []
    for _ in range(8):
        state, kpis = step(scenario, state, static(scenario, 1))
        levels.append(kpis.ue.sinr_db)
    return torch.stack(levels).mean(dim=0)


def test_the_links_follow_the_trace() -> None:
    """Many fading branches leave little fading, so that the SINR is the trace's SNR."""
    assert torch.allclose(driven(15.0), torch.tensor(15.0), atol=0.5)
    assert torch.allclose(driven(-3.0), torch.tensor(-3.0), atol=0.5)


def test_interference_on_top_of_a_trace_is_optional() -> None:
    alone, loaded = driven(15.0, load_factor=5.0), driven(15.0, load_factor=5.0, trace_interference=True)
    assert loaded.mean() < alone.mean() - 3
    assert torch.allclose(alone, torch.tensor(15.0), atol=0.5)


def test_demand_follows_the_trace_and_keeps_the_scenarios_mean() -> None:
    demand = np.concatenate((np.zeros(50), np.full(50, 8e6)))
    trace = Trace(np.full(100, 15.0), np.zeros(100), demand)
    scenario = SMALL.with_(ues=60, load_factor=1.0)
    state = reset(scenario, torch.tensor([3]), trace=trace)
    assert state.drive is not None
    place = state.drive.offset_s[0]
    came = torch.zeros(60, dtype=torch.float64)
    for _ in range(20):
        state, kpis = step(scenario, state, static(scenario, 1))
        came += kpis.ue.arrived_bit[0]
    embb = kpis.ue.slice[0] == 0
    quiet, busy = embb & (place > 1) & (place < 46), embb & (place > 52) & (place < 95)
    assert came[quiet].sum() == 0
    assert came[busy].mean().item() == pytest.approx(2 * scenario.slices[0].mean_bps * 2.0, rel=0.4)
    assert (came[~embb] > 0).any()


def test_a_trace_without_demand_leaves_the_scenarios() -> None:
    trace = Trace(np.full(30, 15.0), np.zeros(30), np.zeros(30))
    state = reset(SMALL, torch.tensor([1, 2]), trace=trace)
    _, kpis = step(SMALL, state, static(SMALL, 2))
    _, (plain,) = play(SMALL, 1)
    assert torch.equal(kpis.ue.arrived_bit, plain.ue.arrived_bit)


def test_the_speed_of_the_trace_makes_the_fading_fast() -> None:
    changes = []
    for speed in (0.0, 30.0):
        trace = Trace(np.full(30, 15.0), np.full(30, speed), np.zeros(30))
        scenario = SMALL.with_(scatterer_speed_mps=0.1)
        before = reset(scenario, torch.tensor([1]), trace=trace)
        after, _ = step(scenario, before, static(scenario, 1))
        changes.append((after.fading - before.fading).square().mean().item())
    assert changes[1] > 1.5 / SMALL.fading_branches
    assert changes[0] < 0.5 * changes[1]


def test_the_batch_position_never_changes_a_driven_network() -> None:
    path = np.stack((7.0 * np.arange(50.0), -3.0 * np.arange(50.0)), axis=-1)
    trace = Trace(np.linspace(0, 20, 50), np.full(50, 9.0), np.linspace(1, 5, 50), "", path)
    slices = (replace(EVERYTHING.slices[0], mobility="trace", follows_trace=True), *EVERYTHING.slices[1:])
    for follows in (True, False):
        scenario = EVERYTHING.with_(slices=slices, trace_links=follows)
        runs = []
        for seeds in ((3, 4, 5), (4,)):
            state = reset(scenario, torch.tensor(seeds), trace=trace)
            for _ in range(3):
                state, kpis = step(scenario, state, static(scenario, len(seeds)))
            runs.append((state.sinr_db, kpis.ue.position_m, kpis.ue.delivered_bit, kpis.ue.arrived_bit))
        for together, alone in zip(*runs, strict=True):
            assert torch.equal(together[1:2], alone)


@pytest.mark.skipif(
    not ARCHIVE.exists(), reason="needs the operator trace archive, which is not part of the project"
)
def test_real_traces_are_read_and_drive_a_network() -> None:
    with zipfile.ZipFile(ARCHIVE) as opened:
        names = [name for name in opened.namelist() if name.endswith(".csv")]
    read, refused = 0, []
    for name in names[::7]:
        try:
            trace = load_trace(ARCHIVE / name)
        except TraceError as error:
            refused.append(str(error))
        else:
            read += 1
            assert trace.duration_s > 60
    assert read > len(refused)
    assert all("SNR holds no value" in reason for reason in refused)
    state = reset(SMALL, torch.tensor([1]), trace=load_trace(ARCHIVE / names[0]))
    for _ in range(3):
        state, kpis = step(SMALL, state, static(SMALL, 1))
    assert kpis.delivered_bit.sum() > 0
