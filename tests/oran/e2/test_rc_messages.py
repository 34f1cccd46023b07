"""E2SM-RC messages: round trips of every declared type, our own byte strings, broken input."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oran.e2.aper import Writer
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.functions import RC_OID, FunctionName
from oran.e2.identity import GnbDuUeId
from oran.e2.rc.action import ACTION_DEFINITION, ActionDefinition, ActionFormat1, ReportedParameter
from oran.e2.rc.asn1 import CODECS
from oran.e2.rc.control import (
    CONTROL_HEADER,
    CONTROL_MESSAGE,
    CONTROL_OUTCOME,
    ControlHeader,
    ControlHeader2,
    ControlMessage,
    ControlOutcome,
    OutcomeParameter,
)
from oran.e2.rc.function import (
    FUNCTION_DEFINITION,
    ControlAction,
    ControlStyle,
    FunctionDefinition,
    ListShape,
    NamedParameter,
    StructureShape,
)
from oran.e2.rc.parameters import DEPTH, Element, Parameter, ParameterValue, Structure
from tests.oran.e2 import rc_oracle
from tests.oran.e2.schema_strategies import values

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "e2_messages.json"

NOT_CANONICAL = {
    "onos_rc_actionDefinitionAsn1": "octets follow the last policy that nothing announces",
}
"""Vectors that do not encode to the octets they came in, and why."""

OWN = {
    "E2SM-RC-ControlHeader": ["0100050102000005", "8100050102000005", "200480", "30048005"],
    "E2SM-RC-ControlMessage": ["0000010000298020ffffffff", "00000000"],
    "E2SM-RC-ControlOutcome": ["00010000501352616e20506172616d657465722056616c7565", "0000"],
}


def vectors() -> list[dict[str, Any]]:
    if not VECTORS.exists():
        return []
    return [vector for vector in json.loads(VECTORS.read_text()) if vector["type"] in CODECS]


@pytest.mark.skipif(not VECTORS.exists(), reason="the recorded vectors are not beside this checkout")
def test_recorded_messages_decode_to_their_value_and_back() -> None:
    seen = vectors()
    assert len(seen) >= 20
    for vector in seen:
        codec, octets = CODECS[vector["type"]], bytes.fromhex(vector["hex"])
        value = codec.decode(octets)
        assert codec.to_asn1(value) == vector["decoded"], vector["name"]
        assert codec.from_asn1(vector["decoded"]) == value, vector["name"]
        again = codec.encode(value)
        if vector["name"] in NOT_CANONICAL:
            assert octets.startswith(again[:-1])
        else:
            assert again == octets, vector["name"]


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_encoded_decodes_to_the_same(name: str, data: st.DataObject) -> None:
    codec = CODECS[name]
    value = data.draw(values(codec.type))
    assert codec.decode(codec.encode(value)) == value
    assert codec.from_asn1(json.loads(json.dumps(codec.to_asn1(value)))) == value


@given(values(CONTROL_MESSAGE.record.components[0].type.alternatives[0].type))  # type: ignore[attr-defined]
def test_another_codec_reads_what_ours_writes(message: ControlMessage) -> None:
    octets = CONTROL_MESSAGE.encode(message)
    assert rc_oracle.decode_parameters(octets) == message.parameters
    assert CONTROL_MESSAGE.decode(rc_oracle.encode_parameters(message.parameters)) == message


def test_a_control_header_has_these_octets() -> None:
    header = ControlHeader(GnbDuUeId(5), 2, 6)
    assert CONTROL_HEADER.encode(header).hex() == "0100050102000005"
    assert rc_oracle.encode_header(GnbDuUeId(5), 2, 6).hex() == "0100050102000005"


def test_a_later_format_goes_into_an_open_type() -> None:
    octets = CONTROL_HEADER.encode(ControlHeader2())
    # SEQUENCE 0, CHOICE extended 1, alternative 0 beyond the root in 7 bits; one octet of content
    assert octets.hex() == "4000" + "01" + "00"
    assert CONTROL_HEADER.decode(octets) == ControlHeader2()


def test_an_outcome_has_these_octets() -> None:
    outcome = ControlOutcome((OutcomeParameter(1, "Ran Parameter Value"), OutcomeParameter(2, True)))
    octets = CONTROL_OUTCOME.encode(outcome)
    assert octets.hex().startswith("0002000050135261")
    assert CONTROL_OUTCOME.decode(octets) == outcome


def test_a_function_definition_tells_styles_actions_and_parameters() -> None:
    ratios = ListShape(
        (NamedParameter(2, "RRM Policy Ratio Group", StructureShape((NamedParameter(11, "Min"),))),)
    )
    definition = FunctionDefinition(
        FunctionName("ORAN-E2SM-RC", RC_OID, "RAN Control", 1),
        controls=(
            ControlStyle(
                2,
                "Radio Resource Allocation Control",
                1,
                1,
                1,
                (
                    ControlAction(
                        6, "Slice-level PRB quota", (NamedParameter(1, "RRM Policy Ratio List", ratios),)
                    ),
                ),
            ),
        ),
    )
    decoded = FUNCTION_DEFINITION.decode(FUNCTION_DEFINITION.encode(definition))
    assert decoded == definition
    assert decoded.supports(2, 6)
    assert not decoded.supports(2, 5)
    assert not decoded.supports(3, 6)


def test_a_part_of_a_later_edition_is_read_over() -> None:
    known = FunctionDefinition(FunctionName("ORAN-E2SM-RC", RC_OID, "RC"))
    writer = Writer()
    writer.octets(bytes((FUNCTION_DEFINITION.encode(known)[0] | 0x80,)) + FUNCTION_DEFINITION.encode(known)[1:])
    writer.extension_additions([b"\x12\x34"])
    assert FUNCTION_DEFINITION.decode(writer.getvalue()) == known


def deep(levels: int) -> Parameter:
    value: ParameterValue = Element(1)
    for _ in range(levels - 1):
        value = Structure((Parameter(1, value),))
    return Parameter(1, value)


def test_nesting_ends_at_its_limit() -> None:
    deepest = ControlMessage((deep(DEPTH),))
    octets = CONTROL_MESSAGE.encode(deepest)
    assert CONTROL_MESSAGE.decode(octets) == deepest
    with pytest.raises(EncodeError, match="too deep"):
        CONTROL_MESSAGE.encode(ControlMessage((deep(DEPTH + 1),)))
    with pytest.raises(DecodeError, match="too deep"):
        # id 1, structure, one parameter: again and again
        CONTROL_MESSAGE.decode(bytes.fromhex("000001" + "0000440000" * 5000))


def test_nested_json_ends_at_its_limit() -> None:
    shown: Any = ["ranP-Choice-ElementFalse", {}]
    for _ in range(5000):
        item = {"ranParameter-ID": 1, "ranParameter-valueType": shown}
        shown = ["ranP-Choice-Structure", {"ranParameter-Structure": {"sequence-of-ranParameters": [item]}}]
    message = {"ranP-List": [{"ranParameter-ID": 1, "ranParameter-valueType": shown}]}
    with pytest.raises(EncodeError, match="too deep"):
        CODECS["E2SM-RC-ControlMessage"].from_asn1(
            {"ric-controlMessage-formats": ["controlMessage-Format1", message]}
        )


def test_a_huge_count_allocates_nothing() -> None:
    with pytest.raises(DecodeError, match="announced"):
        CONTROL_MESSAGE.decode(bytes.fromhex("00ffff00"))


def test_an_error_names_the_way_to_the_field() -> None:
    with pytest.raises(EncodeError) as raised:
        CONTROL_MESSAGE.encode(ControlMessage((deep(2), Parameter(1, Structure((Parameter(2, Element("é")),))))))
    assert raised.value.field == (
        "ric-controlMessage-formats.controlMessage-Format1.ranP-List[1].ranParameter-valueType"
        ".ranP-Choice-Structure.ranParameter-Structure.sequence-of-ranParameters[0].ranParameter-valueType"
        ".ranP-Choice-ElementFalse.ranParameter-value.valuePrintableString"
    )
    with pytest.raises(DecodeError) as refused:
        CONTROL_MESSAGE.decode(bytes.fromhex("0000010000298020ffffff"))
    assert refused.value.field.endswith("ranP-Choice-ElementFalse.ranParameter-value.valueBitS")
    assert refused.value.bit_offset == 64


def test_a_format_we_do_not_code_is_refused_by_name() -> None:
    # indication message format 3
    with pytest.raises(DecodeError, match="not supported") as raised:
        CODECS["E2SM-RC-IndicationMessage"].decode(bytes.fromhex("1000000000000000"))
    assert "indicationMessage-Format3" in raised.value.field


def messages() -> list[tuple[str, bytes]]:
    """Our own messages of every type, and the recorded ones where they are."""
    own = [(name, bytes.fromhex(octets)) for name, many in OWN.items() for octets in many]
    own.append(
        (
            "E2SM-RC-ActionDefinition",
            ACTION_DEFINITION.encode(
                ActionDefinition(1, ActionFormat1((ReportedParameter(7, ListShape((NamedParameter(1, "x"),))),)))
            ),
        )
    )
    return own + [(vector["type"], bytes.fromhex(vector["hex"])) for vector in vectors()]


def test_every_prefix_is_refused_or_read() -> None:
    for name, octets in messages():
        for cut in range(len(octets)):
            try:
                CODECS[name].decode(octets[:cut])
            except DecodeError:
                continue


@pytest.mark.parametrize("seed", range(4))
def test_mutations_give_a_value_or_a_decode_error(seed: int) -> None:
    chance = random.Random(seed)
    pool = messages()
    for _ in range(2_000):
        name, octets = chance.choice(pool)
        broken = bytearray(octets)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            value = CODECS[name].decode(bytes(broken))
        except DecodeError:
            continue
        assert CODECS[name].from_asn1(json.loads(json.dumps(CODECS[name].to_asn1(value)))) is not None


@pytest.mark.parametrize("name", CODECS)
@given(octets=st.binary(max_size=200))
def test_any_octets_give_a_value_or_a_decode_error(name: str, octets: bytes) -> None:
    try:
        CODECS[name].decode(octets)
    except DecodeError:
        return
