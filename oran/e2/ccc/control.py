"""E2SM-CCC control of O-RRMPolicyRatio: header, message per cell, outcome.

Keys are those that srsRAN's DU reads and writes; keys beside them are passed over.
"""

from collections.abc import Sequence
from functools import lru_cache

from oran.e2.asn1_value import JsonObject, JsonValue
from oran.e2.ccc.document import Node, dump, parse
from oran.e2.ccc.messages import (
    CELL_LEVEL,
    POLICY_RATIO,
    AcceptedChange,
    CellControl,
    CellOutcome,
    ControlOutcome,
    FailedChange,
    PolicyChange,
    PolicyMember,
    RrmPolicyRatioAttributes,
)
from oran.e2.errors import EncodeError
from oran.e2.identity import NrCgi, plmn_from_octets, plmn_to_octets


@lru_cache(maxsize=8)
def encode_control_header(style: int = CELL_LEVEL) -> bytes:
    """Encode the control header: the RIC style type."""
    return dump({"controlHeaderFormat": {"ricStyleType": style}})


def decode_control_header(data: bytes) -> int:
    """Decode the control header: the RIC style type."""
    return parse(data).get("controlHeaderFormat").get("ricStyleType").integer(0, 65535)


def encode_control_message(cells: Sequence[CellControl]) -> bytes:
    """Encode a cell level control message; EncodeError names what is out of range."""
    return dump({"controlMessageFormat": {"listOfCellsControlled": [_cell_control(cell) for cell in cells]}})


def decode_control_message(data: bytes) -> tuple[CellControl, ...]:
    """Decode a cell level control message of policy ratios; DecodeError otherwise."""
    cells = parse(data).get("controlMessageFormat").get("listOfCellsControlled")
    return tuple(
        CellControl(
            read_cell(cell.get("cellGlobalId")),
            tuple(
                PolicyChange(
                    _read_values(item, "oldValuesOfAttributes"), _read_values(item, "newValuesOfAttributes")
                )
                for item in _policy_ratios(cell.get("listOfConfigurationStructures"))
            ),
        )
        for cell in cells.items()
    )


def encode_control_outcome(outcome: ControlOutcome) -> bytes:
    """Encode a cell level control outcome."""
    body: JsonObject = {}
    if outcome.received is not None:
        body["receivedTimestamp"] = _time(outcome.received, "receivedTimestamp")
    body["listOfCellsForControlOutcome"] = [_cell_outcome(cell) for cell in outcome.cells]
    return dump({"controlOutcomeFormat": body})


def decode_control_outcome(data: bytes) -> ControlOutcome:
    """Decode a cell level control outcome; DecodeError otherwise."""
    body = parse(data).get("controlOutcomeFormat")
    cells = tuple(_read_cell_outcome(cell) for cell in body.get("listOfCellsForControlOutcome").items())
    return ControlOutcome(cells, _read_time(body.find("receivedTimestamp")))


def any_failed(data: bytes) -> bool:
    """Whether a cell level control outcome refuses any change; what it says beside that is not read.

    Raises DecodeError when it is no outcome.
    """
    cells = parse(data).get("controlOutcomeFormat").get("listOfCellsForControlOutcome").items()
    lists = (cell.find("ranConfigurationStructuresFailedList") for cell in cells)
    return any(failed.items() for failed in lists if failed is not None)


@lru_cache(maxsize=1024)
def _plmn(plmn: bytes) -> tuple[str, str]:
    try:
        return plmn_from_octets(plmn)
    except ValueError as error:
        raise EncodeError(str(error), field="plmnIdentity") from None


def cell_value(cell: NrCgi) -> JsonValue:
    """Write an NR cell: PLMN and 9 hexadecimal digits."""
    mcc, mnc = _plmn(cell.plmn)
    if not 0 <= cell.nr_cell_id < 1 << 36:
        raise EncodeError(f"{cell.nr_cell_id} has more than 36 bits", field="nRCellIdentity")
    return {"plmnIdentity": {"mcc": mcc, "mnc": mnc}, "nRCellIdentity": f"{cell.nr_cell_id:09X}"}


def read_cell(node: Node) -> NrCgi:
    """Read an NR cell."""
    plmn = node.get("plmnIdentity")
    identity = node.get("nRCellIdentity").hexadecimal(9)
    try:
        return NrCgi(plmn_to_octets(plmn.get("mcc").text(3), plmn.get("mnc").text(3)), identity)
    except ValueError as error:
        raise plmn.error(str(error)) from None


def _cell_control(control: CellControl) -> JsonValue:
    return {
        "cellGlobalId": cell_value(control.cell),
        "listOfConfigurationStructures": [
            {
                "ranConfigurationStructureName": POLICY_RATIO,
                "oldValuesOfAttributes": _values(change.old),
                "newValuesOfAttributes": _values(change.new),
            }
            for change in control.changes
        ],
    }


