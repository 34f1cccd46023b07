"""Recorded E2 nodes on the wire again, as many as asked for: a part of `benchmarks/loop.py`."""

import argparse
import asyncio
import json
import signal
import sys
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import structlog

from ranloop.recording import RecordedNode, Recording, read_recording
from ranloop.replay import ReplayConfig, ReplayCounts, replay
from twin.e2node.config import NodeConfig
from twin.e2node.functions import ran_functions


def copies(recording: Recording, count: int) -> Recording:
    """A fleet of `count` nodes that repeat the recorded ones, each copy beginning somewhere else."""
    sources = recording.nodes
    made = []
    for index in range(count):
        config = NodeConfig(du=index + 1)
        indications = sources[index % len(sources)].indications
        # Parts of one report share a header and stay together.
        reports = [list(parts) for _, parts in groupby(indications, key=lambda item: item[1].header)]
        start = 7 * (index // len(sources)) % len(reports)
        turned = tuple(part for report in reports[start:] + reports[:start] for part in report)
        made.append(RecordedNode(config.node_id, ran_functions(config), turned))
    return Recording(tuple(made))


async def run(options: argparse.Namespace) -> ReplayCounts:
    """Replay until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    recording = copies(read_recording(options.recording), options.nodes)
    print(json.dumps({"event": "ready"}), flush=True)
    return await replay(recording, ReplayConfig(ric=options.ric, period_s=options.period_s, loops=0), stop=stop)


def main() -> None:
    """Run, and print what was sent as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ric", required=True)
    parser.add_argument("--recording", type=Path, required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--period-s", type=float, required=True)
    # stdout carries the two lines of JSON only.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    print(json.dumps(asdict(asyncio.run(run(parser.parse_args())))), flush=True)


if __name__ == "__main__":
    main()
