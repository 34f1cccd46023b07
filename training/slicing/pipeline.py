"""Pipeline: what the commands do, from a preset to a package, and from packages to a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from oran.model_package import Metric
from training.slicing import arms
from training.slicing.arms import Policy
from training.slicing.branching_rounds import Branching, Rounds, agent_of, policy_of, start_of
from training.slicing.comparison import REFERENCE, Comparison, Tell, compare
from training.slicing.config import PRESETS
from training.slicing.environment import Environment
from training.slicing.export import Form, export
from training.slicing.score import Interval, play
from training.slicing.train import Row, Training
from training.slicing.tuning import best_split, tuned_demand
from twin.network import library
from xapps.slicing.actor import SHIPPED, Actor

PACKAGE = "package"
METRIC_SEED, METRIC_SEEDS, METRIC_STEPS = 3_000_000, 20, 100


def train(
    preset: str, changes: Mapping[str, object], device: str, out: Path, *, branching: Branching | None = None
) -> Path:
    """Train by a preset with some fields changed, or go on with that; the package's folder.

    With `branching` what is trained so is only the first policy, from which branching goes on, on the CPU.
    """
    config = replace(PRESETS[preset], **changes)  # type: ignore[arg-type]
    if branching is not None:
        config = start_of(config, branching)
    training = Training(config, out, torch.device(device))
    console, write = Console(stderr=True), events(out / "events")

    def tell(row: Row) -> None:
        write(row)
        console.print(
            f"{row['episodes']:.0f} of {config.episodes} episodes: return {row['reward']:.3f}, "
            f"satisfaction {row['satisfaction']:.3f}, {row['round_s']:.0f} s a round"
        )

    def say(text: str) -> None:
        console.print(f"{text} ...")

    sac = training.run(tell).cpu().eval()
    if branching is not None:
        rounds = Rounds(branching, training.scenario, policy_of(sac), out / "branching")
        sac = agent_of(config, rounds.run(say))
    seeds = range(METRIC_SEED, METRIC_SEED + METRIC_SEEDS)
    score = play(Environment(training.scenario, len(seeds)), arms.learnt(sac), seeds, METRIC_STEPS)
    metrics = {
        "return": _metric(Interval.of(score.reward)),
        "satisfaction": _metric(Interval.of(score.satisfaction)),
    }
    folder = _fresh(out)
    method = {} if branching is None else branching.flat()
    export(sac, sac.config, metrics, folder, critic=branching is None, method=method, tell=say)
    return folder


def repackage(run: Path, form: Form, out: Path, tell: Tell) -> None:
    """Make another form of package of a trained agent in its training's folder."""
    training = Training.restored(run)
    export(training.sac, training.config, {}, out, form=form, tell=tell)


def events(folder: Path) -> Callable[[Row], None]:
    """Writes rows of the curve for TensorBoard, each figure by episodes."""
    from torch.utils.tensorboard import SummaryWriter

    def write(row: Row) -> None:
        with SummaryWriter(str(folder)) as writer:
            for name, value in row.items():
                writer.add_scalar(name, value, int(row["episodes"]))

    return write


def evaluate(
    scenario: str,
    models: Sequence[Path],
    seeds: Sequence[int],
    seconds: float,
    *,
    grid: int = 0,
    tuned: bool = False,
    bound: bool = True,
    tell: Tell = lambda name: None,
) -> Comparison:
    """Compare packages (the shipped one, where none is named and there is one) with the heuristics."""
    chosen = library.load(scenario)
    slices, steps = len(chosen.slices), max(1, round(seconds / chosen.step_s))
    policies: dict[str, Callable[[], Policy]] = {
        "hard": lambda: arms.hard(slices),
        REFERENCE: lambda: arms.static(slices),
        "demand": arms.demand,
    }
    if grid:
        percent = best_split(chosen, METRIC_STEPS, parts=grid, tell=tell)
        policies[f"split {'/'.join(f'{part:.0f}' for part in percent)}"] = lambda: arms.split(percent)
    if tuned:
        config = tuned_demand(chosen, tell=tell)
        policies["demand, tuned"] = lambda: arms.demand(config)
    names = tuple(item.name for item in chosen.slices)
    for folder in models or ([SHIPPED] if SHIPPED.exists() else []):
        actor = Actor.load(folder, names)
        policies[_free(str(actor), policies)] = lambda actor=actor: arms.packaged(actor)  # type: ignore[misc]
    return compare(chosen, policies, seeds, steps, bound=bound, tell=tell)


def table(found: Comparison) -> str:
    """The comparison as text."""
    names = [item.name for item in found.scenario.slices]
    made = Table("arm", "return", "room", "satisfaction", "room", *names, f"eMBB over {REFERENCE} %")
    for arm, score in found.scores.items():
        rooms = [found.headroom(arm, figure) for figure in ("reward", "satisfaction")]
        told = ["-" if room is None else f"{room.mean:.2f}" for room in rooms]
        made.add_row(
            arm,
            str(Interval.of(score.reward)),
            told[0],
            str(Interval.of(score.satisfaction)),
            told[1],
            *(f"{share:.3f}" for share in score.kept.mean(axis=0)),
            f"{found.embb_percent(arm, REFERENCE).mean:+.1f}",
        )
    console = Console(width=150)
    with console.capture() as text:
        console.print(f"{len(found.seeds)} seeds, {found.steps} control intervals each; 95 % intervals over seeds")
        console.print(made)
        console.print(f"Room: which part of the way it goes from {REFERENCE} to one who knows the future.")
    return text.get().rstrip()


def _metric(interval: Interval) -> Metric:
    return Metric(interval.mean, interval.low, interval.high)


def _free(name: str, taken: Mapping[str, object]) -> str:
    number = 2
    told = name
    while told in taken:
        told, number = f"{name} ({number})", number + 1
    return told


def _fresh(out: Path) -> Path:
    """A folder for the package that is not there yet."""
    number, folder = 1, out / PACKAGE
    while folder.exists():
        number, folder = number + 1, out / f"{PACKAGE}-{number + 1}"
    return folder
