"""The xApp on real sockets: embedded RIC, E2 nodes, RMR, REST."""

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from oran import kpi
from oran.a1.slice_sla import POLICY_TYPE, TYPE_ID
from oran.experience import Transition
from oran.rmr.message import RmrMessage
from oran.rmr.types import RIC_INDICATION
from oran.sdl import MemorySdl
from oran.slices import MIN, hard_ratios, valid
from tests.xapps.slicing.cells import observation
from tests.xapps.slicing.loop import a_node, a_ric, an_xapp, config, crash, get, until, until_async, value
from xapps.slicing.fleet import ControlledCell
from xapps.slicing.observation import CellObservation

UES = [{"slice": f"{n}-000001", "ids": [{"first": 2 * n - 1, "last": 2 * n}]} for n in (1, 2, 3)]


def seen(cell: ControlledCell) -> CellObservation:
    """What was last seen of a cell; nothing at first."""
    return cell.loop.observation or observation(active_ues=[0, 0, 0])


@pytest.mark.parametrize(
    ("node", "settings", "reports", "control"),
    [
        ({}, {}, "slices", "ccc"),
        ({"timestamp_octets": 4}, {"node_rules": [{"report": "conditions"}]}, "conditions", "ccc"),
        ({"max_ues_per_report": 4}, {"ue_slices": UES, "node_rules": [{"report": "ues"}]}, "ues", "ccc"),
        ({"supports_ccc": False, "slice_labels": False}, {}, "conditions", "rc_cell"),
        (
            {"supports_ccc": False, "slice_labels": False, "units": kpi.SRSRAN},
            {"ue_slices": UES, "node_rules": [{"profile": "srsran", "control": "rc_ue"}]},
            "ues",
            "rc_ue",
        ),
    ],
    ids=("labels", "conditions", "ues", "rc-cell", "rc-ue"),
)
async def test_the_loop_closes(node: dict[str, Any], settings: dict[str, Any], reports: str, control: str) -> None:
    async with a_ric() as ric, a_node(ric, **node) as du:
        xapp = an_xapp(config(ric.addresses, **settings))
        async with xapp:
            await until(lambda: du.cell.ratios[1, MIN] > du.cell.ratios[0, MIN] + 20)
            await until(lambda: value(xapp, "ranloop_controls_total", outcome="acked") >= 1)
            (cell,) = xapp.fleet.cells()
            assert cell.target is not None
            assert cell.target.kind.value == control
            assert {feed.report.kind.value for feed in xapp.fleet.feeds()} == {reports}
            assert valid(du.cell.ratios)
            # The first period of a report in parts may have been taken for complete too early.
            await until(lambda: np.allclose(seen(cell).kpis.active_ues, 2))
            assert seen(cell).prb_available == 51
            np.testing.assert_allclose(seen(cell).kpis.delivered_bit, [2e4, 8e4, 2e4], rtol=1e-3)
            assert xapp.ready
            assert value(xapp, "ranloop_controls_total", outcome="failed") == 0
        assert du.node.subscriptions == 0
        assert ric.routing.xapps == {}


async def test_the_original_quotas_return_when_the_xapp_stops() -> None:
    async with a_ric() as ric, a_node(ric) as du:
        async with an_xapp(config(ric.addresses)) as xapp:
            await until(lambda: value(xapp, "ranloop_controls_total", outcome="acked") >= 2)
            assert not np.array_equal(du.cell.ratios, hard_ratios(3))
        np.testing.assert_array_equal(du.cell.ratios, hard_ratios(3))


async def test_the_original_quotas_return_after_a_crash_and_a_restart() -> None:
    sdl = MemorySdl()
    async with a_ric() as ric, a_node(ric) as du:
        settings = config(ric.addresses)
        crashed = an_xapp(settings, sdl)
        await crashed.start()
        await until(lambda: du.cell.changes >= 2)
        await crash(crashed)
        assert not np.array_equal(du.cell.ratios, hard_ratios(3))
        async with an_xapp(settings, sdl) as xapp:
            changes = du.cell.changes
            await until(lambda: du.cell.changes > changes)
            assert value(xapp, "ranloop_subscriptions") == 1
        np.testing.assert_array_equal(du.cell.ratios, hard_ratios(3))


async def test_a_dry_run_decides_and_touches_nothing(tmp_path: Path) -> None:
    log = tmp_path / "experience.jsonl"
    async with a_ric() as ric, a_node(ric) as du:
        async with an_xapp(config(ric.addresses, dry_run=True, experience=str(log))) as xapp:
            await until(lambda: value(xapp, "ranloop_decisions_total") >= 5)
            assert value(xapp, "ranloop_controls_total", outcome="dry_run") >= 1
            assert value(xapp, "ranloop_controls_total", outcome="sent") == 0
            assert value(xapp, "ranloop_decision_latency_seconds_count") >= 5
        assert du.cell.changes == 0
    records = [Transition.from_json(line) for line in log.read_text().splitlines()]
    assert len(records) >= 5
    assert records[-1].controller == "demand"
    assert records[-1].action[1][1] > records[-1].action[0][1]


