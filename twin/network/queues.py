"""Per-UE first-in first-out queues whose delays are measured, not modelled.

A queue is the curve of bits that arrived against time, known at the end of each substep, and a head: how far along
the curve the service has come. Data arrives evenly within a substep and leaves evenly while it is served. The ages
of all waiting bits, summed up (their age mass), grow by the backlog's area while time goes by; what has left or
expired is what the new age mass lacks. So the delay of what left follows exactly, without looking for each bit.
Time is counted in substeps here.

Edges 0..H of a slice's curve hold the past, H being its delay budget; edge H is the present. A `Work` adds the
substeps of one step. Bits are float64 and every step counts them from the head, so that they stay exact.
"""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.network.scenario import Scenario

_TINY = 1e-30
_CACHED = 60_000
"""Numbers that a CPU's caches hold."""


@dataclass(frozen=True, slots=True)
class Queues:
    """Queues between steps."""

    curves: tuple[Tensor, ...]
    """Bits arrived by each edge, counted from the head, negative if gone: per slice [envs, its ues, H + 1]."""
    age_mass: Tensor
    """Sum of the ages of the bits that wait, in bit x substep: [envs, ues]."""


def empty(scenario: Scenario, envs: int, device: torch.device) -> Queues:
    """Queues with nothing in them."""
    sizes = zip(scenario.ue_counts(), scenario.budget_substeps(), strict=True)
    curves = [torch.zeros(envs, ues, budget + 1, dtype=torch.float64, device=device) for ues, budget in sizes]
    return Queues(tuple(curves), torch.zeros(envs, scenario.ues, dtype=torch.float64, device=device))


@dataclass(frozen=True, slots=True)
class Served:
    """What happened to one substep's service; all [envs, ues]."""

    left_bit: Tensor
    """Bits delivered."""
    emptied: Tensor
    """Whether the queue was empty at the end."""


