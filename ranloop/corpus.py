"""`ranloop corpus build`: the texts that a 6G-LLM is pre-trained on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ranloop.errors import RanloopError

if TYPE_CHECKING:
    from rich.progress import TaskID

app = typer.Typer(no_args_is_help=True, help="Make the corpus that a 6G-LLM is pre-trained on.")


class CorpusCommandError(RanloopError):
    """A corpus that cannot be built as asked."""


@app.callback()
def _corpus() -> None:
    """Make the corpus that a 6G-LLM is pre-trained on."""


@app.command()
def build(
    domain: Annotated[
        list[Path] | None, typer.Option(help="Folder of the domain's documents; may be given again.")
    ] = None,
    general: Annotated[
        list[Path] | None, typer.Option(help="Folder of general English instead of our own; may be given again.")
    ] = None,
    own: Annotated[bool, typer.Option(help="Take primers, the toolkit's reference and facts of the twin.")] = True,
    facts: Annotated[int, typer.Option(help="Facts that the twin is asked for.", min=0)] = 1_000,
    domain_share: Annotated[
        float, typer.Option(help="Share of characters that are to be of the domain.", min=0, max=1)
    ] = 0.8,
    seed: Annotated[int, typer.Option(help="Seed of facts, mix and order.", min=0)] = 1,
    workers: Annotated[int, typer.Option(help="Processes that read files.", min=1, max=256)] = 1,
    json_line: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
    out: Annotated[Path, typer.Option(help="Folder of the corpus; goes on there.", file_okay=False)] = Path(
        "out/orchestrator/corpus"
    ),
) -> None:
    """Read, clean, filter and mix documents into shards, with a report.

    Reads docx, pdf, html, Markdown and plain text. An interrupted build goes on where it was.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from training.orchestrator.corpus.build import CorpusConfig
    from training.orchestrator.corpus.build import build as built
    from training.orchestrator.corpus.errors import CorpusError
    from training.orchestrator.corpus.reading import Reading

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars: dict[str, TaskID] = {}

        def tell(source: str, done: int, total: int) -> None:
            if source not in bars:
                bars[source] = progress.add_task(source, total=total)
            progress.update(bars[source], completed=done)

        try:
            config = CorpusConfig(
                out=out,
                domain=tuple(domain or ()),
                general=tuple(general or ()),
                own=own,
                facts=facts,
                domain_share=domain_share,
                seed=seed,
                reading=Reading(workers=workers),
            )
            report = built(config, tell)
        except CorpusError as error:
            raise CorpusCommandError(str(error)) from error
    typer.echo(report.to_json(indent=None) if json_line else report.table())
