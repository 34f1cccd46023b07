"""The A1 policy type by which a slice's SLA is set.

Names and units follow O-RAN's slice SLA target (A1TD, ORAN_SliceSLATarget): throughput in kbit/s, delay in ms,
loss as a ratio. Objectives it has and this RIC cannot enforce are refused rather than passed over.
"""

from dataclasses import dataclass, replace

from oran.a1.errors import A1Error
from oran.rest import JsonObject, JsonValue
from oran.sla import SliceSla
from oran.slices import SNssai

TYPE_ID = 20008
"""The number of this policy type at the near-RT RIC."""

TYPE_NAME = "Ranloop_SliceSLATarget"
MAX_INTENT_TEXT = 500
LOWEST_PRIORITY = 100

THROUGHPUT = "guaDlThptPerUe"
DELAY = "maxDlPacketDelayPerUe"
LOSS = "maxDlPdcpSduPacketLossRatePerUe"
PRIORITY = "dlSlicePriority"
_UNITS = {THROUGHPUT: "kbit/s", DELAY: "ms", LOSS: "a ratio"}
_HIGHEST = {THROUGHPUT: 1e8, DELAY: 6e5, LOSS: 1.0}
_LOWEST = 1e-9

_PLMN_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "mcc": {"type": "string", "pattern": "^[0-9]{3}$", "maxLength": 3},
        "mnc": {"type": "string", "pattern": "^[0-9]{2,3}$", "maxLength": 3},
    },
    "required": ["mcc", "mnc"],
    "additionalProperties": False,
}
_SLICE_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "sst": {"type": "integer", "minimum": 0, "maximum": 255},
        "sd": {"type": "string", "pattern": "^[0-9A-Fa-f]{6}$", "maxLength": 6},
        "plmnId": _PLMN_SCHEMA,
    },
    "required": ["sst", "plmnId"],
    "additionalProperties": False,
}

CREATE_SCHEMA: JsonObject = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "scope": {
            "type": "object",
            "properties": {"sliceId": _SLICE_SCHEMA},
            "required": ["sliceId"],
            "additionalProperties": False,
        },
        "sliceSlaObjectives": {
            "type": "object",
            "properties": {
                **{
                    name: {
                        "type": "number",
                        "minimum": _LOWEST,
                        "maximum": highest,
                        "description": _UNITS[name],
                    }
                    for name, highest in _HIGHEST.items()
                },
                PRIORITY: {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": LOWEST_PRIORITY,
                    "description": "1 is the highest",
                },
            },
            "minProperties": 1,
            "additionalProperties": False,
        },
        "intentText": {"type": "string", "maxLength": MAX_INTENT_TEXT},
    },
    "required": ["scope", "sliceSlaObjectives"],
    "additionalProperties": False,
}

POLICY_TYPE: JsonObject = {
    "name": TYPE_NAME,
    "description": "What a slice is promised: UE throughput, delay, loss and priority in the downlink",
    "policy_type_id": TYPE_ID,
    "create_schema": CREATE_SCHEMA,
}
"""The body of PUT /A1-P/v2/policytypes/{TYPE_ID}."""


@dataclass(frozen=True, slots=True)
class SlaPolicy:
    """A slice SLA policy in SI units; None leaves the objective as it is. `priority` 1 is the highest."""

    slice: SNssai
    plmn: tuple[str, str]
    throughput_bps: float | None = None
    delay_s: float | None = None
    drop_rate: float | None = None
    priority: int | None = None
    intent_text: str = ""