class Work:
    """The queues during one step; it leaves the state it began from as it was."""

    def __init__(self, queues: Queues, buffer_bit: Tensor, substeps: int) -> None:
        """Buffer limit of each UE: [ues]."""
        self._past = queues.curves
        self._buffer_bit = buffer_bit
        self._budgets = [curve.shape[-1] - 1 for curve in self._past]
        stops = torch.tensor([0, *(curve.shape[1] for curve in self._past)]).cumsum(0).tolist()
        self._ues = [slice(start, stop) for start, stop in itertools.pairwise(stops)]
        # The past edges that expire during the step, each on its own, since all UEs of a slice share them.
        self._expiring = [
            curve[..., : min(substeps, budget) + 1].movedim(-1, 0).contiguous()
            for curve, budget in zip(self._past, self._budgets, strict=True)
        ]
        self._edges = [torch.cat([curve[..., -1] for curve in self._past], dim=-1)]
        self._limit = self._expired_edge(0)
        self._head = torch.zeros_like(queues.age_mass)
        self._mass = queues.age_mass.clone()
        self._budget = torch.repeat_interleave(
            self._head.new_tensor([budget - 1 for budget in self._budgets]),
            torch.tensor([curve.shape[1] for curve in self._past], device=self._head.device),
        )
        self._substep = 0

    def arrive(self, bits: Tensor) -> tuple[Tensor, Tensor]:
        """Begin a substep: drop what is too old, let `bits` [envs, ues] arrive as far as the buffer has room.

        Returns the bits waiting (old and new) and the bits dropped (expired or not admitted).
        """
        before, self._limit = self._limit, self._expired_edge(self._substep + 1)
        expired = (self._limit - self._head).clamp_(min=0.0)
        # What is left of the bin that expires came in its last part.
        part = expired.square().div_((self._limit - before).clamp_(min=_TINY)).mul_(0.5)
        self._mass.sub_(part.addcmul_(expired, self._budget))
        self._head = torch.maximum(self._head, self._limit)
        end = self._edges[-1]
        self._old = (end - self._head).clamp_(min=0.0)
        self._new = torch.minimum(bits, (self._buffer_bit - self._old).clamp_(min=0.0))
        self._edges.append(end + self._new)
        return self._old + self._new, expired.add_(bits).sub_(self._new)

    def age(self, index: int) -> Tensor:
        """Substeps the oldest waiting bit of each UE of a slice has waited, float64; 0 when it came just now."""
        ues, budget = self._ues[index], self._budgets[index]
        head = self._head[:, ues].contiguous()
        gone = torch.searchsorted(self._past[index], head.unsqueeze(-1), right=True).squeeze(-1)
        for edge in self._edges[1:]:
            gone += edge[:, ues] <= head
        return (budget + self._substep + 1 - gone).clamp_(min=0).to(torch.float64)

    def serve(self, capacity_bit: Tensor) -> Served:
        """End the substep: serve up to `capacity_bit` [envs, ues] in order of arrival."""
        waiting = self._old + self._new
        # The service is busy while old data lasts, until old / (capacity - new) of the substep.
        emptied = capacity_bit >= waiting
        spare = capacity_bit - self._new
        drained = (self._old / spare.clamp(min=_TINY)).clamp_(0.0, 1.0)
        area = torch.where(emptied, drained.mul_(self._old).mul_(0.5), self._old.sub_(spare, alpha=0.5))
        self._mass.add_(area)
        self._head = torch.minimum(self._head + capacity_bit, self._edges[-1])
        self._substep += 1
        return Served(torch.minimum(capacity_bit, waiting), emptied)

    def finish(self) -> tuple[Queues, Tensor, Tensor]:
        """The queues after the step, the bits that wait in them, and the summed delay of what left: [envs, ues].

        The delay is in bit x substep.
        """
        fresh = torch.stack(self._edges[1:], dim=-1) - self._head.unsqueeze(-1)
        curves, masses = [], []
        for past, ues in zip(self._past, self._ues, strict=True):
            width = past.shape[-1]
            added = min(self._substep, width)
            curve = past.new_empty(past.shape)
            if added < width:
                head = self._head[:, ues].unsqueeze(-1)
                torch.sub(past[..., self._substep :], head, out=curve[..., : width - added])
            curve[..., width - added :] = fresh[:, ues, self._substep - added :]
            curves.append(curve)
            masses.append(_age_mass(curve))
        mass = torch.cat(masses, dim=-1)
        backlog = fresh[..., -1].clamp(min=0.0)
        return Queues(tuple(curves), mass), backlog, (self._mass - mass).clamp_(min=0.0)

    def _expired_edge(self, number: int) -> Tensor:
        """Bits up to the edge that is too old once `number` substeps have begun: [envs, ues]."""
        parts = []
        for expiring, budget, ues in zip(self._expiring, self._budgets, self._ues, strict=True):
            parts.append(expiring[number] if number <= budget else self._edges[number - budget][:, ues])
        return torch.cat(parts, dim=-1)


def _age_mass(curve: Tensor) -> Tensor:
    """Sum of the ages of waiting bits: the area under the curve, above the head.

    Curve [envs, ues, H + 1] -> [envs, ues]. A few environments at a time, so that their curves are still in a
    CPU's caches when they are read again.
    """
    few = max(1, _CACHED // curve[0].numel()) if curve.device.type == "cpu" else len(curve)
    return torch.cat([_area(part) for part in torch.split(curve, few)])


def _area(curve: Tensor) -> Tensor:
    mass = torch.zeros_like(curve[..., 0])
    busy = curve[..., -1] > 0
    waiting = curve[busy]
    # The bin in which the head lies is a triangle, the others are trapezoids.
    first = torch.searchsorted(waiting, torch.zeros_like(waiting[:, :1]), right=True).clamp_(min=1)
    high, low = waiting.gather(-1, first).squeeze(-1), waiting.gather(-1, first - 1).squeeze(-1)
    corner = 0.5 * high * (high / (high - low).clamp(min=_TINY) - 1.0)
    last = waiting[:, -1].clone()
    mass[busy] = waiting.clamp_(min=0.0).sum(dim=-1) - 0.5 * last + corner
    return mass
