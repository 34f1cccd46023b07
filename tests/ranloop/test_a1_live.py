"""A1 policies through the RIC's REST interface, as the xApp of a running loop follows them."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from oran.a1.slice_sla import POLICY_TYPE, TYPE_ID
from tests.ranloop.loop import Loop, a_loop

pytestmark = pytest.mark.slow

URLLC = "2-000001"
PLMN = {"mcc": "001", "mnc": "01"}


def policy(delay_ms: float, **slice_id: Any) -> dict[str, Any]:
    """A policy on URLLC's delay."""
    return {
        "scope": {"sliceId": {"sst": 2, "sd": "000001", "plmnId": PLMN, **slice_id}},
        "sliceSlaObjectives": {"maxDlPacketDelayPerUe": delay_ms},
    }


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    with a_loop(tmp_path_factory.mktemp("a1"), nodes=1) as loop:
        answer = loop.client.put(f"{loop.stack.a1_url}/policytypes/{TYPE_ID}", json=POLICY_TYPE)
        assert answer.status_code == 201
        yield loop


def put(loop: Loop, name: str, body: dict[str, Any]) -> httpx.Response:
    return loop.client.put(address(loop, name), json=body)


def address(loop: Loop, name: str) -> str:
    return f"{loop.stack.a1_url}/policytypes/{TYPE_ID}/policies/{name}"


def status(loop: Loop, name: str) -> dict[str, Any]:
    answer = loop.get(f"{address(loop, name)}/status")
    assert answer.status_code == 200
    return dict(answer.json())


def until_enforced(loop: Loop, name: str) -> None:
    loop.until(lambda: status(loop, name)["enforceStatus"] == "ENFORCED", f"{name} is enforced")


def promised(loop: Loop) -> float:
    """URLLC's delay in seconds, as the xApp's metrics tell it."""
    return loop.metrics()("ranloop_sla_delay_seconds", slice=URLLC)


def test_a_policy_is_created_changed_queried_and_deleted(loop: Loop) -> None:
    configured = promised(loop)
    assert put(loop, "tight", policy(configured * 500)).status_code == 202
    until_enforced(loop, "tight")
    assert promised(loop) == pytest.approx(configured / 2)
    assert loop.metrics()("ranloop_a1_policies") == 1

    assert loop.get(f"{loop.stack.a1_url}/policytypes").json() == [TYPE_ID]
    assert loop.get(address(loop, "")[:-1]).json() == ["tight"]
    assert loop.get(address(loop, "tight")).json() == policy(configured * 500)

    assert put(loop, "tight", policy(configured * 250)).status_code == 202
    loop.until(lambda: promised(loop) == pytest.approx(configured / 4), "the change is in force")
    until_enforced(loop, "tight")
    assert loop.metrics()("ranloop_a1_policies") == 1

    assert loop.client.delete(address(loop, "tight")).status_code == 202
    loop.until(lambda: promised(loop) == configured, "the configured promise is back")
    assert loop.get(address(loop, "tight")).status_code == 404
    assert loop.get(f"{address(loop, 'tight')}/status").status_code == 404
    assert loop.get(address(loop, "")[:-1]).json() == []
    loop.goes_on(*loop.nodes)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (policy(-5), "-5 is less than the minimum"),
        (policy(5, sst=300), "300 is greater than the maximum"),
        ({"scope": policy(5)["scope"]}, "'sliceSlaObjectives' is a required property"),
        (policy(5) | {"colour": "red"}, "'colour' was unexpected"),
    ],
)
def test_a_policy_outside_the_schema_is_refused_with_the_reason(
    loop: Loop, body: dict[str, Any], reason: str
) -> None:
    configured, policies = promised(loop), loop.metrics()("ranloop_a1_policies")
    answer = put(loop, "wrong", body)
    assert answer.status_code == 400
    assert reason in answer.json()["detail"]
    assert loop.get(address(loop, "wrong")).status_code == 404
    assert (promised(loop), loop.metrics()("ranloop_a1_policies")) == (configured, policies)


def test_a_policy_that_the_xapp_cannot_keep_is_not_enforced_and_says_why(loop: Loop) -> None:
    for name, body, reason in (
        ("stranger", policy(5, sst=9), "slice 9-000001 is not controlled here"),
        ("abroad", policy(5, plmnId={"mcc": "999", "mnc": "99"}), "PLMN 999-99 is not served here"),
    ):
        assert put(loop, name, body).status_code == 202
        loop.until(lambda: reason in json.dumps(status(loop, name)), "the xApp's reason")  # noqa: B023
        told = status(loop, name)
        assert (told["enforceStatus"], told["instance_status"]) == ("NOT_ENFORCED", "NOT IN EFFECT")
        assert loop.client.delete(address(loop, name)).status_code == 202
    assert loop.metrics()("ranloop_a1_policies") == 0


def test_a_restarted_xapp_asks_for_the_policies_and_applies_them(loop: Loop) -> None:
    configured = promised(loop)
    assert put(loop, "kept", policy(configured * 200)).status_code == 202
    until_enforced(loop, "kept")
    expired = loop.ric_metrics()("ranloop_ric_dropped_total", layer="rmr", reason="expired")
    restarts = loop.kill(loop.xapp)
    assert put(loop, "missed", policy(configured * 500, sst=3)).status_code == 202
    # So long that the RIC no longer tries at once to reach it, and the first answers to its query may be lost.
    loop.until(
        lambda: loop.ric_metrics()("ranloop_ric_dropped_total", layer="rmr", reason="expired") > expired,
        "messages to the dead xApp expire",
        watch=False,
    )
    assert status(loop, "missed")["enforceStatus"] == "NOT_ENFORCED"
    loop.until(lambda: loop.xapp.restarts == restarts + 1, "the xApp is started again")
    loop.until(lambda: promised(loop) == pytest.approx(configured / 5), "the policy is in force again")
    for name in ("kept", "missed"):
        until_enforced(loop, name)
    assert loop.metrics()("ranloop_a1_policies") == 2
    loop.until_running()
    for name in ("kept", "missed"):
        assert loop.client.delete(address(loop, name)).status_code == 202
    loop.until(lambda: loop.metrics()("ranloop_a1_policies") == 0, "no policy is left")
    assert promised(loop) == configured
