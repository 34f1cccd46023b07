"""Scale: agents that learnt on 6 DUs and 3 slices, unchanged on up to 60 DUs and 8 slices, and training there.

UEs grow with the DUs. More slices are the three of the frozen scenario again, under other names, each with its
part of the UEs and of the weight, so that the load stays and only the division becomes finer.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

import numpy as np
import torch
from matplotlib.figure import Figure

from training.experiments import frozen, plots
from training.experiments.board import board
from training.experiments.experiment import Experiment, Findings
from training.experiments.page import Page, table, told
from training.experiments.references import DEMAND, HARD, SHIPPED_AGENT, STATIC
from training.experiments.run import Arm, ExperimentError, Result, Run, Task
from training.experiments.settings import Boards, above_and_below, arms_of, named, returns, rows
from training.experiments.stored import RULES, Make, stored
from training.experiments.trained import BASE, Trained, load
from training.slicing import arms
from training.slicing.config import Config
from training.slicing.environment import Environment
from training.slicing.score import Score, play
from twin.network.scenario import Scenario, SliceTraffic

NETWORKS, STEPS = tuple(range(1, 7)), 100
TIMED_STEPS = 40
AGENTS = ("numbers", "random", "pa_mrl")
SIZES = ((6, 3), (20, 3), (60, 3), (6, 4), (6, 5), (6, 6), (6, 8), (20, 6))
SLICES = ("all",)
"""Per-slice figures are not compared between divisions; the mean over slices stands for them."""


def scenario_of(dus: int, slices: int) -> Scenario:
    """The frozen scenario with so many DUs, UEs in proportion, and so many slices."""
    base = frozen.scenario()
    ues = round(base.ues * dus / base.cells)
    return base.with_(cells=dus, ues=ues, slices=divided(base.slices, slices))


def divided(base: Sequence[SliceTraffic], slices: int) -> tuple[SliceTraffic, ...]:
    """So many slices: those of the base in turn, dividing UEs and weight among those of a kind."""
    made = []
    for place in range(slices):
        kind, number = place % len(base), place // len(base)
        parts = len(range(kind, slices, len(base)))
        item = base[kind]
        own = replace(item.slice, sd=(item.slice.sd or 0) + number)
        name = item.name if number == 0 else f"{item.name} {number + 1}"
        made.append(
            replace(
                item,
                name=name,
                slice=own,
                sla=replace(item.sla, slice=own, name=name, weight=item.sla.weight / parts),
                ue_share=item.ue_share / parts,
            )
        )
    return tuple(made)


@cache
def sizes() -> Mapping[str, Scenario]:
    """All that is played, by name."""
    return {f"{dus} DUs, {slices} slices": scenario_of(dus, slices) for dus, slices in SIZES}


@dataclass(frozen=True, slots=True)
class AtSizes:
    """The work of an arm that does not train: play a stored policy at every size."""

    name: str
    networks: tuple[int, ...] = NETWORKS
    steps: int = STEPS

    def __call__(self, task: Task) -> Result:
        """Scores by size, and how long a decision for all DUs of a network takes."""
        return at_sizes(stored(self.name, task), self.networks, self.steps)


@dataclass(frozen=True, slots=True)
class TrainedAt:
    """The work of an arm that trains at another size, and is then played at every size."""

    dus: int
    base: Config = BASE
    networks: tuple[int, ...] = NETWORKS
    steps: int = STEPS

    def __call__(self, task: Task) -> Result:
        """The same, with what the training cost."""
        task.folder.mkdir(parents=True, exist_ok=True)
        path = task.folder / "scenario.json"
        scenario_of(self.dus, len(frozen.scenario().slices)).save(path)
        config = replace(self.base, scenario=str(path), evaluate_every=5)
        result = Trained(base=config, evaluate=lambda sac, config: {})(task)
        sac, _ = load(task.folder)
        return {**result, **at_sizes(lambda scenario: arms.learnt(sac), self.networks, self.steps)}


def at_sizes(policy: Make, networks: Sequence[int], steps: int) -> Result:
    """Scores and seconds of a decision by size; sizes that the policy cannot serve are told."""
    scores: dict[str, object] = {}
    decision_ms: dict[str, float] = {}
    cannot: dict[str, str] = {}
    for size, scenario in sizes().items():
        try:
            score = play(Environment(scenario, len(networks)), policy(scenario), networks, steps)
        except ExperimentError:
            # Nothing was left to be measured, which says nothing of sizes.
            raise
        except (RuntimeError, ValueError) as error:
            cannot[size] = str(error).partition("\n")[0][:200]
            continue
        mean = (score.kept.mean(axis=1, keepdims=True), score.qos.mean(axis=1, keepdims=True))
        scores[size] = Score(score.reward, score.satisfaction, *mean, score.embb_bps).plain()
        decision_ms[size] = _decision_ms(policy, scenario)
    return {"scores": scores, "decision_ms": decision_ms, "cannot": cannot}


@torch.no_grad()
def _decision_ms(policy: Make, scenario: Scenario) -> float:
    """The 99th percentile of deciding for all DUs of one network at once."""
    environment, decide, spans = Environment(scenario, 1), policy(scenario), []
    seen = environment.reset((1,))
    for _ in range(TIMED_STEPS):
        began = time.perf_counter()
        wanted = decide(environment, seen)
        spans.append(time.perf_counter() - began)
        seen = environment.step_ratios(wanted).seen
    return round(1e3 * float(np.percentile(spans[2:], 99)), 3)


def tell(findings: Findings) -> Page:
    """Return by size beside the rules, and what training and deciding cost."""
    boards = {size: board(findings.done, SLICES, NETWORKS, size) for size in sizes()}
    learnt = [arm for arm in arms_of(boards) if arm not in RULES]
    return Page(
        body=(
            "Return (IQM and 95 % interval over training seeds and networks), by size:\n\n" + returns(boards),
            f"Gain over {STATIC} and over {DEMAND} on the same networks:\n\n"
            + table(["arm", *sizes()], [_gains(boards, arm) for arm in learnt]),
            _verdict(boards, learnt),
            _costs(findings.done),
        ),
        rows=rows(boards, "size"),
        draw=lambda figure: _draw(figure, boards),
    )


def _gains(boards: Boards, arm: str) -> list[str]:
    cells = [arm]
    for found in boards.values():
        there = [other for other in (STATIC, DEMAND) if {arm, other} <= set(found.arms)]
        cells.append("; ".join(told(found.gain(arm, other, "reward"), signed=True) for other in there) or "-")
    return cells


def _verdict(boards: Boards, learnt: Sequence[str]) -> str:
    lines = []
    for arm in learnt:
        for other in (STATIC, DEMAND):
            above, below = above_and_below(boards, arm, other)
            lines.append(
                f"- **{arm}** against {other}: above at {named(above, boards, 'size')}. "
                f"Below at {named(below, boards, 'size')}."
            )
    return "\n".join(lines)


def _costs(runs: Sequence[Run]) -> str:
    costs = []
    for run in runs:
        result = run.result or {}
        decision = cast(Mapping[str, float], result.get("decision_ms", {}))
        spent = cast(Mapping[str, float], result.get("training", {})).get("cpu_s")
        episodes = cast(int, result.get("episodes", 0))
        if run.task.seed == 1:
            cost = "-" if spent is None or not episodes else f"{spent / episodes:.2f}"
            cells = [f"{decision[size]:.2f}" if size in decision else "cannot" for size in sizes()]
            costs.append([run.arm.name, cost, *cells])
    head = (
        "CPU seconds to train an episode, and the 99th percentile in ms of deciding for all DUs of a network at "
        "once, on one core in torch (seed 1; [latency](latency.md) has that of packages). *cannot*: what stands "
        "beside the numbers has no place for so many slices."
    )
    return head + "\n\n" + table(["arm", "s an episode", *sizes()], costs)


def _draw(figure: Figure, boards: Boards) -> None:
    figure.set_size_inches(2.2 * len(boards) + 2, 4)
    for axes, (size, found) in zip(figure.subplots(1, len(boards), sharey=True), boards.items(), strict=True):
        plots.points(axes, {arm: found.iqm(arm, "reward") for arm in found.arms}, "return")
        axes.set_title(size, fontsize=9)


SCALE = Experiment(
    name="scale",
    title="Scale: more DUs, UEs and slices",
    about="Do agents that learnt on 6 DUs and 3 slices serve 60 DUs, 2,000 UEs or 8 slices, untrained for them?",
    arms=(
        *(Arm(name=name, about="", work=AtSizes(name), seeds=1) for name in (HARD, *RULES)),
        Arm(name=SHIPPED_AGENT, about="the package of the xApp", work=AtSizes(SHIPPED_AGENT), seeds=1),
        *(Arm(name=name, about="as table 1 left it", work=AtSizes(name)) for name in AGENTS),
        Arm(name="numbers, trained at 20 DUs", about="on numbers, 667 UEs", work=TrainedAt(20)),
    ),
    seeds=3,
    episodes=320,
    tell=tell,
)
