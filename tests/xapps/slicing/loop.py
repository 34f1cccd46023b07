"""The loop on loopback for the tests: an embedded RIC, E2 nodes with made-up measurements, and the xApp."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import numpy as np

from oran import kpi
from oran.ric import NearRtRic, RicConfig
from oran.rmr import RmrConfig, RmrEndpoint
from oran.sdl import Sdl
from oran.slices import hard_ratios
from tests.xapps.slicing.cells import THREE
from twin.e2node.cell import Cell
from twin.e2node.config import NodeConfig
from twin.e2node.node import E2Node
from twin.e2node.sample import CellSample
from xapps.slicing.app import SlicingXapp
from xapps.slicing.config import DESCRIPTOR, XappConfig

STEP_MS = 20


def sample(busy: int = 1, step_ms: int = STEP_MS) -> CellSample:
    """A cell of 51 PRBs in which slice `busy` needs most; two UEs per slice."""
    step_s = step_ms / 1e3
    load = np.where(np.arange(3) == busy, 4e6, 1e6) * step_s
    ues = {
        kpi.UE_THROUGHPUT_DL: np.repeat(load / step_s / 2, 2),
        kpi.SDU_DELAY_DL: np.full(6, 0.005),
        kpi.DROP_RATE_DL: np.zeros(6),
        kpi.PDCP_VOLUME_DL: np.repeat(load / 2, 2),
        kpi.RLC_VOLUME_DL: np.repeat(load / 2, 2),
        kpi.PRB_USED_DL: np.repeat(load / step_s / 2e5 / 2, 2),
        kpi.ACTIVE_UES_DL: np.ones(6),
        kpi.PRB_AVAILABLE_DL: np.full(6, 51.0),
        kpi.CQI: np.full(6, 10.0),
    }
    slices = {
        kpi.UE_THROUGHPUT_DL: load / step_s / 2,
        kpi.SDU_DELAY_DL: np.full(3, 0.005),
        kpi.DROP_RATE_DL: np.zeros(3),
        kpi.PDCP_VOLUME_DL: load,
        kpi.RLC_VOLUME_DL: load,
        kpi.PRB_USED_DL: load / step_s / 2e5,
        kpi.ACTIVE_UES_DL: np.full(3, 2.0),
        kpi.PRB_AVAILABLE_DL: np.full(3, 51.0),
        kpi.PRB_TOTAL_DL: load / step_s / 2e5 / 51,
    }
    return CellSample.of(step_s, slices, np.arange(1, 7), np.repeat(np.arange(3), 2), ues)


class Node:
    """An E2 node that publishes a sample each step until stopped."""

    def __init__(self, ric: str, **changes: Any) -> None:
        settings = {"step_ms": STEP_MS, "first_backoff_s": 0.05, "longest_backoff_s": 0.2, **changes}
        self.cell = Cell(THREE, hard_ratios(3))
        self.node = E2Node(ric, NodeConfig(**settings), self.cell)
        self.busy = 1
        self.silent = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self.node.run()), asyncio.create_task(self._publish())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _publish(self) -> None:
        while True:
            if not self.silent:
                self.node.publish(sample(self.busy), time.time())
            await asyncio.sleep(STEP_MS / 1e3)


@contextlib.asynccontextmanager
async def a_ric(**ports: int) -> AsyncIterator[NearRtRic]:
    free = dict.fromkeys(("rmr_port", "subscription_port", "a1_port", "e2mgr_port", "appmgr_port"), 0) | {
        name: port for name, port in ports.items() if name != "e2_port"
    }
    e2 = f"tcp://127.0.0.1:{ports.get('e2_port', 0)}"
    async with NearRtRic(RicConfig(e2_address=e2, **free)) as ric:
        yield ric


@contextlib.asynccontextmanager
async def a_node(ric: NearRtRic, **changes: Any) -> AsyncIterator[Node]:
    node = Node(ric.addresses["e2"], **changes)
    node.start()
    try:
        yield node
    finally:
        await node.stop()


def config(addresses: dict[str, str], **changes: Any) -> XappConfig:
    """The shipped controls against a RIC, with three slices alike and free ports on loopback."""
    descriptor = json.loads(DESCRIPTOR.read_text())
    return XappConfig.model_validate(
        {
            **descriptor["controls"],
            "slices": [{"slice": str(name), "sla": {"delay_s": 0.01}} for name in THREE],
            "period_ms": STEP_MS,
            "listen_host": "127.0.0.1",
            "http_port": 0,
            "rmr_port": 0,
            "ric": {
                "subscriptions_url": addresses["subscription"],
                "nodes_url": addresses["e2mgr"],
                "registration_url": addresses["appmgr"],
            },
            **changes,
        }
    )


def an_xapp(settings: XappConfig, sdl: Sdl | None = None) -> SlicingXapp:
    """An xApp over an endpoint of its own, not yet started."""
    endpoint = RmrEndpoint(RmrConfig(port=settings.rmr_port, control_port=0))
    return SlicingXapp(
        settings,
        endpoint,
        descriptor=json.loads(DESCRIPTOR.read_text()),
        sdl=sdl,
        control_port=lambda: endpoint.control_port,
    )


async def until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait for a condition; AssertionError when it does not come."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def until_async(ask: Callable[[], Awaitable[str]], answer: str) -> None:
    """Wait until a question gets the answer; AssertionError when it does not."""
    for _ in range(500):
        if await ask() == answer:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"the answer never was {answer}")


def value(xapp: SlicingXapp, name: str, **labels: str) -> float:
    """A metric's value, 0 where it has no sample yet."""
    return xapp.metrics.registry.get_sample_value(name, labels) or 0.0


async def get(xapp: SlicingXapp, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://{xapp.http_address}{path}")


async def crash(xapp: SlicingXapp) -> None:
    """End an xApp's life without any of its farewells: sockets close, nobody is told."""
    for task in xapp._tasks:
        task.cancel()
    await xapp._close()
    upkeep, xapp._upkeep = xapp._upkeep, None
    assert upkeep is not None
    upkeep._registered = False
    await upkeep.close()
