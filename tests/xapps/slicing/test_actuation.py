from typing import Any

import pytest

from oran.e2.e2ap.codec import decode
from oran.e2.e2ap.messages import (
    Cause,
    RicControlAcknowledge,
    RicControlFailure,
    RicControlRequest,
    RicRequestId,
)
from oran.e2.identity import GnbDuUeId
from oran.rmr.message import RmrMessage
from oran.rmr.transport import SendResult
from oran.sdl import MemorySdl
from oran.slices import RrmPolicyRatio, static_ratios, to_policy
from tests.xapps.slicing.cells import THREE
from tests.xapps.slicing.test_control import outcome
from tests.xapps.slicing.test_nodes import node, settings
from xapps.slicing.actuation import Actuator
from xapps.slicing.control import Outcome, Policy
from xapps.slicing.fleet import ControlledCell, Fleet
from xapps.slicing.originals import Knowledge, Originals

STATIC = to_policy(THREE, static_ratios(3))


def policy(low: int) -> Policy:
    return tuple(RrmPolicyRatio(name, 0, low, 100) for name in THREE)


class Wire:
    """An actuator and what it sent and counted."""

    def __init__(self, result: SendResult = SendResult.SENT) -> None:
        self.result = result
        self.sent: list[RmrMessage] = []
        self.counts: list[Outcome] = []
        self.found: list[ControlledCell] = []

    async def start(self, node_changes: dict[str, Any] | None = None, **changes: Any) -> ControlledCell:
        config = settings(reassert_s=10.0, control_timeout_s=1.0, **changes)
        self.fleet = Fleet(config, Originals(MemorySdl(), THREE))
        info = node(**(node_changes or {}))

        async def details(name: str) -> Any:
            return info

        await self.fleet.update([info], details)
        self.actuator = Actuator(
            config, self.fleet, send=self._send, count=self.counts.append, original_found=self.found.append
        )
        (cell,) = self.fleet.cells()
        cell.instance = 7
        self.node = info.name
        return cell

    def _send(self, message: RmrMessage) -> SendResult:
        self.sent.append(message)
        return self.result

    def answer(self, octets: bytes | None = None, *, now_s: float = 0.1) -> bool:
        reply = RicControlAcknowledge(RicRequestId(123, 7), 4, octets)
        return self.actuator.answered(self.node, reply, now_s) is not None

    def refuse(self, now_s: float = 0.1) -> bool:
        reply = RicControlFailure(RicRequestId(123, 7), 4, Cause("ricRequest", "control-failed-to-execute"))
        return self.actuator.answered(self.node, reply, now_s) is not None


async def test_a_cell_that_has_not_reported_is_left_as_it_is_unless_an_earlier_run_changed_it() -> None:
    wire = Wire()
    cell = await wire.start()
    cell.instance = -1
    wire.actuator.put_in_force(cell, policy(20), 100.0)
    assert not wire.actuator.restore(cell, 100.1)
    assert not wire.sent
    assert not wire.counts
    cell.knowledge, cell.original = Knowledge.KNOWN, policy(10)
    assert wire.actuator.restore(cell, 100.2)
    assert wire.counts == [Outcome.SENT]


async def test_only_changes_are_sent_and_all_again_after_a_while() -> None:
    wire = Wire()
    cell = await wire.start()
    for now_s, low, sent in ((100.0, 20, 1), (100.1, 20, 1), (100.2, 25, 2), (109.0, 25, 2), (110.3, 25, 3)):
        wire.actuator.put_in_force(cell, policy(low), now_s)
        assert len(wire.sent) == sent
    assert wire.sent[0].meid == wire.node
    assert wire.sent[0].sub_id == -1
    assert cell.loop.in_force[:, 1].tolist() == [25, 25, 25]


async def test_the_first_outcome_tells_the_original_quotas_and_they_are_restored() -> None:
    wire = Wire()
    cell = await wire.start()
    wire.actuator.put_in_force(cell, policy(20), 100.0)
    assert wire.answer(outcome())
    assert wire.found == [cell]
    assert cell.knowledge is Knowledge.KNOWN
    assert cell.original == STATIC
    wire.actuator.put_in_force(cell, policy(25), 100.1)
    assert wire.answer(outcome())
    assert wire.found == [cell]
    assert wire.actuator.restore(cell, 101.0)
    assert cell.sent == STATIC


