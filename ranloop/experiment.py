"""`ranloop experiment`: each of the paper's tables and figures, and our own questions, by one command."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ranloop.errors import RanloopError

if TYPE_CHECKING:
    from training.experiments.experiment import Findings
    from training.experiments.run import Run


class ExperimentCommandError(RanloopError):
    """An experiment that cannot be done as asked."""


def experiment(
    name: Annotated[str | None, typer.Argument(help="Which; without one they are listed.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the experiments.")] = False,
    seeds: Annotated[int | None, typer.Option(help="Training seeds of each arm.", min=1)] = None,
    episodes: Annotated[int | None, typer.Option(help="Episodes of each training.", min=1)] = None,
    workers: Annotated[int, typer.Option(help="Processes at once, each of one thread.", min=1)] = 1,
    ray: Annotated[
        str | None, typer.Option(help="Run by Ray instead: a cluster's address, or local.", metavar="ADDRESS")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run this arm only; may be given again.")] = None,
    device: Annotated[str, typer.Option(help="Where agents are trained: cpu or cuda.")] = "cpu",
    runs: Annotated[Path, typer.Option(help="Folder of all runs.", file_okay=False)] = Path("out/experiments"),
    out: Annotated[Path, typer.Option(help="Folder of the pages.", file_okay=False)] = Path("docs/results"),
    report: Annotated[bool, typer.Option("--report", help="Run nothing, write the page alone.")] = False,
) -> None:
    """Run what has no result yet and write the page; goes on where it was interrupted."""
    from training.experiments import catalogue
    from training.experiments.experiment import Findings
    from training.experiments.report import report as write_report
    from training.experiments.run import ExperimentError

    if name is None or list_all:
        for item in catalogue.EXPERIMENTS.values():
            typer.echo(f"{item.name:14} {item.about}")
        return
    try:
        chosen = catalogue.find(name)
        # Ray's tasks run elsewhere, in the same folder.
        runs = runs.resolve()
        asked = chosen.plan(runs, seeds=seeds, episodes=episodes, only=only or (), device=device)
        failed = 0 if report else _run(asked, workers, ray)
        found = Findings.of(chosen, runs, seeds=seeds, episodes=episodes)
        path = write_report(found, out)
    except ExperimentError as error:
        raise ExperimentCommandError(str(error)) from error
    _tell_end(found, path)
    if failed:
        raise typer.Exit(1)


def _run(asked: "tuple[Run, ...]", workers: int, ray: str | None) -> int:
    """Do what has no result yet, telling of each run's end; how many failed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from training.experiments.runner import run_all

    pending = [run for run in asked if run.result is None]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("runs", total=len(asked), completed=len(asked) - len(pending))

        def told(run: "Run", fine: bool) -> None:
            progress.advance(bar)
            told_why = run.failure or "its process died"
            progress.console.print(f"{run}: done" if fine else f"{run}: failed: {told_why}", highlight=False)

        return run_all(pending, told, workers=workers, ray=ray)


def _tell_end(found: "Findings", path: Path) -> None:
    typer.echo(f"{path}: {len(found.done)} of {len(found.planned)} runs have a result")
    for run in found.missing:
        why = f": {run.failure}; see {run.task.folder}" if run.failure else ""
        typer.echo(f"missing: {run}{why}", err=True)
