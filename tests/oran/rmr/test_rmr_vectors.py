"""Frames captured from librmr 4.9: they parse field by field and are written back to the same bytes."""

import json
from pathlib import Path
from typing import Any

import pytest

from oran.rmr.frame import decode_frame, encode_frame
from oran.rmr.routes import RouteCollector
from oran.rmr.types import ROUTE_TABLE, ROUTE_TABLE_STATE

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "rmr_messages.json"

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"no captured frames at {VECTORS}")


def load() -> list[dict[str, Any]]:
    return json.loads(VECTORS.read_text()) if VECTORS.exists() else []


@pytest.mark.parametrize("vector", load(), ids=lambda vector: f"{vector['flow']}-{vector['index_in_flow']}")
def test_captured_frames(vector: dict[str, Any]) -> None:
    frame, fields = bytes.fromhex(vector["hex"]), vector["fields"]
    message = decode_frame(frame)
    assert message.mtype == fields["mtype"]
    assert message.payload == bytes.fromhex(fields["payload_hex"])
    assert message.sub_id == fields["sub_id"]
    assert message.meid == fields["meid"]
    assert message.xid.ljust(32, b"\0") == bytes.fromhex(fields["xid_hex"])
    assert message.sid.ljust(32, b"\0") == bytes.fromhex(fields["sid_hex"])
    assert message.source == fields["src"]
    assert message.source_ip == fields["srcip"]
    assert message.flags == fields["flags_host_le"]
    assert message.trace == bytes.fromhex(fields["trace_hex"])
    assert message.d1 == bytes.fromhex(fields["d1_hex"])
    assert message.d2 == bytes.fromhex(fields["d2_hex"])
    again = encode_frame(message)
    assert again[:9] == frame[:9]
    assert again[50:] == frame[50:]  # octets 9 to 49 are the sender's heap junk


def test_captured_table_gives_the_captured_acknowledgements() -> None:
    found = [decode_frame(bytes.fromhex(vector["hex"])) for vector in load()]
    push = next(message for message in found if message.mtype == ROUTE_TABLE)
    collector = RouteCollector(["127.0.0.1:4590"])
    payloads = [state.payload for state in collector.load(push.text)]
    assert payloads == [message.payload for message in found if message.mtype == ROUTE_TABLE_STATE]
    assert collector.table.targets(30000) == ("127.0.0.1:4592",)
    assert collector.table.targets(12040, meid="gnb_2") == ("127.0.0.1:4592",)
