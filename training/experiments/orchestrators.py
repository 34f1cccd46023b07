"""Orchestrators: the 6G-LLM stage by stage, and searches, on held-out tasks (figures 4 to 7 of the paper).

One training with the preset of a CPU leaves a model after each stage; every one answers each held-out task once,
the likeliest answer, whose sizes T1 makes, and T1 says by other channels what it is worth. Searches are told the
true demand and ask tier T0.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

from matplotlib.figure import Figure

from training.experiments import plots
from training.experiments.audited import Audit
from training.experiments.experiment import Experiment, Findings
from training.experiments.page import Page, Row, table, told
from training.experiments.plots import Curve
from training.experiments.run import Arm, Result, Run, Task, folder_of
from training.orchestrator import entries
from training.orchestrator.comparison import compare
from training.orchestrator.evaluation import Entry, Outcomes
from training.orchestrator.pipeline import MODEL, STAGES
from training.orchestrator.presets import PRESETS
from training.orchestrator.rejection import ROUNDS
from training.orchestrator.scores import REWARD_RANGE
from training.orchestrator.supervised import CURVE, read_rows
from training.orchestrator.tasks import heldout
from training.orchestrator.tasks.feasibility import Answers
from training.orchestrator.tasks.task import Task as Asked
from training.orchestrator.training import train
from training.orchestrator.twin_pool import TwinPool
from training.slicing.score import Interval
from twin.link.qos import Tier

NAME, FULL = "orchestrators", "6G-LLM"
GAP = "optimality_gap_of_range"
FIGURES = ("completion", "mean_score", GAP, "format_compliance", "understood", "held")
TASKS = 1_100
"""Held-out tasks that are asked, drawn at random: the oracle may take a minute to call one infeasible."""
GAUGED = 30
"""Tasks of them that the oracle is asked about for the gap."""
PAPER = (
    "The paper reports almost 75 % one-shot completion on tasks of its own, by a model of seven billion weights."
)
_TOLD = {
    "foundation": "no training",
    "pretraining": "phase 1: pre-training",
    "instruction": "phase 1: pre-training and instruction",
    "rejection": "phase 2: rejection sampling",
    "rldtf": "phase 2: RLDTF",
}
PANELS = (
    ("pretraining", "loss", "pre-training: loss"),
    ("instruction", "loss", "instruction: loss"),
    ("rejection", "validated", "rejection sampling: validated completion"),
    ("rldtf", "reward", "RLDTF: reward of sampled answers"),
    ("rldtf", "kl", "RLDTF: KL to the reference, nats a choice"),
    ("rldtf", "validated", "RLDTF: validated completion"),
)
"""Stage, figure of its curve, and what it is."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The work of a whole training: `episodes` are the steps of its last stage."""

    preset: str = "cpu"
    tasks: int = TASKS

    def __call__(self, task: Task) -> Result:
        """Curves of the stages, and the figures of each one's model."""
        config = PRESETS[self.preset]
        config = replace(config, seed=task.seed, rldtf=replace(config.rldtf, steps=task.episodes))
        folder = task.folder / "stages"
        train(config, folder, lambda stage, row: None)
        models = [entries.make(f"model:{folder / stage / MODEL}") for stage in reversed(STAGES)]
        curves = {stage: read_rows(folder / stage / CURVE) for stage in STAGES}
        curves["rejection"] = read_rows(folder / "rejection" / ROUNDS)
        found = judged(models, task, self.tasks, prove=True)
        return {"episodes": task.episodes, "curves": curves, "figures": found}


@dataclass(frozen=True, slots=True)
class Searched:
    """The work of a search."""

    entry: str
    tasks: int = TASKS
    prove: bool = False
    """Whether its chains get the sizes that models' get."""

    def __call__(self, task: Task) -> Result:
        """Its figures."""
        return {"figures": judged([entries.make(self.entry)], task, self.tasks, prove=self.prove)}


