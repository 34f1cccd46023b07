"""PRB scheduling: a cell's PRBs among slices by RRM policy ratios (TS 28.541 4.3.36), then among a slice's UEs.

Both floors fill water: everyone gets PRBs in proportion to a weight until their need is met. PRBs are real
numbers, since a substep holds many slots.
"""

import numpy as np
import torch
from torch import Tensor

from oran.slices import DEDICATED, MAX, MIN
from twin.network.invariant import ordered_sum


def share_among_slices(need: Tensor, weight: Tensor, ratios: Tensor, prbs: float | Tensor) -> Tensor:
    """PRBs of each slice; need, weight [..., slices], ratios [..., slices, 3] in percent -> [..., slices].

    `prbs` is what a cell has, for all alike or [...].

    A slice first takes what it needs of its min. Its dedicated PRBs are kept from the others even when idle. All
    other PRBs go to whoever still needs them, up to max, in proportion to `weight`: the slice's active UEs, as a
    MAC scheduler that sees no slices would do. Ratios must be valid (`oran.slices.project`).
    """
    scale = prbs.unsqueeze(-1) / 100.0 if isinstance(prbs, Tensor) else prbs / 100.0
    dedicated, low, high = (ratios[..., i] * scale for i in (DEDICATED, MIN, MAX))
    wanted = torch.minimum(need, high)
    sure = torch.minimum(wanted, low)
    pool = (prbs - ordered_sum(torch.maximum(sure, dedicated), dim=-1)).clamp(min=0.0)
    more = wanted - sure
    return sure + torch.minimum(more, weight * water_level(more, weight, pool).unsqueeze(-1))


def water_level(need: Tensor, weight: Tensor, capacity: Tensor) -> Tensor:
    """The level L at which min(need, weight L) sums to the capacity, or any higher one when all needs are met.

    need [..., n], weight [..., n] > 0, capacity [...] -> [...]. In order of need / weight, the level that
    would follow if all before were filled grows while they are and falls from then on, so L is its maximum.
    """
    order = (need / weight).argsort(dim=-1, stable=True)
    need, weight = need.gather(-1, order), weight.gather(-1, order)
    before = need.cumsum(dim=-1) - need
    left = weight.flip(-1).cumsum(dim=-1).flip(-1)
    return ((capacity.unsqueeze(-1) - before) / left).amax(dim=-1).clamp(min=0.0)


def share_among_ues(
    need: Tensor, weight: Tensor, urgency: Tensor, urgent: Tensor, group: Tensor, capacity: Tensor
) -> Tensor:
    """PRBs each UE gets of its group's capacity; all [envs, ues], capacity [envs, groups] -> [envs, ues].

    A group is one slice of one cell. Where `urgent` is false (round robin, proportional fair) PRBs are shared in
    proportion to weight > 0 until needs are met; where it is true (earliest deadline) the UE of greatest urgency
    >= 0 gets all it needs, then the next. `group` holds int64 indices; a group is all urgent or not at all.
    """
    relative = need / weight
    rank = torch.where(urgent, 1.0 / (2.0 + urgency), relative / (1.0 + relative))
    group_, order = _in_order(group, rank, capacity.shape[-1])
    need_, weight_ = need.gather(-1, order), weight.gather(-1, order)

    members = torch.zeros_like(capacity, dtype=torch.int64).scatter_add_(-1, group, torch.ones_like(group))
    last = members.cumsum(dim=-1)
    first = (last - members).clamp(max=group.shape[-1] - 1)
    needs, weights = need_.cumsum(dim=-1), weight_.cumsum(dim=-1)
    start = first.gather(-1, group_)
    before = (needs - need_) - (needs - need_).gather(-1, start)
    behind = (weights - weight_) - (weights - weight_).gather(-1, start)
    total = torch.zeros_like(capacity).scatter_add_(-1, group, weight)
    left = (total.gather(-1, group_) - behind).clamp(min=1e-9)

    room = (capacity.gather(-1, group_) - before).clamp(min=0.0)
    level = torch.zeros_like(capacity).scatter_reduce_(-1, group_, room / left, "amax")
    in_turn = torch.zeros_like(need).scatter_(-1, order, torch.minimum(room, need_))
    return torch.where(urgent, in_turn, torch.minimum(need, weight * level.gather(-1, group)))


def _in_order(group: Tensor, rank: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """Sort by group, then rank in 0..1, then position; int64 and float64 [envs, ues] -> groups and positions.

    All three are packed into one word, since whole numbers are sorted many times as fast as rows of a table.
    """
    ues = group.shape[-1]
    low_bits = (ues - 1).bit_length()
    rank_bits = min(52, 62 - low_bits - (groups - 1).bit_length())
    fine = (rank * 2.0**rank_bits).to(torch.int64).clamp_(max=2**rank_bits - 1)
    word = (group << rank_bits).add_(fine).bitwise_left_shift_(low_bits)
    word.add_(torch.arange(ues, device=group.device))
    # NumPy sorts with vector instructions, torch on a CPU does not.
    ordered = torch.from_numpy(np.sort(word.numpy())) if word.device.type == "cpu" else word.sort(dim=-1).values
    return ordered >> (low_bits + rank_bits), ordered & (2**low_bits - 1)
