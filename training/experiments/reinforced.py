"""Reinforced: ways to reinforce, from one and the same model that rejection sampling left.

The paper's PPO with its critic, with and without its token weights; the group's mean in the critic's place; and
the twin in its place. All have as many steps and answers.
"""

import fcntl
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from matplotlib.figure import Figure

from training.experiments import plots
from training.experiments.experiment import Experiment, Findings
from training.experiments.page import Page, Row, table, told
from training.experiments.plots import Curve
from training.experiments.run import Arm, Result, Task, folder_of
from training.experiments.statistics import band
from training.orchestrator.pipeline import DONE, MODEL, STAGES, VALIDATION
from training.orchestrator.presets import PRESETS
from training.orchestrator.rldtf import RldtfConfig
from training.orchestrator.sensitivity import Weighting
from training.orchestrator.supervised import CURVE, read_rows
from training.orchestrator.training import train
from training.slicing.score import Interval

NAME, BASE = "rldtf", "base"
LAST = 3
"""Validations at the end of a training whose mean its figures are, for single ones scatter."""
VALIDATED = ("validated", "validated score", "validated reward", "understood")
SAMPLED = ("completed", "reward", "explained", "kl", "entropy", "S syntax", "S field", "S value")


@dataclass(frozen=True, slots=True)
class Reinforced:
    """The work of an arm: `episodes` steps from the base."""

    changes: tuple[tuple[str, object], ...]
    preset: str = "cpu"

    def __call__(self, task: Task) -> Result:
        """Its curve, and the figures of the model that it began with."""
        begun = _base(task, self.preset)
        folder = task.folder / "stages"
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / VALIDATION).exists():
            shutil.copy(begun / VALIDATION, folder)
        config = PRESETS[self.preset]
        how: RldtfConfig = replace(config.rldtf, steps=task.episodes, **dict(self.changes))  # type: ignore[arg-type]
        model = str(begun / STAGES[-2] / MODEL)
        config = replace(config, foundation=model, begin=STAGES[-1], seed=task.seed, rldtf=how)
        train(config, folder, lambda stage, row: None)
        curve = read_rows(folder / STAGES[-1] / CURVE)
        start = json.loads((begun / STAGES[-2] / DONE).read_text())
        return {"episodes": task.episodes, "start": start, "curve": curve}


def _base(task: Task, preset: str) -> Path:
    """The folder of the stages before; the first who comes trains them, others wait."""
    folder = folder_of(task.runs, NAME, BASE, 1)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        train(PRESETS[preset], folder, lambda stage, row: None, STAGES[-2])
    return folder


ALIKE: Mapping[str, object] = {
    "tasks": 32,
    "each": 8,
    "temperature": 1.0,
    "learning_rate": 1e-4,
    "kl_weight": 0.05,
    "critic_warm_up": 3,
    "audit_every": 0,
}
"""What all arms have in common: answers enough to a task for a group's mean, and a rate that PPO bears."""


def arm(name: str, about: str, **changes: object) -> Arm:
    """A way to reinforce."""
    return Arm(name=name, about=about, work=Reinforced((*ALIKE.items(), *changes.items())))


ARMS = (
    arm("critic", "the paper's PPO with a critic, every token the same", advantage="critic"),
    arm("critic, weights", "the same with the paper's token weights", advantage="critic", weighting=Weighting()),
    arm("group", "PPO, over the mean of the other answers to the task", advantage="group"),
    arm("twin", "PPO, over what the twin says of the other options", advantage="twin"),
    arm("twin, near", "the same, answers sampled near the likeliest", advantage="twin", temperature=0.4),
)


