"""`ranloop train` and `ranloop evaluate`: learning on the twin from the command line."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ranloop import orchestrator, orchestrator_export, orchestrator_training
from ranloop.errors import RanloopError

train_app = typer.Typer(no_args_is_help=True, help="Train models on the twin.")
evaluate_app = typer.Typer(no_args_is_help=True, help="Measure models on the twin.")
export_app = typer.Typer(no_args_is_help=True, help="Turn trained models into packages.")


class LearnCommandError(RanloopError):
    """A training or an evaluation that cannot be done as asked."""


def _require_new(folder: Path) -> None:
    if folder.exists():
        raise LearnCommandError(f"{folder} is there already; name another folder by --out")


def _tell_how_to_run(package: Path) -> None:
    typer.echo(f"{package}: run it with ranloop xapp --controller learned --model {package}")


@train_app.callback()
def _train() -> None:
    """Train models on the twin."""


@evaluate_app.callback()
def _evaluate() -> None:
    """Measure models on the twin."""


@export_app.callback()
def _export() -> None:
    """Turn trained models into packages."""


@train_app.command("slicing")
def train_slicing(
    preset: Annotated[str, typer.Option(help="smoke, cpu, gpu or paper.")] = "cpu",
    method: Annotated[
        str, typer.Option(help="sac; or branching, which goes on from it by futures that only a twin can tell.")
    ] = "sac",
    arm: Annotated[
        str | None, typer.Option(help="What agents know: numbers, matched, random, prompt, frozen or pa_mrl.")
    ] = None,
    llm: Annotated[
        str | None, typer.Option(help="Language model of the last three: minilm, small, a folder or a hub id.")
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="A scenario's name, or its file.")] = None,
    episodes: Annotated[int | None, typer.Option(help="Episodes over all networks.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0)] = 1,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another field of the configuration, e.g. tokens=10; may be given again."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, curve and package.", file_okay=False)] = Path(
        "out/slicing"
    ),
) -> None:
    """Train slicing agents; goes on where it was interrupted, and leaves a model package for the xApp."""
    import torch

    from training.slicing import pipeline
    from training.slicing.branching_rounds import branching_of
    from training.slicing.config import PRESETS, ConfigError, parsed
    from training.slicing.llm import LlmError
    from twin.network.errors import TwinError

    if preset not in PRESETS:
        raise LearnCommandError(f"preset is {preset!r}; it must be one of {', '.join(PRESETS)}")
    if method not in ("sac", "branching"):
        raise LearnCommandError(f"method is {method!r}; it must be sac or branching")
    torch.set_num_threads(threads)
    named = {"arm": arm, "llm": llm, "scenario": scenario, "episodes": episodes, "seed": seed}
    try:
        changes = {**parsed(change or ()), **{name: value for name, value in named.items() if value is not None}}
        branching = None if method == "sac" else branching_of(preset, seed, episodes)
        package = pipeline.train(preset, changes, device, out, branching=branching)
    except (ConfigError, LlmError, TwinError, OSError) as error:
        raise LearnCommandError(str(error)) from error
    _tell_how_to_run(package)


@export_app.command("slicing")
def export_slicing(
    run: Annotated[Path, typer.Argument(help="The folder of a training.", exists=True, file_okay=False)],
    form: Annotated[str, typer.Option(help="distilled, int8 or full; the last two hold the language model.")],
    out: Annotated[Path, typer.Option(help="Folder of the package, not there yet.", file_okay=False)],
) -> None:
    """Make another form of a trained agent's package; its manifest tells what it loses and how long it takes."""
    import torch

    from training.slicing import pipeline
    from training.slicing.config import ConfigError
    from training.slicing.export import FORMS, ExportError
    from training.slicing.llm import LlmError

    if form not in FORMS:
        raise LearnCommandError(f"form is {form!r}; it must be one of {', '.join(FORMS)}")
    _require_new(out)
    torch.set_num_threads(1)
    try:
        pipeline.repackage(run, form, out, lambda text: typer.echo(f"{text} ...", err=True))
    except (ConfigError, ExportError, LlmError, OSError) as error:
        raise LearnCommandError(str(error)) from error
    _tell_how_to_run(out)


@export_app.command("words")
def export_words(
    out: Annotated[Path, typer.Option(help="Folder of the package, not there yet.", file_okay=False)],
    runs: Annotated[
        Path, typer.Option(help="Folder of all runs; what is lacking in it is trained.", file_okay=False)
    ] = Path("out/experiments"),
    seed: Annotated[int, typer.Option(help="The training seed of the agent and of its first reader.", min=1)] = 1,
) -> None:
    """Make the package of an agent that follows the operator's words, as `ranloop experiment words` trains it."""
    import torch

    from training.experiments import words
    from training.experiments.run import ExperimentError
    from training.slicing.export import ExportError
    from training.slicing.llm import LlmError

    if seed > words.WORDS.seeds:
        raise LearnCommandError(f"seed is {seed}; the experiment has 1..{words.WORDS.seeds}")
    _require_new(out)
    torch.set_num_threads(1)
    try:
        words.ship(runs.resolve(), seed, out)
    except (ExperimentError, ExportError, LlmError, OSError) as error:
        raise LearnCommandError(str(error)) from error
    _tell_how_to_run(out)


@evaluate_app.command("slicing")
def evaluate_slicing(
    model: Annotated[
        list[Path] | None, typer.Option(help="A model package; may be given again.", file_okay=False)
    ] = None,
    scenario: Annotated[str, typer.Option(help="A scenario's name, or its file.")] = "pa_mrl",
    seeds: Annotated[int, typer.Option(help="Number of networks, each with a seed of its own.", min=2)] = 20,
    first_seed: Annotated[int, typer.Option(help="The first seed.", min=0)] = 1,
    seconds: Annotated[float, typer.Option(help="Simulated time that counts.", min=1)] = 20.0,
    grid: Annotated[
        int, typer.Option(help="Look for the best static split in so many parts; 0: do not.", min=0, max=20)
    ] = 0,
    tuned: Annotated[
        bool, typer.Option("--tuned", help="Tune the demand heuristic for return too, on other networks.")
    ] = False,
    bound: Annotated[bool, typer.Option(help="Whether to run the clairvoyant too, which takes longest.")] = True,
    json_line: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare model packages with hard, static and demand control, on the same seeds."""
    import torch

    from oran.model_package import PackageError
    from training.slicing import pipeline
    from twin.network.errors import TwinError

    torch.set_num_threads(1)

    def tell(name: str) -> None:
        typer.echo(f"{name} ...", err=True)

    try:
        found = pipeline.evaluate(
            scenario,
            tuple(model or ()),
            range(first_seed, first_seed + seeds),
            seconds,
            grid=grid,
            tuned=tuned,
            bound=bound,
            tell=tell,
        )
    except (PackageError, TwinError, OSError) as error:
        raise LearnCommandError(str(error)) from error
    typer.echo(json.dumps(found.figures()) if json_line else pipeline.table(found))


evaluate_app.command("orchestrator")(orchestrator.evaluate)
train_app.command("orchestrator")(orchestrator_training.train)
export_app.command("orchestrator")(orchestrator_export.export)
