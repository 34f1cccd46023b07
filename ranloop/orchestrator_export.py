"""`ranloop export orchestrator`: a trained 6G-LLM as the package that the rApp runs without torch."""

from pathlib import Path
from typing import Annotated

import typer

from ranloop.errors import RanloopError


class OrchestratorExportError(RanloopError):
    """A package that cannot be made as asked."""


def export(
    run: Annotated[
        Path,
        typer.Argument(
            help="The folder of a training, or a package whose evaluations are new.", exists=True, file_okay=False
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the package, not there yet.", file_okay=False)],
    stage: Annotated[str, typer.Option(help="The stage whose model it is.")] = "rldtf",
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(
            help="What `ranloop evaluate orchestrator --json` printed of this model; may be given again, by tier.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Make the package, with model card and data card; its manifest tells what half precision changes."""
    import torch

    from oran.model_package import MANIFEST
    from training.orchestrator import shipping
    from training.orchestrator.errors import OrchestratorError

    if out.exists():
        raise OrchestratorExportError(f"{out} is there already; name another folder by --out")
    torch.set_num_threads(1)
    try:
        if (run / MANIFEST).exists():
            shipping.judge_anew(run, evaluation or (), out)
        else:
            shipping.ship(run, stage, evaluation or (), out, lambda text: typer.echo(f"{text} ...", err=True))
    except OrchestratorError as error:
        raise OrchestratorExportError(str(error)) from error
    typer.echo(f'{out}: ask it with ranloop ask "..." --model {out}')
