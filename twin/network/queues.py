"""Per-UE first-in first-out queues whose delays are measured, not modelled.

A queue is the curve of bits that arrived against time, known at the end of each substep, and a head: how far along
the curve the service has come. Data arrives evenly within a substep and leaves evenly while it is served, so the
delay of what leaves is the area between the two curves, found exactly. Time is counted in substeps here.

Edges 0..H hold the past, H being the longest delay budget; edge H is the present. A `Work` adds the substeps of
one step. Bits are float64 and every step counts them from the head, so that they stay exact.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from twin.network.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Queues:
    """Queues between steps; bits are counted from the head, time from the present."""

    arrived_bit: Tensor
    """Curve of arrivals at the edges: [envs, ues, H + 1]."""
    arrival_time: Tensor
    """Integral of arrival time over the bits up to each edge, in bit x substep: [envs, ues, H + 1]."""
    head_bin: Tensor
    """Edge that follows the oldest waiting bit, int64: [envs, ues]; H + 1 or more when empty."""


def empty(scenario: Scenario, envs: int, device: torch.device) -> Queues:
    """Queues with nothing in them."""
    history = max(scenario.budget_substeps())
    curve = torch.zeros(envs, scenario.ues, history + 1, dtype=torch.float64, device=device)
    head_bin = torch.full((envs, scenario.ues), history + 1, dtype=torch.int64, device=device)
    return Queues(curve, curve.clone(), head_bin)


@dataclass(frozen=True, slots=True)
class Served:
    """What happened to one substep's service; all [envs, ues]."""

    left_bit: Tensor
    """Bits delivered."""
    delay: Tensor
    """Sum of their waiting time, in bit x substep."""
    emptied: Tensor
    """Whether the queue was empty at the end."""


class Work:
    """The queues during one step; it owns its tensors, so that the state it began from stays as it was."""

    def __init__(self, queues: Queues, budget: Tensor, buffer_bit: Tensor, substeps: int) -> None:
        """Budget in substeps (int64) and buffer limit of each UE: [ues]."""
        pad = queues.arrived_bit.new_full((*queues.arrived_bit.shape[:2], substeps + 1), torch.inf)
        self._arrived = torch.cat((queues.arrived_bit, pad), dim=-1)
        self._time = torch.cat((queues.arrival_time, pad), dim=-1)
        self._present = queues.arrived_bit.shape[-1] - 1
        self._budget, self._buffer_bit = budget, buffer_bit
        self._substep = 0
        self._head = torch.zeros_like(queues.arrived_bit[..., 0])
        self._head_time = torch.zeros_like(self._head)
        self._head_bin = queues.head_bin
        self._expires = (self._present + 1 - budget).expand(queues.head_bin.shape)

    def arrive(self, bits: Tensor) -> tuple[Tensor, Tensor]:
        """Begin a substep: drop what is too old, let `bits` [envs, ues] arrive as far as the buffer has room.

        Returns the bits waiting (old and new) and the bits dropped (expired or not admitted).
        """
        edge = (self._expires + self._substep).unsqueeze(-1)
        limit = self._arrived.gather(-1, edge).squeeze(-1)
        expired = (limit - self._head).clamp(min=0.0)
        gone = expired > 0
        self._head_time = torch.where(gone, self._time.gather(-1, edge).squeeze(-1), self._head_time)
        self._head = torch.where(gone, limit, self._head)
        end = self._present + self._substep
        self._old = (self._arrived[..., end] - self._head).clamp(min=0.0)
        oldest = torch.maximum(self._head_bin, self._expires + (self._substep + 1))
        self._head_bin = torch.where(self._old > 0, oldest, end + 1)
        self._new = torch.minimum(bits, (self._buffer_bit - self._old).clamp(min=0.0))
        self._arrived[..., end + 1] = self._arrived[..., end] + self._new
        self._time[..., end + 1] = self._time[..., end] + self._new * (self._substep + 0.5)
        return self._old + self._new, expired + (bits - self._new)

    def age(self) -> Tensor:
        """Substeps that the oldest waiting bit has waited, float64 [envs, ues]; 0 when it came just now."""
        return (self._present + self._substep + 1 - self._head_bin).clamp(min=0).to(torch.float64)

    def serve(self, capacity_bit: Tensor) -> Served:
        """End the substep: serve up to `capacity_bit` [envs, ues] in order of arrival."""
        waiting = self._old + self._new
        served = torch.minimum(capacity_bit, waiting)
        # The service is busy while old data lasts, until old / (capacity - new) of the substep.
        emptied = capacity_bit >= waiting
        end = self._present + self._substep + 1
        head = torch.where(emptied, self._arrived[..., end], self._head + served)
        self._head_bin = torch.searchsorted(self._arrived, head.unsqueeze(-1), right=True).squeeze(-1)
        head_time = torch.where(emptied, self._time[..., end], self._integral(head))

        spare = capacity_bit - self._new
        drained = (self._old / spare.clamp(min=1e-30)).clamp(0.0, 1.0).square()
        leaving = torch.where(emptied, capacity_bit * drained + self._new * (1.0 - drained), served) * 0.5
        arriving = head_time - self._head_time - served * self._substep
        self._head, self._head_time = head, head_time
        self._substep += 1
        return Served(served, (leaving - arriving).clamp(min=0.0), emptied)

    def _integral(self, bit: Tensor) -> Tensor:
        """Integral of arrival time up to a place on the curve, within the bin `_head_bin`."""
        bin_ = self._head_bin.unsqueeze(-1)
        before = (bin_ - 1).clamp(min=0)
        low, high = self._arrived.gather(-1, before).squeeze(-1), self._arrived.gather(-1, bin_).squeeze(-1)
        into = bit - low
        begin = (self._head_bin - 1 - self._present).to(torch.float64)
        return self._time.gather(-1, before).squeeze(-1) + into * (
            begin + 0.5 * into / (high - low).clamp(min=1e-30)
        )

    def finish(self) -> tuple[Queues, Tensor]:
        """The queues after the step, and the bits that wait in them [envs, ues]."""
        past = slice(self._substep, self._substep + self._present + 1)
        arrived = self._arrived[..., past] - self._head.unsqueeze(-1)
        time = self._time[..., past] - self._head_time.unsqueeze(-1) - self._substep * arrived
        return Queues(arrived, time, self._head_bin - self._substep), arrived[..., -1].clamp(min=0.0)
