"""Tokens: how many learnable tokens, by a sweep as in the paper's figure 4, and by successive halving for as much.

Halving tries twice as many numbers of tokens as the sweep, on fewer seeds, for a third of the episodes; the better
half goes on to two thirds, the better half of these to the end, and what is left of the sweep's cost trains the
best one on more seeds. It chooses by the networks for validation, never by those that count.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from matplotlib.figure import Figure

from training.experiments import frozen
from training.experiments.board import Board, board
from training.experiments.experiment import Experiment, Findings
from training.experiments.page import Page, table, told
from training.experiments.run import Arm, ExperimentError, Result, Task
from training.experiments.statistics import gain, iqm
from training.experiments.table1 import learnt, names
from training.experiments.trained import BASE, Evaluate, as_it_is
from training.experiments.verdicts import sign
from training.slicing.config import Config
from training.slicing.score import Score
from training.slicing.train import CHECKPOINT, Row, Training

SWEEP = (0, 5, 10, 20, 30, 40)
SEEDS, EPISODES = 3, 480
CANDIDATES = (0, 2, 5, 8, 10, 15, 20, 25, 30, 35, 40, 50)
RUNGS = 3
"""Of which each adds a third of the episodes, and all but the last keep half of the candidates."""
TRIED_SEEDS = 2
LATE = 3
"""Evaluations that a candidate is judged by."""
LLM = "small"
AUTOMATIC = "halving"


@dataclass(frozen=True, slots=True)
class Halving:
    """The work that chooses the number of tokens, and trains the choice, for what the sweep costs."""

    base: Config = BASE
    candidates: tuple[int, ...] = CANDIDATES
    sweep: tuple[int, int] = (len(SWEEP), SEEDS)
    evaluate: Evaluate = as_it_is

    def __call__(self, task: Task) -> Result:
        """The choice, what it cost in episodes, and its scores over all its seeds as one run of many networks."""
        left, spent, rungs, batches = list(self.candidates), 0, [], -(-task.episodes // self.base.envs)
        if batches < RUNGS:
            raise ExperimentError(f"episodes is {task.episodes}; halving needs {RUNGS * self.base.envs} at least")
        for rung in range(1, RUNGS + 1):
            begin, end = (batches * part // RUNGS for part in (rung - 1, rung))
            worth = {count: self._worth(task, count, end) for count in left}
            spent += len(left) * TRIED_SEEDS * (end - begin) * self.base.envs
            rungs.append({str(count): round(value, 5) for count, value in worth.items()})
            left = sorted(left, key=lambda count: -worth[count])
            if rung < RUNGS:
                left, dropped = left[: -(-len(left) // 2)], left[-(-len(left) // 2) :]
                self._drop(task, dropped)
        chosen, budget = left[0], self.sweep[0] * self.sweep[1] * task.episodes
        more = max(0, (budget - spent) // task.episodes)
        scores = [self._score(task, chosen, seed) for seed in range(1, TRIED_SEEDS + more + 1)]
        return {
            "episodes": task.episodes,
            "chosen": chosen,
            "spent_episodes": spent + more * task.episodes,
            "sweep_episodes": budget,
            "rungs": rungs,
            "seed_scores": [score.plain() for score in scores],
        }

    def _training(self, task: Task, count: int, seed: int) -> Training:
        config = replace(self.base, arm="pa_mrl" if count else "prompt", llm=LLM, tokens=count)
        config = replace(config, episodes=task.episodes, seed=seed)
        return Training(config, self._folder(task, count, seed), torch.device(task.device))

    def _folder(self, task: Task, count: int, seed: int) -> Path:
        return task.folder / f"{count}-tokens" / f"seed-{seed}"

    def _drop(self, task: Task, counts: Sequence[int]) -> None:
        """Keep the curves of what is given up, and nothing else."""
        for count in counts:
            for path in (task.folder / f"{count}-tokens").glob(f"*/{CHECKPOINT}"):
                path.unlink()

    def _worth(self, task: Task, count: int, end: int) -> float:
        """Mean return on the networks for validation when so many batches of episodes are done."""
        values = []
        for seed in range(1, TRIED_SEEDS + 1):
            curve = self._curve(task, count, seed)
            if not curve or curve[-1]["episodes"] < end * self.base.envs:
                training = self._training(task, count, seed)
                training.run(stop_after=end)
                curve = training.curve
            late = [row["reward"] for row in curve if row["episodes"] <= end * self.base.envs][-LATE:]
            values.append(float(np.mean(late)))
        return float(np.mean(values))

    def _curve(self, task: Task, count: int, seed: int) -> list[Row]:
        path = self._folder(task, count, seed) / "curve.json"
        found: list[Row] = json.loads(path.read_text()) if path.exists() else []
        return found

    def _score(self, task: Task, count: int, seed: int) -> Score:
        training = self._training(task, count, seed)
        return self.evaluate(training.run().cpu().eval(), training.config)[""]


def tell(findings: Findings) -> Page:
    """Return by number of tokens, and what halving chose."""
    found = _sweep(findings)
    rows = [
        [arm, str(len(found.of(arm))), told(found.iqm(arm, "reward")), told(found.iqm_here(arm, "reward"))]
        for arm in found.arms
    ]
    return Page(
        body=(
            "Return by number of learnable tokens m:\n\n"
            + table(["m", "runs", "return (IQM, 95 %)", "on these networks"], rows),
            *_shape(found),
            *_halving(findings, found),
        ),
        rows=found.rows(),
        draw=lambda figure: _draw(figure, findings, found),
    )


def _sweep(findings: Findings) -> Board:
    """The scores of the sweep, without halving's."""
    return board([run for run in findings.done if run.arm.name != AUTOMATIC], names(), frozen.SEEDS)


