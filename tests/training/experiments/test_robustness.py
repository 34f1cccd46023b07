"""Stored policies are played on every split, and told beside static and demand on the same draws."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.experiments.test_trained import SMOKE, briefly
from training.experiments import statistics
from training.experiments.experiment import Experiment, Findings
from training.experiments.references import STATIC
from training.experiments.report import report
from training.experiments.robustness import OnFamily, tell
from training.experiments.run import Arm, ExperimentError, Task, folder_of
from training.experiments.stored import stored
from training.experiments.trained import Trained, load
from training.slicing.environment import Environment
from training.slicing.score import play
from twin.network import families
from twin.network.scenario import Scenario


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an agent was trained for table 1."""
    folder = tmp_path_factory.mktemp("runs")
    task = Task(folder=folder_of(folder, "table1", "numbers", 1), runs=folder, seed=1, episodes=4)
    Trained(base=SMOKE, evaluate=briefly)(task)
    return folder


@pytest.mark.slow
def test_agents_and_rules_meet_every_split(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "RESAMPLES", 20)
    monkeypatch.setattr("training.experiments.robustness.DRAWS", (1,))
    tiny = Experiment(
        name="robustness",
        title="Tiny",
        about="",
        arms=tuple(
            Arm(name=name, about="", work=OnFamily(name, draws=(1,), steps=2), seeds=1)
            for name in (STATIC, "numbers", "pa_mrl")
        ),
        seeds=1,
        episodes=4,
        tell=tell,
    )
    planned = tiny.plan(runs)
    assert [run.do() for run in planned] == [True, True, False]
    assert "train it first" in str(planned[2].failure)
    text = report(Findings.of(tiny, runs), tmp_path).read_text()
    assert " | ".join(families.load("slicing").splits) in text
    assert "**numbers** against static" in text


def test_an_agent_is_loaded_for_slices_that_it_was_not_trained_on(runs: Path) -> None:
    base = Scenario(cells=2, ues=30)
    doubled = tuple(
        replace(item, name=f"{item.name} {part}", slice=replace(item.slice, sd=part), sla=_sla(item, part))
        for item in base.slices
        for part in (1, 2)
    )
    scenario = base.with_(slices=doubled)
    task = Task(folder=runs / "none", runs=runs, seed=1, episodes=4)
    policy = stored("numbers", task)(scenario)
    assert play(Environment(scenario, 1), policy, (1,), 2).qos.shape == (1, 6)


def test_what_was_not_tuned_or_trained_is_told(tmp_path: Path) -> None:
    task = Task(folder=tmp_path, runs=tmp_path, seed=1, episodes=4)
    with pytest.raises(ExperimentError, match="not tuned yet: ranloop experiment table1"):
        stored("demand, tuned", task)
    with pytest.raises(ExperimentError, match="train it first"):
        load(tmp_path)


def _sla(item: object, part: int) -> object:
    sla = item.sla  # type: ignore[attr-defined]
    return replace(sla, slice=replace(sla.slice, sd=part), name=f"{sla.name} {part}", weight=sla.weight / 2)
