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
        made = cache.site_map(
            wanted, lambda done, of: typer.echo(f"{done} of {of} transmitters traced", err=True), fresh=fresh
        )
        made.save(out)
    except SiteError as error:
        raise TwinCommandError(str(error)) from error
    typer.echo(f"{out}: {made.summary()}")


@app.command()
def render(
    scenario: Annotated[str, typer.Option(help="A scenario's name, or its YAML or JSON file.")] = "pa_mrl",
    site: Annotated[str | None, typer.Option(help="Put it on a ray-traced site: a name or a map file.")] = None,
    out: Annotated[Path, typer.Option(help="Picture to write: .png, .svg or .pdf.", dir_okay=False)] = Path(
        "twin.png"
    ),
    seconds: Annotated[float, typer.Option(help="How long to simulate first.", min=0.01, max=3600)] = 5.0,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0)] = 1,
    load: Annotated[
        float | None, typer.Option(help="Load of the neighbours in the SINR map; else their own.", min=0, max=1)
    ] = None,
) -> None:
    """Draw a network: cells, users, the SINR map and every cell's load."""
    from twin.network import library
    from twin.network.errors import TwinError
    from twin.network.render import KINDS, save, simulate

    if out.suffix.lower() not in KINDS:
        raise TwinCommandError(f"{out}: the name of a picture must end in {', '.join(KINDS)}")
    try:
        entry = library.entry(scenario)
        chosen = entry.scenario if site is None else entry.scenario.on_site(site)
        scene = simulate(chosen, name=entry.name, seconds=seconds, seed=seed, load=load, trace=entry.trace)
        save(scene, out)
    except TwinError as error:
        raise TwinCommandError(str(error)) from error
    typer.echo(str(out))


@app.command()
def toolkit() -> None:
    """Print what may be orchestrated: every step of a link chain and its parameters, as an LLM is told."""
    from twin.link.catalogue import render

    typer.echo(render())
