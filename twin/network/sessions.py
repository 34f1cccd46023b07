"""Sessions: UEs that come and go, whatever the network does with them.

A UE is there or gone, for exponential times. Its state is drawn anew at each step from the one before.
"""

import torch
from torch import Tensor

from twin.network.layout import slice_of_ue
from twin.network.randomness import key, uniform
from twin.network.scenario import Scenario

STREAM_FIRST_SESSION, STREAM_SESSION = 70, 71


def start(scenario: Scenario, seed: Tensor) -> Tensor | None:
    """Who is there at time zero, 0 or 1, float64 [envs, ues]; None when no slice's UEs come and go."""
    means = _mean_s(scenario, seed.device)
    if means is None:
        return None
    on_s, off_s = means
    share = torch.where(off_s > 0, on_s / (on_s + off_s), 1.0)
    return (uniform(key(seed, 0, STREAM_FIRST_SESSION), scenario.ues) < share).to(torch.float64)


def step(scenario: Scenario, present: Tensor | None, seed: Tensor, step: Tensor) -> Tensor | None:
    """Who is there during a step, given who was; int64 seed and step (from 1) [envs]."""
    means = _mean_s(scenario, seed.device)
    if present is None or means is None:
        return None
    on_s, off_s = means
    # The chain's exact transition over a step, so that the share there does not depend on the step's length.
    rate = 1.0 / on_s.clamp(min=1e-9) + 1.0 / off_s.clamp(min=1e-9)
    share = torch.where(off_s > 0, on_s / (on_s + off_s), 1.0)
    kept = torch.where(off_s > 0, torch.exp(-rate * scenario.step_s), 0.0)
    there = share + (present - share) * kept
    return (uniform(key(seed, step, STREAM_SESSION), scenario.ues) < there).to(torch.float64)


def _mean_s(scenario: Scenario, device: torch.device) -> tuple[Tensor, Tensor] | None:
    """Each UE's mean time there and gone, the latter 0 for those always there: [ues]."""
    if not any(item.session_s for item in scenario.slices):
        return None
    rows = [item.session_s or (1.0, 0.0) for item in scenario.slices]
    on_s, off_s = torch.tensor(rows, dtype=torch.float64)[slice_of_ue(scenario)].to(device).unbind(dim=-1)
    return on_s, off_s
