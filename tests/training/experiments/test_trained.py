"""A trained arm goes on where it was killed, keeps its agent, and knows whose folder it is in."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.experiments.run import ExperimentError, Task
from training.experiments.trained import Trained, load, on_frozen
from training.slicing.config import PRESETS, Config
from training.slicing.sac import Sac
from training.slicing.score import Score
from training.slicing.train import Training

SMOKE = replace(PRESETS["smoke"], envs=2, episode_steps=8, warm_up_steps=6, hidden=16, batch=8)


def briefly(sac: Sac, config: Config) -> Mapping[str, Score]:
    """On two of the frozen networks."""
    return {"": on_frozen(sac, (1, 2), 4)}


WORK = Trained(base=SMOKE, evaluate=briefly)


def task(folder: Path, episodes: int = 6) -> Task:
    """What a run is given."""
    return Task(folder=folder, runs=folder.parent, seed=3, episodes=episodes)


def test_a_killed_run_goes_on_and_its_agent_is_kept(tmp_path: Path) -> None:
    whole = WORK(task(tmp_path / "whole"))
    Training(WORK.config(task(tmp_path / "parts")), tmp_path / "parts").run(stop_after=2)
    parts = WORK(task(tmp_path / "parts"))
    assert whole["scores"] == parts["scores"]
    assert not (tmp_path / "parts" / "checkpoint.pt").exists()
    sac, config = load(tmp_path / "parts")
    assert config.seed == 3
    again = briefly(sac, config)[""].plain()
    assert {"": again} == parts["scores"]
    np.testing.assert_array_equal(Score.of(again).reward, np.array(again["reward"]))


def test_a_folder_of_another_configuration_is_refused(tmp_path: Path) -> None:
    Training(WORK.config(task(tmp_path)), tmp_path).run(stop_after=1)
    with pytest.raises(ExperimentError, match="was begun with episodes 6, not 8"):
        WORK(task(tmp_path, episodes=8))
    with pytest.raises(ExperimentError, match="holds no trained agent"):
        load(tmp_path)


def test_an_arm_that_cannot_be_trained_says_why(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"cannot be trained: .*imagination"):
        Trained(changes=(("imagination", 1),))(task(tmp_path))
