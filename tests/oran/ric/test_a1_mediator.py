"""The A1 mediator: REST on one side, the RMR messages of both mediators on the other."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from oran.ric import NearRtRic
from oran.rmr.message import RmrMessage
from tests.oran.ric.material import FakeXapp, ric_config, until

TYPE = 20008
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "delay_ms": {"type": "number", "minimum": 1},
        "slice": {"type": "string", "pattern": "^[a-z]+$"},
    },
    "required": ["delay_ms"],
    "additionalProperties": False,
}
BODY = {"name": "sla", "description": "a slice's SLA", "policy_type_id": TYPE, "create_schema": SCHEMA}


@pytest.fixture
async def a1(ric: NearRtRic) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{ric.addresses['a1']}/A1-P/v2", timeout=10) as client:
        yield client


@pytest.fixture
async def typed(a1: httpx.AsyncClient, xapp: FakeXapp) -> httpx.AsyncClient:
    assert (await a1.put(f"/policytypes/{TYPE}", json=BODY)).status_code == 201
    assert (await xapp.register(policies=(TYPE,))).status_code == 201
    await xapp.routed(mtype=20012)
    return a1


def policies_of(xapp: FakeXapp) -> list[dict[str, Any]]:
    assert {message.sub_id for message in xapp.of(20010)} <= {TYPE}
    return [json.loads(message.payload) for message in xapp.of(20010)]


async def test_types_are_put_listed_read_and_removed(a1: httpx.AsyncClient) -> None:
    assert (await a1.get("/healthcheck")).status_code == 200
    assert (await a1.get("/policytypes")).json() == []
    assert (await a1.put(f"/policytypes/{TYPE}", json=BODY)).status_code == 201
    assert (await a1.put(f"/policytypes/{TYPE}", json=BODY)).status_code == 400
    assert (await a1.get("/policytypes")).json() == [TYPE]
    assert (await a1.get(f"/policytypes/{TYPE}")).json() == BODY
    lower = str(a1.base_url).replace("/A1-P/v2", "/a1-p")
    assert (await a1.get(f"{lower}policytypes")).json() == [TYPE]
    assert (await a1.delete(f"/policytypes/{TYPE}")).status_code == 204
    assert (await a1.get(f"/policytypes/{TYPE}")).status_code == 404
    assert (await a1.delete(f"/policytypes/{TYPE}")).status_code == 404


async def test_a_malformed_type_is_refused_with_the_reason(a1: httpx.AsyncClient) -> None:
    changes: list[dict[str, Any]] = [
        {"policy_type_id": 7},
        {"policy_type_id": True},
        {"create_schema": []},
        {"create_schema": {"type": "no such type"}},
        {"create_schema": {"pattern": "("}},
        {"name": None},
    ]
    for change in changes:
        answer = await a1.put(f"/policytypes/{TYPE}", json=BODY | change)
        assert answer.status_code == 400, change
        assert answer.json()["detail"]
    assert (await a1.get("/policytypes")).json() == []


async def test_type_ids_out_of_range_are_refused(a1: httpx.AsyncClient) -> None:
    for type_id in ("0", "abc", str(2**31), "-1"):
        assert (await a1.put(f"/policytypes/{type_id}", json=BODY)).status_code == 400


async def test_a_policy_travels_to_the_xapp_and_its_status_back(typed: httpx.AsyncClient, xapp: FakeXapp) -> None:
    path = f"/policytypes/{TYPE}/policies/urllc.1"
    assert (await typed.put(path, json={"delay_ms": 5})).status_code == 202
    await until(lambda: len(xapp.of(20010)) == 1)
    assert policies_of(xapp)[0] == {
        "operation": "CREATE",
        "policy_type_id": str(TYPE),
        "policy_instance_id": "urllc.1",
        "payload": '{"delay_ms":5}',
    }
    assert (await typed.get(path)).json() == {"delay_ms": 5}
    assert (await typed.get(f"/policytypes/{TYPE}/policies")).json() == ["urllc.1"]
    status = (await typed.get(f"{path}/status")).json()
    assert (status["enforceStatus"], status["instance_status"]) == ("NOT_ENFORCED", "NOT IN EFFECT")

    for type_id, said, enforced in ((TYPE, "OK", "ENFORCED"), (str(TYPE), "ERROR", "NOT_ENFORCED")):
        note = {"policy_type_id": type_id, "policy_instance_id": "urllc.1", "handler_id": "x", "status": said}
        note["reason"] = "no such slice"
        assert xapp.rmr.send(RmrMessage(20011, json.dumps(note).encode() + b"\0junk"))
        await until_status(typed, path, enforced)
    assert (await typed.get(f"{path}/status")).json()["enforceReason"] == "refused by x: no such slice"

    assert (await typed.put(path, json={"delay_ms": 4})).status_code == 202
    await until(lambda: len(xapp.of(20010)) == 2)
    assert policies_of(xapp)[1]["operation"] == "UPDATE"
    assert (await typed.delete(f"/policytypes/{TYPE}")).status_code == 400
    assert (await typed.delete(path)).status_code == 202
    await until(lambda: len(xapp.of(20010)) == 3)
    assert (policies_of(xapp)[2]["operation"], policies_of(xapp)[2]["payload"]) == ("DELETE", "")
    assert (await typed.get(path)).status_code == 404
    assert (await typed.get(f"{path}/status")).status_code == 404
    assert (await typed.delete(path)).status_code == 404


async def until_status(client: httpx.AsyncClient, path: str, wanted: str) -> None:
    found = ""

    for _ in range(500):
        found = (await client.get(f"{path}/status")).json()["enforceStatus"]
        if found == wanted:
            return
    assert found == wanted


async def test_an_invalid_policy_is_refused_with_the_reason_and_goes_nowhere(
    typed: httpx.AsyncClient, xapp: FakeXapp
) -> None:
    faults: list[tuple[dict[str, Any], str]] = [
        ({"delay_ms": 0}, "delay_ms: 0 is less than the minimum"),
        ({}, "'delay_ms' is a required property"),
        ({"delay_ms": 1, "other": 2}, "'other' was unexpected"),
        ({"delay_ms": 1, "slice": "URLLC"}, "slice: 'URLLC' does not match"),
    ]
    for policy, reason in faults:
        answer = await typed.put(f"/policytypes/{TYPE}/policies/bad", json=policy)
        assert answer.status_code == 400
        assert reason in answer.json()["detail"]
    assert (await typed.put(f"/policytypes/{TYPE}/policies/good", json={"delay_ms": 1})).status_code == 202
    await until(lambda: xapp.of(20010))
    assert [message["policy_instance_id"] for message in policies_of(xapp)] == ["good"]


async def test_a_query_brings_every_policy_of_the_type(typed: httpx.AsyncClient, xapp: FakeXapp) -> None:
    names = [f"p{number}" for number in range(3)]
    for name in names:
        assert (await typed.put(f"/policytypes/{TYPE}/policies/{name}", json={"delay_ms": 2})).status_code == 202
    await until(lambda: len(xapp.of(20010)) == 3)
    for type_id in (TYPE, str(TYPE)):
        xapp.received.clear()
        assert xapp.rmr.send(RmrMessage(20012, json.dumps({"policy_type_id": type_id}).encode()))
        await until(lambda: len(xapp.of(20010)) == 3)
        assert [message["policy_instance_id"] for message in policies_of(xapp)] == names


async def test_policies_of_unknown_types_and_with_unusable_ids_are_refused(typed: httpx.AsyncClient) -> None:
    assert (await typed.put("/policytypes/1/policies/p", json={"delay_ms": 1})).status_code == 404
    assert (await typed.get("/policytypes/1/policies")).status_code == 404
    for name in ("a*", "a%20b", "x" * 129, "%00"):
        assert (await typed.put(f"/policytypes/{TYPE}/policies/{name}", json={"delay_ms": 1})).status_code == 400


async def test_messages_from_xapps_that_make_no_sense_are_counted(
    ric: NearRtRic, typed: httpx.AsyncClient, xapp: FakeXapp
) -> None:
    bad = [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"policy_type_id":1e999}',
        b'{"policy_type_id":-1}',
        b'{"policy_type_id":"x"}',
    ]
    bad.append(json.dumps({"policy_type_id": TYPE, "policy_instance_id": 1, "status": "OK"}).encode())
    for payload in bad:
        assert xapp.rmr.send(RmrMessage(20011, payload))
    await until(lambda: ric.counters.dropped["a1_malformed"] == len(bad))
    assert (await typed.put(f"/policytypes/{TYPE}/policies/p", json={"delay_ms": 1})).status_code == 202
    await until(lambda: xapp.of(20010))


async def test_hostile_schemas_neither_hang_nor_reach_out(a1: httpx.AsyncClient) -> None:
    doubling: dict[str, Any] = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    schemas: list[dict[str, Any]] = [
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/hostname"},
        {"$ref": "#"},
        {"$ref": "#/$defs/d0", "$defs": doubling | {"d40": {"type": "object"}}},
    ]
    for number, schema in enumerate(schemas, 1):
        body = BODY | {"policy_type_id": number, "create_schema": schema}
        if (await a1.put(f"/policytypes/{number}", json=body)).status_code == 201:
            answer = await a1.put(f"/policytypes/{number}/policies/p", json={"a": 1})
            assert answer.status_code == 400, answer.text
            assert answer.json()["detail"]
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    assert (await a1.put("/policytypes/77", content=deep)).status_code == 400
    assert (await a1.put("/policytypes/77", content=b"{" + b" " * (1 << 18) + b"}")).status_code == 413


async def test_the_python_mediators_form_has_numbers_and_objects() -> None:
    async with NearRtRic(ric_config(policy_form="values")) as ric:
        xapp = await FakeXapp.start(ric)
        async with httpx.AsyncClient(base_url=f"{ric.addresses['a1']}/a1-p", timeout=10) as client:
            assert (await client.put(f"/policytypes/{TYPE}", json=BODY)).status_code == 201
            assert (await xapp.register(policies=(TYPE,))).status_code == 201
            assert (await client.put(f"/policytypes/{TYPE}/policies/p", json={"delay_ms": 3})).status_code == 202
            await until(lambda: xapp.of(20010))
        await xapp.stop()
    message = policies_of(xapp)[0]
    assert (message["policy_type_id"], message["payload"]) == (TYPE, {"delay_ms": 3})
