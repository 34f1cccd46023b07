"""Robustness: agents of table 1, unchanged, where they were not trained: the splits of a family of scenarios.

Split `in` varies everything a little, `out-AXIS` takes one axis beyond what training could have seen, `out` all of
them. Each draw is a scenario and a network of its own; all arms meet the same ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from matplotlib.figure import Figure

from training.experiments import plots
from training.experiments.board import board
from training.experiments.experiment import Experiment, Findings
from training.experiments.page import Page, table, told
from training.experiments.references import DEMAND, SHIPPED_AGENT, STATIC
from training.experiments.run import Arm, Result, Task
from training.experiments.settings import Boards, above_and_below, arms_of, named, returns, rows
from training.experiments.stored import RULES, Make, stored
from training.experiments.table1 import LEARNT, TABLE1, names
from training.slicing.environment import Environment
from training.slicing.score import Score, play
from twin.network import families

FAMILY = "slicing"
DRAWS = tuple(range(1, 7))
STEPS = 100


@dataclass(frozen=True, slots=True)
class OnFamily:
    """The work of an arm: play a stored policy on every split."""

    name: str
    draws: tuple[int, ...] = DRAWS
    steps: int = STEPS

    def __call__(self, task: Task) -> Result:
        """Scores by split, over draws."""
        policy, family = stored(self.name, task), families.load(FAMILY)
        scores = {split: self._score(policy, family, split) for split in family.splits}
        return {"scores": {split: score.plain() for split, score in scores.items()}}

    def _score(self, policy: Make, family: families.Family, split: str) -> Score:
        parts = []
        for draw in self.draws:
            scenario = family.draw(split, draw)
            with torch.no_grad():
                parts.append(play(Environment(scenario, 1), policy(scenario), (draw,), self.steps))
        return Score(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Score)))


def tell(findings: Findings) -> Page:
    """Return by split, and gains over static and demand."""
    boards = {
        split: board(findings.done, names(), DRAWS, split)
        for split in families.load(FAMILY).splits
        if findings.done
    }
    return Page(
        body=(
            "Return (IQM and 95 % interval over training seeds and draws), by split:\n\n" + returns(boards),
            f"Gain over {STATIC} on the same draws:\n\n" + _gains(boards, STATIC),
            f"Gain over {DEMAND} on the same draws:\n\n" + _gains(boards, DEMAND),
            "Gain over numbers, the agents without a language model, on the same draws:\n\n"
            + _gains(boards, "numbers", [arm.name for arm in LEARNT]),
            _verdict(boards),
        ),
        rows=rows(boards, "split"),
        draw=lambda figure: _draw(figure, boards),
    )


def _gains(boards: Boards, other: str, arms: Sequence[str] | None = None) -> str:
    cells = [
        [
            arm,
            *(
                told(found.gain(arm, other, "reward"), signed=True) if {arm, other} <= set(found.arms) else "-"
                for found in boards.values()
            ),
        ]
        for arm in arms_of(boards)
        if arm != other and (arms is None or arm in arms)
    ]
    return table(["arm", *boards], cells)


def _verdict(boards: Boards) -> str:
    lines = []
    for arm in arms_of(boards):
        if arm in RULES:
            continue
        for other in (STATIC, DEMAND):
            above, below = above_and_below(boards, arm, other)
            lines.append(
                f"- **{arm}** against {other}: above in {named(above, boards, 'split')}. "
                f"Below in {named(below, boards, 'split')}."
            )
    return "\n".join(lines)


def _draw(figure: Figure, boards: Boards) -> None:
    panels = figure.subplots(1, max(1, len(boards)), sharey=True, squeeze=False)[0]
    figure.set_size_inches(2.2 * max(1, len(boards)) + 2, 4)
    for axes, (split, found) in zip(panels, boards.items(), strict=False):
        gains = {
            arm: found.gain(arm, STATIC, "reward") for arm in found.arms if STATIC in found.arms and arm != STATIC
        }
        plots.points(axes, gains, "over static")
        axes.axvline(0.0, color="grey", linewidth=0.8)
        axes.set_title(split)


ROBUSTNESS = Experiment(
    name="robustness",
    title="Robustness: where agents were not trained",
    about="Do the agents of table 1 still help on loads, traffic, channels and promises that they never met?",
    arms=(
        *(Arm(name=name, about="", work=OnFamily(name), seeds=1) for name in (*RULES, SHIPPED_AGENT)),
        *(Arm(name=arm.name, about=arm.about, work=OnFamily(arm.name)) for arm in LEARNT),
    ),
    seeds=3,
    episodes=TABLE1.episodes,
    tell=tell,
)