async def test_a_cell_that_was_never_touched_is_not_restored() -> None:
    wire = Wire()
    cell = await wire.start()
    assert not wire.actuator.restore(cell, 1.0)
    assert wire.sent == []


async def test_a_cell_that_an_earlier_run_touched_is_restored() -> None:
    wire = Wire()
    cell = await wire.start()
    cell.knowledge, cell.original = Knowledge.KNOWN, policy(12)
    assert wire.actuator.restore(cell, 1.0)
    assert cell.sent == policy(12)
    cell.knowledge, cell.original = Knowledge.LOST, ()
    assert wire.actuator.restore(cell, 1.0)
    assert cell.sent == STATIC


@pytest.mark.parametrize(("how", "counted"), [("refuse", Outcome.FAILED), ("partial", Outcome.FAILED)])
async def test_a_refusal_is_counted_and_tried_again_a_little_later(how: str, counted: Outcome) -> None:
    wire = Wire()
    cell = await wire.start()
    wire.actuator.put_in_force(cell, policy(20), 100.0)
    assert wire.refuse(100.1) if how == "refuse" else wire.answer(outcome(failed=1), now_s=100.1)
    assert wire.counts[-1] is counted
    assert cell.loop.in_force[:, 1].tolist() == [33, 33, 33]
    wire.actuator.put_in_force(cell, policy(20), 100.2)
    assert len(wire.sent) == 1
    wire.actuator.put_in_force(cell, policy(20), 101.2)
    assert len(wire.sent) == 2


async def test_no_answer_is_a_timeout_and_a_late_one_is_nobodys() -> None:
    wire = Wire()
    cell = await wire.start()
    wire.actuator.put_in_force(cell, policy(20), 100.0)
    wire.actuator.expire(100.9)
    assert wire.actuator.outstanding == 1
    wire.actuator.expire(101.0)
    assert wire.counts == [Outcome.SENT, Outcome.TIMEOUT]
    assert not wire.answer(outcome())
    assert cell.sent is None


async def test_an_outcome_that_cannot_be_read_is_still_an_acknowledgement() -> None:
    wire = Wire()
    cell = await wire.start()
    wire.actuator.put_in_force(cell, policy(20), 100.0)
    assert wire.answer(b"\xff")
    assert wire.counts[-1] is Outcome.ACKED
    assert cell.knowledge is Knowledge.FRESH


async def test_what_cannot_be_sent_is_tried_again() -> None:
    wire = Wire(SendResult.NO_ROUTE)
    cell = await wire.start()
    wire.actuator.put_in_force(cell, policy(20), 100.0)
    wire.actuator.put_in_force(cell, policy(20), 100.1)
    assert wire.counts == [Outcome.UNSENT] * 2
    assert wire.actuator.outstanding == 0
    assert cell.loop.in_force[:, 1].tolist() == [33, 33, 33]


async def test_a_dry_run_counts_and_sends_nothing() -> None:
    wire = Wire()
    cell = await wire.start(dry_run=True)
    wire.actuator.put_in_force(cell, policy(20), 100.0)
    assert wire.counts == [Outcome.DRY_RUN]
    assert wire.sent == []
    assert not wire.actuator.restore(cell, 101.0)


async def test_per_ue_only_those_are_told_whose_quota_changed_or_who_came() -> None:
    wire = Wire()
    rule = {"profile": "srsran"}
    cell = await wire.start({"supports_ccc": False}, node_rules=[rule])
    cell.ues = {GnbDuUeId(1): 0, GnbDuUeId(2): 1}
    wire.actuator.put_in_force(cell, policy(20), 100.0)
    assert len(wire.sent) == 2
    cell.ues[GnbDuUeId(3)] = 2
    wire.actuator.put_in_force(cell, policy(20), 100.1)
    assert len(wire.sent) == 3
    changed = (*policy(20)[:2], RrmPolicyRatio(THREE[2], 0, 30, 100))
    wire.actuator.put_in_force(cell, changed, 100.2)
    assert len(wire.sent) == 4
    assert all(isinstance(decode(message.payload), RicControlRequest) for message in wire.sent)
    wire.actuator.put_in_force(cell, changed, 111.0)
    assert len(wire.sent) == 7
