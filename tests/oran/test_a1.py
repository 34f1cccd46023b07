"""A1 policies: both mediators' forms, hostile input, and the slice SLA policy type."""

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oran.a1.errors import A1Error
from oran.a1.policy import Operation, PolicyRequest, Status, parse_request, query, response
from oran.a1.slice_sla import CREATE_SCHEMA, POLICY_TYPE, TYPE_ID, SlaPolicy, merge, parse_policy
from oran.rest import JsonObject
from oran.sla import SliceSla
from oran.slices import SNssai

PLMN: JsonObject = {"mcc": "001", "mnc": "01"}
URLLC = SNssai(2, 0x00000B)
POLICY: JsonObject = {
    "scope": {"sliceId": {"sst": 2, "sd": "00000B", "plmnId": PLMN}},
    "sliceSlaObjectives": {"guaDlThptPerUe": 2000, "maxDlPacketDelayPerUe": 4, "dlSlicePriority": 1},
    "intentText": "keep the robots steady",
}
CURRENT = (
    SliceSla(SNssai(1), throughput_bps=5e6, weight=3.0),
    SliceSla(URLLC, delay_s=0.01, drop_rate=1e-3, weight=1.0),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("type_id", [20008, "20008"], ids=["python", "go"])
@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
@pytest.mark.parametrize("operation", list(Operation))
def test_both_mediators_are_read(type_id: object, as_text: bool, operation: Operation) -> None:
    policy: object = json.dumps(POLICY) if as_text else POLICY
    if operation is Operation.DELETE:
        policy = "" if as_text else {}
    message = {
        "operation": operation.value,
        "policy_type_id": type_id,
        "policy_instance_id": "p1",
        "payload": policy,
    }
    expected = None if operation is Operation.DELETE else POLICY
    text = json.dumps(message).encode()
    assert parse_request(text) == PolicyRequest(operation, 20008, "p1", expected)
    assert parse_request(text + b"\0junk after the end") == parse_request(text)


def test_a_delete_without_payload_is_read() -> None:
    message = b'{"operation":"DELETE","policy_type_id":"1","policy_instance_id":"x"}'
    assert parse_request(message) == PolicyRequest(Operation.DELETE, 1, "x", None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"operation": "EXPLODE"}, "operation"),
        ({"operation": ["CREATE"]}, "operation"),
        ({"policy_type_id": True}, "policy_type_id"),
        ({"policy_type_id": "²"}, "policy_type_id"),
        ({"policy_type_id": 10**400}, "policy_type_id"),
        ({"policy_type_id": -1}, "policy_type_id"),
        ({"policy_instance_id": ""}, "policy_instance_id"),
        ({"policy_instance_id": "x" * 300}, "policy_instance_id"),
        ({"payload": ""}, "not JSON"),
        ({"payload": "[1]"}, "object"),
        ({"payload": None}, "object"),
        ({"payload": '{"a": NaN}'}, "not JSON"),
        ({"payload": "[" * 100_000}, "not JSON"),
    ],
)
def test_hostile_messages_are_refused_with_a_reason(change: dict[str, object], reason: str) -> None:
    message = {"operation": "CREATE", "policy_type_id": 7, "policy_instance_id": "p", "payload": {}} | change
    with pytest.raises(A1Error, match=reason):
        parse_request(json.dumps(message).encode())


def test_a_refused_policy_can_still_be_answered() -> None:
    with pytest.raises(A1Error) as caught:
        parse_request(b'{"operation":"CREATE","policy_type_id":"7","policy_instance_id":"p","payload":"{"}')
    assert (caught.value.type_id, caught.value.instance_id) == (7, "p")


def test_an_oversized_message_is_refused_unread() -> None:
    with pytest.raises(A1Error, match="octets"):
        parse_request(b" " * (1 << 20))


@settings(deadline=None)
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_octets_give_a_request_or_an_a1_error(message: bytes) -> None:
    try:
        request = parse_request(message)
    except A1Error:
        return
    assert request.instance_id


def test_answers_carry_the_type_as_a_number() -> None:
    assert json.loads(query(20008)) == {"policy_type_id": 20008}
    answer = json.loads(response(20008, "p", Status.ERROR, handler_id="slicing", reason="why"))
    assert answer == {
        "policy_type_id": 20008,
        "policy_instance_id": "p",
        "handler_id": "slicing",
        "status": "ERROR",
        "reason": "why",
    }
    assert "reason" not in json.loads(response(1, "p", Status.OK, handler_id="slicing"))


