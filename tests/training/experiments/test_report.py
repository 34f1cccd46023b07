"""A page's numbers follow from its CSV, its verdicts from its numbers, and what was written by hand stays."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import trim_mean

from training.experiments import frozen, references, statistics, verdicts
from training.experiments.board import Board, Entry
from training.experiments.catalogue import EXPERIMENTS
from training.experiments.experiment import Experiment, Findings
from training.experiments.page import hand_written
from training.experiments.report import report
from training.experiments.run import Arm, Result, Run, Task
from training.experiments.table1 import TABLE1
from training.slicing.score import Interval, Score

SLICES = ("eMBB", "URLLC", "mMTC")
CONTROLS = {"numbers": 0.4, "matched": 0.4, "random": 0.4}


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "RESAMPLES", 100)


def score(level: float, seed: int = 0, networks: int = len(frozen.SEEDS)) -> Score:
    """Around a level."""
    draw = np.random.default_rng(seed)
    reward = level + 0.01 * draw.standard_normal(networks)
    slices = np.clip(np.repeat(reward[:, None], 3, axis=1) + 0.3, 0, 1)
    return Score(reward, reward + 0.4, slices, slices, 1e6 * reward)


def entries(**levels: float) -> tuple[Entry, ...]:
    """Five runs of each arm, one of each reference."""
    return tuple(
        Entry(arm, seed, 8, score(level, seed))
        for arm, level in levels.items()
        for seed in range(1, 2 if arm in (references.STATIC, references.HARD) else 6)
    )


def board(**levels: float) -> Board:
    """Of such entries."""
    return Board(SLICES, frozen.SEEDS, entries(**levels))


class Given:
    """A work whose score is known."""

    def __init__(self, level: float) -> None:
        self.level = level

    def __call__(self, task: Task) -> Result:
        curve = [{"episodes": 32.0 * n, "reward": self.level - 0.1 / n, "satisfaction": 0.8} for n in range(1, 9)]
        return {
            "episodes": task.episodes,
            "curve": curve,
            "scores": {"": score(self.level, task.seed).plain()},
        }


def fails(task: Task) -> Result:
    """Fails."""
    raise ValueError("no model")


def experiment() -> Experiment:
    """Table 1 with scores that are known."""
    return Experiment(
        name="table1",
        title="Tiny",
        about="A question.",
        arms=(
            Arm(name=references.STATIC, about="", work=Given(0.3), home=references.HOME, seeds=1),
            Arm(name="numbers", about="", work=Given(0.42)),
            Arm(name="pa_mrl", about="", work=Given(0.40)),
            Arm(name="frozen", about="", work=fails),
        ),
        seeds=2,
        episodes=8,
        tell=TABLE1.tell,
    )


def test_the_tables_numbers_are_those_of_the_csv(tmp_path: Path) -> None:
    tiny = experiment()
    for run in tiny.plan(tmp_path / "runs"):
        run.do()
    path = report(Findings.of(tiny, tmp_path / "runs"), tmp_path)
    text = path.read_text()
    with (tmp_path / "table1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 * len(frozen.SEEDS)
    for arm in (references.STATIC, "numbers", "pa_mrl"):
        values = [float(row["return"]) for row in rows if row["arm"] == arm]
        found = re.search(rf"^\| {arm} \| \d \| (-?[\d.]+) ", text, re.MULTILINE)
        assert found is not None
        assert float(found.group(1)) == pytest.approx(trim_mean(values, 0.25), abs=5e-4)
    assert "not told yet: fewer than 5 runs of pa_mrl, numbers, matched, random" in text
    assert "2 of 7 runs: frozen, seed 1 (ValueError: no model); frozen, seed 2" in text
    assert (tmp_path / "table1.png").stat().st_size > 10_000
    assert "[Tiny](table1.md): A question." in (tmp_path / "README.md").read_text()


def test_what_was_written_by_hand_outlives_a_rewrite(tmp_path: Path) -> None:
    found = Findings.of(experiment(), tmp_path / "runs")
    Run(found.planned[0].arm, found.planned[0].task).do()
    path = report(found, tmp_path)
    path.write_text(path.read_text().replace("Not written yet.", "By hand.\n\nTwice."))
    (tmp_path / "README.md").write_text("# Mine\n\nKept.\n\n## Pages\nold\n")
    text = report(found, tmp_path).read_text()
    assert hand_written(text) == "By hand.\n\nTwice."
    index = (tmp_path / "README.md").read_text()
    assert index.startswith("# Mine\n\nKept.\n\n## Pages\n- [")
    assert "old" not in index


def test_verdicts_follow_the_numbers() -> None:
    better = board(**{references.STATIC: 0.3, **CONTROLS, "pa_mrl": 0.45})
    assert "helps on this twin" in verdicts.language(better)[0]
    assert "above static (apart)" in verdicts.against_rules(better, ["pa_mrl"])[0]
    assert "No learnt arm lowers" in verdicts.fallen_slices(better, ["pa_mrl"])[1]
    equal = board(**{references.STATIC: 0.3, **CONTROLS, "pa_mrl": 0.4})
    assert "not shown to help" in verdicts.language(equal)[0]
    worse = board(**{references.STATIC: 0.3, "pa_mrl": 0.25})
    assert "Lowered beyond chance: pa_mrl eMBB, pa_mrl URLLC" in verdicts.fallen_slices(worse, ["pa_mrl"])[1]
    worst = board(**{**CONTROLS, "random": 0.5, "pa_mrl": 0.45})
    assert "does not pay on this twin: random did better" in verdicts.language(worst)[0]
    assert "below static" in verdicts.against_rules(worse, ["pa_mrl"])[0]


def test_gains_are_paired_and_percent_is_of_the_reference() -> None:
    found = board(**{references.STATIC: 0.3, references.HARD: 0.3, "numbers": 0.42})
    assert found.gain(references.HARD, references.STATIC, "reward") == Interval(0.0, 0.0, 0.0)
    percent = found.embb_percent("numbers", references.STATIC)
    assert percent.low < 40.0 < percent.high
    wide, paired = found.iqm("numbers", "reward"), found.gain("numbers", references.STATIC, "reward")
    assert paired.low > 0.1
    assert wide.low < 0.42 < wide.high


def test_a_gain_is_as_uncertain_as_the_few_seeds_are() -> None:
    """Two agents, one better and one worse everywhere: on many networks that is still chance."""
    found = statistics.gain(np.repeat([[0.02], [-0.01]], 50, axis=1))
    assert found.low < 0.0 < found.high
    draw = np.random.default_rng(1).random((4, 20))
    assert statistics.gain(draw).mean == pytest.approx(trim_mean(draw, 0.25, axis=None))


def test_a_curve_converges_where_it_has_come_nearly_all_the_way() -> None:
    curve = [{"episodes": float(at), "reward": min(at, 5) / 5} for at in range(12)]
    assert verdicts.converged_at(curve) == 5.0
    assert verdicts.converged_at([{"episodes": 1.0, "reward": 0.0}] * 9) is None


def test_every_experiment_has_arms_of_its_own_names(tmp_path: Path) -> None:
    for item in EXPERIMENTS.values():
        folders = [run.task.folder for run in item.plan(tmp_path, only=[arm.name for arm in item.arms])]
        assert len(folders) == len(set(folders))
