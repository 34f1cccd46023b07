"""A1 policy types and policies in the shared data layer, under the keys of OSC's A1 mediator."""

import json
from dataclasses import dataclass, field

from oran.rest import JsonObject, JsonValue, RequestError
from oran.sdl import Sdl

NAMESPACE = "A1m_ns"
MAX_TYPES = 256
MAX_POLICIES = 4096
MAX_HANDLERS = 64

_TYPE = "a1.policy_type."
_INSTANCE = "a1.policy_instance."
_METADATA = "a1.policy_inst_metadata."
_HANDLER = "a1.policy_handler."


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """When a policy was made, and the last word of each xApp (handler) on it: OK, or ERROR and perhaps why."""

    created_at: str
    handlers: dict[str, str]
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def enforced(self) -> bool:
        """Whether somebody handles the policy and nobody fails to."""
        return bool(self.handlers) and all(status == "OK" for status in self.handlers.values())


class PolicyStore:
    """Reads and writes; raises oran.errors.SdlError when the store fails. Callers take turns."""

    def __init__(self, sdl: Sdl) -> None:
        self._sdl = sdl

    async def types(self) -> list[int]:
        """The ids of all policy types, in order."""
        keys = await self._sdl.keys(NAMESPACE, f"{_TYPE}*")
        return sorted(int(key[len(_TYPE) :]) for key in keys if key[len(_TYPE) :].isdecimal())

    async def type(self, type_id: int) -> JsonObject:
        """A policy type's body; raises RequestError 404."""
        body = await self._read(f"{_TYPE}{type_id}")
        if not isinstance(body, dict):
            raise RequestError(404, f"there is no policy type {type_id}")
        return body

    async def add_type(self, type_id: int, body: JsonObject) -> None:
        """Add a policy type; raises RequestError 400 when there is one, or too many."""
        if len(await self.types()) >= MAX_TYPES:
            raise RequestError(400, f"there are {MAX_TYPES} policy types already")
        if not await self._sdl.set_if(NAMESPACE, f"{_TYPE}{type_id}", None, _text(body)):
            raise RequestError(400, f"policy type {type_id} already exists")

    async def remove_type(self, type_id: int) -> None:
        """Remove a policy type; raises RequestError 404, or 400 while it has policies."""
        await self.type(type_id)
        if await self.policies(type_id):
            raise RequestError(400, f"policy type {type_id} still has policies")
        await self._sdl.delete(NAMESPACE, [f"{_TYPE}{type_id}"])

    async def policies(self, type_id: int) -> list[str]:
        """The ids of a type's policies, in order."""
        prefix = f"{_INSTANCE}{type_id}."
        return [key[len(prefix) :] for key in await self._sdl.keys(NAMESPACE, f"{prefix}*")]

    async def policy(self, type_id: int, policy_id: str) -> JsonValue:
        """A policy; raises RequestError 404."""
        key = f"{_INSTANCE}{type_id}.{policy_id}"
        if key not in await self._sdl.get(NAMESPACE, [key]):
            raise RequestError(404, f"there is no policy {policy_id} of type {type_id}")
        return await self._read(key)

    async def put_policy(self, type_id: int, policy_id: str, policy: JsonValue, now: str) -> bool:
        """Write a policy, forgetting what xApps said of it before; tell whether it is new."""
        key = f"{_INSTANCE}{type_id}.{policy_id}"
        new = not await self._sdl.get(NAMESPACE, [key])
        if new and len(await self.policies(type_id)) >= MAX_POLICIES:
            raise RequestError(400, f"policy type {type_id} has {MAX_POLICIES} policies already")
        values = {key: _text(policy), f"{_HANDLER}{type_id}.{policy_id}": b"{}"}
        if new:
            metadata: JsonObject = {"created_at": now, "has_been_deleted": "False"}
            values[f"{_METADATA}{type_id}.{policy_id}"] = _text(metadata)
        await self._sdl.set(NAMESPACE, values)
        return new

    async def remove_policy(self, type_id: int, policy_id: str) -> None:
        """Remove a policy and all that is known of it; raises RequestError 404."""
        await self.policy(type_id, policy_id)
        prefixes = (_INSTANCE, _METADATA, _HANDLER)
        await self._sdl.delete(NAMESPACE, [f"{prefix}{type_id}.{policy_id}" for prefix in prefixes])

    async def status(self, type_id: int, policy_id: str) -> PolicyStatus:
        """What is known of a policy; raises RequestError 404."""
        await self.policy(type_id, policy_id)
        metadata = await self._read(f"{_METADATA}{type_id}.{policy_id}")
        handlers = await self._read(f"{_HANDLER}{type_id}.{policy_id}")
        created_at = metadata.get("created_at") if isinstance(metadata, dict) else None
        pairs = {name: _said(value) for name, value in (handlers if isinstance(handlers, dict) else {}).items()}
        return PolicyStatus(
            str(created_at or ""),
            {name: status for name, (status, _) in pairs.items()},
            {name: reason for name, (_, reason) in pairs.items() if reason},
        )

    async def set_status(self, type_id: int, policy_id: str, handler: str, status: str, reason: str = "") -> bool:
        """Note what an xApp says of a policy; false when there is no such policy, or too many xApps."""
        try:
            known = await self.status(type_id, policy_id)
        except RequestError:
            return False
        said: JsonObject = {name: [word, known.reasons.get(name, "")] for name, word in known.handlers.items()}
        if status == "DELETED":
            said.pop(handler, None)
        else:
            said[handler] = [status, reason]
        if len(said) > MAX_HANDLERS:
            return False
        await self._sdl.set(NAMESPACE, {f"{_HANDLER}{type_id}.{policy_id}": _text(said)})
        return True

    async def _read(self, key: str) -> JsonValue:
        found = (await self._sdl.get(NAMESPACE, [key])).get(key)
        try:
            value: JsonValue = None if found is None else json.loads(found)
        except ValueError:
            return None
        return value


def _said(value: JsonValue) -> tuple[str, str]:
    """A handler's status and reason as `set_status` wrote them."""
    status, reason = value if isinstance(value, list) and len(value) == 2 else (value, "")
    return str(status), str(reason)


def _text(value: JsonValue) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
