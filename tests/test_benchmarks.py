"""The benchmarks run when they are cut short, and end with one JSON object of the figures promised. No timing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(name: str, *arguments: str) -> dict[str, object]:
    """Run a benchmark from another folder; the figures of its last line."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / name), *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        cwd="/",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(figures, dict)
    return figures


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_loop_loses_nothing_at_100_ms() -> None:
    figures = run("loop.py", "--seconds", "2")
    assert figures["lost_indications_100ms"] == 0
    assert figures["unseen_indications_100ms"] == 0
    for setting in ("100ms", "10ms"):
        assert figures[f"decisions_{setting}"]
        assert figures[f"values_per_ue_{setting}"] >= 5  # type: ignore[operator]
        for quantile in ("p50", "p99", "p999", "max"):
            assert figures[f"decision_{quantile}_ms_{setting}"] > 0  # type: ignore[operator]
    scaling = figures["scaling"]
    assert isinstance(scaling, list)
    assert {(row["nodes"], row["ues"]) for row in scaling} >= {(30, 33), (30, 100)}
    assert all(row["decisions"] for row in scaling)
    assert figures["decision_cpu_asn1tools_ratio"] > 0  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_codecs_are_measured() -> None:
    figures = run("e2_codec.py", "--repeats", "1", "--seconds", "0.005")
    for name in ("kpm_f3_33x5_decode_warm_ratio", "kpm_f3_33x5_decode_cold_ratio", "rc_3slice_encode_ratio"):
        assert figures[name] > 0  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_network_twin_is_measured_and_a_missing_peer_leaves_the_ratio_open() -> None:
    figures = run("network.py", "--quick", "--peer-python", "/nowhere/python")
    for name in ("env1_sub1_steps_per_s", "env64_sub13_steps_per_s", "ue2000_over_ue200_cost"):
        assert figures[name] > 0  # type: ignore[operator]
    assert figures["env64_sub1_ratio"] is None


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_satisfaction_is_measured_for_all_arms() -> None:
    figures = run("satisfaction.py", "--seeds", "2", "--seconds", "2")
    assert figures["seeds"] == 2
    for arm in ("static", "hard", "demand", "learned"):
        assert 0 <= figures[arm] <= 1  # type: ignore[operator]
    for gain in ("demand_over_static", "demand_over_hard", "learned_over_static", "learned_over_demand"):
        assert len(figures[gain]) == 3  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_controllers_are_compared_on_the_wire_and_what_was_run_is_not_run_again(tmp_path: Path) -> None:
    words = ("wire.py", "--seeds", "1", "--seconds", "3", "--controllers", "learned", "--out", str(tmp_path))
    figures = run(*words)
    assert figures["seeds"] == [1]
    for arm in ("static", "learned"):
        assert all(0 <= figures[arm]["all"][place] <= 1 for place in range(3))  # type: ignore[index, call-overload]
    kept = tmp_path / "seed-1" / "summary.json"
    written = kept.stat().st_mtime_ns
    assert run(*words) == figures
    assert kept.stat().st_mtime_ns == written


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_decisions_are_measured_for_each_form_and_number_of_cells() -> None:
    rows = run("decision.py", "--decisions", "120")["rows"]
    assert isinstance(rows, list)
    assert {row["cells"] for row in rows} == {1, 6, 60}
    assert len({row["form"] for row in rows}) >= 2
    for row in rows:
        assert 0 < row["decision_p50_ms"] <= row["decision_p99_ms"]
        assert 0 < row["all_cells_p50_ms"] <= row["all_cells_p99_ms"]