async def test_a1_policies_are_kept_and_bad_ones_refused() -> None:
    def policy(delay_ms: float, sst: int = 2) -> dict[str, Any]:
        plmn = {"mcc": "001", "mnc": "01"}
        return {
            "scope": {"sliceId": {"sst": sst, "sd": "000001", "plmnId": plmn}},
            "sliceSlaObjectives": {"maxDlPacketDelayPerUe": delay_ms},
        }

    async with a_ric() as ric, an_xapp(config(ric.addresses)) as xapp:
        base = f"{ric.addresses['a1']}/A1-P/v2/policytypes/{TYPE_ID}"
        await until(lambda: xapp.ready)
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.put(base, json=POLICY_TYPE)).is_success
            assert (await client.put(f"{base}/policies/tight", json=policy(5))).is_success
            await until(lambda: xapp.policies.targets.delay_s[1] == pytest.approx(0.005))
            assert (await client.put(f"{base}/policies/tight", json=policy(2))).is_success
            await until(lambda: xapp.policies.targets.delay_s[1] == pytest.approx(0.002))
            assert value(xapp, "ranloop_sla_delay_seconds", slice="2-000001") == pytest.approx(0.002)

            async def status(name: str) -> str:
                answer = await client.get(f"{base}/policies/{name}/status")
                return str(answer.json()["enforceStatus"])

            await until_async(lambda: status("tight"), "ENFORCED")
            assert (await client.put(f"{base}/policies/alien", json=policy(2, sst=77))).is_success
            await until_async(lambda: status("alien"), "NOT_ENFORCED")
            assert (await client.delete(f"{base}/policies/tight")).is_success
            await until(lambda: xapp.policies.targets.delay_s[1] == pytest.approx(0.01))
            assert len(xapp.policies) == 0


async def test_policies_are_asked_for_after_a_restart() -> None:
    async with a_ric() as ric:
        settings = config(ric.addresses)
        base = f"{ric.addresses['a1']}/A1-P/v2/policytypes/{TYPE_ID}"
        body = {
            "scope": {"sliceId": {"sst": 2, "sd": "000001", "plmnId": {"mcc": "001", "mnc": "01"}}},
            "sliceSlaObjectives": {"maxDlPacketDelayPerUe": 3},
        }
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.put(base, json=POLICY_TYPE)).is_success
            assert (await client.put(f"{base}/policies/early", json=body)).is_success
        async with an_xapp(settings) as xapp:
            await until(lambda: len(xapp.policies) == 1)
            assert xapp.policies.targets.delay_s[1] == pytest.approx(0.003)


async def test_health_metrics_and_configuration_are_served() -> None:
    async with a_ric() as ric, a_node(ric), an_xapp(config(ric.addresses)) as xapp:
        await until(lambda: value(xapp, "ranloop_decisions_total") >= 3)
        assert (await get(xapp, "/ric/v1/health/alive")).status_code == 200
        assert (await get(xapp, "/ric/v1/health/ready")).status_code == 200
        text = (await get(xapp, "/metrics")).text
        for name in (
            'ranloop_kpi_delay_seconds{cell="00019b001",node="gnbd_001_001_00019b_1",slice="2-000001"}',
            "ranloop_qos_ratio{",
            "ranloop_sla_satisfaction_ratio{",
            'ratio="min"',
            "ranloop_decision_latency_seconds_bucket{",
            'ranloop_guard_interventions_total{reason="stale"}',
            "ranloop_nodes 1.0",
            "ranloop_subscriptions 1.0",
            "ranloop_a1_policies 0.0",
        ):
            assert name in text
        served = (await get(xapp, "/ric/v1/config")).json()
        ports = {port["name"]: port["port"] for port in served["messaging"]["ports"]}
        assert ports["rmrdata"] == xapp.transport.address[1]
        assert (await get(xapp, "/nothing")).status_code == 404


async def test_without_a_ric_the_xapp_waits_and_says_so() -> None:
    async with a_ric() as ric:
        gone = dict(ric.addresses)
    async with an_xapp(config(gone)) as xapp:
        assert (await get(xapp, "/ric/v1/health/alive")).status_code == 200
        assert (await get(xapp, "/ric/v1/health/ready")).status_code == 503