def parse_policy(payload: JsonObject) -> SlaPolicy:
    """Check a policy against the rules of `CREATE_SCHEMA` and convert it; raises A1Error with the reason.

    >>> plmn = {"mcc": "001", "mnc": "01"}
    >>> parse_policy({"scope": {"sliceId": {"sst": 2, "plmnId": plmn}},
    ...               "sliceSlaObjectives": {"maxDlPacketDelayPerUe": 5}}).delay_s
    0.005
    """
    _only(payload, "the policy", "scope", "sliceSlaObjectives", "intentText")
    scope = _part(payload, "scope", "scope")
    _only(scope, "scope", "sliceId")
    slice_id = _part(scope, "sliceId", "scope.sliceId")
    objectives = _part(payload, "sliceSlaObjectives", "sliceSlaObjectives")
    _only(objectives, "sliceSlaObjectives", *_HIGHEST, PRIORITY)
    if not objectives:
        raise A1Error(f"sliceSlaObjectives must hold at least one of {', '.join((*_HIGHEST, PRIORITY))}")
    text = payload.get("intentText", "")
    if not isinstance(text, str) or len(text) > MAX_INTENT_TEXT:
        raise A1Error(f"intentText must be a text of at most {MAX_INTENT_TEXT} characters")
    throughput, delay = _objective(objectives, THROUGHPUT), _objective(objectives, DELAY)
    return SlaPolicy(
        slice=_slice(slice_id),
        plmn=_plmn(_part(slice_id, "plmnId", "scope.sliceId.plmnId")),
        throughput_bps=None if throughput is None else throughput * 1e3,
        delay_s=None if delay is None else delay / 1e3,
        drop_rate=_objective(objectives, LOSS),
        priority=_integer(objectives[PRIORITY], PRIORITY, 1, LOWEST_PRIORITY) if PRIORITY in objectives else None,
        intent_text=text,
    )


def merge(current: tuple[SliceSla, ...], policy: SlaPolicy) -> tuple[SliceSla, ...]:
    """Lay a policy over the promises in force; objectives it does not name stay.

    Priority p gives the slice the weight of all slices together, divided by p. Raises A1Error when the slice is
    none of ours.
    """
    if policy.slice not in {sla.slice for sla in current}:
        known = ", ".join(str(sla.slice) for sla in current) or "none"
        raise A1Error(f"slice {policy.slice} is not controlled here (controlled: {known})")
    total = sum(sla.weight for sla in current)
    return tuple(
        replace(
            sla,
            throughput_bps=sla.throughput_bps if policy.throughput_bps is None else policy.throughput_bps,
            delay_s=sla.delay_s if policy.delay_s is None else policy.delay_s,
            drop_rate=sla.drop_rate if policy.drop_rate is None else policy.drop_rate,
            weight=sla.weight if policy.priority is None else total / policy.priority,
        )
        if sla.slice == policy.slice
        else sla
        for sla in current
    )


def _part(holder: JsonObject, key: str, path: str) -> JsonObject:
    value = holder.get(key)
    if not isinstance(value, dict):
        raise A1Error(f"{path} must be an object")
    return value


def _only(holder: JsonObject, path: str, *allowed: str) -> None:
    for key in holder:
        if key not in allowed:
            raise A1Error(f"{path}: {key[:64]!r} is not supported (supported: {', '.join(allowed)})")


def _objective(objectives: JsonObject, name: str) -> float | None:
    value = objectives.get(name)
    if name not in objectives:
        return None
    lowest, highest = _LOWEST, _HIGHEST[name]
    if not isinstance(value, int | float) or isinstance(value, bool) or not lowest <= value <= highest:
        raise A1Error(f"{name} must be a number of {lowest:g}..{highest:g} ({_UNITS[name]})")
    return float(value)


def _integer(value: JsonValue, path: str, lowest: int, highest: int) -> int:
    """JSON knows one kind of number: 2.0 is an integer (JSON schema says so too)."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not lowest <= value <= highest:
        raise A1Error(f"{path} must be an integer of {lowest}..{highest}")
    return value


def _slice(slice_id: JsonObject) -> SNssai:
    _only(slice_id, "scope.sliceId", "sst", "sd", "plmnId")
    sst = _integer(slice_id.get("sst"), "scope.sliceId.sst", 0, 255)
    sd = slice_id.get("sd")
    if "sd" not in slice_id:
        return SNssai(sst)
    if not isinstance(sd, str) or len(sd) != 6 or not all(sign in "0123456789abcdefABCDEF" for sign in sd):
        raise A1Error("scope.sliceId.sd must be 6 hexadecimal digits")
    return SNssai(sst, int(sd, 16))


def _plmn(plmn: JsonObject) -> tuple[str, str]:
    _only(plmn, "scope.sliceId.plmnId", "mcc", "mnc")
    for key, lengths in (("mcc", (3,)), ("mnc", (2, 3))):
        value = plmn.get(key)
        if (
            not isinstance(value, str)
            or len(value) not in lengths
            or not all(sign in "0123456789" for sign in value)
        ):
            raise A1Error(f"scope.sliceId.plmnId.{key} must be {' or '.join(map(str, lengths))} digits")
    return str(plmn["mcc"]), str(plmn["mnc"])
