"""The decision's computing alone, with our KPM decoder and with asn1tools: a part of `benchmarks/loop.py`.

Both sides run the same code from the E2AP PDU to the encoded control, on the same recorded indications; they
differ only in who decodes the KPM message. asn1tools works from a schema in our own words.
"""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from oran import kpi
from oran.e2.e2ap.codec import decode
from oran.e2.e2ap.messages import RicIndication
from oran.e2.identity import GnbDuUeId
from oran.e2.kpm.messages import IndicationFormat1, IndicationFormat3, MeasurementInfo, Record, UeReport, Value
from oran.e2.kpm.tables import UeTable, decode_ue_table
from oran.rmr.frame import encode_frame
from oran.rmr.message import RmrMessage
from oran.rmr.types import RIC_CONTROL_REQ
from oran.sla import SlaTargets
from twin.e2node.config import NodeConfig
from xapps.slicing.cell import CellLoop
from xapps.slicing.config import ControlKind, XappConfig
from xapps.slicing.control import ControlTarget, Policy, requests
from xapps.slicing.controllers import create
from xapps.slicing.membership import Rosters, ue_slice_map
from xapps.slicing.reports import ReportReader, UeRows, tables

Decoder = Callable[[bytes], list[UeTable]]


def ours(data: bytes) -> list[UeTable]:
    """Decode with `oran.e2`."""
    table = decode_ue_table(data)
    assert table is not None
    return [table]


def asn1tools_decoder() -> Decoder:
    """Decode with asn1tools, and put what it gives into the form that the xApp reads."""
    schema: Any = import_module("tests.oran.e2.kpm_oracle").oracle()
    layouts: dict[tuple[str, ...], tuple[MeasurementInfo, ...]] = {}

    def report_of(item: Any) -> UeReport:
        report = item["measReport"]
        names = tuple(info["measType"][1] for info in report["measInfoList"])
        info = layouts.get(names)
        if info is None:
            info = layouts[names] = tuple(map(MeasurementInfo, names))
        records = tuple(Record(tuple(map(_value, record["measRecord"]))) for record in report["measData"])
        ue = GnbDuUeId(item["ueID"][1]["gNB-CU-UE-F1AP-ID"])
        return UeReport(ue, IndicationFormat1(records, info, report["granulPeriod"]))

    def decoder(data: bytes) -> list[UeTable]:
        _, body = schema.decode("Message", data)["indicationMessage-formats"]
        return tables(IndicationFormat3(tuple(map(report_of, body["ueMeasReportList"]))))

    return decoder


def _value(item: tuple[str, Any]) -> Value:
    value: Value = item[1] if item[0] in ("integer", "real") else None
    return value


@dataclass(slots=True)
class Path:
    """One cell's decisions, from E2AP PDU to RMR frame, without sockets."""

    config: XappConfig
    decoder: Decoder

    def decide(self, pdus: Sequence[bytes]) -> tuple[float, list[bytes]]:
        """Decide on each PDU in turn; CPU seconds per decision, and the frames."""
        config, node = self.config, NodeConfig()
        rosters = Rosters(ue_slice_map(node.name, config.ue_slices, config.snssais))
        reader = ReportReader(config.snssais, profile=kpi.STANDARD, names={}, period_s=config.period_s)
        targets = SlaTargets.of(config.promises)
        target = ControlTarget(node.name, node.cell, ControlKind.CCC, node.ccc_id, config.plmn_digits)
        loop = CellLoop(
            node.name,
            node.cell,
            config.snssais,
            controller=create(config.controller, config.demand),
            guard=config.guard_config(),
            period_s=config.period_s,
            cell_prbs=106,
        )
        frames: list[bytes] = []
        old: Policy = ()
        began_s = time.process_time()
        for number, pdu in enumerate(pdus):
            indication = decode(pdu)
            assert isinstance(indication, RicIndication)
            parts = [UeRows(table, rosters.of(table.ues)) for table in self.decoder(indication.message)]
            now_s = number * config.period_s
            policy = loop.on_report(reader.of_ues(parts), targets, now_s=now_s, time_s=now_s).policy
            (control,) = requests(target, policy, old or policy, {}, 1)
            frames.append(
                encode_frame(RmrMessage(RIC_CONTROL_REQ, control, meid=node.name), source="", source_ip="")
            )
            loop.took_over(policy)
            old = policy
        return (time.process_time() - began_s) / len(pdus), frames


def compare(config: XappConfig, pdus: Sequence[bytes], repeats: int = 3) -> tuple[float, float]:
    """Least CPU seconds per decision with our decoder and with asn1tools, interleaved.

    Raises SystemExit when the two come to different decisions.
    """
    rivals = [Path(config, ours), Path(config, asn1tools_decoder())]
    least = [float("inf"), float("inf")]
    gc.collect()
    for _ in range(repeats):
        results = [path.decide(pdus) for path in rivals]
        if results[0][1] != results[1][1]:
            raise SystemExit("our decoder and asn1tools lead to different decisions")
        least = [min(before, seconds) for before, (seconds, _) in zip(least, results, strict=True)]
    return least[0], least[1]