@dataclass(frozen=True, slots=True)
class Audited:
    """The work of an audit of the last stage's plans, or of the shipped model's where no training was run here."""

    plans: int = 200

    def __call__(self, task: Task) -> Result:
        """Shares of verdicts."""
        home = folder_of(task.runs, NAME, FULL, task.seed)
        entry = entries.make(last_stage(home))
        return Audit(entry, drawn(TASKS), home / "outcomes.jsonl", self.plans, prove=True)(task)


def last_stage(home: Path) -> str:
    """The entry of a training's last stage by the folder of its run; the shipped model's where there is none."""
    model = home / "stages" / STAGES[-1] / MODEL
    return f"model:{model}" if model.exists() else "shipped"


def drawn(count: int) -> list[Asked]:
    """So many of the held-out tasks, at random and in their order."""
    every = heldout.tasks()
    return [every[place] for place in sorted(random.Random(0).sample(range(len(every)), count))]


def judged(models: Sequence[Entry], task: Task, count: int, *, prove: bool) -> Mapping[str, object]:
    """Figures of entries on the held-out tasks at T1; the first has its gains over the others."""
    with TwinPool(workers=1) as pool:
        found = compare(
            models,
            drawn(count),
            Tier.T1,
            pool=pool,
            outcomes=Outcomes(task.folder / "outcomes.jsonl"),
            answers=Answers(task.runs / "oracle.jsonl"),
            oracle=GAUGED,
            prove=prove,
        )
    return found.figures()


def _every(figures: dict[str, object]) -> list[dict[str, object]]:
    """Those of the first entry, then those of the others."""
    return [figures, *cast(list[dict[str, object]], figures["others"])]


Found = Mapping[str, Mapping[str, object]]
"""Figures by who answered."""


def tell(findings: Findings) -> Page:
    """The table of stages and searches, and the curves of the training."""
    found = {(name, run.task.seed): told for run in findings.done for name, told in _found(run).items()}
    curves = [had for run in findings.done if (had := _curves(run))]
    return Page(
        body=(_table(found), _HOW_TO_READ, _steps(findings), *_audits(findings), PAPER),
        rows=tuple(_rows_of(found)),
        draw=lambda figure: _draw(figure, curves),
    )


_HOW_TO_READ = (
    "Held-out tasks, one answer each, the likeliest; intervals of 95 % draw texts with all equipment states they "
    "stand on. Score is the reward of completed tasks (at most 1). Gap is what the reward at T1 lies below the "
    f"best that is known there, in percent of the range of {REWARD_RANGE:g}, on {GAUGED} tasks drawn at random: "
    "of the chains that come closest to the oracle's best at T0, and of others that do well there, all proved, "
    "that which T1 finds best by other channels. "
    "Held: of plans that meet the demand at T0, the share that do at T1."
)


def _found(run: Run) -> Found:
    """By stage or search."""
    if run.result is None or "figures" not in run.result:
        return {}
    every = _every(cast(dict[str, object], run.result["figures"]))
    if not _curves(run):
        return {run.arm.name: every[0]}
    return dict(zip((_TOLD[stage] for stage in reversed(STAGES)), every, strict=True))


def _curves(run: Run) -> Mapping[str, Curve]:
    """By stage, of a training; nothing of a search."""
    return cast(Mapping[str, Curve], (run.result or {}).get("curves", {}))


def _interval(found: Mapping[str, object] | None, figure: str) -> Interval | None:
    """A figure, or none where there was nothing to take a mean of."""
    kept = None if found is None else found.get(figure)
    return Interval(**cast(Mapping[str, float], kept)) if kept else None


def _group(found: Mapping[str, object], kind: str, name: str) -> Mapping[str, object] | None:
    by = cast(Mapping[str, Mapping[str, Mapping[str, object]]], found["by"])
    return by.get(kind, {}).get(name)


