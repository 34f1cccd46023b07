"""Workers of a live pool that are killed or hang in the middle of a training cost it one question each."""

import json
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import pytest
import torch

from tests.training.orchestrator.small import made, tasks
from tests.training.orchestrator.test_rejection import sources
from tests.training.orchestrator.test_rldtf import SMALL, constant, weights
from training.orchestrator.asking import Asked
from training.orchestrator.rejection import KEPT, RejectionConfig, improve
from training.orchestrator.rldtf import Rldtf, RldtfConfig
from training.orchestrator.sensitivity import Weighting
from training.orchestrator.supervised import Row
from training.orchestrator.twin_pool import Question, TwinPool, Verdict
from twin.link.qos import Tier

End = Literal["killed", "hung"]
REASONS = {"killed": "a worker died", "hung": "a worker took longer than 8 s"}
ENDS = pytest.mark.parametrize("end", ["killed", "hung"])


class Losing(TwinPool):
    """A live pool whose only worker is stopped as a call begins, and killed while the call waits for it."""

    def __init__(self, at: int, end: End) -> None:
        super().__init__(workers=1, timeout_s=8.0)
        self._at, self._end, self._calls = at, end, 0

    def ask(
        self, questions: Iterable[Question], tier: Tier = Tier.T0, *, seed: int = 0, looks: int = 1
    ) -> Iterator[Verdict]:
        self._calls += 1
        if self._calls == self._at:
            (pid,) = self.processes
            os.kill(pid, signal.SIGSTOP)
            if self._end == "killed":
                threading.Timer(1.0, os.kill, (pid, signal.SIGKILL)).start()
        return super().ask(questions, tier, seed=seed, looks=looks)


def reinforced(pool: TwinPool, folder: Path, **change: object) -> tuple[torch.Tensor, list[Row]]:
    """The weights and the curve after a reinforcement on one task a step."""
    lm = made()
    config = RldtfConfig(**(SMALL | {"steps": 2, "tasks": 1, "validate_every": 9} | change))  # type: ignore[arg-type]
    training = Rldtf(lm, config, Asked(margin=0.1, twin=pool), lambda step: tasks(1, 10 + step), folder, seed=1)
    curve = training.run(constant)
    return weights(lm), curve


@ENDS
def test_rejection_sampling_goes_on_without_the_task_that_was_lost(end: End, tmp_path: Path) -> None:
    config = RejectionConfig(rounds=2, tasks=6, each=6, batch=8, epochs=1, patience=2)
    lm, kept = made(), {}
    with TwinPool(workers=0) as whole, Losing(2, end) as losing:
        for name, pool in (("whole", whole), ("cut", losing)):
            found = improve(
                made(), config, Asked(twin=pool), sources(lm), tmp_path / name, 1, lambda _: {"validated": 0.5}
            )
            kept[name] = json.loads((tmp_path / name / "round-2" / KEPT).read_text())["pairs"]
        rows = found[1]
        assert dict(losing.lost) == {REASONS[end]: 1}
    assert [row["lost"] for row in rows[1:]] == [0.0, 1.0]
    # The first task's answers were to be learnt from; the others still are.
    places = {name: {place for place, _ in pairs} for name, pairs in kept.items()}
    assert 0 in places["whole"]
    assert places["cut"] == places["whole"] - {0}


@pytest.mark.parametrize(
    ("end", "call", "advantage"),
    [
        *(("killed", 3, "twin"), ("killed", 4, "twin"), ("killed", 2, "group"), ("killed", 2, "critic")),
        ("hung", 3, "twin"),
    ],
)
def test_a_step_whose_only_question_was_lost_teaches_nothing(
    end: End, call: int, advantage: str, tmp_path: Path
) -> None:
    """Calls 3 and 4 are the rewards and the counterfactual questions of step 2."""
    change = {"advantage": advantage, "critic_warm_up": 0}
    with TwinPool(workers=0) as pool:
        expected, _ = reinforced(pool, tmp_path / "one", steps=1, **change)
        other, _ = reinforced(pool, tmp_path / "two", **change)
    with Losing(call, end) as losing:
        found, curve = reinforced(losing, tmp_path / "cut", **change)
        assert dict(losing.lost) == {REASONS[end]: 1}
    assert [row["lost"] for row in curve] == [0.0, 1.0]
    assert ("reward" in curve[1]) == (call == 4)
    assert "loss" not in curve[1]
    assert torch.equal(found, expected)
    assert not torch.equal(other, expected)


def test_a_pool_gives_the_training_that_the_twin_in_process_gives(tmp_path: Path) -> None:
    change = {"tasks": 2, "weighting": Weighting(answers=2, perturbations=1), "audit_every": 1, "audit": 2}
    with TwinPool(workers=0) as here, TwinPool(workers=2) as there:
        expected, one = reinforced(here, tmp_path / "here", **change)
        found, other = reinforced(there, tmp_path / "there", **change)
        assert len(there.processes) == 2
    assert torch.equal(found, expected)
    timeless = [
        [{name: row[name] for name in row if not name.endswith("_s")} for row in curve] for curve in (one, other)
    ]
    assert timeless[0] == timeless[1]
    assert any("disagree_t1" in row for row in one)
