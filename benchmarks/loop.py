"""The closed loop under the clock: from an indication's last octet to its control's last octet.

The embedded RIC, the E2 nodes and the xApp are processes that speak E2AP and RMR over loopback; the xApp has one
core for itself, everything else shares the others. First the network twin runs live at 100 ms, then what was
recorded of it is replayed by the nodes' process, at 10 ms, and by larger fleets. Each indication carries the KPIs
of every UE of its cell (E2SM-KPM format 3), and every decision is sent as a control, changed or not.

Latency counts from the read that completed the indication until the kernel had the control, decoding, deciding
and waiting for earlier indications included. "n2c" (node to control) counts from the time stamp that the node puts
into the report: that adds the node's and the RIC's part, and all that sockets held back.

Two cores that do nothing else are needed for figures that mean something: `load_before` tells how busy the machine
was with other work, in processes.
"""

import argparse
import asyncio
import json
import logging
import math
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.loop_peer import compare
from oran import kpi
from oran.e2.e2ap.codec import encode
from ranloop.processes import Process
from ranloop.recorder import RecordConfig, record
from ranloop.recording import Recording, read_recording, write_recording
from ranloop.stack import HOST, Stack
from ranloop.twin_recording import record_twin
from twin.network.scenario import Scenario
from xapps.slicing.config import DESCRIPTOR, XappConfig
from xapps.slicing.observation import FIELDS

NODES, UES = 6, 33
BIG_UES = 100
FLEETS = ((12, UES), (30, UES), (30, BIG_UES))
LIVE_S = 0.1
FAST_S = 0.01
RECORD_S = 3.0
PEER_INDICATIONS = 60
MEASUREMENTS = (*FIELDS.values(), kpi.PRB_AVAILABLE_DL)
"""What the xApp asks for of each UE."""

Figures = dict[str, float]


@dataclass(slots=True)
class Bench:
    """The settings of one run; files go to `folder`."""

    folder: Path
    seconds: float
    xapp_core: int | None
    running: list[Process] = field(default_factory=list)

    def start(self, process: Process) -> Process:
        """Start a process and wait until it serves."""
        process.start()
        self.running.append(process)
        process.ready()
        return process

    def stop(self, *processes: Process) -> None:
        """Stop some processes, all when none is named, the youngest first."""
        for process in reversed(processes or tuple(self.running)):
            process.stop()
            self.running.remove(process)

    def stack(self, name: str) -> Stack:
        """A new RIC, running, with ports and a folder of its own."""
        stack = Stack(self.folder / name)
        self.start(stack.ric())
        return stack

    def measure(
        self, stack: Stack, nodes: int, ues: int, *, period_s: float, seconds: float, live: bool
    ) -> Figures:
        """Run the xApp against nodes that are there, or come soon; its figures."""
        settings = stack.folder / "config-file.json"
        settings.write_text(json.dumps(descriptor(ues)))
        options = [f"--config={settings}", f"--reporting={nodes}", f"--seconds={seconds}"]
        # The live twin stamps the beginning of the period that a report is of, the replay the moment it is sent.
        options += [f"--lag-s={period_s if live else 0.0}", "--log-level=error"]
        options += [] if self.xapp_core is None else [f"--core={self.xapp_core}"]
        xapp = stack.xapp(*options, controller="demand", period_ms=round(period_s * 1e3))
        xapp = self.start(replace(xapp, module="benchmarks.loop_xapp"))
        found = result(xapp, seconds + 90)
        self.stop(xapp)
        return found

    def live(self) -> tuple[Figures, Recording]:
        """Record the live twin, then measure on it."""
        stack = self.stack("live")
        log = stack.folder / "kpis.jsonl"
        self.start(
            stack.nodes(
                f"--nodes={NODES}", f"--ues={NODES * UES}", "--period-ms=100", "--seed=1", f"--kpi-log={log}"
            )
        )
        recording = asyncio.run(capture(stack, stack.folder / "live.pcap"))
        found = self.measure(stack, NODES, NODES * UES, period_s=LIVE_S, seconds=self.seconds, live=True)
        self.stop()
        return {**found, "unseen": sent_live(log, found) - found["indications_between"]}, recording

    def replay(self, recording: Path, nodes: int, ues: int, *, period_s: float, seconds: float) -> Figures:
        """Replay a recording as a fleet of `nodes`; `ues` is how many the recorded network had."""
        stack = self.stack(f"{recording.stem}-{nodes}-{period_s * 1e3:g}ms")
        arguments = [f"--ric={stack.e2_address}", f"--recording={recording}", f"--nodes={nodes}"]
        player = Process("nodes", "benchmarks.loop_nodes", (*arguments, f"--period-s={period_s}"), stack.folder)
        self.start(player)
        found = self.measure(stack, nodes, ues, period_s=period_s, seconds=seconds, live=False)
        self.stop(player)
        counts = result(player, 10)
        self.stop()
        return {**found, "dropped_by_nodes": counts["dropped"], "late": counts["late"]}


def descriptor(ues: int) -> dict[str, object]:
    """The shipped configuration, with reports per UE, the map of UEs to slices, and no control held back."""
    shipped = json.loads(DESCRIPTOR.read_text())
    scenario = Scenario(ues=ues)
    rules, first = [], 1
    for name, count in zip(scenario.snssais, scenario.ue_counts(), strict=True):
        rules.append({"slice": str(name), "ids": [{"first": first, "last": first + count - 1}]})
        first += count
    changes = {"ue_slices": rules, "node_rules": [{"report": "ues"}], "reassert_s": 1e-9}
    return {**shipped, "controls": {**shipped["controls"], **changes}}


