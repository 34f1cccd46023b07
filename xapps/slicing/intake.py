"""From an indication on RMR to the KPIs of a cell: finds its feed, watches its numbering, decodes and collects."""

import time
from collections.abc import Sequence

from oran.e2.e2ap.codec import decode
from oran.e2.e2ap.messages import RicIndication
from oran.e2.kpm.codec import decode_indication_message
from oran.e2.kpm.messages import IndicationFormat1, IndicationFormat3
from oran.e2.kpm.tables import UeTable, decode_ue_table
from oran.rmr.message import RmrMessage
from oran.subscriptions import Subscription
from xapps.slicing.config import ControlKind, ReportKind
from xapps.slicing.errors import ReportError
from xapps.slicing.fleet import ControlledCell, Feed, Fleet
from xapps.slicing.metrics import XappMetrics
from xapps.slicing.observation import SliceKpis
from xapps.slicing.reports import UeRows, tables

PER_UE = (ReportKind.UES, ReportKind.CONDITIONS)


class Intake:
    """Reads indications for the cells of a fleet."""

    def __init__(self, fleet: Fleet, metrics: XappMetrics) -> None:
        self._fleet = fleet
        self._metrics = metrics

    def read(
        self, message: RmrMessage, subscription: Subscription | None
    ) -> tuple[ControlledCell, SliceKpis] | None:
        """A cell and its KPIs; None while more indications of the period are to come.

        Raises ReportError, or DecodeError, when the indication cannot be used.
        """
        feed = None if subscription is None else self._fleet.feed(subscription.spec)
        if subscription is None or feed is None:
            raise ReportError("unknown_subscription", f"{message.meid} {message.sub_id}")
        pdu = decode(message.payload)
        if not isinstance(pdu, RicIndication):
            raise ReportError("unexpected_pdu", type(pdu).__name__)
        self._metrics.indications.inc()
        _follow(feed, subscription.instance_id)
        self._check_sequence(feed, pdu.sn)
        feed.heard_s = time.monotonic()
        kpis = _of_ues(feed, pdu) if feed.report.kind in PER_UE else _of_cell(feed, pdu)
        return None if kpis is None else (feed.cell, kpis)

    def _check_sequence(self, feed: Feed, sn: int | None) -> None:
        if sn is not None and feed.sn is not None:
            missing = (sn - feed.sn - 1) & 0xFFFF
            # A step back is a node that counts anew, not 60,000 lost indications.
            if missing < 0x8000:
                self._metrics.lost_indications.inc(missing)
        feed.sn = sn


def _follow(feed: Feed, instance: int) -> None:
    """Take note of a new subscription: the node may have started anew, with quotas of its own."""
    if feed.instance != instance:
        feed.instance, feed.sn = instance, None
        feed.cell.instance, feed.cell.sent = instance, None
        feed.cell.told.clear()


def _of_cell(feed: Feed, pdu: RicIndication) -> SliceKpis:
    report = decode_indication_message(pdu.message, feed.dialect)
    if not isinstance(report, IndicationFormat1):
        raise ReportError("unexpected_format", type(report).__name__)
    return feed.reader.of_cell(report)


def _of_ues(feed: Feed, pdu: RicIndication) -> SliceKpis | None:
    parts = [UeRows(table, feed.rosters.of(table.ues)) for table in _tables(feed, pdu.message)]
    if parts and not any(part.roster.names for part in parts):
        raise ReportError(
            "unmapped_ues", f"none of {sum(len(part.table.ues) for part in parts)} UEs is of a known slice"
        )
    whole = feed.cell.collector.add(feed.report.slice, parts)
    if whole is None:
        return None
    target = feed.cell.target
    if target is not None and target.kind is not ControlKind.CCC:
        feed.cell.ues = {ue: index for part in whole for ue, index in part.roster.members.items()}
    return feed.reader.of_ues(whole)


def _tables(feed: Feed, message: bytes) -> Sequence[UeTable]:
    """An indication's reports, in nearly all cases as the one table that it is on the wire."""
    table = decode_ue_table(message, feed.dialect)
    if table is not None:
        return (table,)
    report = decode_indication_message(message, feed.dialect)
    if not isinstance(report, IndicationFormat3):
        raise ReportError("unexpected_format", type(report).__name__)
    return tables(report)
