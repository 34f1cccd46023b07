"""`python -m xapps.slicing`: run the slicing xApp until SIGTERM or SIGINT; one JSON line tells when it listens.

`model`, `load DIR` and `rollback` talk to one that runs (`operate`).
"""

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from oran.errors import SdlError
from oran.rest import JsonObject
from oran.rmr import RmrConfig, RmrEndpoint
from oran.rmr.errors import RmrError
from oran.rmr.transport import Transport
from oran.sdl import MemorySdl, RedisSdl, Sdl, addresses_from_env
from xapps.slicing import logs, operate
from xapps.slicing.app import SlicingXapp
from xapps.slicing.config import DESCRIPTOR, Role, XappConfig, load
from xapps.slicing.controllers import NAMES
from xapps.slicing.errors import SettingsError
from xapps.slicing.upkeep import advertised_host

RIC_PORTS = {"subscriptions_url": 8088, "nodes_url": 3800, "registration_url": 8090}
"""Ports of the embedded RIC, which `--ric-host` means."""

PLAIN = (
    *("controller", "model", "period_ms", "plmn", "listen_host", "advertised_host", "http_port", "rmr_port"),
    *("rmr_control_port", "experience", "instance", "role", "node_filter"),
)
"""Options that set the field of the same name."""


def parser() -> argparse.ArgumentParser:
    """The command line. What is not given comes from RANLOOP_<FIELD>, then from the configuration file."""
    made = argparse.ArgumentParser(prog="python -m xapps.slicing", description=__doc__)
    made.add_argument("--config", type=Path, help="descriptor with `controls` (default $XAPP_DESCRIPTOR_PATH)")
    made.add_argument("--ric-host", help="host of an embedded RIC, with its default ports")
    for name in RIC_PORTS:
        made.add_argument(f"--{name.replace('_', '-')}", metavar="URL")
    made.add_argument("--role", choices=[role.value for role in Role], help="control, judge, or (default) all")
    made.add_argument("--nodes", dest="node_filter", nargs="+", metavar="DU", help="nodes by name (default *)")
    made.add_argument("--controller", choices=NAMES)
    made.add_argument("--model", metavar="DIR", help="model package of the controller `learned`")
    made.add_argument("--period-ms", type=int, help="reporting period and control interval")
    made.add_argument("--plmn", help="MCC and MNC of the slices")
    made.add_argument("--listen-host", help="address to listen on")
    made.add_argument("--advertised-host", help="host by which the RIC reaches the xApp")
    made.add_argument("--http-port", type=int, help="0 takes a free one, as for the others")
    made.add_argument("--rmr-port", type=int)
    made.add_argument("--rmr-control-port", type=int, help="port for RMR route tables")
    made.add_argument("--experience", metavar="FILE", help="append decisions as JSON lines")
    made.add_argument("--instance", help="this instance's name at the application manager")
    made.add_argument(
        "--transport", default="own", choices=("own", "native"), help="own RMR endpoint, or librmr (extra `ric`)"
    )
    made.add_argument("--dry-run", action="store_const", const=True, help="observe and decide, send nothing")
    made.add_argument("--redis", metavar="HOST:PORT", help="shared data layer (default $DBAAS_SERVICE_HOST)")
    made.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run; 0 after a signal, 2 where a setting is wrong or a port is taken."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in operate.COMMANDS:
        return operate.main(arguments)
    options = parser().parse_args(arguments)
    logs.configure(options.log_level)
    try:
        config, descriptor = read_config(options, os.environ)
        transport, control_port = _transport(options.transport, rmr_config(config, os.environ))
        return asyncio.run(_run(config, descriptor, _sdl(options.redis), transport, control_port))
    except (SettingsError, RmrError, SdlError, OSError) as error:
        print(f"xapps.slicing: {error}", file=sys.stderr)
        return 2


def read_config(options: argparse.Namespace, environ: Mapping[str, str]) -> tuple[XappConfig, JsonObject]:
    """The configuration that the command line, the environment and the file give; raises SettingsError."""
    path = options.config or Path(environ.get("XAPP_DESCRIPTOR_PATH") or DESCRIPTOR)
    overrides: dict[str, object] = {
        name: value for name in (*PLAIN, "dry_run") if (value := getattr(options, name)) is not None
    }
    urls: dict[str, str] = {}
    for name, port in RIC_PORTS.items():
        if options.ric_host:
            urls[name] = f"http://{options.ric_host}:{port}"
        if getattr(options, name):
            urls[name] = getattr(options, name)
    if urls:
        overrides["ric"] = urls
    return load(path, environ, overrides)


def rmr_config(config: XappConfig, environ: Mapping[str, str]) -> RmrConfig:
    """RMR as the environment says, at the configured ports; without RMR_RTG_SVC tables are awaited there."""
    found = RmrConfig.from_env(environ, port=config.rmr_port)
    if not environ.get("RMR_BIND_IF"):
        found = replace(found, bind_host=config.listen_host)
    if not environ.get("RMR_RTG_SVC"):
        found = replace(found, control_port=config.rmr_control_port)
    if not environ.get("RMR_SRC_ID"):
        found = replace(found, source_name=advertised_host(config, environ).replace("http", "rmr"))
    return found


def _transport(kind: str, config: RmrConfig) -> tuple[Transport, Callable[[], int]]:
    """The RMR adapter, and how to learn its port for route tables; raises NativeUnavailable."""
    if kind == "native":
        from oran.rmr.native import NativeEndpoint

        return NativeEndpoint(config), lambda: config.control_port or 0
    endpoint = RmrEndpoint(config)
    return endpoint, lambda: endpoint.control_port


async def _run(
    config: XappConfig, descriptor: JsonObject, sdl: Sdl, transport: Transport, control_port: Callable[[], int]
) -> int:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    xapp = SlicingXapp(config, transport, descriptor=descriptor, sdl=sdl, control_port=control_port)
    try:
        async with xapp:
            print(json.dumps(_ready(config, xapp, control_port())), flush=True)
            # What lives since the start lives for ever: the collector need not look at it again and again.
            gc.collect()
            gc.freeze()
            await stopped.wait()
    finally:
        await sdl.close()
    return 0


def _ready(config: XappConfig, xapp: SlicingXapp, control_port: int) -> JsonObject:
    host, port = xapp.transport.address
    return {
        "event": "ready",
        "http": f"http://{xapp.http_address}",
        "rmr": f"{host}:{port}",
        "rmr_control_port": control_port,
        "role": config.role.value,
        "controller": config.controller,
        "period_ms": config.period_ms,
        "dry_run": config.dry_run,
    }


def _sdl(redis: str | None) -> Sdl:
    """The platform's Redis where it is named, else memory, which forgets with the process."""
    if redis:
        host, _, port = redis.rpartition(":")
        return RedisSdl.from_env({"DBAAS_SERVICE_HOST": host, "DBAAS_SERVICE_PORT": port})
    return RedisSdl.from_env() if addresses_from_env() else MemorySdl()


if __name__ == "__main__":
    sys.exit(main())
