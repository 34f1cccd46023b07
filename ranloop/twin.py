"""`ranloop twin`: ask the twin from the command line."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ranloop.errors import TwinCommandError

app = typer.Typer(no_args_is_help=True, help="The digital twin, from the command line.")


@app.command()
def evaluate(
    plan: Annotated[
        Path, typer.Argument(help="A plan, or a link chain alone, as JSON.", exists=True, dir_okay=False)
    ],
    equipment: Annotated[Path, typer.Option(help="Equipment state as JSON.", exists=True, dir_okay=False)],
    tier: Annotated[str, typer.Option(help="t0 (tables), t1 (chain up to its LLRs) or t2 (Monte Carlo).")] = "t0",
    seed: Annotated[int, typer.Option(help="Random seed of t1 and t2.", min=0)] = 0,
    json_line: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """What a plan delivers on some equipment: delay, throughput, bit error rate, and the resources it takes."""
    from twin.link.equipment import EquipmentState
    from twin.link.evaluate import evaluate as ask
    from twin.link.plan import LinkChain, Plan
    from twin.link.qos import Tier

    try:
        body = json.loads(plan.read_text(encoding="utf-8"))
        made = Plan(**body) if "link_chain" in body else LinkChain(**body)
        state = EquipmentState(**json.loads(equipment.read_text(encoding="utf-8")))
        result = ask(made, state, Tier(tier), seed=seed)
    except (TypeError, ValueError, OSError) as error:
        raise TwinCommandError(str(error)) from error
    figures = {**asdict(result.qos), **asdict(result.use)}
    if json_line:
        typer.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        typer.echo(f"{name:16} {value:.6g}" if isinstance(value, float) else f"{name:16} {value}")


@app.command()
def site(
    config: Annotated[
        Path, typer.Argument(help="A site as YAML or JSON (docs/site.md).", exists=True, dir_okay=False)
    ],
    out: Annotated[Path, typer.Option(help="Map file to write, for a scenario's `site`.", dir_okay=False)],
    fresh: Annotated[bool, typer.Option("--fresh", help="Trace again what was traced before.")] = False,
) -> None:
    """Trace a site's radio map with Sionna RT, for the network twin to run on."""
    from twin.site import cache
    from twin.site.config import SiteConfig
    from twin.site.errors import SiteError

    if out.suffix != ".npz":
        raise TwinCommandError(f"{out}: the name of a map must end in .npz")
    try:
        wanted = SiteConfig.load(config)
        if fresh:
            cache.forget(wanted)
        made = cache.site_map(wanted, lambda done, of: typer.echo(f"{done} of {of} transmitters traced", err=True))
        made.save(out)
    except SiteError as error:
        raise TwinCommandError(str(error)) from error
    typer.echo(f"{out}: {made.summary()}")


@app.command()
def toolkit() -> None:
    """Print what may be orchestrated: every step of a link chain and its parameters, as an LLM is told."""
    from twin.link.catalogue import render

    typer.echo(render())
