"""`ranloop record` and `ranloop replay` as run from a terminal: until done, interrupted or out of time."""

import asyncio
import json
import signal
from dataclasses import asdict
from pathlib import Path

from oran.slices import SNssai
from ranloop.errors import RecordingError
from ranloop.recorder import RecordConfig, record
from ranloop.recording import read_recording
from ranloop.replay import ReplayConfig, replay

SUBSCRIPTION_PORT, NODES_PORT, RMR_PORT = 8088, 3800, 4562


def parse_slices(text: str) -> tuple[SNssai, ...]:
    """S-NSSAIs separated by commas; empty for none. Raises RecordingError."""
    try:
        return tuple(map(SNssai.parse, filter(None, text.split(","))))
    except ValueError as error:
        raise RecordingError(str(error)) from error


def run_record(
    path: Path, *, ric_host: str, host: str, reports: str, slices: str, period_ms: int, seconds: float | None
) -> None:
    """Record until `seconds` have passed or a signal comes, and print what was recorded."""
    config = RecordConfig(
        subscription_url=f"http://{ric_host}:{SUBSCRIPTION_PORT}",
        e2mgr_url=f"http://{ric_host}:{NODES_PORT}",
        route_manager=f"{ric_host}:{RMR_PORT}",
        host=host,
        reports=reports,
        slices=parse_slices(slices),
        period_ms=period_ms,
    )

    async def run() -> None:
        stop = _stop_event(seconds)
        print(json.dumps(asdict(await record(config, path, stop=stop))))

    asyncio.run(run())


def run_replay(path: Path, *, ric: str, period_ms: float | None, loops: int, seconds: float | None) -> None:
    """Play a recording back until it ends, `seconds` have passed or a signal comes; print what was sent."""
    config = ReplayConfig(ric=ric, period_s=None if period_ms is None else period_ms / 1e3, loops=loops)
    recording = read_recording(path)

    async def run() -> None:
        stop = _stop_event(seconds)
        print(json.dumps(asdict(await replay(recording, config, stop=stop))))

    asyncio.run(run())


def _stop_event(seconds: float | None) -> asyncio.Event:
    """Set by SIGINT, SIGTERM or when the time is over."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    return stop
