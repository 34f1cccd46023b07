import json
from dataclasses import replace
from pathlib import Path

import pytest

from rapps.orchestrator.decoding import Sample
from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.examples import of_question
from training.orchestrator.lm import Lm
from training.orchestrator.rejection import KEPT, ROUNDS, RejectionConfig, Sources, improve
from training.orchestrator.supervised import Row
from training.orchestrator.tasks.task import Task

CONFIG = RejectionConfig(rounds=3, tasks=6, each=6, batch=8, epochs=1, patience=3)


def sources(lm: Lm) -> Sources:
    return Sources(
        lambda turn: tasks(CONFIG.tasks, 100 * turn),
        lambda numbers: [
            of_question(lm, "What is a PRB?", "It has 12 subcarriers.", str(number)) for number in numbers
        ],
    )


class Judge:
    """Finds the second round the best."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, lm: Lm) -> Row:
        self.calls += 1
        return {"validated": {1: 0.1, 2: 0.2, 3: 0.5}.get(self.calls, 0.3)}


def test_only_what_meets_the_demand_is_learnt_from_and_the_best_round_is_kept(tmp_path: Path) -> None:
    lm = made()
    best, rows = improve(lm, CONFIG, ASKED, sources(lm), tmp_path, 1, Judge())
    assert [row["round"] for row in rows] == [0, 1, 2, 3]
    kept = Lm.load(tmp_path / "round-2")
    assert best.digest() == kept.digest() != lm.digest()
    for turn in range(1, 4):
        told = json.loads((tmp_path / f"round-{turn}" / KEPT).read_text())
        own = tasks(CONFIG.tasks, 100 * turn)
        for place, options in told["pairs"]:
            sample = ASKED.written(best, own[place], options)
            assert ASKED.feedback([own[place]], [sample]).completed[0]
        places = [place for place, _ in told["pairs"]]
        assert all(places.count(place) <= CONFIG.keep for place in places)
        assert 0.0 <= told["figures"]["use of completed"] <= 1.0


def test_a_round_that_was_cut_off_goes_on_with_what_it_had_kept(tmp_path: Path) -> None:
    lm = made()
    whole, _ = improve(lm, CONFIG, ASKED, sources(lm), tmp_path / "whole", 1, Judge())

    class Killed(Judge):
        def __call__(self, lm: Lm) -> Row:
            if self.calls == 2:
                raise KeyboardInterrupt
            return super().__call__(lm)

    other, judge = made(), Killed()
    with pytest.raises(KeyboardInterrupt):
        improve(other, CONFIG, ASKED, sources(other), tmp_path / "cut", 1, judge)
    kept = (tmp_path / "cut" / "round-2" / KEPT).stat().st_mtime_ns
    again = Judge()
    again.calls = 2
    found, rows = improve(made(7), CONFIG, ASKED, sources(other), tmp_path / "cut", 1, again)
    assert (tmp_path / "cut" / "round-2" / KEPT).stat().st_mtime_ns == kept
    assert len((tmp_path / "cut" / ROUNDS).read_text().splitlines()) == len(rows) == 4
    assert found.digest() == whole.digest()


def test_rounds_end_when_they_bring_nothing(tmp_path: Path) -> None:
    lm = made()
    config = RejectionConfig(rounds=9, tasks=3, each=4, batch=8, epochs=1, patience=1)
    _, rows = improve(lm, config, ASKED, sources(lm), tmp_path, 1, lambda _: {"validated": 0.5})
    assert len(rows) == 2


def test_the_best_of_a_task_s_good_answers_for_what_each_understood_is_kept_where_that_is_asked(
    tmp_path: Path,
) -> None:
    lm, asked = made(), tasks(16, 100)

    def worth(task: Task, sample: Sample) -> float:
        understood = replace(task, demand=replace(sample.script.demand, margin=0.0))
        return float(ASKED.feedback([understood], [sample]).rewards[0])

    rewards = {}
    for keep_by in ("chance", "reward"):
        config = replace(CONFIG, rounds=1, tasks=16, keep=1, keep_by=keep_by)
        improve(lm, config, ASKED, sources(lm), tmp_path / keep_by, 1, Judge())
        told = json.loads((tmp_path / keep_by / "round-1" / KEPT).read_text())
        own = {place: ASKED.written(lm, asked[place], options) for place, options in told["pairs"]}
        assert all(ASKED.feedback([asked[place]], [sample]).completed[0] for place, sample in own.items())
        rewards[keep_by] = {place: worth(asked[place], sample) for place, sample in own.items()}
    assert rewards["chance"].keys() == rewards["reward"].keys()
    assert all(rewards["reward"][place] >= other - 1e-9 for place, other in rewards["chance"].items())
    assert sum(rewards["reward"].values()) > sum(rewards["chance"].values())


@pytest.mark.parametrize("change", [{"rounds": 0}, {"keep": 0}, {"replay": 1.0}, {"keep_by": "luck"}])
def test_a_config_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(OrchestratorError, match="must"):
        RejectionConfig(**change)  # type: ignore[arg-type]
