"""The SLAs in force: those configured, with the A1 slice-SLA policies laid over them in the order they came."""

from oran.a1 import slice_sla
from oran.a1.errors import A1Error
from oran.a1.policy import Operation, PolicyRequest, Status, parse_request, response
from oran.a1.slice_sla import SlaPolicy
from oran.logs import get_logger
from oran.sla import SlaTargets, SliceSla

MAX_POLICIES = 256

_log = get_logger(__name__)


class PolicyStore:
    """Keeps the policies, and the targets and words that follow from them.

    `handler_id` names this xApp in the answers.
    """

    def __init__(self, promises: tuple[SliceSla, ...], plmn: tuple[str, str], handler_id: str) -> None:
        self._base = promises
        self._plmn = plmn
        self._handler_id = handler_id
        self._policies: dict[str, SlaPolicy] = {}
        self.promises = promises
        self.targets = SlaTargets.of(promises)
        self.words = ""
        """The intent texts of the policies in force, in the order they came."""

    def __len__(self) -> int:
        return len(self._policies)

    def handle(self, message: bytes) -> tuple[Status, bytes]:
        """Carry out an A1_POLICY_REQ: the status and the A1_POLICY_RESP to answer with.

        A policy that cannot be taken changes nothing and is answered ERROR with the reason. Raises A1Error when
        the message does not even say what to answer.
        """
        try:
            request = parse_request(message)
        except A1Error as error:
            if error.type_id is None or error.instance_id is None:
                raise
            return self._refuse(error.type_id, error.instance_id, error.reason)
        before = self._policies
        try:
            status = self._carry_out(request)
        except A1Error as error:
            return self._refuse(request.type_id, request.instance_id, error.reason)
        if self._policies != before:
            _log.info(
                "a1_policy", instance=request.instance_id, operation=request.operation.value, status=status.value
            )
        return status, response(request.type_id, request.instance_id, status, handler_id=self._handler_id)

    def _carry_out(self, request: PolicyRequest) -> Status:
        if request.type_id != slice_sla.TYPE_ID:
            raise A1Error(f"policy type {request.type_id} is not handled here; {slice_sla.TYPE_ID} is")
        policies = dict(self._policies)
        if request.operation is Operation.DELETE:
            policies.pop(request.instance_id, None)
            self._put_in_force(policies)
            return Status.DELETED
        policy = slice_sla.parse_policy(request.payload or {})
        if policy.plmn != self._plmn:
            raise A1Error(f"PLMN {'-'.join(policy.plmn)} is not served here; {'-'.join(self._plmn)} is")
        if request.instance_id not in policies and len(policies) >= MAX_POLICIES:
            raise A1Error(f"all {MAX_POLICIES} places for policies are taken")
        policies[request.instance_id] = policy
        self._put_in_force(policies)
        return Status.OK

    def _put_in_force(self, policies: dict[str, SlaPolicy]) -> None:
        promises = self._base
        for policy in policies.values():
            promises = slice_sla.merge(promises, policy)
        self._policies, self.promises, self.targets = policies, promises, SlaTargets.of(promises)
        self.words = " ".join(policy.intent_text for policy in policies.values() if policy.intent_text)

    def _refuse(self, type_id: int, instance_id: str, reason: str) -> tuple[Status, bytes]:
        _log.warning("a1_policy_refused", instance=instance_id, reason=reason)
        answer = response(type_id, instance_id, Status.ERROR, handler_id=self._handler_id, reason=reason)
        return Status.ERROR, answer
