"""The default scenario is one where slices truly compete: deciding per cell and step beats fixed splits.

The controller here is deliberately plain. It sees only the KPIs of the step before, works out which share of the
cell each slice needs to keep its promise, and guarantees the set of slices worth most that fits.
"""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from oran.sla import SlaTargets, qos_ratio, satisfaction
from oran.slices import hard_ratios, project, static_ratios
from tests.twin.network_cases import spread
from twin.network.kpis import Kpis
from twin.network.network import reset, step
from twin.network.scenario import Scenario

SEEDS = (101, 102, 103, 104, 105)
WARM_UP, STEPS = 15, 60
FLOOR = 3.0
WEIGHTS = torch.tensor([0.4, 0.4, 0.2], dtype=torch.float64)
Policy = Callable[[Kpis], Tensor]


def needs_percent(scenario: Scenario, kpis: Kpis) -> Tensor:
    """Share of the cell that each slice needs: promised rate, arrivals without wait, backlog within 0.3 s."""
    efficiency = torch.nan_to_num(kpis.spectral_efficiency, nan=1.0).clamp(min=0.15)
    bps_per_percent = efficiency * scenario.prb_hz * scenario.prbs / 100
    arriving_bps = kpis.arrived_bit / scenario.step_s
    promised = 1.2 * kpis.active_ues[..., 0] * (scenario.slas[0].throughput_bps or 0.0)
    waiting = kpis.backlog_bit[..., 0] / scenario.step_s + arriving_bps[..., 0]
    embb = torch.minimum(promised, waiting)
    urllc = 1.8 * arriving_bps[..., 1] + kpis.backlog_bit[..., 1] / 0.03
    mmtc = kpis.backlog_bit[..., 2] / 0.3
    return (torch.stack((embb, urllc, mmtc), dim=-1) / bps_per_percent).clamp(min=FLOOR)


def worth_most(needs: Tensor) -> Tensor:
    """Guarantee the slices worth most whose needs fit together; the rest goes to URLLC, which cannot wait."""
    best, value = torch.zeros_like(needs), torch.full(needs.shape[:-1], -1.0, dtype=torch.float64)
    for chosen in itertools.product((0.0, 1.0), repeat=3):
        kept = torch.tensor(chosen, dtype=torch.float64)
        total = (needs * kept + FLOOR * (1 - kept)).sum(dim=-1)
        worth = torch.where(total <= 100, (WEIGHTS * kept).sum() - 1e-6 * total, -1.0)
        best = torch.where((worth > value).unsqueeze(-1), kept, best)
        value = torch.maximum(worth, value)
    low = needs * best + FLOOR * (1 - best)
    low[..., 1] += (100 - low.sum(dim=-1)).clamp(min=0)
    return project(torch.stack((torch.zeros_like(low), low, torch.full_like(low, 100.0)), dim=-1))


def run(scenario: Scenario, start: np.ndarray, decide: Policy | None = None) -> tuple[np.ndarray, np.ndarray]:
    """SLA satisfaction of each seed, and the share of the cells' PRBs used."""
    targets = SlaTargets.of(scenario.slas)
    state = reset(scenario, torch.tensor(SEEDS))
    ratios = spread(start, scenario, len(SEEDS))
    kept, used = [], []
    for number in range(WARM_UP + STEPS):
        state, kpis = step(scenario, state, ratios)
        if number >= WARM_UP:
            quality = qos_ratio(targets, kpis.throughput_bps, kpis.delay_s, kpis.drop_rate)
            kept.append(satisfaction(targets, quality).mean(dim=-1))
            used.append((kpis.prb_used.sum(dim=-1) / kpis.prb_available).mean())
        if decide is not None:
            ratios = decide(kpis)
    return torch.stack(kept).mean(dim=0).numpy(), torch.stack(used).mean().numpy()


def grid(*low: float) -> np.ndarray:
    """Fixed guarantees, each slice free to grow to the whole cell."""
    return np.stack([np.zeros(3), np.array(low), np.full(3, 100.0)], axis=-1)


@pytest.mark.slow
def test_deciding_beats_fixed_splits() -> None:
    scenario = Scenario()
    decided, _ = run(scenario, static_ratios(3), lambda kpis: worth_most(needs_percent(scenario, kpis)))
    static, used = run(scenario, static_ratios(3))
    hard, _ = run(scenario, hard_ratios(3))
    assert 0.8 < used < 0.99, "the cells must be contended for, yet not hopeless"
    assert 0.6 < hard.mean() < static.mean() < 0.92
    assert (decided - static).mean() > 0.02
    assert ((decided - static) > 0).sum() >= 4
    assert (decided - hard).min() > 0.05
    for low in ((60, 30, 10), (40, 40, 20)):
        fixed, _ = run(scenario, grid(*low))
        assert (decided - fixed).mean() > 0.01, low
