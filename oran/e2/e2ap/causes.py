"""E2AP's causes (O-RAN.WG3.E2AP 9.2.1): six groups of named values."""

from oran.e2 import asn1_value as json
from oran.e2.aper import Reader, Writer
from oran.e2.asn1_value import JsonValue
from oran.e2.e2ap.messages import Cause
from oran.e2.errors import EncodeError
from oran.e2.schema import Type

GROUPS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "ricRequest",
        (
            "ran-function-id-invalid",
            "action-not-supported",
            "excessive-actions",
            "duplicate-action",
            "duplicate-event-trigger",
            "function-resource-limit",
            "request-id-unknown",
            "inconsistent-action-subsequent-action-sequence",
            "control-message-invalid",
            "ric-call-process-id-invalid",
            "control-timer-expired",
            "control-failed-to-execute",
            "system-not-ready",
            "unspecified",
        ),
        (
            "ric-subscription-end-time-expired",
            "ric-subscription-end-time-invalid",
            "duplicate-ric-request-id",
            "eventTriggerNotSupported",
            "requested-information-unavailable",
            "invalid-information-request",
        ),
    ),
    ("ricService", ("ran-function-not-supported", "excessive-functions", "ric-resource-limit"), ()),
    ("e2Node", ("e2node-component-unknown",), ()),
    ("transport", ("unspecified", "transport-resource-unavailable"), ()),
    (
        "protocol",
        (
            "transfer-syntax-error",
            "abstract-syntax-error-reject",
            "abstract-syntax-error-ignore-and-notify",
            "message-not-compatible-with-receiver-state",
            "semantic-error",
            "abstract-syntax-error-falsely-constructed-message",
            "unspecified",
        ),
        (),
    ),
    (
        "misc",
        ("control-processing-overload", "hardware-failure", "om-intervention", "unspecified"),
        (),
    ),
)
"""Each group's name, its values and its later additions, in wire order."""

UNKNOWN = "extension-"
"""A value newer than this table reads as this and its number among the additions."""

_INDEXES = {name: index for index, (name, _, _) in enumerate(GROUPS)}


class CauseType(Type[Cause]):
    """CHOICE of ENUMERATED; a value that a later version added is kept by its number."""

    def read(self, reader: Reader, field: str) -> Cause:
        if reader.bit(field):
            reader.fail("unknown group of causes", field)
        group, root, additions = GROUPS[reader.constrained(0, len(GROUPS) - 1, field)]
        if not reader.bit(field):
            return Cause(group, root[reader.constrained(0, len(root) - 1, field)])
        index = reader.small_number(field)
        return Cause(group, additions[index] if index < len(additions) else f"{UNKNOWN}{index}")

    def write(self, writer: Writer, value: Cause, field: str) -> None:
        group = _INDEXES.get(value.group)
        if group is None:
            writer.fail(f"cause group {value.group!r} is none of {list(_INDEXES)}", field)
        _, root, additions = GROUPS[group]
        writer.bit(False)
        writer.constrained(group, 0, len(GROUPS) - 1, field)
        if value.value in root:
            writer.bit(False)
            writer.constrained(root.index(value.value), 0, len(root) - 1, field)
            return
        writer.bit(True)
        if value.value in additions:
            writer.small_number(additions.index(value.value))
            return
        number = value.value.removeprefix(UNKNOWN)
        if number == value.value or not number.isascii() or not number.isdigit() or len(number) > 9:
            writer.fail(f"{value.value!r} is no cause of {value.group}", field)
        writer.small_number(int(number))

    def to_asn1(self, value: Cause) -> JsonValue:
        return json.choice(value.group, value.value)

    def from_asn1(self, value: JsonValue, field: str) -> Cause:
        group, name = json.as_choice(value, field)
        if group not in _INDEXES:
            raise EncodeError(f"cause group {group!r} is none of {list(_INDEXES)}", field=field)
        return Cause(group, json.as_text(name, field))