def test_a_policy_is_converted_to_si_units() -> None:
    assert parse_policy(POLICY) == SlaPolicy(URLLC, ("001", "01"), 2e6, 0.004, None, 1, "keep the robots steady")


def test_merging_changes_what_is_named_and_nothing_else() -> None:
    policy = SlaPolicy(URLLC, ("001", "01"), delay_s=0.004, priority=2)
    embb, urllc = merge(CURRENT, policy)
    assert embb == CURRENT[0]
    assert urllc == SliceSla(URLLC, delay_s=0.004, drop_rate=1e-3, weight=2.0)
    assert merge(merge(CURRENT, policy), SlaPolicy(URLLC, ("001", "01"), delay_s=0.004))[1] == urllc


def test_a_foreign_slice_is_refused() -> None:
    with pytest.raises(A1Error, match=r"slice 9 is not controlled here \(controlled: 1, 2-00000b\)"):
        merge(CURRENT, SlaPolicy(SNssai(9), ("001", "01"), delay_s=1.0))


def test_the_type_is_a_valid_schema_with_our_number() -> None:
    jsonschema.Draft7Validator.check_schema(CREATE_SCHEMA)
    assert POLICY_TYPE["policy_type_id"] == TYPE_ID
    assert json.loads(json.dumps(POLICY_TYPE)) == POLICY_TYPE


objectives = st.dictionaries(
    st.sampled_from(
        [
            "guaDlThptPerUe",
            "maxDlPacketDelayPerUe",
            "maxDlPdcpSduPacketLossRatePerUe",
            "dlSlicePriority",
            "maxNumberOfUes",
        ]
    ),
    st.sampled_from([1, 2.0, 0.5, 0, -1, 100, 101, 1e8, 1e9, 1e-320, True, None, "1", 10**400, [], {}]),
    max_size=4,
)
slice_ids = st.fixed_dictionaries(
    {},
    optional={
        "sst": st.sampled_from([0, 1, 255, 256, -1, 1.0, 1.5, True, "1", None]),
        "sd": st.sampled_from(["000001", "ABCdef", "00001", "00000g", "000001\n", "", 1, None]),
        "plmnId": st.fixed_dictionaries(
            {},
            optional={
                "mcc": st.sampled_from(["001", "1", "0011", "00a", "001\n", "٠٠١", 1, None]),
                "mnc": st.sampled_from(["01", "001", "1", "0001", "", 1, None]),
                "extra": json_values,
            },
        ),
        "extra": json_values,
    },
)
policies = st.fixed_dictionaries(
    {},
    optional={
        "scope": st.fixed_dictionaries({}, optional={"sliceId": slice_ids | json_values, "extra": json_values}),
        "sliceSlaObjectives": objectives | json_values,
        "intentText": st.sampled_from(["", "x" * 500, "x" * 501, 1, None]),
        "extra": json_values,
    },
)


def nearly_right() -> st.SearchStrategy[JsonObject]:
    """Policies that are right but for one place, so that both verdicts come up often."""
    part = st.sampled_from(["scope", "sliceSlaObjectives", "intentText", "sliceId", "none"])

    @st.composite
    def build(draw: st.DrawFn) -> JsonObject:
        policy: JsonObject = json.loads(json.dumps(POLICY))
        match draw(part):
            case "sliceSlaObjectives":
                policy["sliceSlaObjectives"] = draw(objectives)
            case "intentText":
                policy["intentText"] = draw(st.sampled_from(["", "x" * 500, "x" * 501, 1, None]))
            case "sliceId":
                policy["scope"] = {"sliceId": draw(slice_ids)}
            case "scope":
                policy["scope"] = draw(json_values)
        return policy

    return build()


@settings(deadline=None)
@given(policies | nearly_right())
def test_the_parser_and_the_schema_agree(policy: JsonObject) -> None:
    lawful = jsonschema.Draft7Validator(CREATE_SCHEMA).is_valid(policy)
    try:
        parsed = parse_policy(policy)
    except A1Error:
        assert not lawful
    else:
        assert lawful
        merged = merge((SliceSla(parsed.slice, delay_s=1.0),), parsed)
        assert merged[0].slice == parsed.slice