async def test_silence_holds_the_quotas_then_brings_the_static_ones_back() -> None:
    async with a_ric() as ric, a_node(ric) as du, an_xapp(config(ric.addresses)) as xapp:
        await until(lambda: du.cell.ratios[1, MIN] > 40)
        du.silent = True
        await until(lambda: value(xapp, "ranloop_guard_interventions_total", reason="stale"))
        await until(lambda: np.array_equal(du.cell.ratios, [[0, 33, 100]] * 3))
        assert value(xapp, "ranloop_guard_interventions_total", reason="static")
        du.silent = False
        await until(lambda: du.cell.ratios[1, MIN] > 40)


async def test_a_node_that_dies_leaves_the_others_alone_and_comes_back_once() -> None:
    async with (
        a_ric() as ric,
        a_node(ric, du=1) as one,
        a_node(ric, du=2) as two,
        an_xapp(config(ric.addresses)) as xapp,
    ):
        await until(lambda: one.cell.changes and two.cell.changes)
        await one.stop()
        await until(lambda: value(xapp, "ranloop_nodes") == 1)
        before = value(xapp, "ranloop_indications_total")
        await until(lambda: value(xapp, "ranloop_indications_total") > before + 5)
        one.start()
        changes = one.cell.changes
        await until(lambda: one.cell.changes > changes)
        assert one.node.subscriptions == two.node.subscriptions == 1
        assert value(xapp, "ranloop_subscriptions") == 2


async def test_a_ric_that_restarts_is_found_again() -> None:
    async with a_ric() as ric:
        ports = {
            f"{name}_port": int(ric.addresses[key].rsplit(":", 1)[1])
            for name, key in (
                ("subscription", "subscription"),
                ("e2mgr", "e2mgr"),
                ("appmgr", "appmgr"),
                ("a1", "a1"),
                ("rmr", "rmr"),
                ("e2", "e2"),
            )
        }
        settings = config(ric.addresses)
        async with a_node(ric) as du:
            xapp = an_xapp(settings)
            await xapp.start()
            await until(lambda: du.cell.changes)
            await ric.stop()
            await until(lambda: not xapp.ready)
            async with a_ric(**ports) as again:
                changes = du.cell.changes
                await until(lambda: xapp.ready and du.cell.changes > changes)
                assert du.node.subscriptions == 1
                assert len(again.routing.xapps) == 1
                await xapp.stop()
                np.testing.assert_array_equal(du.cell.ratios, hard_ratios(3))


async def test_noise_is_counted_and_harms_nothing() -> None:
    async with a_ric() as ric, a_node(ric) as du, an_xapp(config(ric.addresses)) as xapp:
        await until(lambda: du.cell.changes)
        (held,) = xapp.fleet.feeds()
        meid, sub_id = held.report.spec.meid, held.instance
        for message, reason in (
            (RmrMessage(RIC_INDICATION, b"noise", meid=meid, sub_id=sub_id), "undecodable"),
            (RmrMessage(RIC_INDICATION, b"", meid="nobody", sub_id=5), "unknown_subscription"),
            (RmrMessage(4711, b""), "unexpected_type"),
            (RmrMessage(12041, b"\xff" * 40, meid=meid), "undecodable"),
            (RmrMessage(20010, b"{}"), "policy_unreadable"),
        ):
            before = value(xapp, "ranloop_dropped_messages_total", reason=reason)
            xapp.handle(message)
            assert value(xapp, "ranloop_dropped_messages_total", reason=reason) == before + 1
        decisions = value(xapp, "ranloop_decisions_total")
        await until(lambda: value(xapp, "ranloop_decisions_total") > decisions)


async def test_a_controller_that_fails_leaves_the_last_quotas() -> None:
    async with a_ric() as ric, a_node(ric) as du, an_xapp(config(ric.addresses)) as xapp:
        await until(lambda: du.cell.changes)
        (cell,) = xapp.fleet.cells()

        class Broken:
            name = "broken"

            def decide(self, *_: object) -> np.ndarray:
                raise ZeroDivisionError

        cell.loop.controller = Broken()
        await until(lambda: value(xapp, "ranloop_controller_errors_total") >= 3)
        quotas = du.cell.ratios.copy()
        await until(lambda: value(xapp, "ranloop_controller_errors_total") >= 6)
        np.testing.assert_array_equal(du.cell.ratios, quotas)


async def test_the_descriptor_registered_is_json_with_the_real_ports() -> None:
    async with a_ric() as ric, an_xapp(config(ric.addresses)) as xapp:
        await until(lambda: ric.routing.xapps)
        (routes,) = ric.routing.xapps.values()
        assert routes.policies == (TYPE_ID,)
        assert routes.rmr_address == f"127.0.0.1:{xapp.transport.address[1]}"
        json.dumps(xapp._descriptor)
