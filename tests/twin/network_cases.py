"""Small networks that the network twin's tests share."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from oran.slices import static_ratios
from twin.network.kpis import Kpis
from twin.network.network import State, reset, step
from twin.network.scenario import EMBB, MMTC, URLLC, Scenario

torch.set_num_threads(1)

SMALL = Scenario(cells=3, ues=24)


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
