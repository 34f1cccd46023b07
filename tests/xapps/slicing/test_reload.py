"""New models under a running xApp: watched folder, HTTP, command line, refusals, shadow, rollback, words."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from oran.a1.slice_sla import POLICY_TYPE, TYPE_ID
from oran.ric import NearRtRic
from oran.slices import MIN
from tests.xapps.slicing import packages
from tests.xapps.slicing.loop import a_node, a_ric, an_xapp, config, get, until, value
from tests.xapps.slicing.test_succession import break_
from xapps.slicing import operate
from xapps.slicing.app import SlicingXapp
from xapps.slicing.config import XappConfig
from xapps.slicing.errors import SettingsError
from xapps.slicing.schema import ACTOR


def hasty(ric: NearRtRic, folder: Path, **changes: Any) -> XappConfig:
    """Decide by the package in a folder, and do not wait long for another."""
    haste = {"controller": "learned", "model_check_s": 0.05, "shadow_periods": 5, "model": str(folder)}
    return config(ric.addresses, **{**haste, **changes})


def running(xapp: SlicingXapp) -> str:
    assert xapp.models is not None
    return str(xapp.models.running)


async def post(xapp: SlicingXapp, path: str, body: Any = None) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        return await client.post(f"http://{xapp.http_address}{path}", json=body)


def replace(folder: Path, *inputs: str, **options: Any) -> None:
    """Put another package where one is."""
    shutil.rmtree(folder)
    packages.package(folder, *inputs, **options)


async def test_a_new_package_in_the_folder_shadows_then_takes_over_and_rolls_back(tmp_path: Path) -> None:
    folder = packages.package(tmp_path / "model", version="1", feature="need", gain=20.0)
    async with (
        a_ric() as ric,
        a_node(ric) as du,
        an_xapp(hasty(ric, folder)) as xapp,
    ):
        await until(lambda: du.cell.ratios[1, MIN] > du.cell.ratios[0, MIN] + 20)
        replace(folder, version="2", feature="need", gain=-20.0)
        await until(lambda: value(xapp, "ranloop_model_events_total", event="shadowed"))
        await until(lambda: running(xapp) == "test-actor 2")
        await until(lambda: du.cell.ratios[1, MIN] < du.cell.ratios[0, MIN] - 20)
        assert value(xapp, "ranloop_model_shadow_decisions_total") == 5
        assert value(xapp, "ranloop_model_shadow_share_difference") > 0.1
        assert value(xapp, "ranloop_model_info", place="running", model="test-actor 2") == 1
        assert (await post(xapp, "/model/rollback")).json()["running"]["version"] == "1"
        await until(lambda: du.cell.ratios[1, MIN] > du.cell.ratios[0, MIN] + 20)
        # What was rolled back stays so, though its package still lies there.
        await asyncio.sleep(0.3)
        assert running(xapp) == "test-actor 1"
        assert value(xapp, "ranloop_controller_errors_total") == 0


@pytest.mark.parametrize("harm", ["corrupt", "wrong hash", "wrong schema", "not finite"])
async def test_a_bad_package_is_refused_and_the_old_model_goes_on(tmp_path: Path, harm: str) -> None:
    folder = packages.package(tmp_path / "model", version="1")
    bad = packages.package(tmp_path / "bad", version="2", **({"scale": np.nan} if harm == "not finite" else {}))
    reason = harm
    if harm == "corrupt":
        (bad / "manifest.json").write_text("{")
        reason = "cannot be read"
    elif harm == "wrong hash":
        (bad / ACTOR).write_bytes(packages.actor(gain=1.0))
        reason = "SHA-256"
    elif harm == "wrong schema":
        text = (bad / "manifest.json").read_text()
        (bad / "manifest.json").write_text(text.replace("qos, density", "density, qos"))
        reason = "this xApp computes"
    async with a_ric() as ric, a_node(ric), an_xapp(hasty(ric, folder)) as xapp:
        await until(lambda: value(xapp, "ranloop_decisions_total"))
        answer = await post(xapp, "/model", {"folder": str(bad)})
        assert answer.status_code == 422
        assert reason in answer.json()["detail"]
        shutil.rmtree(folder)
        shutil.copytree(bad, folder)
        await until(lambda: value(xapp, "ranloop_model_events_total", event="refused") == 2)
        told = (await get(xapp, "/model")).json()
        assert reason in told["reason"]
        assert (told["running"]["version"], told["before"], told["shadow"]) == ("1", None, None)
        decisions = value(xapp, "ranloop_decisions_total")
        await until(lambda: value(xapp, "ranloop_decisions_total") > decisions + 5)
        assert value(xapp, "ranloop_controller_errors_total") == 0
        assert (await post(xapp, "/model/rollback")).status_code == 409


async def test_a_candidate_that_errs_in_the_shadow_is_dropped(tmp_path: Path) -> None:
    folder, other = (packages.package(tmp_path / version, version=version) for version in ("1", "2"))
    async with a_ric() as ric, a_node(ric), an_xapp(hasty(ric, folder, shadow_periods=1000)) as xapp:
        await until(lambda: value(xapp, "ranloop_decisions_total"))
        assert (await post(xapp, "/model", {"folder": str(other)})).json()["shadow"]["version"] == "2"
        await until(lambda: value(xapp, "ranloop_model_shadow_decisions_total") > 3)
        assert xapp.models is not None
        assert xapp.models.shadow is not None
        break_(xapp.models.shadow.actor)
        await until(lambda: value(xapp, "ranloop_model_events_total", event="dropped") == 1)
        assert running(xapp) == "test-actor 1"
        assert value(xapp, "ranloop_controller_errors_total") == 0


async def test_a_running_model_that_errs_leaves_the_last_quotas(tmp_path: Path) -> None:
    folder = packages.package(tmp_path / "model")
    async with (
        a_ric() as ric,
        a_node(ric) as du,
        an_xapp(hasty(ric, folder)) as xapp,
    ):
        await until(lambda: du.cell.changes)
        assert xapp.models is not None
        break_(xapp.models.running)
        await until(lambda: value(xapp, "ranloop_controller_errors_total") >= 3)
        quotas = du.cell.ratios.copy()
        await until(lambda: value(xapp, "ranloop_controller_errors_total") >= 6)
        np.testing.assert_array_equal(du.cell.ratios, quotas)
        assert value(xapp, "ranloop_guard_interventions_total", reason="controller") >= 6


async def test_the_intent_text_of_a_policy_reaches_the_model(tmp_path: Path) -> None:
    folder = packages.package(tmp_path / "model", "words", gain=0.0)
    policy = {
        "scope": {"sliceId": {"sst": 1, "sd": "000001", "plmnId": {"mcc": "001", "mnc": "01"}}},
        "sliceSlaObjectives": {"maxDlPacketDelayPerUe": 10},
        "intentText": "Protect the factory",
    }
    async with (
        a_ric() as ric,
        a_node(ric) as du,
        an_xapp(hasty(ric, folder)) as xapp,
    ):
        await until(lambda: xapp.ready and du.cell.changes)
        base = f"{ric.addresses['a1']}/A1-P/v2/policytypes/{TYPE_ID}"
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.put(base, json=POLICY_TYPE)).is_success
            assert (await client.put(f"{base}/policies/words", json=policy)).is_success
            await until(lambda: du.cell.ratios[0, MIN] > du.cell.ratios[1, MIN] + 5)
            assert (await get(xapp, "/model")).json()["running"]["words"] == "Protect the factory"
            assert (await client.delete(f"{base}/policies/words")).is_success
            await until(lambda: abs(du.cell.ratios[0, MIN] - du.cell.ratios[1, MIN]) <= 1)


async def test_the_command_line_loads_and_rolls_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, other = (packages.package(tmp_path / version, version=version) for version in ("1", "2"))
    async with a_ric() as ric, an_xapp(hasty(ric, folder, shadow_periods=0)) as xapp:
        url = ["--url", f"http://{xapp.http_address}"]

        async def command(*words: str) -> tuple[int, str]:
            status = await asyncio.to_thread(operate.main, [*words, *url])
            told = capsys.readouterr()
            if status:
                return status, told.err.splitlines()[-1]
            # the xApp runs in this process too, and logs on the same stdout
            return status, next(line for line in told.out.splitlines() if line.startswith("{"))

        status, reason = await command("rollback")
        assert (status, reason) == (1, "xapps.slicing: status 409: there is no model before the running one")
        assert json.loads((await command("load", str(other)))[1])["running"]["version"] == "2"
        assert json.loads((await command("rollback"))[1])["running"]["version"] == "1"
        assert json.loads((await command("model"))[1])["before"]["version"] == "2"
        status, reason = await command("load", str(tmp_path / "nowhere"))
        assert status == 1
        assert "nowhere" in reason
        assert (await post(xapp, "/model", {"folder": 1})).status_code == 400
    assert await asyncio.to_thread(operate.main, ["model", *url]) == 2


def test_learned_without_a_usable_package_says_what_to_do(tmp_path: Path) -> None:
    addresses = dict.fromkeys(("subscription", "e2mgr", "appmgr"), "http://127.0.0.1:1")
    with pytest.raises(SettingsError, match=r"no model package at .*nowhere; give --model DIR"):
        an_xapp(config(addresses, controller="learned", model=str(tmp_path / "nowhere")))
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(SettingsError, match="manifest cannot be read"):
        an_xapp(config(addresses, controller="learned", model=str(tmp_path)))


async def test_without_models_there_is_nothing_to_ask() -> None:
    async with a_ric() as ric, an_xapp(config(ric.addresses)) as xapp:
        assert (await get(xapp, "/model")).status_code == 404
