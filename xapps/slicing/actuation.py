"""Brings policies into force: sends what has changed, follows the answers, and gives the original quotas back."""

from collections.abc import Callable

from oran.e2.e2ap.messages import RicControlAcknowledge, RicControlFailure
from oran.e2.errors import EncodeError
from oran.e2.identity import UeId
from oran.logs import get_logger
from oran.rmr.message import RmrMessage
from oran.rmr.transport import SendResult
from oran.rmr.types import RIC_CONTROL_REQ
from oran.slices import static_ratios, to_policy
from xapps.slicing.config import ControlKind, XappConfig
from xapps.slicing.control import ControlLedger, Outcome, Outstanding, Policy, all_accepted, old_policy, requests
from xapps.slicing.errors import ControlError
from xapps.slicing.fleet import ControlledCell, Fleet
from xapps.slicing.originals import Knowledge
from xapps.slicing.quiet import Quiet

_log = get_logger(__name__)


class Actuator:
    """Sends controls by `send` and counts by `count` what becomes of them."""

    def __init__(
        self,
        config: XappConfig,
        fleet: Fleet,
        *,
        send: Callable[[RmrMessage], SendResult],
        count: Callable[[Outcome], None],
        original_found: Callable[[ControlledCell], None],
    ) -> None:
        self._config = config
        self._fleet = fleet
        self._send = send
        self._count = count
        self._original_found = original_found
        self._ledger = ControlLedger(config.control_timeout_s)
        self._quiet = Quiet(_log)

    @property
    def outstanding(self) -> int:
        """Controls that wait for an answer."""
        return len(self._ledger)

    def put_in_force(self, cell: ControlledCell, policy: Policy, now_s: float) -> None:
        """Send a policy where it differs from the one sent last, or where that is long ago.

        A cell that has not reported yet is left as it is: no answer would find its way back.
        """
        if cell.target is None or cell.instance < 0 or now_s < cell.not_before_s:
            return
        again = now_s - cell.sent_s >= self._config.reassert_s
        if again:
            cell.told.clear()
        ues = _untold(cell, policy)
        if cell.sent == policy and not again and not (cell.target.kind is ControlKind.RC_UE and ues):
            return
        if not self._config.sends:
            cell.sent, cell.sent_s = policy, now_s
            self._count(Outcome.DRY_RUN)
            return
        self._transmit(cell, policy, ues, now_s)

    def _transmit(self, cell: ControlledCell, policy: Policy, ues: dict[UeId, int], now_s: float) -> None:
        target = cell.target
        assert target is not None
        old = cell.loop.policy
        # Quotas of an earlier run are restored even where this one has no subscription.
        instance = max(cell.instance, 0)
        try:
            messages = requests(target, policy, old, ues, instance)
        except (ControlError, EncodeError) as error:
            self._count(Outcome.UNSENT)
            self._quiet.warning("control_not_made", target.node, reason=str(error))
            return
        sent = True
        for payload in messages:
            result = self._send(RmrMessage(RIC_CONTROL_REQ, payload, meid=target.node))
            self._count(Outcome.SENT if result else Outcome.UNSENT)
            if result:
                self._ledger.sent(target, instance, policy, old, now_s)
            else:
                sent = False
                self._quiet.warning("control_not_sent", target.node, reason=result.value)
        if sent and messages:
            cell.sent, cell.sent_s = policy, now_s
            cell.told.update({ue: policy[index] for ue, index in ues.items()})
            cell.loop.took_over(policy)

    def answered(
        self, node: str, answer: RicControlAcknowledge | RicControlFailure, now_s: float
    ) -> Outstanding | None:
        """Take a node's answer and return the control that it is to; None when it answers nothing that waits."""
        waiting = self._ledger.answered(node, answer.request_id.instance)
        if waiting is None:
            return None
        cell = self._fleet.cell(node, waiting.target.cell)
        if isinstance(answer, RicControlFailure):
            self._failed(cell, waiting, str(answer.cause), now_s)
            return waiting
        try:
            accepted = self._learn(cell, waiting, answer.outcome)
        except ControlError as error:
            # The node has acknowledged: what it says beside that is not needed.
            self._quiet.warning("outcome_unreadable", node, reason=str(error))
            accepted = True
        if accepted:
            self._count(Outcome.ACKED)
        else:
            self._failed(cell, waiting, "not all slices were accepted", now_s)
        return waiting

    def _learn(self, cell: ControlledCell | None, waiting: Outstanding, outcome: bytes | None) -> bool:
        """Read a CCC outcome: whether all was accepted; the first one tells the cell's original quotas."""
        if waiting.target.kind is not ControlKind.CCC or not outcome:
            return True
        if cell is not None and cell.knowledge is Knowledge.FRESH:
            found = old_policy(waiting.target, outcome, cell.loop.slices)
            if found is not None:
                cell.knowledge, cell.original = Knowledge.KNOWN, found
                self._original_found(cell)
        return all_accepted(outcome)

    def _failed(self, cell: ControlledCell | None, waiting: Outstanding, reason: str, now_s: float) -> None:
        self._count(Outcome.FAILED)
        self._quiet.warning("control_failed", waiting.target.node, reason=reason)
        self._send_again(cell, waiting, now_s)

    def _send_again(self, cell: ControlledCell | None, waiting: Outstanding, now_s: float) -> None:
        """Take a cell for what it was before a control that came to nothing, and try again a little later."""
        if cell is None:
            return
        cell.sent = None
        cell.told.clear()
        cell.not_before_s = now_s + self._config.control_timeout_s
        cell.loop.took_over(waiting.old)

    def expire(self, now_s: float) -> None:
        """Count the controls whose answer is overdue; their cells are told again at the next decision."""
        for waiting in self._ledger.expire(now_s):
            self._count(Outcome.TIMEOUT)
            self._send_again(self._fleet.cell(waiting.target.node, waiting.target.cell), waiting, now_s)

    def forget(self, node: str) -> None:
        """Drop what a node that has gone will not answer."""
        self._ledger.forget(node)

    def restore(self, cell: ControlledCell, now_s: float) -> bool:
        """Give a cell its original quotas back, or the static ones where nobody knows them.

        False where nothing was ever sent to it, by this run or one before, or where it cannot be sent now.
        """
        if cell.target is None or not self._config.sends:
            return False
        if cell.sent is None and cell.sent_s == 0.0 and cell.knowledge is Knowledge.FRESH:
            return False
        slices = cell.loop.slices
        policy = cell.original or to_policy(slices, static_ratios(len(slices)))
        cell.sent = None
        cell.told.clear()
        self._transmit(cell, policy, dict(cell.ues), now_s)
        return cell.sent is not None


def _untold(cell: ControlledCell, policy: Policy) -> dict[UeId, int]:
    """The UEs whose slice's quota is not yet the one that they were told."""
    if cell.target is None or cell.target.kind is not ControlKind.RC_UE:
        return cell.ues
    cell.told = {ue: quota for ue, quota in cell.told.items() if ue in cell.ues}
    return {ue: index for ue, index in cell.ues.items() if cell.told.get(ue) != policy[index]}
