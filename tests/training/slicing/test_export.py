"""Packages of agents with a language model: each form is what it says it is, and hears what it can hear."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oran.model_package import PackageError
from tests.training.slicing.llms import ENCODER, made
from training.slicing import distil, fidelity
from training.slicing.config import PRESETS
from training.slicing.export import ExportError, Form, export
from training.slicing.train import Training
from twin.network.scenario import Scenario
from xapps.slicing.actor import Actor
from xapps.slicing.state import FEATURES

SMALL = Scenario(cells=2, ues=20)
NAMES = tuple(item.name for item in SMALL.slices)
SMOKE = replace(
    PRESETS["smoke"], episodes=4, envs=2, episode_steps=8, warm_up_steps=4, hidden=16, batch=4, evaluation_seeds=1
)


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    folder = tmp_path_factory.mktemp("training")
    SMALL.save(folder / "scenario.json")
    llm = made(folder / "llm", ENCODER)
    config = replace(
        SMOKE, arm="pa_mrl", llm=llm, tokens=2, scenario=str(folder / "scenario.json"), precision="float32"
    )
    found = Training(config, folder / "run")
    found.run()
    return found


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NETWORKS", 2), ("STEPS", 5), ("DECISIONS", 20)):
        monkeypatch.setattr(fidelity, name, value)
    monkeypatch.setattr(distil, "STEPS", 200)


@pytest.mark.parametrize("form", ["distilled", "int8", "full"])
def test_every_form_is_run_by_the_xapp_and_tells_its_fidelity(
    training: Training, tmp_path: Path, form: Form
) -> None:
    export(training.sac, training.config, {}, tmp_path / form, form=form)
    actor = Actor.load(tmp_path / form, NAMES)
    cells = np.random.default_rng(1).random((5, len(NAMES), len(FEATURES)))
    share = actor.share(cells)
    np.testing.assert_allclose(share.sum(axis=-1), 1.0, atol=1e-6)
    told = actor.manifest.metrics
    assert {"share_difference", "return_lost", "decision_p50_6_cells_s", "decision_p99_6_cells_s"} <= told.keys()
    if form == "full":
        assert told["share_difference"].high < 1e-4
    assert actor.manifest.training["form"] == form
    assert actor.critic is not None
    actor.hear("Protect the robots, video may wait.")
    heard = float(np.abs(actor.share(cells) - share).max())
    assert (heard > 1e-7) == (form != "distilled")
    path = tmp_path / form / "actor.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(PackageError, match="actor"):
        Actor.load(tmp_path / form, NAMES)


def test_what_has_no_language_model_has_one_form(training: Training, tmp_path: Path) -> None:
    config = replace(training.config, arm="numbers")
    numbers = Training(config, tmp_path / "run")
    with pytest.raises(ExportError, match="no language model"):
        export(numbers.sac, config, {}, tmp_path / "package", form="int8")
    assert not (tmp_path / "package").exists()


def test_a_training_is_found_again_in_its_folder(training: Training) -> None:
    found = Training.restored(training.folder)
    assert found.config == training.config
    assert found.round == training.round
