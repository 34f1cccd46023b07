"""`ranloop train orchestrator`: the four stages of a 6G-LLM on the link twin."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from ranloop.errors import RanloopError

if TYPE_CHECKING:
    from rich.table import Table


class OrchestratorTrainingError(RanloopError):
    """A training that cannot be done as asked."""


def train(
    preset: Annotated[str, typer.Option(help="smoke, cpu, gpu or qwen7b.")] = "cpu",
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
    steps: Annotated[int | None, typer.Option(help="Steps of RLDTF, instead of the preset's.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0)] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
    twin_workers: Annotated[int, typer.Option(help="Processes that ask the twin; 0: none.", min=0)] = 0,
    lora: Annotated[
        int | None, typer.Option(help="Train adapters of such a rank, not all weights.", min=1)
    ] = None,
    vllm: Annotated[
        str | None,
        typer.Option(help="A vLLM server that samples the answers, in development mode.", metavar="URL#MODEL"),
    ] = None,
    vllm_folder: Annotated[
        str, typer.Option(help="The folder of --out as that server sees it, where it differs.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only rehearse, on few layers, and tell the memory per GPU.")
    ] = False,
    out: Annotated[
        Path, typer.Option(help="Folder of the stages; a training goes on there.", file_okay=False)
    ] = Path("out/orchestrator/training"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object of figures.")] = False,
) -> None:
    """Pre-train, instruct, sample and reject, and reinforce by the twin; goes on where it was interrupted."""
    import torch
    from rich.console import Console

    from training.orchestrator import ranks
    from training.orchestrator.errors import OrchestratorError
    from training.orchestrator.pipeline import STAGES
    from training.orchestrator.presets import PRESETS, with_adapters
    from training.orchestrator.rehearsal import memories, rehearsed
    from training.orchestrator.training import train as trained

    if preset not in PRESETS:
        raise OrchestratorTrainingError(f"there is no preset {preset!r}; there are {', '.join(PRESETS)}")
    if until not in STAGES:
        raise OrchestratorTrainingError(f"there is no stage {until!r}; there are {', '.join(STAGES)}")
    torch.set_num_threads(threads)
    console = Console(stderr=True, highlight=False)
    usual = PRESETS[preset]

    def tell(stage: str, row: dict[str, float]) -> None:
        if ranks.number() == 0:
            console.print(stage, "  ".join(f"{name} {value:.4g}" for name, value in row.items()), soft_wrap=True)

    try:
        config = replace(
            usual,
            rldtf=replace(usual.rldtf, steps=steps or usual.rldtf.steps),
            foundation=foundation or usual.foundation,
            begin=begin,
            own_tasks=tasks,
            own_share=own_share,
            calibration=calibration,
            seed=seed,
            domain=tuple(domain or ()),
            twin_workers=twin_workers,
            vllm=vllm,
            vllm_folder=vllm_folder,
        )
        if lora is not None:
            config = with_adapters(config, lora)
        if dry_run:
            with TemporaryDirectory() as folder:
                trained(rehearsed(config), Path(folder), tell, until)
                stages = _figures(Path(folder))
            rows = [row.to_json() for row in memories(config)]
            figures: dict[str, object] = {"stages": stages, "memory": rows}
        else:
            if config.held.dtype == "bfloat16" and config.held.lora is None and not ranks.sharded():
                raise OrchestratorTrainingError(
                    f"the weights of {preset} are bfloat16, in which small steps are lost: start it by "
                    "`accelerate launch` with DeepSpeed (docs/scale_llm.md), or train adapters with --lora 16"
                )
            trained(config, out, tell, until)
            figures = {"model": str(out / until / "model"), "stages": _figures(out)}
    except OrchestratorError as error:
        raise OrchestratorTrainingError(str(error)) from error
    ranks.part()
    if ranks.number() != 0:
        return
    if as_json:
        typer.echo(json.dumps(figures))
    elif dry_run:
        Console().print(_table(rows))
    else:
        typer.echo(figures["model"])


def _figures(folder: Path) -> dict[str, object]:
    """What each stage was at its end."""
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("*/done.json"))}


def _table(rows: Sequence[Mapping[str, float]]) -> "Table":
    """Memory in GiB, a column for each number of GPUs."""
    from rich.table import Table

    heads = ["", *(f"{'LoRA' if row['lora'] else 'all'} {row['gpus']:g}" for row in rows)]
    table = Table(*heads, title="GiB on each of so many GPUs; a critic comes on top where RLDTF has one", box=None)
    last = ("total", "critic")
    for name in (*(name for name in rows[0] if name not in ("gpus", "lora", *last)), *last):
        table.add_row(name, *(f"{row[name] / 2**30:.1f}" for row in rows))
    return table
