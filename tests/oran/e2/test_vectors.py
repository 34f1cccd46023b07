"""Every recorded message and every message of our own, by every codec, both ways."""

import dataclasses
import json

import pytest

from oran.e2.e2ap import codec as e2ap
from oran.e2.errors import DecodeError
from oran.e2.registry import codec_of, codecs
from tests.oran.e2.make_messages import build
from tests.oran.e2.test_e2ap_oracle import PDU, shown
from tests.oran.e2.vectors import OWN, SHARED, Vector, load, same

OURS = load(OWN)
RECORDED = load(SHARED)
ALL = OURS + RECORDED

ALTERED = {
    "onos_rc_actionDefinitionAsn1": "the message is 12 octets long and 29 more follow, which its value has not"
}
"""Recorded messages that are not sent again as they came, and why."""
CRITICALITY = {
    "srsran_ric_subscription_request": "says ignore where the procedure is reject",
    "srsran4g_ric_subscription_request": "says ignore where the procedure is reject",
}
"""E2AP PDUs whose form a message value does not keep, and why; as `Pdu` they come back as they were."""

every = pytest.mark.parametrize("vector", ALL, ids=lambda vector: vector.name)


@pytest.mark.skipif(not RECORDED, reason=f"no recorded messages at {SHARED}: only our own are checked")
def test_the_exceptions_are_recorded_messages() -> None:
    assert ALTERED.keys() | CRITICALITY.keys() <= {vector.name for vector in RECORDED}


def test_our_own_messages_are_the_ones_that_our_codecs_make() -> None:
    assert json.loads(OWN.read_text()) == json.loads(json.dumps(build()))


def test_our_own_messages_are_of_every_type() -> None:
    assert {vector.type for vector in OURS} == set(codecs("standard"))
    bodies = {vector.decoded[1]["value"][0] for vector in OURS if vector.type == "E2AP-PDU"}
    assert bodies == {procedure.name for procedure in e2ap.BY_CODE.values()}


@pytest.mark.parametrize(
    "vector", [item for item in OURS if item.type == "E2AP-PDU"], ids=lambda vector: vector.name
)
def test_our_own_messages_mean_the_same_to_another_codec(vector: Vector) -> None:
    PDU.from_aper(vector.data)
    assert same(shown(PDU.get_val()), vector.decoded)
    assert PDU.to_aper() == vector.data


@every
def test_a_message_decodes_to_its_value(vector: Vector) -> None:
    codec = codec_of(vector.type)
    assert same(codec.to_asn1(codec.decode(vector.data)), vector.decoded)


@every
def test_a_message_is_sent_again_as_it_came(vector: Vector) -> None:
    codec = codec_of(vector.type)
    for value in (codec.decode(vector.data), codec.from_asn1(vector.decoded)):
        assert (codec.encode(value) == vector.data) == (vector.name not in ALTERED)
        assert same(codec.to_asn1(codec.decode(codec.encode(value))), vector.decoded)


@pytest.mark.parametrize(
    "vector", [item for item in ALL if item.type == "E2AP-PDU"], ids=lambda vector: vector.name
)
def test_an_e2ap_message_is_sent_again_as_it_came(vector: Vector) -> None:
    message = e2ap.decode(vector.data)
    assert dataclasses.is_dataclass(message)
    assert (e2ap.encode(message) == vector.data) == (vector.name not in CRITICALITY)
    assert e2ap.decode(e2ap.encode(message)) == message


@every
def test_every_proper_prefix_is_a_value_or_a_decode_error(vector: Vector) -> None:
    codec = codec_of(vector.type)
    refused = 0
    for size in range(len(vector.data)):
        try:
            codec.to_asn1(codec.decode(vector.data[:size]))
        except DecodeError:
            refused += 1
    if vector.type == "E2AP-PDU":
        assert refused == len(vector.data)
    assert refused
