"""A training is judged stage by stage on held-out tasks, and stands on one page with the searches."""

from dataclasses import replace
from pathlib import Path

import pytest

from training.experiments.experiment import Experiment, Findings
from training.experiments.orchestrators import FULL, Searched, Trained, last_stage, tell
from training.experiments.report import report
from training.experiments.run import Arm
from training.orchestrator.pipeline import MODEL, STAGES
from training.orchestrator.presets import PRESETS

SMOKE = PRESETS["smoke"]
TINY = replace(
    SMOKE,
    facts=10,
    instruction=replace(SMOKE.instruction, learning=replace(SMOKE.instruction.learning, steps=4)),
    rejection=replace(SMOKE.rejection, rounds=1, tasks=4, each=2),
    rldtf=replace(SMOKE.rldtf, tasks=2, each=2, audit=1),
    validation=4,
)


@pytest.mark.slow
def test_stages_and_searches_stand_on_one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.experiments.orchestrators.GAUGED", 0)
    monkeypatch.setattr("training.experiments.orchestrators.PRESETS", {"tiny": TINY})
    arms = (
        Arm(name=FULL, about="", work=Trained(preset="tiny", tasks=2)),
        Arm(name="random:4", about="", work=Searched("random:4", tasks=2)),
    )
    tiny = Experiment(name="orchestrators", title="Tiny", about="", arms=arms, seeds=1, episodes=2, tell=tell)
    assert [run.do() for run in tiny.plan(tmp_path)] == [True, True]
    text = report(Findings.of(tiny, tmp_path), tmp_path).read_text()
    for name in ("no training", "phase 1: pre-training and instruction", "phase 2: RLDTF", "random:4"):
        assert f"| {name} | 1 |" in text
    assert text.count("- over *") == 4
    assert (tmp_path / "orchestrators.png").stat().st_size > 10_000
    assert "random:4,1,all,completion," in (tmp_path / "orchestrators.csv").read_text()


def test_the_shipped_model_is_audited_where_no_training_was_run(tmp_path: Path) -> None:
    assert last_stage(tmp_path) == "shipped"
    model = tmp_path / "stages" / STAGES[-1] / MODEL
    model.mkdir(parents=True)
    assert last_stage(tmp_path) == f"model:{model}"
