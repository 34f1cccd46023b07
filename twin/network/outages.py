"""Outages: which cells are off, and when."""

import torch
from torch import Tensor

from twin.network.scenario import Scenario

OFF_DB = 200.0
"""How much weaker a cell that is off seems: nothing is received from it."""


def off(scenario: Scenario, step: Tensor) -> Tensor | None:
    """Whether each cell is off during a step; int64 steps done before it [envs] -> bool [envs, cells].

    None when the scenario has no outages.
    """
    if not scenario.outages:
        return None
    time_s = step.to(torch.float64) * scenario.step_s + 1e-9
    cells = torch.zeros(step.shape[0], scenario.cells, dtype=torch.bool, device=step.device)
    for outage in scenario.outages:
        cells[:, outage.cell] |= (time_s >= outage.start_s) & (time_s < outage.end_s)
    return cells
