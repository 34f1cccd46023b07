"""The slicing xApp on one core, with a clock at its RMR endpoint: a part of `benchmarks/loop.py`.

It is the xApp that `python -m xapps.slicing` runs, and takes the same options behind `--`. Every indication
received is kept with its time, and so is the time at which the control that answers it had left.
"""

import argparse
import asyncio
import gc
import json
import os
import struct
import time
from dataclasses import dataclass, field

import numpy as np

from oran.e2.e2ap.codec import decode
from oran.e2.e2ap.messages import RicIndication
from oran.e2.kpm.codec import decode_indication_header, decode_indication_message
from oran.e2.kpm.messages import IndicationFormat3
from oran.rmr import RmrConfig, RmrEndpoint, RmrMessage
from oran.rmr.transport import SendResult
from oran.rmr.types import RIC_CONTROL_REQ, RIC_INDICATION
from oran.sdl import MemorySdl
from xapps.slicing import __main__ as command
from xapps.slicing import logs
from xapps.slicing.app import SlicingXapp

WARM_UP_S = 1.0
NTP_EPOCH_S = 2_208_988_800
JSON = dict[str, object]


@dataclass(slots=True)
class Samples:
    """Indications in the order they were handled, as columns: the garbage collector looks at none of it.

    `control_s` and `control_unix_s` are 0 where no control was sent at once.
    """

    node: list[str] = field(default_factory=list)
    sub_id: list[int] = field(default_factory=list)
    pdu: list[bytes] = field(default_factory=list)
    received_s: list[float] = field(default_factory=list)
    control_s: list[float] = field(default_factory=list)
    control_unix_s: list[float] = field(default_factory=list)

    def add(self, message: RmrMessage) -> None:
        """Begin a row."""
        self.node.append(message.meid)
        self.sub_id.append(message.sub_id)
        self.pdu.append(message.payload)
        self.received_s.append(message.received_s)
        self.control_s.append(0.0)
        self.control_unix_s.append(0.0)


class TimedEndpoint(RmrEndpoint):
    """An RMR endpoint that notes when an indication's answer has left.

    The xApp decides on one message before it takes the next, so a control answers the message taken last.
    """

    def __init__(self, config: RmrConfig) -> None:
        super().__init__(config)
        self.samples = Samples()
        self.keeping = False
        self._answering = False

    async def receive(self) -> RmrMessage:
        """The next message, noted when it is an indication."""
        self._answering = False
        message = await super().receive()
        if self.keeping and message.mtype == RIC_INDICATION:
            self._answering = True
            self.samples.add(message)
        return message

    def send(self, message: RmrMessage) -> SendResult:
        """Send, and note the time afterwards; what waits in a queue has not left."""
        result = super().send(message)
        if self._answering and message.mtype == RIC_CONTROL_REQ and result is SendResult.SENT:
            self.samples.control_s[-1] = time.perf_counter()
            self.samples.control_unix_s[-1] = time.time()
        return result


def percentiles(values: list[float], name: str) -> JSON:
    """p50, p99, p99.9 and the most, in ms."""
    if not values:
        return {}
    points = np.percentile(values, [50, 99, 99.9, 100]) * 1e3
    return {
        f"{name}_{key}_ms": round(float(x), 3)
        for key, x in zip(("p50", "p99", "p999", "max"), points, strict=True)
    }


def figures(samples: Samples, reports_lag_s: float) -> JSON:
    """What the samples say; `reports_lag_s` is how long after its collection time a report is sent."""
    indications = [_indication(pdu) for pdu in samples.pdu]
    stamps = [_unix_s(item) for item in indications]
    first_s, last_s = min(stamps, default=0.0), max(stamps, default=0.0)
    pairs = zip(samples.control_s, samples.received_s, strict=True)
    decided = [left - came for left, came in pairs if left]
    way = [
        left - stamp - reports_lag_s for left, stamp in zip(samples.control_unix_s, stamps, strict=True) if left
    ]
    reports = [decode_indication_message(item.message) for item in indications[:: max(1, len(indications) // 200)]]
    ues = [len(report.ues) for report in reports if isinstance(report, IndicationFormat3)]
    values = [
        len(report.ues[0].report.records[0].values)
        for report in reports
        if isinstance(report, IndicationFormat3) and report.ues
    ]
    parts = len(stamps) / len(decided) if decided else 0.0
    return {
        "indications": len(stamps),
        "decisions": len(decided),
        "lost": _lost(samples, indications),
        **percentiles(decided, "decision"),
        **percentiles(way, "node_to_control"),
        "first_stamp_s": first_s,
        "last_stamp_s": last_s,
        "indications_between": sum(first_s < stamp < last_s for stamp in stamps),
        "indications_per_decision": round(parts, 2),
        "ues_per_decision": round(float(np.mean(ues)) * parts, 1) if ues else 0.0,
        "values_per_ue": max(values, default=0),
        "octets_per_indication": round(float(np.mean([len(item.message) for item in indications] or [0]))),
    }


def _indication(pdu: bytes) -> RicIndication:
    message = decode(pdu)
    assert isinstance(message, RicIndication)
    return message


def _unix_s(indication: RicIndication) -> float:
    """The collection time, from its NTP form."""
    whole, fraction = struct.unpack(">II", decode_indication_header(indication.header).collection_start)
    return float(whole - NTP_EPOCH_S + fraction / 2**32)


def _lost(samples: Samples, indications: list[RicIndication]) -> int:
    """Numbers missing between the first and the last indication of each subscription."""
    last: dict[tuple[str, int], int] = {}
    lost = 0
    for node, sub_id, indication in zip(samples.node, samples.sub_id, indications, strict=True):
        assert indication.sn is not None
        lost += (indication.sn - last.get((node, sub_id), indication.sn - 1) - 1) & 0xFFFF
        last[node, sub_id] = indication.sn
    return lost


async def measure(options: argparse.Namespace) -> JSON:
    """Run the xApp, wait until all nodes report, measure, and stop it as SIGTERM would."""
    config, descriptor = command.read_config(options, os.environ)
    endpoint = TimedEndpoint(command.rmr_config(config, os.environ))
    sdl = MemorySdl()
    xapp = SlicingXapp(
        config, endpoint, descriptor=descriptor, sdl=sdl, control_port=lambda: endpoint.control_port
    )
    async with xapp:
        print(json.dumps({"event": "ready"}), flush=True)
        gc.collect()
        gc.freeze()
        async with asyncio.timeout(60):
            while sum(feed.sn is not None for feed in xapp.fleet.feeds()) < options.reporting:
                await asyncio.sleep(0.05)
        await asyncio.sleep(WARM_UP_S)
        endpoint.keeping = True
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        await asyncio.sleep(options.seconds)
        endpoint.keeping = False
        taken_s, taken_cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    await sdl.close()
    return {
        "seconds": round(taken_s, 2),
        "cpu_share": round(taken_cpu_s / taken_s, 3),
        **figures(endpoint.samples, options.lag_s),
        "dropped": sum(endpoint.counters.dropped.values()),
    }


def main() -> None:
    """Pin to a core, measure, print the figures as one line of JSON."""
    parser = command.parser()
    parser.add_argument("--core", type=int, help="the core to run on")
    parser.add_argument("--reporting", type=int, required=True, help="begin when so many subscriptions report")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--lag-s", type=float, default=0.0, help="how long after its time stamp a report is sent")
    options = parser.parse_args()
    if options.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {options.core})
    logs.configure(options.log_level)
    print(json.dumps(asyncio.run(measure(options))), flush=True)


if __name__ == "__main__":
    main()