def _shape(found: Board) -> tuple[str, ...]:
    """What the sweep says of the paper's peak at 20."""
    if len(found.arms) < 2:
        return ()
    best = max(found.arms, key=lambda arm: found.iqm(arm, "reward").mean)
    equal = [arm for arm in found.arms if arm != best and sign(found.gain(best, arm, "reward")) == 0]
    text = f"The best number in the sweep is {best}."
    if equal:
        text += f" Not told apart from it: {', '.join(equal)}."
    if "20" in found.arms:
        others = [arm for arm in found.arms if arm != "20"]
        above = [arm for arm in others if sign(found.gain("20", arm, "reward")) > 0]
        told_above = ", ".join(above) or "no other number"
        text += f" The paper's figure 4 peaks near 20; here 20 is above {told_above} beyond chance."
    return (text,)


def _scores(result: Result) -> np.ndarray:
    """Return of the chosen number's runs [seeds, networks]."""
    plain = cast(Sequence[Mapping[str, list[float]]], result["seed_scores"])
    return np.stack([Score.of(item).reward for item in plain])


def _halving(findings: Findings, found: Board) -> tuple[str, ...]:
    results = [run.result for run in findings.done if run.arm.name == AUTOMATIC]
    if not results or results[0] is None:
        return ("Successive halving was not run yet.",)
    result = results[0]
    chosen, rungs = result["chosen"], cast(Sequence[Mapping[str, float]], result["rungs"])
    values = _scores(result)
    lines = [
        f"- rung {number}: " + ", ".join(f"{count} {value:.3f}" for count, value in rung.items())
        for number, rung in enumerate(rungs, 1)
    ]
    text = (
        f"Successive halving over {len(rungs[0])} numbers chose **{chosen}**: return {told(iqm(values))} over "
        f"{len(values)} seeds, for {result['spent_episodes']} episodes where the sweep costs "
        f"{result['sweep_episodes']}. Return on the networks for validation:"
    )
    best = max(found.arms, key=lambda arm: found.iqm(arm, "reward").mean, default=None)
    tail = ""
    if best is not None:
        least = min(len(values), len(found.of(best)))
        more = gain(values[:least] - found.figures(best, "reward")[:least])
        word = {1: "above", -1: "below", 0: "not told apart from"}[sign(more)]
        tail = (
            f"\n\nIts return is {word} that of the sweep's best, {best} ({told(more, signed=True)}), which the "
            "sweep may take by hindsight, from the networks that count."
        )
    return (text + "\n" + "\n".join(lines) + tail,)


def _draw(figure: Figure, findings: Findings, found: Board) -> None:
    axes = figure.subplots()
    for arm in found.arms:
        interval = found.iqm_here(arm, "reward")
        ends = [[max(0.0, interval.mean - interval.low)], [max(0.0, interval.high - interval.mean)]]
        axes.errorbar(int(arm), interval.mean, yerr=ends, fmt="o", color="tab:blue", capsize=3)
    for run in findings.done:
        if run.arm.name == AUTOMATIC and run.result is not None:
            value = iqm(_scores(run.result)).mean
            axes.plot([cast(int, run.result["chosen"])], [value], "*", color="tab:red", label="halving")
            axes.legend()
    axes.set(xlabel="learnable tokens m", ylabel="return, IQM and 95 % over training seeds")
    axes.grid(alpha=0.3)


TOKENS = Experiment(
    name="tokens",
    title="Figure 4: how many learnable tokens",
    about="Is there a best number of learnable tokens, near 20, and can it be found without a sweep?",
    arms=(
        learnt("0", "the prompt alone", arm="prompt", llm=LLM, tokens=0),
        *(learnt(str(count), "", arm="pa_mrl", llm=LLM, tokens=count) for count in SWEEP[1:]),
        Arm(name=AUTOMATIC, about="successive halving for as many episodes", work=Halving(), seeds=1),
    ),
    seeds=SEEDS,
    episodes=EPISODES,
    tell=tell,
)
