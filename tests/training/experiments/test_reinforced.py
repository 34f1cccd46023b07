"""Arms go on from one base, each in a folder of its own, and their page compares their ends."""

import json
from pathlib import Path

import pytest

from training.experiments.experiment import Experiment, Findings
from training.experiments.reinforced import BASE, NAME, Reinforced, tell
from training.experiments.report import report
from training.experiments.run import Arm, folder_of
from training.orchestrator.sensitivity import Weighting


def small(name: str, **changes: object) -> Arm:
    return Arm(name=name, about="", work=Reinforced(tuple(changes.items()), preset="smoke"))


@pytest.mark.slow
def test_arms_are_reinforced_from_one_base_and_compared(tmp_path: Path) -> None:
    arms = (
        small("critic", advantage="critic"),
        small("critic, weights", advantage="critic", weighting=Weighting(answers=2, perturbations=1)),
    )
    tiny = Experiment(name=NAME, title="Tiny", about="", arms=arms, seeds=1, episodes=2, tell=tell)
    assert [run.do() for run in tiny.plan(tmp_path)] == [True, True]
    base = folder_of(tmp_path, NAME, BASE, 1)
    begun = json.loads((base / "rejection/done.json").read_text())
    for arm in arms:
        own = folder_of(tmp_path, NAME, arm.name, 1)
        assert json.loads((own / "result.json").read_text())["start"] == begun
        weights = [path / "model/model.safetensors" for path in (base / "rejection", own / "stages/foundation")]
        assert weights[0].read_bytes() == weights[1].read_bytes()
    text = report(Findings.of(tiny, tmp_path), tmp_path).read_text()
    assert "| critic, weights | 1 | 0." in text
    assert "Token weights over none, paired by seed (1 seeds)" in text
    assert (tmp_path / f"{NAME}.csv").read_text().count("\n") == 5
