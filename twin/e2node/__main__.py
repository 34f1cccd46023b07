"""`python -m twin.e2node`: the network twin's cells as E2 nodes, on the embedded RIC or a foreign one."""

import argparse
import asyncio
import json
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from oran import kpi
from oran.e2.association import Address, sctp_available
from oran.e2.errors import E2Error
from oran.e2.kpm.profile import PROFILES
from oran.rest import RestServer, serve
from oran.slices import SNssai, hard_ratios, static_ratios
from twin.e2node.cell import Cell
from twin.e2node.config import NodeConfig
from twin.e2node.errors import NodeConfigError
from twin.e2node.node import E2Node

if TYPE_CHECKING:
    from twin.e2node.simulation import Simulation
    from twin.network.scenario import Scenario

E2_PORT = 36421


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="ranloop e2node", description=__doc__)
    made.add_argument("--ric", default=f"tcp://127.0.0.1:{E2_PORT}", help="HOST:PORT, or sctp://, tcp://, unix://")
    made.add_argument("--nodes", type=int, help="DUs, one cell each (default 6)")
    made.add_argument("--ues", type=int, help="UEs over all cells (default 200)")
    made.add_argument("--period-ms", type=int, help="the twin's step (default 100)")
    made.add_argument("--seed", type=int, default=1, help="of drops, fading and traffic (default 1)")
    made.add_argument("--scenario", help="name in the library, or YAML or JSON file; other options change it")
    made.add_argument("--load", type=float, help="load factor (default 1.5)")
    made.add_argument("--trace", type=Path, help="CSV trace of a real network that drives the links")
    made.add_argument("--first-du", type=int, default=1, help="number of the first DU (default 1)")
    made.add_argument("--gnb-id", type=int, default=0x19B, help="gNB id (default 411)")
    made.add_argument("--plmn", default="00101", help="MCC and MNC (default 00101)")
    made.add_argument("--quotas", choices=("static", "hard"), default="static", help="default slice quotas")
    made.add_argument("--no-ccc", action="store_true", help="offer slice quotas by E2SM-RC only")
    made.add_argument("--no-labels", action="store_true", help="measure without slice labels, like a srsRAN DU")
    made.add_argument("--units", choices=sorted(kpi.PROFILES), default="3gpp", help="units on the wire")
    made.add_argument("--dialect", choices=sorted(PROFILES), default="standard", help="KPM dialect")
    made.add_argument("--timestamp-octets", type=int, choices=(4, 8), default=8, help="KPM time stamp (default 8)")
    made.add_argument(
        "--config-port", type=int, help="serve the slices' link chains over HTTP here (0: a free port)"
    )
    made.add_argument("--config-host", default="127.0.0.1", help="address to serve them at (default loopback)")
    made.add_argument("--kpi-log", type=Path, help="append each step's true KPIs and quotas as JSON lines")
    made.add_argument("--steps", type=int, help="stop after so many steps")
    made.add_argument(
        "--wait-s", type=float, default=10.0, help="wait so long for all nodes before the first step"
    )
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run the nodes until SIGTERM, SIGINT or `--steps`; 2 for a command line that makes no sense."""
    options = parser().parse_args(arguments)
    # stdout carries the ready line only.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        return asyncio.run(_run(options))
    except (NodeConfigError, E2Error, ValueError, OSError) as error:
        print(f"ranloop e2node: {error}", file=sys.stderr)
        return 2


async def _run(options: argparse.Namespace) -> int:
    import torch

    from twin.e2node.simulation import KpiLog, Simulation, drive
    from twin.network import library
    from twin.network.trace import load_trace

    # One core is plenty for a live network, and leaves the others to the RIC and the xApp.
    torch.set_num_threads(1)
    entry = library.entry(options.scenario or library.DEFAULT)
    step_s = None if options.period_ms is None else options.period_ms / 1e3
    changes = {"cells": options.nodes, "ues": options.ues, "step_s": step_s, "load_factor": options.load}
    scenario = entry.scenario.with_(**{field: value for field, value in changes.items() if value is not None})
    trace = entry.trace if options.trace is None else load_trace(options.trace)
    nodes = [_node(options, scenario, index) for index in range(scenario.cells)]
    simulation = Simulation(scenario, [node.cell for node in nodes], seed=options.seed, trace=trace)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with ExitStack() as files:
        log = None
        if options.kpi_log is not None:
            file = files.enter_context(options.kpi_log.open("a", encoding="utf-8"))
            log = KpiLog(file, scenario, [node.name for node in nodes], options.seed)
        server = await _serve_link_chains(options, simulation)
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(node.run(), name=node.name) for node in nodes]
        stopped = asyncio.create_task(stop.wait())
        try:
            await _wait_connected(nodes, stopped, options.wait_s)
            _tell_ready(
                options, nodes, scenario.snssais, scenario.step_s, "" if server is None else server.address
            )
            on_step, pace = (log.write, log.pace) if log is not None else (None, None)
            driven = asyncio.create_task(drive(simulation, nodes, steps=options.steps, on_step=on_step, pace=pace))
            tasks.append(driven)
            done, _ = await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*tasks, stopped):
                task.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)
            if server is not None:
                await server.stop()
    return 0


async def _serve_link_chains(options: argparse.Namespace, simulation: "Simulation") -> RestServer | None:
    """The configuration endpoint, where it is asked for."""
    if options.config_port is None:
        return None
    from twin.e2node.link_chains import LinkChains, link_chains_app

    chains = LinkChains(simulation.scenario.snssais, simulation.set_link)
    return await serve(link_chains_app(chains), options.config_host, options.config_port)


def _node(options: argparse.Namespace, scenario: "Scenario", index: int) -> E2Node:
    slices = scenario.snssais
    config = NodeConfig(
        du=options.first_du + index,
        plmn=options.plmn,
        gnb_id=options.gnb_id,
        slices=slices,
        step_ms=round(scenario.step_s * 1e3),
        supports_ccc=not options.no_ccc,
        slice_labels=not options.no_labels,
        timestamp_octets=options.timestamp_octets,
        units=kpi.PROFILES[options.units],
        dialect=PROFILES[options.dialect],
    )
    default = hard_ratios(len(slices)) if options.quotas == "hard" else static_ratios(len(slices))
    return E2Node(ric_url(options.ric), config, Cell(slices, default))


def ric_url(text: str) -> str:
    """A RIC's address as a URL: HOST:PORT means SCTP where the kernel has it, else framed TCP."""
    if "://" not in text:
        text = f"{'sctp' if sctp_available() else 'tcp'}://{text}"
    return str(Address.parse(text))


async def _wait_connected(nodes: list[E2Node], stopped: "asyncio.Task[bool]", wait_s: float) -> None:
    """Wait until every node is set up, at most `wait_s`: a foreign RIC may refuse some of them."""

    async def all_connected() -> bool:
        return all([await node.link.connected.wait() for node in nodes])

    waiting = asyncio.create_task(all_connected())
    await asyncio.wait({waiting, stopped}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


def _tell_ready(
    options: argparse.Namespace, nodes: list[E2Node], slices: tuple[SNssai, ...], step_s: float, config: str
) -> None:
    line = {
        "event": "ready",
        "ric": ric_url(options.ric),
        "nodes": [node.name for node in nodes],
        "connected": sum(node.link.connected.is_set() for node in nodes),
        "slices": list(map(str, slices)),
        "step_s": step_s,
        "seed": options.seed,
        "config": config,
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