def tell(findings: Findings) -> Page:
    """Ends of the arms, and weights against none."""
    results = {(run.arm.name, run.task.seed): cast(Result, run.result) for run in findings.done}
    names = [item.name for item in ARMS if any(name == item.name for name, _ in results)]
    ends = {
        name: np.array([_end(found) for (other, _), found in results.items() if other == name]) for name in names
    }
    begun = next((cast(Mapping[str, float], found["start"]) for found in results.values()), {})
    return Page(
        body=(
            _table(ends, begun),
            f"Means over training seeds of the last {LAST} validations (greedy answers to tasks of the generator, "
            "which no training draws, at T0), and their 95 % bootstrap intervals over seeds, which are few.",
            *_weights(results),
            _sampled(results),
        ),
        rows=tuple(_rows(results)),
        draw=lambda figure: _draw(figure, results),
    )


def _end(found: Result) -> list[float]:
    curve = [row for row in cast(Curve, found["curve"]) if VALIDATED[0] in row][-LAST:]
    return [float(np.mean([row[name] for row in curve])) for name in VALIDATED]


def _table(ends: Mapping[str, np.ndarray], begun: Mapping[str, float]) -> str:
    rows = [("before", "", *(f"{begun[name]:.3f}" for name in VALIDATED))] if begun else []
    for name, values in ends.items():
        columns = (told(_interval(column)) for column in values.T)
        rows.append((name, str(len(values)), *columns))
    return table(("arm", "seeds", "completion", "score of completed", "reward", "understood"), rows)


def _interval(values: np.ndarray) -> Interval:
    mean, low, high = band(values[:, None])
    return Interval(float(mean[0]), float(low[0]), float(high[0]))


def _weights(results: Mapping[tuple[str, int], Result]) -> list[str]:
    """The paper's token weights against none, seed by seed."""
    seeds = [seed for name, seed in results if name == "critic, weights" and ("critic", seed) in results]
    if not seeds:
        return []
    pairs = [(_end(results["critic, weights", seed]), _end(results["critic", seed])) for seed in seeds]
    over = np.array(pairs)[:, 0] - np.array(pairs)[:, 1]
    figures = (
        f"{name} {told(_interval(column), signed=True)}" for name, column in zip(VALIDATED, over.T, strict=True)
    )
    return [f"Token weights over none, paired by seed ({len(seeds)} seeds): {', '.join(figures)}."]


def _sampled(results: Mapping[tuple[str, int], Result]) -> str:
    """Means over all steps of what is seen of sampled answers."""
    rows = []
    for name in dict.fromkeys(name for name, _ in results):
        curves = [cast(Curve, found["curve"]) for (other, _), found in results.items() if other == name]
        cells = []
        for figure in SAMPLED:
            values = [row[figure] for curve in curves for row in curve if figure in row]
            cells.append(f"{np.mean(values):.3f}" if values else "-")
        rows.append((name, *cells))
    heads = ("arm", "completed", "reward", "explained variance", "KL", "entropy", "S syntax", "S field", "S value")
    return "Sampled answers, mean of all steps; S is the sensitivity of tokens by class:\n\n" + table(heads, rows)


def _rows(results: Mapping[tuple[str, int], Result]) -> list[Row]:
    return [
        {"arm": name, "seed": seed, **row}
        for (name, seed), found in results.items()
        for row in cast(Sequence[Mapping[str, float]], found["curve"])
    ]


def _draw(figure: Figure, results: Mapping[tuple[str, int], Result]) -> None:
    panels = figure.subplots(1, 3)
    for axes, name in zip(panels, ("reward", "validated", "validated score"), strict=True):
        for place, arm_name in enumerate(dict.fromkeys(name for name, _ in results)):
            for label, found in enumerate(found for (other, _), found in results.items() if other == arm_name):
                curve, own = cast(Curve, found["curve"]), "" if label else arm_name
                plots.course(axes, curve, name, along="step", color=f"C{place}", label=own)
        axes.set_title({"reward": "reward of sampled answers"}.get(name, name), fontsize=9)
    panels[0].legend(fontsize=7)


REINFORCED = Experiment(
    name=NAME,
    title="Ways to reinforce",
    about="Do the paper's token weights help, and whose advantages teach fastest?",
    arms=ARMS,
    seeds=3,
    episodes=20,
    tell=tell,
    lasting="steps of RLDTF",
)
