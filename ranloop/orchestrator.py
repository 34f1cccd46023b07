"""`ranloop evaluate orchestrator`: what orchestrators, and searches beside them, make of tasks."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ranloop.errors import RanloopError

if TYPE_CHECKING:
    from rich.progress import TaskID

    from rapps.orchestrator.task import Task
    from training.orchestrator.evaluation import Entry
    from training.orchestrator.translation import Translator


class OrchestratorCommandError(RanloopError):
    """An evaluation of orchestrators that cannot be done as asked."""


def evaluate(
    entry: Annotated[
        list[str] | None,
        typer.Option(
            help="Who answers: shipped (default), model:FOLDER, random:N, sized:N, amc:N, bayes:N, free:FOLDER, "
            "taught:FOLDER, endpoint:URL#MODEL or schema:URL#MODEL; may be given again."
        ),
    ] = None,
    tasks: Annotated[
        Path | None,
        typer.Option(help="Your own tasks (JSONL) instead of the held-out ones.", exists=True, dir_okay=False),
    ] = None,
    tier: Annotated[str, typer.Option(help="Who judges: t0 (tables), t1 or t2.")] = "t0",
    limit: Annotated[int | None, typer.Option(help="So many tasks, drawn at random.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Seed of that draw.", min=0)] = 0,
    oracle: Annotated[
        int, typer.Option(help="Measure the gap to the oracle on so many tasks: some minutes each, once.", min=0)
    ] = 0,
    calibration: Annotated[
        Path | None,
        typer.Option(help="How live links are off the twin's, as JSON.", exists=True, dir_okay=False),
    ] = None,
    translate: Annotated[
        int, typer.Option(help="Let the first entry write the programs of so many of its plans itself.", min=0)
    ] = 0,
    prove: Annotated[
        bool, typer.Option("--prove", help="Size every plan by the twin's tier T1, as `ranloop ask` does.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes that ask the twin; 0: none.", min=0)] = 1,
    json_line: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    out: Annotated[
        Path, typer.Option(help="Folder of what is known already; goes on from there.", file_okay=False)
    ] = Path("out/orchestrator"),
) -> None:
    """Completion, score, gap to the oracle and format, each with its interval."""
    from rapps.orchestrator.task import TaskError
    from training.orchestrator import entries
    from training.orchestrator.comparison import compare
    from training.orchestrator.errors import OrchestratorError
    from training.orchestrator.evaluation import Outcomes
    from training.orchestrator.proved_entry import PROVED
    from training.orchestrator.tasks.feasibility import Answers
    from training.orchestrator.translation import plans
    from training.orchestrator.translation import translate as translated
    from training.orchestrator.twin_pool import TwinPool
    from twin.link.errors import CalibrationError
    from twin.link.qos import Tier
    from twin.link.sandbox import Sandbox

    if tier not in list(Tier):
        raise OrchestratorCommandError(f"tier is {tier!r}; it must be one of {', '.join(Tier)}")
    try:
        asked = _calibrated(_tasks(tasks, limit, seed), calibration)
        made = [entries.make(spec) for spec in entry or ("shipped",)]
        outcomes = Outcomes(out / "outcomes.jsonl")
        translator = _translator(made[0]) if translate else None
        with TwinPool(workers=workers) as pool, _progress(len(asked)) as tell:
            found = compare(
                made,
                asked,
                Tier(tier),
                pool=pool,
                outcomes=outcomes,
                answers=Answers(out / "oracle.jsonl"),
                oracle=oracle,
                prove=prove,
                tell=tell,
            )
            translation = None
            if translator is not None:
                with Sandbox() as sandbox:
                    name = f"{translator.name}{PROVED}" if prove else translator.name
                    given = plans(name, asked, Tier(tier), outcomes, translate)
                    translation = translated(translator, given, sandbox, pool)
    except (OrchestratorError, TaskError, CalibrationError, OSError) as error:
        raise OrchestratorCommandError(str(error)) from error
    told = {} if translation is None else {"translation": translation.figures()}
    lines = [found.table()] if translation is None else [found.table(), translation.text()]
    typer.echo(json.dumps(found.figures() | told) if json_line else "\n".join(lines))


def _translator(entry: "Entry") -> "Translator":
    from training.orchestrator.translation import Translator

    if not isinstance(entry, Translator):
        raise OrchestratorCommandError(f"{entry.name} writes no programs; name first an entry that writes freely")
    return entry


def _tasks(path: Path | None, limit: int | None, seed: int) -> "Sequence[Task]":
    """The tasks of a file, or the held-out ones; or some of them, in their order."""
    from rapps.orchestrator import task
    from training.orchestrator.tasks import heldout

    found: Sequence[Task] = task.read(path) if path is not None else heldout.tasks()
    if limit is None or limit >= len(found):
        return found
    return [found[place] for place in sorted(random.Random(seed).sample(range(len(found)), limit))]


def _calibrated(tasks: "Sequence[Task]", path: Path | None) -> "Sequence[Task]":
    """Tasks on the equipment that there is, or the usual one, as it was calibrated."""
    from rapps.orchestrator.task import USUAL_EQUIPMENT
    from twin.link.calibration import Calibration

    if path is None:
        return tasks
    told = Calibration.read(path)
    return [replace(task, equipment=told.applied(task.equipment or USUAL_EQUIPMENT)) for task in tasks]


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str, int], None]]:
    """Bars on standard error, one for everything that is told of."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars: dict[str, TaskID] = {}

        def tell(what: str, done: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=total)
            progress.update(bars[what], completed=done)

        yield tell
