"""E2SM-CCC: the documents as nodes write them, round trips, and refusal of what is no such document."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.e2.ccc.control import (
    decode_control_header,
    decode_control_message,
    decode_control_outcome,
    encode_control_header,
    encode_control_message,
    encode_control_outcome,
)
from oran.e2.ccc.document import LARGEST
from oran.e2.ccc.function import decode_function_definition, encode_function_definition
from oran.e2.ccc.messages import (
    CELL_LEVEL,
    AcceptedChange,
    Attribute,
    Cause,
    CellControl,
    CellOutcome,
    CellSupport,
    ConfigurationStructure,
    ControlOutcome,
    ControlStyle,
    FailedChange,
    FunctionDefinition,
    PolicyChange,
    PolicyMember,
    ReportStyle,
    RrmPolicyRatioAttributes,
    TriggerStyle,
)
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.functions import CCC_OID, FunctionName
from oran.e2.identity import NrCgi, plmn_to_octets

PERCENT = st.integers(0, 100)
PLMNS = st.tuples(st.from_regex(r"[0-9]{3}", fullmatch=True), st.from_regex(r"[0-9]{2,3}", fullmatch=True))
MEMBERS = st.builds(
    lambda plmn, sst, sd: PolicyMember(*plmn, sst, sd),
    PLMNS,
    st.integers(0, 255),
    st.none() | st.integers(0, 0xFFFFFF),
)
ATTRIBUTES = st.builds(
    RrmPolicyRatioAttributes,
    st.sampled_from(["PRB_DL", "PRB_UL", "PRB"]),
    st.lists(MEMBERS, max_size=2).map(tuple),
    PERCENT,
    PERCENT,
    PERCENT,
)
CELLS = st.builds(lambda plmn, cell: NrCgi(plmn_to_octets(*plmn), cell), PLMNS, st.integers(0, (1 << 36) - 1))
TIMES = st.none() | st.binary(min_size=8, max_size=8)
CONTROLS = st.lists(
    st.builds(
        CellControl, CELLS, st.lists(st.builds(PolicyChange, ATTRIBUTES, ATTRIBUTES), max_size=3).map(tuple)
    ),
    max_size=3,
).map(tuple)
OUTCOMES = st.builds(
    ControlOutcome,
    st.lists(
        st.builds(
            CellOutcome,
            CELLS,
            st.lists(st.builds(AcceptedChange, ATTRIBUTES, ATTRIBUTES, TIMES), max_size=2).map(tuple),
            st.lists(
                st.builds(FailedChange, ATTRIBUTES, ATTRIBUTES, st.sampled_from(Cause).map(str)), max_size=2
            ).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    TIMES,
)

CELL = NrCgi(plmn_to_octets("001", "01"), 0x66C000)
OLD = RrmPolicyRatioAttributes("PRB_DL", (PolicyMember("001", "01", 1, 0x17),), 100, 33, 0)
NEW = RrmPolicyRatioAttributes("PRB_DL", (PolicyMember("001", "01", 1, 0x17),), 85, 20, 5)

MESSAGE: dict[str, Any] = {
    "controlMessageFormat": {
        "listOfCellsControlled": [
            {
                "cellGlobalId": {
                    "plmnIdentity": {"mcc": "001", "mnc": "01"},
                    "nRCellIdentity": "00066C000",
                },
                "listOfConfigurationStructures": [
                    {
                        "ranConfigurationStructureName": "O-RRMPolicyRatio",
                        "oldValuesOfAttributes": {
                            "ranConfigurationStructure": {
                                "resourceType": "PRB_DL",
                                "rRMPolicyMemberList": [
                                    {
                                        "plmnId": {"mcc": "001", "mnc": "01"},
                                        "snssai": {"sst": 1, "sd": "000017"},
                                    }
                                ],
                                "rRMPolicyMaxRatio": 100,
                                "rRMPolicyMinRatio": 33,
                                "rRMPolicyDedicatedRatio": 0,
                            }
                        },
                        "newValuesOfAttributes": {
                            "ranConfigurationStructure": {
                                "resourceType": "PRB_DL",
                                "rRMPolicyMemberList": [
                                    {
                                        "plmnId": {"mcc": "001", "mnc": "01"},
                                        "snssai": {"sst": 1, "sd": "000017"},
                                    }
                                ],
                                "rRMPolicyMaxRatio": 85,
                                "rRMPolicyMinRatio": 20,
                                "rRMPolicyDedicatedRatio": 5,
                            }
                        },
                    }
                ],
            }
        ]
    }
}


def test_a_control_header_is_the_style() -> None:
    assert encode_control_header() == b'{"controlHeaderFormat":{"ricStyleType":2}}'
    assert decode_control_header(encode_control_header(CELL_LEVEL)) == CELL_LEVEL


def test_a_control_message_has_the_nodes_keys() -> None:
    control = CellControl(CELL, (PolicyChange(OLD, NEW),))
    octets = encode_control_message([control])
    assert json.loads(octets) == MESSAGE
    assert b" " not in octets
    assert decode_control_message(json.dumps(MESSAGE, indent=4).encode()) == (control,)


def test_an_outcome_has_the_nodes_keys() -> None:
    outcome = ControlOutcome(
        (CellOutcome(CELL, (AcceptedChange(OLD, NEW),), (FailedChange(OLD, NEW, Cause.SEMANTIC_ERROR),)),),
        bytes.fromhex("ec2c83fdb48863be"),
    )
    body = json.loads(encode_control_outcome(outcome))["controlOutcomeFormat"]
    assert body["receivedTimestamp"] == "ec2c83fdb48863be"
    (cell,) = body["listOfCellsForControlOutcome"]
    assert cell["cellGlobalId"]["nRCellIdentity"] == "00066C000"
    (accepted,) = cell["ranConfigurationStructuresAcceptedList"]
    (failed,) = cell["ranConfigurationStructuresFailedList"]
    assert accepted.keys() == {
        "ranConfigurationStructureName",
        "oldValuesOfAttributes",
        "currentValuesOfAttributes",
    }
    assert failed["cause"] == "SemanticError"
    assert failed["requestedValuesOfAttributes"]["ranConfigurationStructure"]["rRMPolicyMaxRatio"] == 85


def test_an_outcome_without_failures_may_leave_the_list_out() -> None:
    body = json.loads(encode_control_outcome(ControlOutcome((CellOutcome(CELL, (AcceptedChange(OLD, NEW),)),))))
    del body["controlOutcomeFormat"]["listOfCellsForControlOutcome"][0]["ranConfigurationStructuresFailedList"]
    (cell,) = decode_control_outcome(json.dumps(body).encode()).cells
    assert cell.failed == ()
    assert cell.accepted == (AcceptedChange(OLD, NEW),)


def test_a_cause_that_we_do_not_know_is_kept() -> None:
    outcome = ControlOutcome((CellOutcome(CELL, (), (FailedChange(OLD, NEW, "BusyElsewhere"),)),))
    assert decode_control_outcome(encode_control_outcome(outcome)) == outcome


@given(CONTROLS)
def test_control_messages_round_trip(cells: tuple[CellControl, ...]) -> None:
    assert decode_control_message(encode_control_message(cells)) == cells


@given(OUTCOMES)
def test_outcomes_round_trip(outcome: ControlOutcome) -> None:
    assert decode_control_outcome(encode_control_outcome(outcome)) == outcome


def definition() -> FunctionDefinition:
    style = ControlStyle(2, "Cell Configuration and Control", 1, 2, 2, 1)
    attributes = tuple(
        Attribute(
            name,
            (TriggerStyle(1, "node-event-trigger-style", 1),),
            (ReportStyle(1, "report-service-style-1", (1, 2), 1, 1, 1),),
            (style,),
        )
        for name in ("rRMPolicyMemberList", "rRMPolicyMaxRatio")
    )
    structure = ConfigurationStructure("O-RRMPolicyRatio", attributes)
    other = NrCgi(CELL.plmn, 7)
    return FunctionDefinition(
        FunctionName("ORAN-E2SM-CCC", CCC_OID, "Cell Configuration and Control", 0),
        (ConfigurationStructure("O-GnbDuFunction", (Attribute("gNBDUId"),)),),
        (CellSupport(CELL, (structure,)), CellSupport(other, (ConfigurationStructure("O-NrCellDu"),))),
    )


def test_a_function_definition_round_trips_with_the_nodes_keys() -> None:
    octets = encode_function_definition(definition())
    body = json.loads(octets)
    assert body["ranFunctionName"]["ranFunctionServiceModelOID"] == CCC_OID
    cell = body["listOfCellsForRANFunctionDefinition"][0]
    assert cell["cellGlobalID"]["nRCellIdentity"] == "00066C000"
    attribute = cell["listOfSupportedCellLevelRANConfigurationStructures"][0]["listOfSupportedAttributes"][0]
    assert attribute["attributeName"] == "rRMPolicyMemberList"
    assert attribute["supportedServices"]["controlService"]["listOfSupportedControlStyles"] == [
        {
            "controlServiceStyleType": 2,
            "controlServiceStyleName": "Cell Configuration and Control",
            "controlServiceHeaderFormatType": 1,
            "controlServiceMessageFormatType": 2,
            "ricCallProcessIDFormatType": 1,
            "controlServiceControlOutcomeFormatType": 2,
        }
    ]
    assert decode_function_definition(octets) == definition()


def test_cells_whose_policy_ratios_can_be_set_are_told() -> None:
    assert definition().policy_ratio_cells() == (CELL,)


def changed(*path: str | int, to: Any = None, drop: bool = False) -> bytes:
    message = json.loads(json.dumps(MESSAGE))
    place = message
    for step in path[:-1]:
        place = place[step]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return json.dumps(message).encode()


CELL_PATH = ("controlMessageFormat", "listOfCellsControlled", 0)
STRUCTURE = (*CELL_PATH, "listOfConfigurationStructures", 0)
POLICY = (*STRUCTURE, "newValuesOfAttributes", "ranConfigurationStructure")
DOTTED = (
    "controlMessageFormat.listOfCellsControlled[0].listOfConfigurationStructures[0]"
    ".newValuesOfAttributes.ranConfigurationStructure"
)


@pytest.mark.parametrize("ratio", [-1, 101, 10.0, 10.5, 1e300, True, None, "10", [10], 10**400])
@pytest.mark.parametrize("name", ["rRMPolicyMaxRatio", "rRMPolicyMinRatio", "rRMPolicyDedicatedRatio"])
def test_a_ratio_that_is_no_whole_percent_is_refused(name: str, ratio: object) -> None:
    with pytest.raises(DecodeError) as raised:
        decode_control_message(changed(*POLICY, name, to=ratio))
    assert raised.value.field == f"{DOTTED}.{name}"


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinities_are_refused(constant: str) -> None:
    octets = changed(*POLICY, "rRMPolicyMaxRatio", to=85).replace(b": 85", f": {constant}".encode())
    assert constant.encode() in octets
    with pytest.raises(DecodeError, match=constant):
        decode_control_message(octets)


@pytest.mark.parametrize(
    ("octets", "field"),
    [
        (changed("controlMessageFormat", drop=True), "controlMessageFormat"),
        (changed("controlMessageFormat", to=[]), "controlMessageFormat"),
        (
            changed(*CELL_PATH, "cellGlobalId", drop=True),
            "controlMessageFormat.listOfCellsControlled[0].cellGlobalId",
        ),
        (
            changed(*CELL_PATH, "cellGlobalId", "nRCellIdentity", to="66C000"),
            "controlMessageFormat.listOfCellsControlled[0].cellGlobalId.nRCellIdentity",
        ),
        (
            changed(*CELL_PATH, "cellGlobalId", "nRCellIdentity", to="+0066C000"),
            "controlMessageFormat.listOfCellsControlled[0].cellGlobalId.nRCellIdentity",
        ),
        (
            changed(*CELL_PATH, "cellGlobalId", "plmnIdentity", "mcc", to="0x1"),
            "controlMessageFormat.listOfCellsControlled[0].cellGlobalId.plmnIdentity",
        ),
        (
            changed(*STRUCTURE, "ranConfigurationStructureName", to="O-NrCellDu"),
            "controlMessageFormat.listOfCellsControlled[0].listOfConfigurationStructures[0]"
            ".ranConfigurationStructureName",
        ),
        (changed(*POLICY, "rRMPolicyMemberList", to={}), f"{DOTTED}.rRMPolicyMemberList"),
        (
            changed(*POLICY, "rRMPolicyMemberList", 0, "snssai", "sst", to=256),
            f"{DOTTED}.rRMPolicyMemberList[0].snssai.sst",
        ),
        (
            changed(*POLICY, "rRMPolicyMemberList", 0, "snssai", "sd", to="17"),
            f"{DOTTED}.rRMPolicyMemberList[0].snssai.sd",
        ),
        (
            changed(*POLICY, "rRMPolicyMemberList", 0, "plmnId", "mnc", to="1"),
            f"{DOTTED}.rRMPolicyMemberList[0].plmnId",
        ),
    ],
)
def test_what_is_wrong_is_named_by_place(octets: bytes, field: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode_control_message(octets)
    assert raised.value.field == field


def test_ratios_left_out_have_the_standards_defaults() -> None:
    message = json.loads(json.dumps(MESSAGE))
    policy = message["controlMessageFormat"]["listOfCellsControlled"][0]["listOfConfigurationStructures"][0]
    values = policy["newValuesOfAttributes"]["ranConfigurationStructure"]
    for name in ("rRMPolicyMaxRatio", "rRMPolicyMinRatio", "rRMPolicyDedicatedRatio"):
        del values[name]
    (cell,) = decode_control_message(json.dumps(message).encode())
    new = cell.changes[0].new
    assert (new.dedicated, new.min, new.max) == (0, 0, 100)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe{\x00}\x00",
        b"{" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"9" * 10_000,
        b'"' + b"x" * LARGEST + b'"',
        b'{"controlMessageFormat": {"listOfCellsControlled": 3}}',
        b'{"controlHeaderFormat": {"ricStyleType": 2.0}}',
        b'{"controlOutcomeFormat": {"receivedTimestamp": "0", "listOfCellsForControlOutcome": []}}',
    ],
    ids=range(12),
)
def test_hostile_documents_give_a_decode_error(octets: bytes) -> None:
    for decode in (
        decode_control_header,
        decode_control_message,
        decode_control_outcome,
        decode_function_definition,
    ):
        with pytest.raises(DecodeError):
            decode(octets)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The ways to all values within a document."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places(inner, (*path, index))
    return found


@given(st.sampled_from(places(MESSAGE)), JSON)
def test_any_value_in_any_place_is_read_or_refused(path: tuple[str | int, ...], value: object) -> None:
    try:
        cells = decode_control_message(changed(*path, to=value))
    except DecodeError:
        return
    assert decode_control_message(encode_control_message(cells)) == cells


@given(st.binary(max_size=80))
def test_any_octets_give_a_document_or_a_decode_error(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_control_message(octets)


def test_every_prefix_is_refused() -> None:
    octets = encode_control_message([CellControl(CELL, (PolicyChange(OLD, NEW),))])
    for cut in range(len(octets)):
        with pytest.raises(DecodeError):
            decode_control_message(octets[:cut])


@pytest.mark.parametrize(
    "attributes",
    [
        RrmPolicyRatioAttributes("PRB_DL", (), 101, 0, 0),
        RrmPolicyRatioAttributes("PRB_DL", (), 100, -1, 0),
        RrmPolicyRatioAttributes("PRB_DL", (PolicyMember("1", "01", 1),)),
        RrmPolicyRatioAttributes("PRB_DL", (PolicyMember("001", "01", 256),)),
        RrmPolicyRatioAttributes("PRB_DL", (PolicyMember("001", "01", 1, 1 << 24),)),
    ],
)
def test_values_out_of_range_are_not_encoded(attributes: RrmPolicyRatioAttributes) -> None:
    with pytest.raises(EncodeError):
        encode_control_message([CellControl(CELL, (PolicyChange(OLD, attributes),))])


def test_a_wrong_cell_is_not_encoded() -> None:
    with pytest.raises(EncodeError):
        encode_control_message([CellControl(NrCgi(b"\xff\xff\xff", 1), ())])
    with pytest.raises(EncodeError):
        encode_control_message([CellControl(NrCgi(CELL.plmn, 1 << 36), ())])
