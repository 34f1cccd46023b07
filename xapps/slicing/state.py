"""State: what a learned agent sees of its cell as numbers, one row of features per slice.

Everything is relative, so that one agent serves cells of any width and slices of any load: volumes count as the
share of the cell that they need at the slice's own spectral efficiency. Values lie in 0..1. The functions are
array-generic (numpy or torch, any leading dimensions): training and the xApp use the same ones.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from oran.arrays import namespace
from oran.sla import SlaTargets, qos_ratio
from oran.slices import MIN
from xapps.slicing.observation import CellObservation, arrived, bits_per_prb, known_or_zero

A = TypeVar("A")

HISTORY = 10
"""Past reports whose arrivals are remembered: bursts show in them."""
KINDS = (
    "qos",  # QoS ratio: 1/2 when the promise is kept exactly
    "density",  # UEs with data
    "need",  # share of the cell that what arrived needs: 1/2 is the whole cell
    "backlog",  # the same for what waits
    "efficiency",  # spectral efficiency: 1/2 at 2 bit/s/Hz
    "used",  # share of the cell's PRBs that were used
    "allocation",  # min ratio in force
    "drop",  # square root of the drop rate
    "promised_rate",  # share of the cell that the promised throughput of the UEs with data needs: 1/2 is all
    "promised_delay",  # the promised delay: 1/2 at 100 ms; 1 where none is promised
    "promised_drop",  # square root of the promised drop rate; 1 where none is promised
    "weight",  # the slice's weight among all
)
FEATURES = (*KINDS, *(f"need {age} reports ago" for age in range(1, HISTORY + 1)))
"""The features of a slice in their order."""
PRB_HZ = 360e3
"""Bandwidth that efficiency refers to: a PRB at 30 kHz."""
_TYPICAL_EFFICIENCY = 2.0 * PRB_HZ
_DENSE_UES, _DELAY_S = 10.0, 0.1
_LEAST_EFFICIENCY = 1e3
_SMOOTHING = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Memory(Generic[A]):
    """What an agent remembers of a cell."""

    efficiency: A
    """Bits per PRB and second of each slice, smoothed: [..., slices]."""
    need: A
    """Feature `need` of the last reports, newest first: [..., slices, HISTORY + 1]."""


def remember(memory: Memory[A] | None, observation: CellObservation) -> Memory[A]:
    """The memory after a report; None before the first one."""
    kpis: Any = observation.kpis
    xp = namespace(kpis.delivered_bit)
    seen = bits_per_prb(kpis.delivered_bit, kpis.prb_used, kpis.period_s)
    before: Any = xp.where(xp.isnan(seen), _TYPICAL_EFFICIENCY, seen) if memory is None else memory.efficiency
    fresh = xp.where(xp.isnan(seen), before, seen)
    smoothed = before + _SMOOTHING * (fresh - before)
    efficiency = xp.where(smoothed > _LEAST_EFFICIENCY, smoothed, _LEAST_EFFICIENCY)
    came = arrived(kpis.arrived_bit, kpis.delivered_bit) / kpis.period_s
    need = _half_at_one(came / (efficiency * _prbs(xp, observation, came)))[..., None]
    past: Any = xp.concat([xp.zeros_like(need)] * (HISTORY + 1), axis=-1) if memory is None else memory.need
    return Memory(efficiency, xp.concat([need, past[..., :-1]], axis=-1))


def features(observation: CellObservation, targets: SlaTargets, memory: Memory[A]) -> A:
    """What the agent sees after a report that the memory holds already: [..., slices, FEATURES], 0..1."""
    kpis: Any = observation.kpis
    xp = namespace(kpis.delivered_bit)
    efficiency: Any = memory.efficiency
    prbs = _prbs(xp, observation, efficiency)
    capacity_bps = efficiency * prbs
    active = known_or_zero(kpis.active_ues)
    throughput, delay, drop, weight = (
        xp.asarray(known_or_zero(value), dtype=efficiency.dtype, device=efficiency.device)
        for value in (targets.throughput_bps, targets.delay_s, targets.drop_rate, targets.weight)
    )
    ratios: Any = observation.ratios
    waiting: Any = observation.backlog_bit
    past: Any = memory.need
    none = xp.zeros_like(efficiency)
    columns = (
        _half_at_one(qos_ratio(targets, kpis.throughput_bps, kpis.delay_s, kpis.drop_rate)),
        _half_at_one(active / _DENSE_UES),
        past[..., 0],
        _half_at_one(waiting / (capacity_bps * kpis.period_s)),
        _half_at_one(efficiency / (2.0 * PRB_HZ)),
        known_or_zero(kpis.prb_used) / prbs,
        ratios[..., MIN] / 100.0,
        known_or_zero(kpis.drop_rate) ** 0.5,
        _half_at_one(active * throughput / capacity_bps),
        none + xp.where(delay > 0.0, _half_at_one(delay / _DELAY_S), 1.0),
        none + xp.where(drop > 0.0, drop, 1.0) ** 0.5,
        none + weight,
    )
    row = xp.concat([xp.stack(columns, axis=-1), past[..., 1:]], axis=-1)
    seen: A = xp.clip(row, 0.0, 1.0)
    return seen


def _half_at_one(value: Any) -> Any:
    """0..infinity as 0..1."""
    return value / (1.0 + value)


def _prbs(xp: Any, observation: CellObservation, like: Any) -> Any:
    """The cell's PRBs, at least one, [..., 1]; a cell that is off has none."""
    prbs = xp.asarray(observation.prb_available, dtype=like.dtype, device=like.device)[..., None]
    return xp.where(prbs > 1.0, prbs, 1.0)
