"""The control task of a cell: what its agent sees, what it may do, and what that earns.

An agent acts once per control interval. It sees, of each slice, what the DU reports (KPIs under their TS 28.552
names) and the RRM policy ratios in force meanwhile; it sets new ratios; it earns the slicing reward of `oran.sla`.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor

from oran import kpi, sla
from oran.sla import SlaTargets
from oran.slices import static_ratios
from twin.network.kpis import Kpis, slice_kpis
from twin.network.randomness import key
from twin.network.scenario import Scenario

STREAM_EPISODE = 90

LEVELS = (
    kpi.UE_THROUGHPUT_DL,
    kpi.SDU_DELAY_DL,
    kpi.DROP_RATE_DL,
    kpi.PDCP_VOLUME_DL,
    kpi.RLC_VOLUME_DL,
    kpi.ACTIVE_UES_DL,
)
"""KPIs without an upper end; seen as x / (x + reference), which is 1/2 at the reference (see `references`)."""
SHARES = (kpi.PRB_USED_DL, kpi.PRB_AVAILABLE_DL)
"""KPIs seen as a share of the scenario's PRBs."""
RATIOS = ("dedicated", "min", "max")
"""The ratios in force while the KPIs were measured, seen as a share of one."""
MEASURED = (kpi.UE_THROUGHPUT_DL, kpi.SDU_DELAY_DL, kpi.DROP_RATE_DL)
"""KPIs that may not have been measured: they are then seen as 0, and so is the flag that goes with each."""
FEATURES = (*LEVELS, *SHARES, *RATIOS, *(f"{name} measured" for name in MEASURED))
"""What is seen of each slice, in order; every value lies in 0..1."""
MAX_SEED = 2**62
"""Seeds lie in 0..MAX_SEED - 1."""
_DROP_RATE = 0.01
_LEAST = 1e-9


def observation_space(scenario: Scenario, *lead: int) -> Box:
    """What an agent sees: float32 [slices, features] in 0..1, with any leading dimensions, e.g. cells."""
    return Box(0.0, 1.0, (*lead, len(scenario.slices), len(FEATURES)), np.float32)


def action_space(scenario: Scenario, *lead: int) -> Box:
    """What an agent does: RRM policy ratios, float32 [slices, 3] in percent, with any leading dimensions.

    The order is dedicated, min, max. Any point of the space is allowed: `oran.slices.project` makes it valid.
    """
    return Box(0.0, 100.0, (*lead, len(scenario.slices), 3), np.float32)


@lru_cache(maxsize=32)
def references(scenario: Scenario, device: torch.device) -> Tensor:
    """The value of each KPI of `LEVELS` that is seen as 1/2; SI units, float64 [slices, levels].

    What the slice is promised, where it is; else, for throughput a UE's mean load, for delay the delay budget, for
    the drop rate 1 %. For volumes and UEs it is the slice's mean per cell (and step).
    """
    rows = []
    for item, ues in zip(scenario.slices, scenario.ue_counts(), strict=True):
        load_bps = item.mean_bps * scenario.load_factor
        volume_bit = load_bps * ues / scenario.cells * scenario.step_s
        rows.append(
            (
                item.sla.throughput_bps or load_bps,
                item.sla.delay_s or item.delay_budget_s,
                item.sla.drop_rate or _DROP_RATE,
                volume_bit,
                volume_bit,
                ues / scenario.cells,
            )
        )
    return torch.tensor(rows, dtype=torch.float64, device=device).clamp(min=_LEAST)


def observe(scenario: Scenario, kpis: Kpis, ratios: Tensor) -> Tensor:
    """What each cell's agent sees after a step under ratios [envs, cells, slices, 3] in percent.

    float32 [envs, cells, slices, features], within `observation_space`; the features are those of `FEATURES`.
    """
    named = slice_kpis(kpis)
    levels = torch.stack([named[name] for name in LEVELS], dim=-1)
    measured = ~torch.isnan(torch.stack([named[name] for name in MEASURED], dim=-1))
    levels = torch.where(torch.isnan(levels), 0.0, levels)
    levels = levels / (levels + references(scenario, levels.device))
    shares = torch.stack([named[name] for name in SHARES], dim=-1) / scenario.prbs
    return torch.cat((levels, shares, ratios / 100.0, measured), dim=-1).to(torch.float32).clamp_(0.0, 1.0)


def first_observation(scenario: Scenario, envs: int, device: torch.device) -> Tensor:
    """What is seen before anything was measured: zeros, but for the static ratios that cells start with."""
    slices = len(scenario.slices)
    seen = torch.zeros(envs, scenario.cells, slices, len(FEATURES), device=device)
    start = FEATURES.index(RATIOS[0])
    static = torch.as_tensor(static_ratios(slices), dtype=seen.dtype, device=device)
    seen[..., start : start + len(RATIOS)] = static / 100.0
    return seen


def qos_ratio(scenario: Scenario, kpis: Kpis) -> Tensor:
    """QoS achieved over QoS promised of each slice in each cell; float64 [envs, cells, slices]."""
    return sla.qos_ratio(_targets(scenario), kpis.throughput_bps, kpis.delay_s, kpis.drop_rate)


def reward(scenario: Scenario, qos: Tensor) -> Tensor:
    """The slicing reward (`oran.sla.reward`) of each cell; QoS ratio [..., slices] -> (-1, 1) [...]."""
    return sla.reward(_targets(scenario), qos)


def satisfaction(scenario: Scenario, qos: Tensor) -> Tensor:
    """Weighted share of promises kept in each cell; QoS ratio [..., slices] -> 0..1 [...]."""
    return sla.satisfaction(_targets(scenario), qos)


def episode_seed(seed: Tensor, episode: Tensor) -> Tensor:
    """The twin's seed in an episode: the environment's own in the first, then hashes of it; int64 [envs]."""
    return torch.where(episode == 0, seed, key(seed, episode, STREAM_EPISODE))


def checked_seed(seed: int) -> int:
    """The seed as given; raises ValueError for one outside 0..2^62 - 1."""
    if not 0 <= seed < MAX_SEED:
        raise ValueError(f"seed is {seed}; it must lie in 0..2^62 - 1")
    return int(seed)


def table(scenario: Scenario, kpis: Kpis, ratios: Tensor, env: int = 0) -> str:
    """One environment's cells and slices as text: ratios [envs, cells, slices, 3], PRBs used, QoS ratio."""
    qos = qos_ratio(scenario, kpis)[env].tolist()
    used, quota = kpis.prb_used[env].tolist(), ratios[env].tolist()
    lines = [f"{'cell':6}{'slice':10}{'dedicated':>10}{'min %':>7}{'max %':>7}{'PRBs':>7}{'QoS':>7}  kept"]
    for cell in range(scenario.cells):
        for index, item in enumerate(scenario.slices):
            numbers = "".join(
                f"{value:>{width}.1f}" for value, width in zip(quota[cell][index], (10, 7, 7), strict=True)
            )
            kept = "yes" if qos[cell][index] >= 1.0 else "no"
            lines.append(
                f"{cell:<6}{item.name:10}{numbers}{used[cell][index]:>7.1f}{qos[cell][index]:>7.2f}  {kept}"
            )
    return "\n".join(lines)


def known(values: Tensor) -> tuple[float | None, ...]:
    """Values [n] as plain numbers, None where nothing was measured (NaN), as in `oran.experience`."""
    return tuple(None if math.isnan(value) else value for value in values.tolist())


@lru_cache(maxsize=32)
def _targets(scenario: Scenario) -> SlaTargets:
    return SlaTargets.of(scenario.slas)