def _table(found: Mapping[tuple[str, int], Mapping[str, object]]) -> str:
    won = ("completion %", "score", "explicit %", "explicit score", "implicit %", "implicit score")
    heads = ("who", "seed", *won, "gap %", "understood %", "held %")
    rows = []
    for (name, seed), figures in found.items():
        cells = (
            *(
                (group, figure, scale)
                for group in (figures, *(_group(figures, "demand", told) for told in ("explicit", "implicit")))
                for figure, scale in (("completion", 100.0), ("mean_score", 1.0))
            ),
            (figures, GAP, 100.0),
            (figures, "understood", 100.0),
            (figures, "held", 100.0),
        )
        rows.append((name, str(seed), *(_told(_interval(some, figure), scale) for some, figure, scale in cells)))
    return table(heads, rows)


def _told(found: Interval | None, scale: float) -> str:
    if found is None:
        return "-"
    return told(Interval(found.mean * scale, found.low * scale, found.high * scale), 1 if scale > 1.0 else 3)


def _steps(findings: Findings) -> str:
    """What the last stage has over each one before it, on the same tasks."""
    lines = []
    for run in findings.done:
        if not _curves(run):
            continue
        for name, figures in list(_found(run).items())[1:]:
            had = cast(Mapping[str, object], figures["gain_of_first"])
            completion, reward = _interval(had, "completion"), _interval(had, "reward")
            if completion and reward:
                lines.append(
                    f"- over *{name}* (seed {run.task.seed}): completion {told(completion, signed=True)}, "
                    f"reward {told(reward, signed=True)}"
                )
    return "Gains of RLDTF on the same tasks:\n" + "\n".join(lines)


def _audits(findings: Findings) -> Iterator[str]:
    for run in findings.done:
        if run.result is not None and "shares" in run.result:
            shares = cast(Mapping[str, Mapping[str, float]], run.result["shares"])
            held, met = (_told(Interval(**shares[name]), 100.0) for name in ("held", "met"))
            yield (
                f"Audit of {run.result['plans']} completed plans, drawn at random, by up to "
                f"{run.result['most_blocks']} blocks each at T2: {held} % are not contradicted. Of all, {met} % "
                "are shown by counting to keep their bit error rate, too; for the rest these are too few blocks."
            )


def _rows_of(found: Mapping[tuple[str, int], Mapping[str, object]]) -> Iterator[Row]:
    for (name, seed), figures in found.items():
        groups = {"all": figures}
        for kind, some in cast(Mapping[str, Mapping[str, Mapping[str, object]]], figures["by"]).items():
            groups |= {f"{kind}: {group}": inner for group, inner in some.items()}
        for group, inner in groups.items():
            for figure in FIGURES:
                if (had := _interval(inner, figure)) is not None:
                    yield {"who": name, "seed": seed, "group": group, "figure": figure, **asdict(had)}


def _draw(figure: Figure, curves: Sequence[Mapping[str, Curve]]) -> None:
    """Figures 4 and 5 of the paper: how each stage went."""
    grid = figure.subplots(2, 3)
    for axes, (stage, name, label) in zip(grid.flat, PANELS, strict=True):
        for rows in (had[stage] for had in curves):
            plots.course(axes, rows, name, along="round" if stage == "rejection" else "step")
        axes.set_title(label, fontsize=9)


ORCHESTRATORS = Experiment(
    name=NAME,
    title="The 6G-LLM, stage by stage",
    about="What does each stage of the training bring on tasks that no training saw, and what do searches reach?",
    arms=(
        Arm(name=FULL, about="the whole training of the cpu preset", work=Trained()),
        *(
            Arm(name=name, about="a search that is told the true demand", work=Searched(name), seeds=1)
            for name in ("random:1", "amc:8", "bayes:32")
        ),
        Arm(
            name="sized:1, proved",
            about="modules by chance, with the sizes that the models' get",
            work=Searched("sized:1", prove=True),
            seeds=1,
        ),
        Arm(name="audit at T2", about="200 completed plans put to Monte Carlo", work=Audited(), seeds=1),
    ),
    seeds=1,
    episodes=PRESETS["cpu"].rldtf.steps,
    tell=tell,
    lasting="steps of RLDTF",
)
