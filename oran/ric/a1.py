"""The A1 mediator: policies come in by REST, go to xApps by RMR, and what xApps say of them is their status."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime

from oran.errors import SdlError
from oran.logs import get_logger
from oran.rest import JsonObject, JsonValue, RequestError, parse_json
from oran.ric.config import RicConfig
from oran.ric.counters import RicCounters
from oran.ric.policies import PolicyStatus, PolicyStore
from oran.ric.policy_schema import check_policy, check_schema
from oran.rmr.message import RmrMessage
from oran.rmr.transport import SendResult
from oran.rmr.types import A1_POLICY_REQ, A1_POLICY_RESP
from oran.sdl import Sdl

log = get_logger(__name__)

MAX_TYPE_ID = 2**31 - 1
MAX_TYPE_OCTETS = 1 << 18
MAX_POLICY_OCTETS = 1 << 16
QUEUE_MESSAGES = 1024
MAX_REASON = 300
STATUSES = ("OK", "ERROR", "DELETED")
_POLICY_ID = re.compile(r"[A-Za-z0-9._~:@+-]{1,128}")
_TYPE_KEYS = ("name", "description", "policy_type_id", "create_schema")


class A1Mediator:
    """Policy types, policies and their status. Requests raise RequestError, or SdlError when the store fails.

    What comes from xApps by RMR is handled in order by one task, behind a bounded queue.
    """

    def __init__(
        self,
        config: RicConfig,
        sdl: Sdl,
        counters: RicCounters,
        send: Callable[[RmrMessage], SendResult],
    ) -> None:
        self._as_text = config.policy_form == "text"
        self._store = PolicyStore(sdl)
        self._counters = counters
        self._send = send
        self._turn = asyncio.Lock()
        self._queue: asyncio.Queue[RmrMessage] = asyncio.Queue(QUEUE_MESSAGES)
        self._worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to handle what xApps send."""
        self._worker = asyncio.create_task(self._work(), name="a1-mediator")

    async def stop(self) -> None:
        """Stop that."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None

    def received(self, message: RmrMessage) -> None:
        """Take a query (20012) or a status (20011) from an xApp."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._counters.drop("a1_queue_full")

    async def healthy(self) -> bool:
        """Whether the store can be reached."""
        try:
            await self._store.types()
        except SdlError:
            return False
        return True

    async def types(self) -> list[int]:
        """The ids of all policy types."""
        return await self._store.types()

    async def type(self, type_id: int) -> JsonObject:
        """A policy type as it was put; 404."""
        return await self._store.type(type_id)

    async def put_type(self, type_id: int, body: JsonObject) -> None:
        """Add a policy type; 400 when it is malformed, has no usable schema, or exists."""
        if not 1 <= type_id <= MAX_TYPE_ID:
            raise RequestError(400, f"the policy type id must be from 1 to {MAX_TYPE_ID}")
        missing = [key for key in _TYPE_KEYS if key not in body]
        if missing:
            raise RequestError(400, f"the policy type lacks {', '.join(missing)}")
        if not isinstance(body["name"], str) or not isinstance(body["description"], str):
            raise RequestError(400, "name and description must be text")
        if body["policy_type_id"] != type_id or isinstance(body["policy_type_id"], bool):
            raise RequestError(400, f"policy_type_id must be {type_id}, as in the path")
        check_schema(body["create_schema"])
        async with self._turn:
            await self._store.add_type(type_id, {key: body[key] for key in _TYPE_KEYS})

    async def delete_type(self, type_id: int) -> None:
        """Remove a policy type; 404, and 400 while it has policies."""
        async with self._turn:
            await self._store.remove_type(type_id)

    async def policies(self, type_id: int) -> list[str]:
        """The ids of a type's policies; 404."""
        await self._store.type(type_id)
        return await self._store.policies(type_id)

    async def policy(self, type_id: int, policy_id: str) -> JsonValue:
        """A policy; 404."""
        await self._store.type(type_id)
        return await self._store.policy(type_id, policy_id)

    async def put_policy(self, type_id: int, policy_id: str, policy: JsonObject) -> None:
        """Check and store a policy and tell the xApps of its type; 404, and 400 with the fault found."""
        if not _POLICY_ID.fullmatch(policy_id):
            raise RequestError(400, "the policy id must be 1 to 128 letters, digits or any of . _ ~ : @ + -")
        async with self._turn:
            schema = (await self._store.type(type_id))["create_schema"]
            check_policy(policy, schema if isinstance(schema, dict) else {})
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
            new = await self._store.put_policy(type_id, policy_id, policy, now)
            self._tell("CREATE" if new else "UPDATE", type_id, policy_id, policy)

    async def delete_policy(self, type_id: int, policy_id: str) -> None:
        """Remove a policy and tell the xApps; 404."""
        async with self._turn:
            await self._store.type(type_id)
            await self._store.remove_policy(type_id, policy_id)
            self._tell("DELETE", type_id, policy_id, None)

    async def status(self, type_id: int, policy_id: str) -> JsonObject:
        """A policy's status in A1's and in OSC's words; 404."""
        await self._store.type(type_id)
        return _status(await self._store.status(type_id, policy_id))

    def _tell(self, operation: str, type_id: int, policy_id: str, policy: JsonValue) -> None:
        """Send a policy to the xApps its type is routed to."""
        payload: JsonValue = policy
        if self._as_text:
            payload = "" if operation == "DELETE" else json.dumps(policy, separators=(",", ":"))
        body: JsonObject = {
            "operation": operation,
            "policy_type_id": str(type_id) if self._as_text else type_id,
            "policy_instance_id": policy_id,
            "payload": payload,
        }
        text = json.dumps(body, separators=(",", ":")).encode()
        result = self._send(RmrMessage(A1_POLICY_REQ, text, sub_id=type_id))
        if result:
            self._counters.policies_sent += 1
        else:
            self._counters.drop(f"policy_{result.value}")

    async def _work(self) -> None:
        while True:
            message = await self._queue.get()
            handle = self._note if message.mtype == A1_POLICY_RESP else self._query
            try:
                await self._handle(message, handle)
            except SdlError as error:
                self._counters.drop("a1_store")
                log.warning("a1_store_failed", reason=str(error))

    async def _handle(
        self, message: RmrMessage, handle: Callable[[int, JsonObject], Coroutine[None, None, None]]
    ) -> None:
        try:
            body = parse_json(message.payload.split(b"\0", 1)[0])
        except RequestError:
            body = None
        type_id = _type_id(body.get("policy_type_id")) if isinstance(body, dict) else None
        if not isinstance(body, dict) or type_id is None:
            self._counters.drop("a1_malformed")
            return
        async with self._turn:
            await handle(type_id, body)

    async def _query(self, type_id: int, body: JsonObject) -> None:
        """Send every policy of a type again."""
        for number, policy_id in enumerate(await self._store.policies(type_id)):
            self._tell("CREATE", type_id, policy_id, await self._store.policy(type_id, policy_id))
            if number % 32 == 31:
                await asyncio.sleep(0)

    async def _note(self, type_id: int, body: JsonObject) -> None:
        """Note what an xApp says of a policy."""
        fields = [body.get(key) for key in ("policy_instance_id", "handler_id", "status")]
        policy_id, handler, status = (field if isinstance(field, str) else "" for field in fields)
        if not _POLICY_ID.fullmatch(policy_id) or not 0 < len(handler) <= 128 or status not in STATUSES:
            self._counters.drop("a1_malformed")
            return
        reason = body.get("reason")
        reason = reason[:MAX_REASON] if isinstance(reason, str) and status == "ERROR" else ""
        noted = await self._store.set_status(type_id, policy_id, handler, status, reason)
        if not noted and status != "DELETED":
            self._counters.drop("a1_unknown_policy")


def _status(status: PolicyStatus) -> JsonObject:
    answer: JsonObject = {
        "enforceStatus": "ENFORCED" if status.enforced else "NOT_ENFORCED",
        "instance_status": "IN EFFECT" if status.enforced else "NOT IN EFFECT",
        "has_been_deleted": False,
        "created_at": status.created_at,
    }
    if not status.enforced:
        failing = sorted(name for name, said in status.handlers.items() if said != "OK")
        told = (f"{name}: {status.reasons[name]}" if name in status.reasons else name for name in failing)
        answer["enforceReason"] = f"refused by {'; '.join(told)}" if failing else "no xApp has confirmed it"
    return answer


def _type_id(value: JsonValue) -> int | None:
    """A policy type id as a number or as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 10:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TYPE_ID
    return value if usable and isinstance(value, int) else None
