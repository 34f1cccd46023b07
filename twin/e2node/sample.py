"""What a node measured of its cell over one interval, and how intervals and slices are summed up."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from oran import kpi

_WEIGHT = {
    kpi.UE_THROUGHPUT_DL: kpi.ACTIVE_UES_DL,
    kpi.SDU_DELAY_DL: kpi.RLC_VOLUME_DL,
    kpi.DROP_RATE_DL: kpi.PDCP_VOLUME_DL,
}
"""What a mean is weighted by: throughput by UEs with data, delay by delivered, drop rate by arrived data."""

_VOLUMES = frozenset({kpi.PDCP_VOLUME_DL, kpi.RLC_VOLUME_DL})
_SHARED = _VOLUMES | {kpi.PRB_USED_DL, kpi.PRB_TOTAL_DL, kpi.ACTIVE_UES_DL}
"""What adds up over the slices of a cell; volumes alone add up over time."""


@dataclass(frozen=True, slots=True, eq=False)
class CellSample:
    """KPIs of one cell over `period_s` by TS 28.552 name, in SI units; NaN where nothing was measured.

    `slices` holds one value per slice, [slices]; `cell` the whole cell's; `ues` one per UE, [ues], in the order of
    `ue_ids` (gNB-DU UE F1AP ids, int64) and `ue_slices` (index of each UE's slice).
    """

    period_s: float
    slices: Mapping[str, np.ndarray]
    cell: Mapping[str, float]
    ue_ids: np.ndarray
    ue_slices: np.ndarray
    ues: Mapping[str, np.ndarray]

    @classmethod
    def of(
        cls,
        period_s: float,
        slices: Mapping[str, np.ndarray],
        ue_ids: np.ndarray,
        ue_slices: np.ndarray,
        ues: Mapping[str, np.ndarray],
    ) -> "CellSample":
        """A sample whose cell-wide KPIs follow from its slices'."""
        cell = {name: float(_pool(name, slices, _SHARED)) for name in slices}
        return cls(period_s, slices, cell, ue_ids, ue_slices, ues)


def aggregate(samples: Sequence[CellSample]) -> CellSample:
    """Sum up successive samples, at least one; the UEs are those that the last one has."""
    last = samples[-1]
    if len(samples) == 1:
        return last
    slices = {name: np.stack([sample.slices[name] for sample in samples]) for name in last.slices}
    place = {int(ue): index for index, ue in enumerate(last.ue_ids)}
    ues = {name: np.full((len(samples), len(place)), math.nan) for name in last.ues}
    for row, sample in enumerate(samples):
        here = [(index, place[int(ue)]) for index, ue in enumerate(sample.ue_ids) if int(ue) in place]
        if here:
            source, target = map(list, zip(*here, strict=True))
            for name, table in ues.items():
                table[row, target] = sample.ues[name][source]
    return CellSample.of(
        sum(sample.period_s for sample in samples),
        {name: _pool(name, slices, _VOLUMES) for name in slices},
        last.ue_ids,
        last.ue_slices,
        {name: _pool(name, ues, _VOLUMES) for name in ues},
    )


def _pool(name: str, rows: Mapping[str, np.ndarray], summed: frozenset[str]) -> np.ndarray:
    """One KPI over the first axis: its sum, or its weighted mean; NaN where no value is known."""
    values = rows[name]
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    if name in summed:
        return np.where(known.any(axis=0), filled.sum(axis=0), math.nan)
    weight = known.astype(np.float64)
    by = _WEIGHT.get(name)
    if by is not None and by in rows:
        heavy = np.where(known, np.nan_to_num(rows[by]), 0.0)
        weight = np.where(heavy.sum(axis=0) > 0, heavy, weight)
    total = weight.sum(axis=0)
    mean: np.ndarray = np.where(
        total > 0, (filled * weight).sum(axis=0) / np.where(total > 0, total, 1.0), math.nan
    )
    return mean
