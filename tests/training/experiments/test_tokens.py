"""Halving keeps the better half, spends what the sweep would, and goes on where it was killed."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from tests.training.experiments.test_trained import SMOKE, briefly
from training.experiments.run import ExperimentError, Task
from training.experiments.tokens import RUNGS, Halving
from training.slicing.train import Training


class Widths(Halving):
    """Chooses the width of networks instead, which needs no language model."""

    def _training(self, task: Task, count: int, seed: int) -> Training:
        config = replace(self.base, hidden=count, episodes=task.episodes, seed=seed)
        return Training(config, self._folder(task, count, seed), torch.device("cpu"))


BASE = replace(SMOKE, envs=1, episode_steps=6, evaluation_seeds=1)
WORK = Widths(base=BASE, candidates=(4, 8, 12), sweep=(3, 2), evaluate=briefly)


@pytest.mark.slow
def test_the_better_half_goes_on_for_as_many_episodes_as_the_sweep(tmp_path: Path) -> None:
    task = Task(folder=tmp_path, runs=tmp_path, seed=1, episodes=3)
    result = WORK(task)
    rungs = result["rungs"]
    assert isinstance(rungs, list)
    assert [len(rung) for rung in rungs] == [3, 2, 1]
    for rung, following in pairwise(rungs):
        best = sorted(rung, key=lambda count: -rung[count])[: len(following)]
        assert set(following) == set(best)
    assert result["chosen"] == int(next(iter(rungs[-1])))
    spent, budget = result["spent_episodes"], result["sweep_episodes"]
    assert isinstance(spent, int)
    assert budget == 18
    assert 18 - 3 < spent <= 18
    assert {path.parts[-3] for path in tmp_path.glob("*/*/checkpoint.pt")} == {f"{result['chosen']}-tokens"}


@pytest.mark.slow
def test_it_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    whole, parts = (Task(folder=tmp_path / name, runs=tmp_path, seed=1, episodes=3) for name in ("a", "b"))
    WORK._worth(parts, 4, 2)
    brief = replace(WORK, candidates=(4, 8), sweep=(2, 2))
    assert brief(whole) == brief(parts)


def test_too_few_episodes_are_told(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=f"halving needs {RUNGS * BASE.envs} at least"):
        WORK(Task(folder=tmp_path, runs=tmp_path, seed=1, episodes=2))
