"""`ranloop train orchestrator`: the four stages of a 6G-LLM on the link twin."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ranloop.errors import RanloopError


class OrchestratorTrainingError(RanloopError):
    """A training that cannot be done as asked."""


def train(
    preset: Annotated[str, typer.Option(help="smoke, cpu or gpu.")] = "cpu",
    until: Annotated[
        str, typer.Option(help="Last stage: foundation, pretraining, instruction, rejection or rldtf.")
    ] = "rldtf",
    foundation: Annotated[
        str | None,
        typer.Option(help="A folder, model package or hub id to begin with, instead of a new edge model."),
    ] = None,
    begin: Annotated[
        str | None, typer.Option(help="First stage, where the foundation is trained already: pretraining, ...")
    ] = None,
    tasks: Annotated[
        Path | None,
        typer.Option(
            help="Your own tasks (JSONL, with demand and equipment) to learn too.", exists=True, dir_okay=False
        ),
    ] = None,
    own_share: Annotated[
        float, typer.Option(help="Share of your own tasks; the rest are the generator's.", min=0.01, max=1.0)
    ] = 0.5,
    calibration: Annotated[
        Path | None, typer.Option(help="How live links are off the twin's (JSON).", exists=True, dir_okay=False)
    ] = None,
    domain: Annotated[
        list[Path] | None, typer.Option(help="Folder of the domain's documents; may be given again.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0)] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
    twin_workers: Annotated[int, typer.Option(help="Processes that ask the twin; 0: none.", min=0)] = 0,
    out: Annotated[
        Path, typer.Option(help="Folder of the stages; a training goes on there.", file_okay=False)
    ] = Path("out/orchestrator/training"),
) -> None:
    """Pre-train, instruct, sample and reject, and reinforce by the twin; goes on where it was interrupted."""
    import torch
    from rich.console import Console

    from training.orchestrator.errors import OrchestratorError
    from training.orchestrator.pipeline import STAGES
    from training.orchestrator.presets import PRESETS
    from training.orchestrator.training import train as trained

    if preset not in PRESETS:
        raise OrchestratorTrainingError(f"there is no preset {preset!r}; there are {', '.join(PRESETS)}")
    if until not in STAGES:
        raise OrchestratorTrainingError(f"there is no stage {until!r}; there are {', '.join(STAGES)}")
    torch.set_num_threads(threads)
    console = Console(stderr=True, highlight=False)
    usual = PRESETS[preset]

    def tell(stage: str, row: dict[str, float]) -> None:
        console.print(stage, "  ".join(f"{name} {value:.4g}" for name, value in row.items()), soft_wrap=True)

    try:
        config = replace(
            usual,
            foundation=foundation or usual.foundation,
            begin=begin,
            own_tasks=tasks,
            own_share=own_share,
            calibration=calibration,
            seed=seed,
            domain=tuple(domain or ()),
            twin_workers=twin_workers,
        )
        trained(config, out, tell, until)
    except OrchestratorError as error:
        raise OrchestratorTrainingError(str(error)) from error
    typer.echo(str(out / until / "model"))
