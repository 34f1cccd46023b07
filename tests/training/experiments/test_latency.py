"""A package is exported from the agent that table 1 left, and timed for each number of DUs."""

from pathlib import Path

import pytest

from tests.training.experiments.test_trained import SMOKE, briefly
from training.experiments import latency
from training.experiments.experiment import Experiment, Findings
from training.experiments.latency import Exported, tell
from training.experiments.report import report
from training.experiments.run import Arm, Task, folder_of
from training.experiments.trained import Trained


@pytest.mark.slow
def test_a_form_is_exported_and_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "MOST", 25)
    monkeypatch.setattr(latency, "SEEN_STEPS", 2)
    agent = Task(folder=folder_of(tmp_path, "table1", "numbers", 1), runs=tmp_path, seed=1, episodes=4)
    Trained(base=SMOKE, evaluate=briefly)(agent)
    tiny = Experiment(
        name="latency",
        title="Tiny",
        about="",
        arms=(
            Arm(name="numbers", about="", work=Exported("numbers", "distilled")),
            Arm(name="none", about="", work=Exported("numbers", "full")),
        ),
        seeds=1,
        episodes=4,
        tell=tell,
    )
    planned = tiny.plan(tmp_path)
    assert [run.do() for run in planned] == [True, False]
    assert "no language model" in str(planned[1].failure)
    result = planned[0].result
    assert result is not None
    rows = result["rows"]
    assert isinstance(rows, list)
    assert [row["dus"] for row in rows] == [1, 6, 60]
    assert all(0 < row["batch p50 ms"] <= row["batch p99 ms"] for row in rows)
    assert rows[2]["each p50 ms"] > rows[0]["each p50 ms"]
    text = report(Findings.of(tiny, tmp_path), tmp_path).read_text()
    assert "| numbers | 0." in text
