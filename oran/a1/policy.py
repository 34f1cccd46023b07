"""A1 policies as an xApp sees them: JSON in RMR messages between it and the RIC's A1 mediator.

The mediator written in Go sends the policy type as text and the policy as JSON inside a string; the one written
in Python, and the written contract, use a number and an object. Both are read. What we send keeps to the number,
which both take: a text there makes the Go mediator fail.
"""

import enum
import json
from dataclasses import dataclass

from oran.a1.errors import A1Error
from oran.rest import JsonObject, JsonValue, RequestError, parse_json

MAX_MESSAGE_OCTETS = 1 << 18
MAX_INSTANCE_ID = 256
HIGHEST_TYPE_ID = 2**31 - 1


class Operation(enum.Enum):
    """What is to be done with a policy instance."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Status(enum.Enum):
    """What became of it."""

    OK = "OK"
    ERROR = "ERROR"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """An A1_POLICY_REQ (RMR 20010); `payload` is the policy, None for DELETE."""

    operation: Operation
    type_id: int
    instance_id: str
    payload: JsonObject | None


def parse_request(message: bytes) -> PolicyRequest:
    """Read an A1_POLICY_REQ of either mediator; raises A1Error with the reason."""
    if len(message) > MAX_MESSAGE_OCTETS:
        raise A1Error(f"the policy message has {len(message)} octets; at most {MAX_MESSAGE_OCTETS} are read")
    fields = _object(message.split(b"\0", 1)[0], "the policy message")
    type_id = _type_id(fields.get("policy_type_id"))
    instance_id = fields.get("policy_instance_id")
    if not isinstance(instance_id, str) or not 0 < len(instance_id) <= MAX_INSTANCE_ID:
        raise A1Error(f"policy_instance_id must be a text of 1 to {MAX_INSTANCE_ID} characters", type_id=type_id)
    try:
        operation = _operation(fields.get("operation"))
        return PolicyRequest(operation, type_id, instance_id, _payload(operation, fields.get("payload")))
    except A1Error as error:
        raise A1Error(error.reason, type_id=type_id, instance_id=instance_id) from None


def response(type_id: int, instance_id: str, status: Status, *, handler_id: str, reason: str = "") -> bytes:
    """An A1_POLICY_RESP (RMR 20011).

    `handler_id` names the xApp; a reason rides along for mediators that read it.
    """
    fields: JsonObject = {
        "policy_type_id": type_id,
        "policy_instance_id": instance_id,
        "handler_id": handler_id,
        "status": status.value,
    }
    if reason:
        fields["reason"] = reason
    return json.dumps(fields).encode()


def query(type_id: int) -> bytes:
    """An A1_POLICY_QUERY (RMR 20012): asks the mediator for all instances of a type, as after a restart."""
    return json.dumps({"policy_type_id": type_id}).encode()


def _object(text: bytes | str, what: str) -> JsonObject:
    try:
        value = parse_json(text)
    except RequestError:
        raise A1Error(f"{what} is not JSON") from None
    if not isinstance(value, dict):
        raise A1Error(f"{what} must be a JSON object")
    return value


def _operation(value: JsonValue) -> Operation:
    try:
        return Operation(value)
    except ValueError:
        raise A1Error("operation must be CREATE, UPDATE or DELETE") from None


def _type_id(value: JsonValue) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 10:
        value = int(value)
    if type(value) is not int or not 0 <= value <= HIGHEST_TYPE_ID:
        raise A1Error(f"policy_type_id must be an integer of 0..{HIGHEST_TYPE_ID}, as a number or as text")
    return value


def _payload(operation: Operation, value: JsonValue) -> JsonObject | None:
    if operation is Operation.DELETE:
        return None
    if isinstance(value, str):
        return _object(value, "the policy")
    if not isinstance(value, dict):
        raise A1Error("the policy must be a JSON object, or one written as text")
    return value
