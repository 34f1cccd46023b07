"""The network twin in real time: one simulation whose cells are E2 nodes.

Each step of the twin takes one step of wall time. A step that comes late is caught up with as long as the delay is
short; a longer delay is dropped, so that simulated time lags behind rather than racing.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

import numpy as np
import torch

from oran import kpi
from twin.e2node.cell import Cell
from twin.e2node.node import E2Node
from twin.e2node.sample import CellSample
from twin.network.curve import RateCurve
from twin.network.kpis import Kpis, slice_kpis, ue_kpis
from twin.network.links import with_link
from twin.network.network import State, reset, step
from twin.network.scenario import Scenario
from twin.network.trace import Trace

MAX_CATCH_UP_STEPS = 5
NODE_GAP_S = 0.002
"""Time between the reports of two nodes: DUs keep clocks of their own and do not report at one instant."""
FIRST_UE_ID = 1


class Simulation:
    """One network of the twin on the CPU; `advance` runs one step under the cells' ratios.

    The same scenario, seed and trace give the same paths, fading and arrivals whatever the ratios are.
    """

    def __init__(
        self, scenario: Scenario, cells: Sequence[Cell], *, seed: int, trace: Trace | None = None
    ) -> None:
        if len(cells) != scenario.cells:
            raise ValueError(f"{len(cells)} cells for a scenario of {scenario.cells}")
        self.scenario = scenario
        self.cells = tuple(cells)
        self.steps = 0
        self._links: dict[int, RateCurve | None] = {}
        self._state: State = reset(scenario, torch.tensor([seed]), trace=trace)

    def set_link(self, index: int, curve: RateCurve | None) -> None:
        """Give a slice a link chain's curve from the next step on; None is the cells' own link adaptation."""
        # The step may run in another thread: it finds the old curves or the new ones.
        self._links = {**self._links, index: curve}

    def advance(self) -> tuple[CellSample, ...]:
        """Run one step; each cell's sample, in the cells' order."""
        links, self._links = self._links, {}
        for index, curve in links.items():
            self._state = with_link(self._state, index, curve)
        ratios = torch.from_numpy(np.stack([cell.ratios for cell in self.cells]))
        self._state, kpis = step(self.scenario, self._state, ratios.unsqueeze(0))
        self.steps += 1
        return samples(self.scenario, kpis)


def samples(scenario: Scenario, kpis: Kpis) -> tuple[CellSample, ...]:
    """The KPIs of a step of one environment as each cell's node measures them."""
    by_slice = {name: values[0].numpy() for name, values in slice_kpis(kpis).items()}
    by_ue = {name: values[0].numpy() for name, values in ue_kpis(kpis).items()}
    serving, slice_of_ue = kpis.ue.serving_cell[0].numpy(), kpis.ue.slice[0].numpy()
    made = []
    for cell in range(scenario.cells):
        here = np.flatnonzero(serving == cell)
        ues = {name: values[here] for name, values in by_ue.items()}
        available = np.full(len(here), by_slice[kpi.PRB_AVAILABLE_DL][cell, 0])
        ues[kpi.PRB_AVAILABLE_DL] = available
        ues[kpi.PRB_TOTAL_DL] = ues[kpi.PRB_USED_DL] / available
        slices = {name: values[cell] for name, values in by_slice.items()}
        made.append(CellSample.of(scenario.step_s, slices, here + FIRST_UE_ID, slice_of_ue[here], ues))
    return tuple(made)


@dataclass(slots=True)
class Pace:
    """How the steps kept up with wall time."""

    steps: int = 0
    late: int = 0
    skipped_s: float = 0.0
    """Wall time given up because the steps came too late."""


async def drive(
    simulation: Simulation,
    nodes: Sequence[E2Node],
    *,
    steps: int | None = None,
    on_step: Callable[[tuple[CellSample, ...], np.ndarray, float], None] | None = None,
    pace: Pace | None = None,
) -> Pace:
    """Step in real time and hand each node its sample, for a number of steps or until cancelled.

    `on_step` is called with the samples, the ratios [cells, slices, 3] they were measured under, and the Unix time
    of the step's end. The step itself runs in a thread, so that the nodes answer the RIC meanwhile; ratios changed
    during a step count from the next one.
    """
    pace = pace or Pace()
    loop = asyncio.get_running_loop()
    step_s = simulation.scenario.step_s
    due_s = loop.time() + step_s
    gap_s = min(NODE_GAP_S, step_s / (2 * len(nodes)))
    while steps is None or pace.steps < steps:
        ratios = np.stack([cell.ratios for cell in simulation.cells])
        measured = await asyncio.to_thread(simulation.advance)
        late_s = loop.time() - due_s
        if late_s > 0:
            pace.late += 1
        else:
            await asyncio.sleep(-late_s)
        if late_s > MAX_CATCH_UP_STEPS * step_s:
            pace.skipped_s += late_s
            due_s += late_s
        due_s += step_s
        pace.steps += 1
        end_s = time.time()
        for node, sample in zip(nodes, measured, strict=True):
            node.publish(sample, end_s)
            await asyncio.sleep(gap_s)
        if on_step is not None:
            on_step(measured, ratios, end_s)
    return pace


class KpiLog:
    """What truly happened, as JSON lines: a header, then one line per step.

    Header: `nodes`, `slices`, `step_s`, `seed`. Step: `step`, `time_s` (Unix), `late` (so far), and per cell and
    slice `throughput_bps`, `delay_s`, `drop_rate`, `arrived_bit`, `delivered_bit`, `prb_used`, `active_ues`
    [cells][slices] (null where nothing was measured) and `quotas` [cells][slices][dedicated, min, max].
    """

    FIELDS = (
        ("throughput_bps", kpi.UE_THROUGHPUT_DL),
        ("delay_s", kpi.SDU_DELAY_DL),
        ("drop_rate", kpi.DROP_RATE_DL),
        ("arrived_bit", kpi.PDCP_VOLUME_DL),
        ("delivered_bit", kpi.RLC_VOLUME_DL),
        ("prb_used", kpi.PRB_USED_DL),
        ("active_ues", kpi.ACTIVE_UES_DL),
    )

    def __init__(self, file: TextIO, scenario: Scenario, names: Sequence[str], seed: int) -> None:
        self._file = file
        self._step = 0
        self.pace = Pace()
        slices = list(map(str, scenario.snssais))
        self._write({"nodes": list(names), "slices": slices, "step_s": scenario.step_s, "seed": seed})

    def write(self, measured: tuple[CellSample, ...], ratios: np.ndarray, end_s: float) -> None:
        """Write one step; takes what `drive` calls `on_step` with."""
        self._step += 1
        line: dict[str, object] = {"step": self._step, "time_s": round(end_s, 4), "late": self.pace.late}
        for field, name in self.FIELDS:
            line[field] = [[_number(value) for value in sample.slices[name].tolist()] for sample in measured]
        line["quotas"] = ratios.tolist()
        self._write(line)

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n")
        self._file.flush()


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.6g}")
