"""State: all that a network remembers between steps, and what follows from its scenario alone."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import TypeVar, cast

import torch
from torch import Tensor

from twin.network import layout, mobility, queues, rate
from twin.network.links import Links
from twin.network.penetration import Indoors
from twin.network.scenario import Scenario
from twin.network.trace import Drive

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class State:
    """All that a network remembers between steps; the first axis of every tensor is the environment."""

    seed: Tensor
    """int64 [envs]."""
    step: Tensor
    """Steps done, int64 [envs]."""
    walkers: mobility.Walkers
    indoors: Indoors | None
    """Who is in a building, if anyone ever is."""
    present: Tensor | None
    """Who is in a session, 0 or 1 [envs, ues]; None when all always are."""
    shadow: Tensor | None
    """Fields of line of sight and shadowing: [envs, 2 cells + 1, ues]; None on a site, whose map holds both."""
    pathloss_offset_db: Tensor
    """What calibration adds to each cell's path loss: [envs, cells]."""
    attachment: mobility.Attachment
    fading: Tensor
    """As `fading.initial` says."""
    queues: queues.Queues
    load: Tensor
    """Share of each cell's PRBs used in the last substep: [envs, cells]."""
    sinr_db: Tensor
    """SINR last measured: [envs, ues]."""
    margin_db: Tensor
    """The outer loop's margin: [envs, ues]."""
    mean_bps: Tensor
    """Recent mean rate of each UE, for proportional fair scheduling: [envs, ues]."""
    ratios: Tensor
    """The ratios last in force, NaN before the first step: [envs, cells, slices, 3]."""
    links: Links | None
    """The slices' rate curves, if any has one."""
    drive: Drive | None
    """The trace that drives the links, if any."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """What follows from the scenario alone; of each UE, [ues]."""

    slice_of_ue: Tensor
    buffer_bit: Tensor
    extra_loss_db: Tensor
    target_bler: Tensor
    highest_mcs: Tensor
    urgent: Tensor
    fair: Tensor
    follows_trace: Tensor
    table: rate.RateTable

    @classmethod
    @lru_cache(maxsize=32)
    def of(cls, scenario: Scenario, device: torch.device) -> "Fixed":
        """The fixed values of a scenario on a device."""
        slices = layout.slice_of_ue(scenario).to(device)

        def per_ue(values: list[float], dtype: torch.dtype) -> Tensor:
            return torch.tensor(values, device=device).to(dtype)[slices]

        items = scenario.slices
        return cls(
            slice_of_ue=slices,
            buffer_bit=per_ue([item.buffer_bit for item in items], torch.float64),
            extra_loss_db=per_ue([item.extra_loss_db for item in items], torch.float32),
            target_bler=per_ue([item.target_bler for item in items], torch.float32),
            highest_mcs=per_ue([item.highest_mcs for item in items], torch.int64),
            urgent=per_ue([item.scheduler == "earliest_deadline" for item in items], torch.bool),
            fair=per_ue([item.scheduler == "proportional_fair" for item in items], torch.bool),
            follows_trace=per_ue([item.follows_trace for item in items], torch.bool),
            table=rate.RateTable.of(scenario, device),
        )


def merge(mask: Tensor, one: T, other: T) -> T:
    """A state with the environments of `one` where mask [envs] is true, else those of `other`.

    For restarting some environments of a batch. Works on `State` and `Kpis`; both must be of one scenario. Rate
    curves, which hold for all environments, are those of `other`, the network that goes on.
    """
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        chosen: T = torch.where(mask.view(-1, *(1,) * (one.dim() - 1)), one, other)  # type: ignore[assignment]
        return chosen
    if isinstance(one, tuple) and isinstance(other, tuple):
        return tuple(merge(mask, *pair) for pair in zip(one, other, strict=True))  # type: ignore[return-value]
    if isinstance(one, Drive) and isinstance(other, Drive):
        return replace(one, offset_s=merge(mask, one.offset_s, other.offset_s))
    if isinstance(one, Links | None):
        return other
    if is_dataclass(one) and not isinstance(one, type):
        parts = {
            item.name: merge(mask, getattr(one, item.name), getattr(other, item.name)) for item in fields(one)
        }
        return type(one)(**parts)
    return one


def rows(value: T, index: slice | Tensor) -> T:
    """Some environments of a state or of KPIs: as views for a slice, as copies for int64 places, also repeated."""
    if isinstance(value, Tensor):
        part: T = value[index]  # type: ignore[assignment]
        return part
    if isinstance(value, tuple):
        return tuple(rows(item, index) for item in value)  # type: ignore[return-value]
    if isinstance(value, Drive):
        return replace(value, offset_s=rows(value.offset_s, index))
    if is_dataclass(value) and not isinstance(value, type | Links):
        return type(value)(**{item.name: rows(getattr(value, item.name), index) for item in fields(value)})
    return value


def join(parts: Sequence[T]) -> T:
    """States or KPIs of several groups of environments as one; what they share is taken from the first."""
    first = parts[0]
    if isinstance(first, Tensor):
        whole: T = torch.cat(cast(list[Tensor], parts))  # type: ignore[assignment]
        return whole
    if isinstance(first, tuple):
        return tuple(map(join, zip(*cast(list[tuple[object, ...]], parts), strict=True)))  # type: ignore[return-value]
    if isinstance(first, Drive):
        return replace(first, offset_s=join([part.offset_s for part in cast(list[Drive], parts)]))
    if is_dataclass(first) and not isinstance(first, type | Links):
        names = [item.name for item in fields(first)]
        return type(first)(**{name: join([getattr(part, name) for part in parts]) for name in names})
    return first
