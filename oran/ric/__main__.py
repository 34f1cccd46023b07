"""`python -m oran.ric`: run a near-RT RIC until SIGTERM or SIGINT; one JSON line tells where it listens."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from dataclasses import MISSING, fields

import structlog

from oran.e2.association import best_address
from oran.e2.errors import TransportError
from oran.ric.config import POLICY_FORMS, RicConfig
from oran.ric.errors import ConfigError
from oran.ric.ric import NearRtRic


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit status is 0 after a signal, 2 when a setting is wrong or a port is taken."""
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    level = logging.getLevelNamesMapping()[options.pop("log_level").upper()]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        return asyncio.run(_run(RicConfig(**options)))
    except (ConfigError, OSError, TransportError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2


async def _run(config: RicConfig) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with NearRtRic(config) as ric:
        print(json.dumps(ric.addresses), flush=True)
        await stopped.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    """One option for each setting of RicConfig, with its type and default."""
    parser = argparse.ArgumentParser(prog="python -m oran.ric", description=__doc__)
    parser.add_argument("--log-level", default="warning", choices=("debug", "info", "warning", "error"))
    for field in fields(RicConfig):
        assert field.default is not MISSING
        default = best_address("127.0.0.1") if field.name == "e2_address" else field.default
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=type(default),
            default=default,
            choices=POLICY_FORMS if field.name == "policy_form" else None,
            metavar=None if field.name == "policy_form" else type(default).__name__.upper(),
            help=f"default {default!r}",
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
