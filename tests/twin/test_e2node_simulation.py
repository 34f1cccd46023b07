"""The twin in real time behind E2 nodes, in this process and as a command."""

import asyncio
import json
import math
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog

from oran import kpi
from oran.ric import NearRtRic
from oran.slices import hard_ratios
from tests.twin.e2node_loop import ric_config, until, xapp_on
from tests.twin.test_e2node import CELL_REPORT
from twin.e2node.__main__ import main, ric_url
from twin.e2node.cell import Cell
from twin.e2node.config import NodeConfig
from twin.e2node.functions import CELL_MEASUREMENTS, UE_MEASUREMENTS
from twin.e2node.node import E2Node
from twin.e2node.sample import CellSample
from twin.e2node.simulation import Simulation, drive
from twin.network.scenario import Scenario

SCENARIO = Scenario(cells=2, ues=12, step_s=0.02, load_factor=2.0)


def simulation(seed: int = 1, cells: list[Cell] | None = None) -> Simulation:
    return Simulation(SCENARIO, cells or [Cell(SCENARIO.snssais) for _ in range(2)], seed=seed)


def run(made: Simulation, steps: int = 20) -> list[tuple[CellSample, ...]]:
    return [made.advance() for _ in range(steps)]


def total(steps: list[tuple[CellSample, ...]], name: str) -> float:
    return float(sum(sample.slices[name].sum() for step in steps for sample in step))


def test_every_ue_is_in_one_cell_and_ues_add_up_to_slices() -> None:
    for step in run(simulation()):
        ids = np.concatenate([sample.ue_ids for sample in step])
        assert sorted(ids.tolist()) == list(range(1, 13))
        for sample in step:
            assert set(CELL_MEASUREMENTS) <= sample.slices.keys()
            assert set(UE_MEASUREMENTS) <= sample.ues.keys()
            for name in (kpi.PDCP_VOLUME_DL, kpi.RLC_VOLUME_DL, kpi.PRB_USED_DL):
                by_slice = np.bincount(sample.ue_slices, weights=sample.ues[name], minlength=3)
                assert by_slice == pytest.approx(sample.slices[name])
            assert sample.cell[kpi.PRB_AVAILABLE_DL] == SCENARIO.prbs
            assert 0 <= sample.cell[kpi.PRB_TOTAL_DL] <= 1 + 1e-9


def test_what_is_reported_is_plausible() -> None:
    for step in run(simulation()):
        for sample in step:
            for name, values in (*sample.slices.items(), *sample.ues.items()):
                assert all(kpi.plausible(name, value) for value in values.tolist() if not math.isnan(value)), name


def test_the_same_seed_brings_the_same_traffic_whatever_the_quotas() -> None:
    hard = [Cell(SCENARIO.snssais, hard_ratios(3)) for _ in range(2)]
    static, controlled, other = run(simulation()), run(simulation(cells=hard)), run(simulation(seed=2))
    assert total(static, kpi.PDCP_VOLUME_DL) == total(controlled, kpi.PDCP_VOLUME_DL)
    assert total(static, kpi.PDCP_VOLUME_DL) != total(other, kpi.PDCP_VOLUME_DL)


def test_quotas_take_effect_from_the_next_step() -> None:
    cells = [Cell(SCENARIO.snssais) for _ in range(2)]
    made = simulation(cells=cells)
    run(made, 5)
    for cell in cells:
        cell.change(dict.fromkeys(SCENARIO.snssais, (0, 0, 0)))
    assert total(run(made, 5), kpi.PRB_USED_DL) == pytest.approx(0.0, abs=1e-9)
    for cell in cells:
        cell.reset()
    assert total(run(made, 5), kpi.PRB_USED_DL) > 0.0


async def test_driving_in_real_time_reports_each_step_and_its_quotas() -> None:
    seen: list[tuple[int, np.ndarray, float]] = []
    made = simulation()
    nodes = [E2Node("tcp://127.0.0.1:1", NodeConfig(du=du), made.cells[du - 1]) for du in (1, 2)]

    def keep(samples: tuple[CellSample, ...], ratios: np.ndarray, end_s: float) -> None:
        seen.append((len(samples), ratios, end_s))

    pace = await drive(made, nodes, steps=4, on_step=keep)
    assert pace.steps == 4
    assert [count for count, _, _ in seen] == [2] * 4
    assert all(ratios.shape == (2, 3, 3) for _, ratios, _ in seen)
    assert [end_s for *_, end_s in seen] == sorted(end_s for *_, end_s in seen)
    assert made.cells[0].ue_ids | made.cells[1].ue_ids == frozenset(range(1, 13))


def test_a_scenario_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells for a scenario of 2"):
        Simulation(SCENARIO, [Cell(SCENARIO.snssais)], seed=1)


def test_addresses_are_completed() -> None:
    assert ric_url("tcp://127.0.0.1:36421") == "tcp://127.0.0.1:36421"
    assert ric_url("127.0.0.1:36421") in ("tcp://127.0.0.1:36421", "sctp://127.0.0.1:36421")
    assert ric_url("unix:///tmp/e2") == "unix:///tmp/e2"


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """The command sends the logs to the standard error of its time."""
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("logging_restored")
@pytest.mark.parametrize(
    "arguments", [["--nodes", "0"], ["--ric", "ftp://x"], ["--first-du", "0"], ["--plmn", "1"]]
)
def test_a_senseless_command_line_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "ranloop e2node: " in capsys.readouterr().err


async def start(*arguments: str) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twin.e2node", "--nodes", "2", "--ues", "12", "--period-ms", "100", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    async with asyncio.timeout(90):
        ready = json.loads(await process.stdout.readline())
    return process, ready


@pytest.mark.slow
async def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    log = tmp_path / "kpis.jsonl"
    async with NearRtRic(ric_config()) as ric, xapp_on(ric) as xapp:
        process, ready = await start(
            *("--ric", ric.addresses["e2"], "--kpi-log", str(log), "--first-du", "3", "--seed", "7")
        )
        try:
            assert ready["nodes"] == ["gnbd_001_001_00019b_3", "gnbd_001_001_00019b_4"]
            assert ready["connected"] == 2
            name = ready["nodes"][1]
            await xapp.subscribe(name, 2, CELL_REPORT)
            await until(lambda: len(xapp.indications(name)) >= 3)
        finally:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(15):
                assert await process.wait() == 0
    header, *steps = map(json.loads, log.read_text().splitlines())
    assert header == {"nodes": ready["nodes"], "slices": ready["slices"], "step_s": 0.1, "seed": 7}
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
    for step in steps:
        assert np.shape(step["quotas"]) == (2, 3, 3)
        assert all(np.shape(step[field]) == (2, 3) for field in ("throughput_bps", "delay_s", "drop_rate"))


@pytest.mark.slow
async def test_without_a_ric_the_nodes_wait_and_keep_trying() -> None:
    process, ready = await start("--ric", "tcp://127.0.0.1:1", "--steps", "3", "--wait-s", "0.2")
    assert ready["connected"] == 0
    async with asyncio.timeout(30):
        assert await process.wait() == 0


@pytest.mark.usefixtures("logging_restored")
def test_a_scenario_that_is_not_there_is_answered_with_the_librarys_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--scenario", "no-such"]) == 2
    assert "pa_mrl" in capsys.readouterr().err
