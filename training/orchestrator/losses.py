"""Losses of RLDTF (eqs. 6-9 of the paper), of the choices that the grammar left open."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from training.orchestrator.policy import Decided, entropy
from training.orchestrator.rollout import Rollout

NOTHING = 1e-6
"""Advantages that are rounding: options of equal worth would be counted, and anchored, or not by chance."""


def losses(
    rollout: Rollout,
    rows: Sequence[int],
    decided: Decided,
    likely: Tensor,
    worth: Tensor | None,
    *,
    scale: float,
    clip: float,
) -> dict[str, Tensor]:
    """Sums over the decisions of some answers; `likely` and `worth` are what policy and critic say of them now.

    `anchor` is the divergence from the reference where advantages say nothing, as of the demand's choices with the
    twin's: with no word for or against them they would drift.
    """
    width = likely.shape[1]
    old = torch.cat([_wide(rollout.old[row], width) for row in rows]).to(likely)
    before = torch.cat([_wide(rollout.reference[row], width) for row in rows]).to(likely)
    over = (
        torch.cat([_wide(torch.from_numpy(rollout.advantage[row]), width, 0.0) for row in rows]).to(likely) / scale
    )
    weight = torch.from_numpy(np.concatenate([rollout.weight[row] for row in rows])).to(likely)
    ratio = (likely - old).masked_fill(decided.barred, 0.0).exp()
    clipped = ratio.clamp(1.0 - clip, 1.0 + clip)
    gain = torch.minimum(ratio * over, clipped * over).sum(dim=-1)
    value = torch.zeros((), device=likely.device)
    if worth is not None:
        returns = torch.from_numpy(np.concatenate([rollout.returns[row] for row in rows]))
        value = (worth.float() - returns.to(worth)).square().sum()
    apart = _kl(likely, before)
    return {
        "policy": -(weight * gain).sum(),
        "value": value,
        "entropy": entropy(likely).sum(),
        "kl": apart.sum(),
        "anchor": apart[(over.abs() < NOTHING).all(dim=-1)].sum(),
        "kl_step": _kl(likely.detach(), old).sum(),
    }


def scale_of(advantage: Sequence[np.ndarray]) -> float:
    """The root of the mean square of the advantages of a decision that has any."""
    total = sum(float(np.square(rows).sum()) for rows in advantage)
    decisions = sum(int((np.abs(rows) > NOTHING).any(axis=1).sum()) for rows in advantage)
    return max(1e-6, math.sqrt(total / max(1, decisions)))


def _kl(likely: Tensor, other: Tensor) -> Tensor:
    """Kullback-Leibler divergence of each decision, exact over its options: [decisions]."""
    shares = likely.exp()
    apart = (likely - other).masked_fill(shares == 0, 0.0)
    return (shares * apart).sum(dim=-1)


def _wide(rows: Tensor, width: int, value: float = -torch.inf) -> Tensor:
    """[decisions, options] with as many options, those added of this value."""
    if rows.shape[1] >= width:
        return rows[:, :width]
    return nn.functional.pad(rows, (0, width - rows.shape[1]), value=value)
