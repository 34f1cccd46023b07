import json
import subprocess
import sys
from pathlib import Path

import pytest

from ranloop.demo import DemoConfig
from ranloop.errors import RanloopError
from ranloop.kpi_log import KpiLog
from twin.network.scenario import Scenario
from xapps.slicing.config import DESCRIPTOR, load


def test_the_shipped_xapp_promises_what_the_default_scenario_scores() -> None:
    config, _ = load(DESCRIPTOR, {}, {})
    assert config.promises == Scenario().slas


def test_a_demo_out_of_range_says_which_field() -> None:
    with pytest.raises(RanloopError, match="cells is 0"):
        DemoConfig(nodes=0).scenario()


@pytest.mark.parametrize(
    ("controllers", "reason"),
    [
        (("guess",), "guess"),
        ((), "at least one"),
        (("static",), "none twice"),
        (("demand", "demand"), "none twice"),
    ],
)
def test_a_demo_says_which_controllers_it_cannot_compare(controllers: tuple[str, ...], reason: str) -> None:
    with pytest.raises(RanloopError, match=reason):
        DemoConfig(controllers=controllers)


def test_the_kpi_log_is_read_as_it_grows_and_skips_each_run_s_warm_up(tmp_path: Path) -> None:
    path = tmp_path / "kpi.jsonl"
    header = {"nodes": ["a"], "slices": ["1"], "step_s": 0.1, "seed": 1}

    def step(number: int) -> dict[str, object]:
        kpis = {name: [[1.0]] for name in ("throughput_bps", "delay_s", "drop_rate")}
        return {"step": number, "late": 0, "quotas": [[[0, 33, 100]]], **kpis}

    log = KpiLog(path, warm_up=1)
    assert log.poll() == 0
    with path.open("w") as file:
        for line in (header, step(1), step(2), header, step(1)):
            file.write(json.dumps(line) + "\n")
        file.write(json.dumps(step(2))[:20])
    assert log.poll() == 1
    assert log.runs == 2
    with path.open("a") as file:
        file.write(json.dumps(step(2))[20:] + "\n")
    assert log.poll() == 1
    with path.open("a") as file:
        file.write("{broken\n")
    with pytest.raises(RanloopError, match=r"kpi\.jsonl"):
        log.poll()


@pytest.mark.slow
def test_the_demo_runs_end_to_end(tmp_path: Path) -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "ranloop", "demo", "--json", "--out", str(tmp_path)),
            *("--nodes", "2", "--ues", "40", "--seconds", "4"),
        ],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    summary = json.loads(run.stdout)
    assert set(summary["satisfaction"]) == {"static", "learned", "A1 policy"}
    assert summary["steps"] == 40
    assert summary["restarts"] == 0
    assert all(0 <= share <= 1 for phase in summary["satisfaction"].values() for share in phase.values())
    assert "<svg" in (tmp_path / "report.html").read_text()
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