def _cell_outcome(outcome: CellOutcome) -> JsonValue:
    accepted: list[JsonValue] = []
    for change in outcome.accepted:
        entry: JsonObject = {
            "ranConfigurationStructureName": POLICY_RATIO,
            "oldValuesOfAttributes": _values(change.old),
            "currentValuesOfAttributes": _values(change.current),
        }
        if change.applied is not None:
            entry["appliedTimestamp"] = _time(change.applied, "appliedTimestamp")
        accepted.append(entry)
    return {
        "cellGlobalId": cell_value(outcome.cell),
        "ranConfigurationStructuresAcceptedList": accepted,
        "ranConfigurationStructuresFailedList": [
            {
                "ranConfigurationStructureName": POLICY_RATIO,
                "oldValuesOfAttributes": _values(failure.old),
                "requestedValuesOfAttributes": _values(failure.requested),
                "cause": str(failure.cause),
            }
            for failure in outcome.failed
        ],
    }


def _read_cell_outcome(node: Node) -> CellOutcome:
    accepted = node.find("ranConfigurationStructuresAcceptedList")
    failed = node.find("ranConfigurationStructuresFailedList")
    return CellOutcome(
        read_cell(node.get("cellGlobalId")),
        tuple(
            AcceptedChange(
                _read_values(item, "oldValuesOfAttributes"),
                _read_values(item, "currentValuesOfAttributes"),
                _read_time(item.find("appliedTimestamp")),
            )
            for item in (_policy_ratios(accepted) if accepted else [])
        ),
        tuple(
            FailedChange(
                _read_values(item, "oldValuesOfAttributes"),
                _read_values(item, "requestedValuesOfAttributes"),
                item.get("cause").text(150),
            )
            for item in (_policy_ratios(failed) if failed else [])
        ),
    )


def _policy_ratios(structures: Node) -> list[Node]:
    items = structures.items()
    for item in items:
        name = item.get("ranConfigurationStructureName")
        if name.text(150) != POLICY_RATIO:
            raise name.error(f"{name.text()!r:.80} is not supported; {POLICY_RATIO} is")
    return items


def _values(attributes: RrmPolicyRatioAttributes) -> JsonValue:
    ratios: list[int] = [attributes.max, attributes.min, attributes.dedicated]
    if any(type(ratio) is not int or not 0 <= ratio <= 100 for ratio in ratios):
        raise EncodeError(f"max, min, dedicated {ratios}: whole percent in 0..100 fit", field=POLICY_RATIO)
    return {
        "ranConfigurationStructure": {
            "resourceType": attributes.resource_type,
            "rRMPolicyMemberList": [_member(member) for member in attributes.members],
            "rRMPolicyMaxRatio": attributes.max,
            "rRMPolicyMinRatio": attributes.min,
            "rRMPolicyDedicatedRatio": attributes.dedicated,
        }
    }


def _read_values(item: Node, name: str) -> RrmPolicyRatioAttributes:
    node = item.get(name).get("ranConfigurationStructure")
    return RrmPolicyRatioAttributes(
        node.get("resourceType").text(64),
        tuple(_read_member(member) for member in node.get("rRMPolicyMemberList").items()),
        _read_ratio(node, "rRMPolicyMaxRatio", 100),
        _read_ratio(node, "rRMPolicyMinRatio", 0),
        _read_ratio(node, "rRMPolicyDedicatedRatio", 0),
    )


def _read_ratio(node: Node, name: str, default: int) -> int:
    ratio = node.find(name)
    return default if ratio is None else ratio.integer(0, 100)


@lru_cache(maxsize=1024)
def _member(member: PolicyMember) -> JsonValue:
    mcc, mnc, sst, sd = member
    try:
        plmn_to_octets(mcc, mnc)
    except ValueError as error:
        raise EncodeError(str(error), field="plmnId") from None
    if not 0 <= sst <= 255 or (sd is not None and not 0 <= sd <= 0xFFFFFF):
        raise EncodeError(f"SST {sst}, SD {sd} are out of range", field="snssai")
    slice_id: JsonObject = {"sst": sst} if sd is None else {"sst": sst, "sd": f"{sd:06x}"}
    return {"plmnId": {"mcc": mcc, "mnc": mnc}, "snssai": slice_id}


def _read_member(node: Node) -> PolicyMember:
    plmn, slice_id = node.get("plmnId"), node.get("snssai")
    mcc, mnc = plmn.get("mcc").text(3), plmn.get("mnc").text(3)
    try:
        plmn_to_octets(mcc, mnc)
    except ValueError as error:
        raise plmn.error(str(error)) from None
    sd = slice_id.find("sd")
    return PolicyMember(mcc, mnc, slice_id.get("sst").integer(0, 255), None if sd is None else sd.hexadecimal(6))


def _time(octets: bytes, field: str) -> str:
    if len(octets) != 8:
        raise EncodeError(f"{len(octets)} octets; 8 fit", field=field)
    return octets.hex()


def _read_time(node: Node | None) -> bytes | None:
    return None if node is None else node.hexadecimal(16).to_bytes(8, "big")
