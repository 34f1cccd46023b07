"""Sizes keep load and weight, agents serve what they were not trained on, and training at a size is told."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.experiments.test_trained import SMOKE
from training.experiments import scale, statistics
from training.experiments.experiment import Experiment, Findings
from training.experiments.references import DEMAND, STATIC
from training.experiments.report import report
from training.experiments.run import Arm
from training.experiments.scale import AtSizes, TrainedAt, scenario_of, tell
from twin.network.scenario import Scenario


@pytest.mark.parametrize(("dus", "slices"), [(6, 3), (20, 3), (6, 5), (60, 8)])
def test_a_size_keeps_the_load_of_a_du_and_the_weight(dus: int, slices: int) -> None:
    base, found = scenario_of(6, 3), scenario_of(dus, slices)
    assert len({item.slice for item in found.slices}) == len({item.name for item in found.slices}) == slices
    assert sum(item.sla.weight for item in found.slices) == pytest.approx(1.0)

    def load_bps(scenario: Scenario) -> float:
        return float(np.dot(scenario.ue_counts(), [item.mean_bps for item in scenario.slices]) / scenario.cells)

    assert load_bps(found) == pytest.approx(load_bps(base), rel=0.05)


def test_agents_are_played_at_every_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "RESAMPLES", 20)
    monkeypatch.setattr(scale, "NETWORKS", (1,))
    monkeypatch.setattr(scale, "TIMED_STEPS", 3)
    sizes = {"2 DUs, 3 slices": scenario_of(2, 3), "3 DUs, 4 slices": scenario_of(3, 4)}
    monkeypatch.setattr(scale, "sizes", lambda: sizes)
    tiny = Experiment(
        name="scale",
        title="Tiny",
        about="",
        arms=(
            *(Arm(name=name, about="", work=AtSizes(name, (1,), 2), seeds=1) for name in (STATIC, DEMAND)),
            Arm(name="trained", about="", work=TrainedAt(2, SMOKE, (1,), 2)),
        ),
        seeds=1,
        episodes=4,
        tell=tell,
    )
    assert [run.do() for run in tiny.plan(tmp_path)] == [True, True, True]
    text = report(Findings.of(tiny, tmp_path), tmp_path).read_text()
    assert "**trained** against static" in text
    costs = [line for line in text.splitlines() if line.startswith("| trained")][-1]
    assert float(costs.split("|")[2]) > 0
    assert "cannot" not in costs
