"""The `ranloop` command: each part of the loop, and the demo that composes them."""

import runpy
import sys
from pathlib import Path
from typing import Annotated

import typer

from ranloop import ask, corpus, experiment, learn, twin
from ranloop.errors import RanloopError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Native intelligence for O-RAN, closed into a loop.",
)

app.add_typer(twin.app, name="twin")
app.add_typer(corpus.app, name="corpus")
app.add_typer(learn.train_app, name="train")
app.add_typer(learn.evaluate_app, name="evaluate")
app.add_typer(learn.export_app, name="export")
app.command("experiment")(experiment.experiment)
app.command("ask")(ask.ask)

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def _run(module: str, arguments: list[str]) -> None:
    """Run a module as `python -m` would, with the rest of this command line."""
    sys.argv = [f"ranloop {module}", *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


@app.command(context_settings=PASS_ON)
def ric(context: typer.Context) -> None:
    """The embedded near-RT RIC (--help tells its options)."""
    _run("oran.ric", context.args)


@app.command(context_settings=PASS_ON)
def e2node(context: typer.Context) -> None:
    """The network twin's cells as E2 nodes, on the embedded RIC or a foreign one (--ric)."""
    _run("twin.e2node", context.args)


@app.command(context_settings=PASS_ON)
def xapp(context: typer.Context) -> None:
    """The slicing xApp."""
    _run("xapps.slicing", context.args)


@app.command(context_settings=PASS_ON)
def e2(context: typer.Context) -> None:
    """The E2 message inspector: decode, encode, read a capture."""
    _run("oran.e2", context.args)


@app.command("a1-type")
def a1_type() -> None:
    """Print the A1 policy type that the xApp takes, as the body of its PUT."""
    import json

    from oran.a1.slice_sla import POLICY_TYPE

    print(json.dumps(POLICY_TYPE))


@app.command()
def record(
    out: Annotated[Path, typer.Option(help="Capture file to write.", dir_okay=False)] = Path("traffic.pcap"),
    ric_host: Annotated[str, typer.Option(help="Host of the RIC.")] = "127.0.0.1",
    host: Annotated[str, typer.Option(help="Address of this machine that the RIC reaches.")] = "127.0.0.1",
    reports: Annotated[str, typer.Option(help="What to ask for: cell, ue or both.")] = "both",
    slices: Annotated[
        str, typer.Option(help="Slices to measure cells by; empty for none.")
    ] = "1-000001,2-000001,3-000001",
    period_ms: Annotated[int, typer.Option(help="Reporting period.", min=1, max=60_000)] = 100,
    seconds: Annotated[float | None, typer.Option(help="Stop after this time; else on Ctrl-C.", min=0)] = None,
) -> None:
    """Record the live E2 traffic of a RIC's nodes into a pcap file."""
    from ranloop.traffic import run_record

    run_record(
        out,
        ric_host=ric_host,
        host=host,
        reports=reports,
        slices=slices,
        period_ms=period_ms,
        seconds=seconds,
    )


@app.command()
def replay(
    recording: Annotated[Path, typer.Argument(help="A recording.", exists=True, dir_okay=False)],
    ric: Annotated[str, typer.Option(help="The RIC's E2 address.")] = "tcp://127.0.0.1:36421",
    period_ms: Annotated[
        float | None,
        typer.Option(help="Reporting period; 0 for as fast as possible. Default: as recorded.", min=0),
    ] = None,
    loops: Annotated[int, typer.Option(help="How often; 0 until stopped.", min=0)] = 1,
    seconds: Annotated[float | None, typer.Option(help="Stop after this time.", min=0)] = None,
) -> None:
    """Play recorded nodes back to a RIC, once it subscribes."""
    from ranloop.traffic import run_replay

    run_replay(recording, ric=ric, period_ms=period_ms, loops=loops, seconds=seconds)


@app.command()
def demo(
    nodes: Annotated[int, typer.Option(help="DUs, one cell each.", min=1, max=60)] = 6,
    ues: Annotated[int, typer.Option(help="UEs over all cells.", min=3, max=6000)] = 200,
    period_ms: Annotated[int, typer.Option(help="Control interval.", min=10, max=1000)] = 100,
    seed: Annotated[int, typer.Option(help="Random seed of drops, fading and traffic.", min=0)] = 1,
    seconds: Annotated[
        float, typer.Option(help="Length of the static and of each controlled phase.", min=3)
    ] = 30.0,
    reference: Annotated[str, typer.Option(help="Quotas of the first phase: static or hard.")] = "static",
    controller: Annotated[
        list[str] | None,
        typer.Option(help="What controls then: learned (default) or demand; may be given again to compare."),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(help="Drive the radio by a trace of a real network.", exists=True, dir_okay=False),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the report and the logs.")] = Path("out/demo"),
    json_summary: Annotated[bool, typer.Option("--json", help="Print the summary as one line of JSON.")] = False,
) -> None:
    """Show the closed loop: static quotas, then controlled ones, then an A1 policy that tightens URLLC."""
    from ranloop.demo import Demo, DemoConfig

    config = DemoConfig(
        nodes=nodes,
        ues=ues,
        period_ms=period_ms,
        seed=seed,
        phase_s=seconds,
        reference=reference,
        controllers=tuple(controller or ("learned",)),
        trace=trace,
        out=out,
    )
    Demo(config).run(as_json=json_summary)


def main() -> None:
    """Run the command line; expected failures end with their message and exit status 1."""
    try:
        app()
    except RanloopError as error:
        typer.secho(f"ranloop: {error}", fg="red", err=True)
        sys.exit(1)