async def capture(stack: Stack, path: Path) -> Recording:
    """Record what the xApp would ask of all nodes, for some seconds."""
    stop = asyncio.Event()
    config = RecordConfig(
        subscription_url=f"http://{HOST}:{stack.ric_ports['subscription']}",
        e2mgr_url=f"http://{HOST}:{stack.ric_ports['e2mgr']}",
        route_manager=f"{HOST}:{stack.ric_ports['rmr']}",
        reports="ue",
        measurements=MEASUREMENTS,
    )
    recorder = asyncio.create_task(record(config, path, stop=stop))
    await asyncio.wait([recorder], timeout=RECORD_S)
    stop.set()
    await recorder
    return read_recording(path)


def result(process: Process, timeout_s: float) -> Figures:
    """The line of figures that a part prints at its end."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        lines = (process.folder / f"{process.name}.ready").read_text().splitlines()
        if len(lines) > 1:
            figures: Figures = json.loads(lines[1])
            return figures
        if process.pid is None:
            break
        time.sleep(0.1)
    raise SystemExit(f"{process.name} gave no figures; its log ends with:\n{process.tail()}")


def sent_live(log: Path, found: Figures) -> int:
    """Reports that the nodes made, by their own log, between the first and the last period that the xApp saw."""
    rounding_s = 1e-3
    first_s, last_s = found["first_stamp_s"] + rounding_s, found["last_stamp_s"] - rounding_s
    lines = map(json.loads, log.read_text().splitlines())
    ends: list[float] = [line["time_s"] for line in lines if "time_s" in line]
    return NODES * sum(first_s < end_s - LIVE_S < last_s for end_s in ends)


def peer(recording: Recording) -> tuple[float, float]:
    """CPU ms per decision with our decoder and with asn1tools."""
    config = XappConfig.model_validate(descriptor(NODES * UES)["controls"])
    pdus = [encode(item) for _, item in recording.nodes[0].indications[:PEER_INDICATIONS]]
    mine, theirs = compare(config, pdus)
    return mine * 1e3, theirs * 1e3


COLUMNS = (
    ("per s", "rate", ".0f"),
    ("lost", "lost", ".0f"),
    ("p50", "decision_p50_ms", ".2f"),
    ("p99", "decision_p99_ms", ".2f"),
    ("p99.9", "decision_p999_ms", ".2f"),
    ("max", "decision_max_ms", ".2f"),
    ("n2c p50", "node_to_control_p50_ms", ".2f"),
    ("n2c p99", "node_to_control_p99_ms", ".2f"),
    ("CPU %", "cpu_percent", ".0f"),
    ("UEs", "ues_per_decision", ".1f"),
    ("parts", "indications_per_decision", ".1f"),
    ("octets", "octets_per_indication", ".0f"),
)


def show(name: str, found: Figures) -> None:
    """One row of the table."""
    row = {**found, "rate": found["decisions"] / found["seconds"], "cpu_percent": 100 * found["cpu_share"]}
    print(f"{name:24}" + "".join(f"{row.get(key, math.nan):>9{form}}" for _, key, form in COLUMNS), flush=True)


def run(bench: Bench) -> dict[str, object]:
    """All settings; the figures for machines."""
    load = os.getloadavg()[0]
    print(f"{'nodes x UEs, period':24}" + "".join(f"{name:>9}" for name, _, _ in COLUMNS) + "   (ms)")
    live, recording = bench.live()
    show(f"{NODES} x {UES}, 100 ms, live", live)
    # Recorded from the twin, so that every node reports the stated number of UEs.
    paths = {ues: bench.folder / f"{ues}.pcap" for ues in (UES, BIG_UES)}
    for ues, path in paths.items():
        twin = record_twin(nodes=NODES, ues_per_node=ues, steps=20, reports="ue", measurements=MEASUREMENTS)
        write_recording(twin, path)
    fast = bench.replay(paths[UES], NODES, UES, period_s=FAST_S, seconds=bench.seconds)
    show(f"{NODES} x {UES}, 10 ms", fast)
    scaling = []
    for nodes, ues in FLEETS:
        found = bench.replay(paths[ues], nodes, ues, period_s=LIVE_S, seconds=bench.seconds / 2)
        show(f"{nodes} x {ues}, 100 ms", found)
        scaling.append({"nodes": nodes, "ues": ues, "period_ms": 100, **kept(found)})
    mine, theirs = peer(recording)
    print(f"computing a decision: {mine:.3f} ms CPU; with asn1tools decoding the report {theirs:.3f} ms")
    return {
        "lost_indications_100ms": round(live["lost"]),
        "unseen_indications_100ms": round(live["unseen"]),
        **{f"{key}_100ms": value for key, value in kept(live).items() if key != "lost"},
        "lost_indications_10ms": round(fast["lost"]),
        **{f"{key}_10ms": value for key, value in kept(fast).items() if key != "lost"},
        "scaling": scaling,
        "decision_cpu_ms": round(mine, 4),
        "decision_cpu_ms_asn1tools": round(theirs, 4),
        "decision_cpu_asn1tools_ratio": round(theirs / mine, 1),
        "load_before": round(load, 2),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def kept(found: Figures) -> Figures:
    """The figures of a setting that matter to others."""
    return {key: value for key, value in found.items() if not key.endswith("stamp_s") and key != "unseen"}


def share_cores() -> int | None:
    """Keep this process and its children off one core, and return that core; None where there is no second one."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[:-1])
    return cores[-1]


def main() -> None:
    """Run, print the table and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time of the settings with 6 nodes")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    # The parts are modules of this folder, wherever this is started from.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (sys.path[0], os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryDirectory(prefix="ranloop-loop-") as folder:
        bench = Bench(Path(folder), max(1.0, options.seconds), share_cores())
        try:
            figures = run(bench)
        finally:
            bench.stop()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
