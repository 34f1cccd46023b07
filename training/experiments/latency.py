"""Latency: how long a package of each form takes to decide for 1, 6 and 60 DUs on one core.

Measured is the xApp's own `Actor.share`, prompts and tokens included, on states of the frozen scenario: all DUs in
one batch, and one after another as the xApp decides when their reports do not come together. CPU time stands
beside the clock's, which other work on the machine lengthens; so runs of this experiment should be alone on it.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from matplotlib.figure import Figure

from training.experiments import frozen
from training.experiments.experiment import Experiment, Findings
from training.experiments.page import Page, Row, table
from training.experiments.run import Arm, ExperimentError, Result, Task, folder_of
from training.experiments.table1 import TABLE1, names
from training.experiments.trained import load
from training.slicing import arms
from training.slicing.environment import Environment
from training.slicing.export import Form, export
from training.slicing.fidelity import visited
from xapps.slicing.actor import SHIPPED, Actor

DUS = (1, 6, 60)
MOST, MOST_S, LEAST = 1000, 20.0, 20
"""Decisions of each row: so many, or as many as this time allows, but not fewer than the last."""
SEED, NETWORKS, SEEN_STEPS = 3_200_000, 2, 50
BOUNDS_MS = (10.0, 1000.0)
"""The near-RT RIC's tightest loop, and its slowest."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The work of a form: export an agent of table 1 in it, and measure the package."""

    agent: str
    form: Form

    def __call__(self, task: Task) -> Result:
        """Quantiles by number of DUs."""
        sac, config = load(folder_of(task.runs, TABLE1.name, self.agent, task.seed))
        package = task.folder / "package"
        if package.exists():
            shutil.rmtree(package)
        export(sac, config, {}, package, form=self.form, critic=False)
        return _measured(package)


@dataclass(frozen=True, slots=True)
class Shipped:
    """The work for the package that comes with the xApp."""

    def __call__(self, task: Task) -> Result:
        """Quantiles by number of DUs."""
        if not SHIPPED.exists():
            raise ExperimentError(f"no package is shipped: {SHIPPED} is not there")
        return _measured(SHIPPED)


def _measured(package: Path) -> Result:
    actor, states = Actor.load(package, names()), states_seen()
    size_byte = sum(path.stat().st_size for path in package.iterdir())
    return {"mbyte": round(size_byte / 1e6, 2), "rows": [measure(actor, states, dus) for dus in DUS]}


def states_seen() -> np.ndarray:
    """What there is to see of cells under the demand heuristic: float64 [n, slices, features]."""
    environment, seeds = Environment(frozen.scenario(), NETWORKS), range(SEED, SEED + NETWORKS)
    return visited(environment, arms.demand(), seeds, SEEN_STEPS, every=1).astype(np.float64)


def measure(actor: Actor, states: np.ndarray, dus: int) -> Mapping[str, float]:
    """Quantiles in ms of deciding for some DUs, in one batch and one after another."""

    def batch(turn: int) -> None:
        actor.share(np.take(states, range(turn * dus, (turn + 1) * dus), axis=0, mode="wrap"))

    def each(turn: int) -> None:
        for place in range(turn * dus, (turn + 1) * dus):
            actor.share(states[place % len(states)][None])

    figures: dict[str, float] = {"dus": dus}
    for name, decide in (("batch", batch), ("each", each)):
        figures |= {f"{name} {label}": value for label, value in _timed(decide).items()}
    return figures


def _timed(decide: Callable[[int], None]) -> Mapping[str, float]:
    for turn in range(3):
        decide(turn)
    wall, cpu = [], []
    end = time.perf_counter() + MOST_S
    for turn in range(MOST):
        began_cpu, began = time.process_time(), time.perf_counter()
        decide(turn)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - began_cpu)
        if turn >= LEAST and time.perf_counter() > end:
            break
    p50, p99 = (1e3 * float(np.percentile(wall, percent)) for percent in (50, 99))
    return {
        "p50 ms": round(p50, 3),
        "p99 ms": round(p99, 3),
        "CPU p99 ms": round(1e3 * float(np.percentile(cpu, 99)), 3),
        "decisions": len(wall),
    }


def tell(findings: Findings) -> Page:
    """Rows by form and number of DUs, against the near-RT RIC's bounds."""
    rows: list[Row] = []
    for run in findings.done:
        result = run.result or {}
        for row in cast(list[dict[str, float]], result["rows"]):
            rows.append({"form": run.arm.name, "seed": run.task.seed, "MB": cast(float, result["mbyte"]), **row})
    heads = ["form", "MB", "DUs", "batch p50", "p99", "CPU p99", "one after another p50", "p99", "CPU p99"]
    columns = [f"{way} {part} ms" for way in ("batch", "each") for part in ("p50", "p99", "CPU p99")]
    heads += [f"within {bound:g} ms" for bound in BOUNDS_MS]
    cells = [
        [
            str(row["form"]),
            f"{row['MB']}",
            f"{row['dus']}",
            *(f"{row[column]:.2f}" for column in columns),
            *("yes" if float(row["batch p99 ms"]) <= bound else "no" for bound in BOUNDS_MS),
        ]
        for row in rows
    ]
    return Page(
        body=(
            table(heads, cells),
            "Milliseconds. The bound is held against p99 of all DUs in one batch. A form is a package as the xApp "
            "loads it: `distilled` has a small network in the language model's place, `int8` and `full` hold it.",
        ),
        rows=tuple(rows),
        draw=lambda figure: _draw(figure, rows),
    )


def _draw(figure: Figure, rows: list[Row]) -> None:
    axes = figure.subplots()
    for form in dict.fromkeys(str(row["form"]) for row in rows):
        own = [row for row in rows if row["form"] == form]
        axes.plot([row["dus"] for row in own], [row["batch p99 ms"] for row in own], "o-", label=form)
    for bound in BOUNDS_MS:
        axes.axhline(bound, color="grey", linestyle="--", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel="DUs in a batch", ylabel="p99, ms")
    if rows:
        axes.legend(fontsize=8)


LATENCY = Experiment(
    name="latency",
    title="Latency: which form of agent is quick enough",
    about="How long does each form of package take to decide for 1, 6 and 60 DUs, against 10 ms and 1 s?",
    arms=(
        Arm(name="shipped", about="the package that comes with the xApp", work=Shipped()),
        Arm(name="numbers", about="without a language model", work=Exported("numbers", "distilled")),
        Arm(name="pa_mrl, distilled", about="", work=Exported("pa_mrl", "distilled")),
        Arm(name="pa_mrl, int8", about="", work=Exported("pa_mrl", "int8")),
        Arm(name="pa_mrl, full", about="", work=Exported("pa_mrl", "full")),
        Arm(name="pa_mrl, small LM, int8", about="", work=Exported("pa_mrl, small LM", "int8")),
    ),
    seeds=1,
    episodes=TABLE1.episodes,
    tell=tell,
)
