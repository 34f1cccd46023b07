"""An agent by branching is kept where other experiments find it, and its futures are not."""

from pathlib import Path

import pytest

from tests.training.experiments.test_trained import SMOKE, briefly
from training.experiments.branched import ByBranching
from training.experiments.run import Task
from training.experiments.trained import load
from training.slicing.branching_rounds import PRESETS


@pytest.mark.slow
def test_an_agent_by_branching_is_kept(tmp_path: Path) -> None:
    task = Task(folder=tmp_path / "run", runs=tmp_path, seed=2, episodes=4)
    result = ByBranching(branching=PRESETS["smoke"], base=SMOKE, evaluate=briefly)(task)
    sac, config = load(task.folder)
    assert config.hidden == PRESETS["smoke"].fitting.hidden
    assert {"": briefly(sac, config)[""].plain()} == result["scores"]
    assert not list(task.folder.rglob("futures-*.pt"))
    assert not list(task.folder.rglob("checkpoint.pt"))
