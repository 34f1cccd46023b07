"""Our KPM codec against asn1tools: what one encodes the other decodes to the same value."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oran.e2.kpm.asn1 import codecs
from oran.e2.kpm.messages import EventTrigger, IndicationHeader
from oran.e2.kpm.profile import FLEXRIC, STANDARD, NodeProfile
from tests.oran.e2 import kpm_strategies as strategies
from tests.oran.e2.kpm_oracle import from_json, oracle, to_json

STRATEGIES: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "E2SM-KPM-EventTriggerDefinition": ("Trigger", st.builds(EventTrigger, strategies.periods)),
    "E2SM-KPM-ActionDefinition": ("Action", strategies.actions),
    "E2SM-KPM-IndicationMessage": ("Message", strategies.messages),
    "E2SM-KPM-RANfunction-Description": ("Function", strategies.functions),
}


@pytest.mark.parametrize("profile", [STANDARD, FLEXRIC], ids=lambda profile: profile.name)
@pytest.mark.parametrize("name", STRATEGIES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_both_codecs_agree(profile: NodeProfile, name: str, data: st.DataObject) -> None:
    oracle_type, strategy = STRATEGIES[name]
    codec = codecs(profile)[name]
    theirs = oracle(extensions_in_root=profile.extensions_in_root)
    message = data.draw(strategy)
    value = codec.to_asn1(message)
    assert to_json(theirs.decode(oracle_type, codec.encode(message))) == value
    assert codec.decode(bytes(theirs.encode(oracle_type, from_json(value)))) == message


origins = st.fixed_dictionaries(
    {},
    optional={
        "file_format_version": st.text("0123456789.", min_size=1, max_size=15),
        "sender_name": st.text("abcdefg-", min_size=1, max_size=400),
        "sender_type": st.text("gNBDU", min_size=1, max_size=8),
        "vendor_name": st.text("Ranloop", min_size=1, max_size=32),
    },
)


@settings(max_examples=60, deadline=None)
@given(stamp=st.binary(min_size=8, max_size=8) | st.binary(min_size=4, max_size=4), origin=origins)
def test_both_codecs_agree_on_headers(stamp: bytes, origin: dict[str, str]) -> None:
    codec = codecs()["E2SM-KPM-IndicationHeader"]
    header = IndicationHeader(stamp, **origin)
    oracle_type = f"Header{len(stamp)}"
    assert to_json(oracle().decode(oracle_type, codec.encode(header))) == codec.to_asn1(header)
    assert oracle().encode(oracle_type, from_json(codec.to_asn1(header))) == codec.encode(header)
