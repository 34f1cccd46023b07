"""Small networks that the network twin's tests share."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from oran.slices import static_ratios
from twin.network.curve import RateCurve
from twin.network.kpis import Kpis
from twin.network.network import State, reset, step
from twin.network.scenario import EMBB, MMTC, URLLC, Outage, Scenario

torch.set_num_threads(1)

SMALL = Scenario(cells=3, ues=24)

CURVE = RateCurve(snr_db=(-5.0, 0.0, 5.0), efficiency=(1.0, 1.0, 1.0), bler=(1.0, 0.1, 0.0), delay_s=0.003)
"""A link chain of one bit per resource element that works from 0 dB on."""

EVERYTHING = SMALL.with_(
    cells=4,
    ues=41,
    propagation="uma",
    subbands=3,
    fading_branches=2,
    highway_lanes=4,
    outages=(Outage(cell=1, start_s=0.2, end_s=0.4),),
    reconfiguration_loss=0.5,
    reconfiguration_threshold_percent=1.0,
    slices=(
        replace(EMBB, arrival="video", unit_bit=40_000, session_s=(0.5, 0.5), indoor_share=0.5),
        replace(URLLC, arrival="periodic", mobility="highway", speed_mps=(20.0, 40.0)),
        replace(MMTC, link=CURVE, extra_loss_db=0.0, indoor_share=0.2),
    ),
)
"""A small network with every feature on that needs no trace."""


def calm(*, load_factor: float = 1.0, **changes: object) -> Scenario:
    """The small network without bursts."""
    slices = tuple(replace(item, burst_gain=1.0) for item in (EMBB, URLLC, MMTC))
    return SMALL.with_(slices=slices, load_factor=load_factor, **changes)


def spread(ratios: np.ndarray, scenario: Scenario, envs: int) -> Tensor:
    """One policy for every cell of every environment."""
    return torch.as_tensor(ratios).expand(envs, scenario.cells, len(scenario.slices), 3)


def static(scenario: Scenario, envs: int) -> Tensor:
    """The static policy for every cell."""
    return spread(static_ratios(len(scenario.slices)), scenario, envs)


def play(
    scenario: Scenario, steps: int, *, seeds: tuple[int, ...] = (1, 2), ratios: Tensor | None = None
) -> tuple[State, list[Kpis]]:
    """Run some steps under one policy, the static one unless given."""
    state = reset(scenario, torch.tensor(seeds))
    chosen = static(scenario, len(seeds)) if ratios is None else ratios
    kpis = []
    for _ in range(steps):
        state, measured = step(scenario, state, chosen)
        kpis.append(measured)
    return state, kpis
