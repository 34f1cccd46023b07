"""KPIs of one step, in SI units: per UE, and per cell and slice under their TS 28.552 names."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oran import kpi


@dataclass(frozen=True, slots=True)
class Counts:
    """What a step adds up per UE; float64 [envs, ues]."""

    arrived_bit: Tensor
    delivered_bit: Tensor
    dropped_bit: Tensor
    delay_bit_s: Tensor
    """Sum over delivered bits of their delay."""
    prb: Tensor
    """Mean PRBs used."""
    busy_bit: Tensor
    """Bits delivered in substeps that left data waiting."""
    busy_s: Tensor
    """Time in substeps that left data waiting."""
    active: Tensor
    """Share of the time with data."""
    potential: Tensor
    """Mean bits per second and hertz the link would have carried."""


@dataclass(frozen=True, slots=True)
class Kpis:
    """KPIs of one step. Of each slice in each cell, float64 [envs, cells, slices], unless said otherwise."""

    throughput_bps: Tensor
    """UE throughput while data waits, last pieces left out (TS 28.552 5.1.1.3.1); NaN when none waited."""
    delay_s: Tensor
    """Mean delay of what was delivered: waiting, base delay and HARQ; NaN when nothing was."""
    drop_rate: Tensor
    """Dropped share of what was delivered or dropped (late or overflowed); NaN when nothing was."""
    arrived_bit: Tensor
    delivered_bit: Tensor
    dropped_bit: Tensor
    backlog_bit: Tensor
    """Data waiting at the end of the step."""
    prb_used: Tensor
    """Mean PRBs used."""
    active_ues: Tensor
    """Mean number of UEs with data."""
    spectral_efficiency: Tensor
    """Delivered bits per second and hertz used; of idle slices what their UEs could get; NaN without UEs."""
    attached_ues: Tensor
    """UEs of the slice that the cell serves."""
    prb_available: Tensor
    """PRBs of each cell: [envs, cells]."""
    ue: "UeKpis"


@dataclass(frozen=True, slots=True)
class UeKpis:
    """KPIs of each UE: [envs, ues], float64 unless said otherwise; NaN as in `Kpis`."""

    serving_cell: Tensor
    """int64."""
    slice: Tensor
    """Index into the scenario's slices, int64."""
    throughput_bps: Tensor
    delay_s: Tensor
    drop_rate: Tensor
    arrived_bit: Tensor
    delivered_bit: Tensor
    dropped_bit: Tensor
    backlog_bit: Tensor
    prb_used: Tensor
    sinr_db: Tensor
    """Mean over the step, in dB, float32."""
    cqi: Tensor
    """int64 0..15."""
    position_m: Tensor
    """[envs, ues, 2], float32."""


def slice_sums(counts: Counts, backlog_bit: Tensor, group: Tensor, shape: tuple[int, int]) -> dict[str, Tensor]:
    """Sum UE counts over the slices of each cell; int64 group [envs, ues] = cell x slices + slice."""
    envs = group.shape[0]
    cells, slices = shape

    def total(value: Tensor) -> Tensor:
        sums = torch.zeros(envs, cells * slices, dtype=torch.float64, device=value.device)
        return sums.scatter_add_(-1, group, value).reshape(-1, cells, slices)

    sums = {name: total(getattr(counts, name)) for name in Counts.__slots__}
    sums["backlog_bit"] = total(backlog_bit)
    sums["attached"] = total(torch.ones_like(backlog_bit))
    return sums


def ratio(part: Tensor, whole: Tensor) -> Tensor:
    """Part / whole, NaN where whole is not above zero."""
    return torch.where(whole > 0, part / whole.clamp(min=1e-300), torch.nan)


def slice_kpis(kpis: Kpis) -> dict[str, Tensor]:
    """The KPIs of each slice in each cell under their TS 28.552 names, SI units; [envs, cells, slices].

    RRU.PrbAvailDl belongs to the cell: every slice of it tells the same.
    """
    available = kpis.prb_available.unsqueeze(-1).expand_as(kpis.prb_used)
    return {
        kpi.UE_THROUGHPUT_DL: kpis.throughput_bps,
        kpi.SDU_DELAY_DL: kpis.delay_s,
        kpi.DROP_RATE_DL: kpis.drop_rate,
        kpi.PDCP_VOLUME_DL: kpis.arrived_bit,
        kpi.RLC_VOLUME_DL: kpis.delivered_bit,
        kpi.PRB_USED_DL: kpis.prb_used,
        kpi.PRB_AVAILABLE_DL: available,
        kpi.PRB_TOTAL_DL: kpis.prb_used / available,
        kpi.ACTIVE_UES_DL: kpis.active_ues,
    }


def ue_kpis(kpis: Kpis) -> dict[str, Tensor]:
    """The KPIs of each UE under their TS 28.552 names, SI units; [envs, ues]."""
    ue = kpis.ue
    return {
        kpi.UE_THROUGHPUT_DL: ue.throughput_bps,
        kpi.SDU_DELAY_DL: ue.delay_s,
        kpi.DROP_RATE_DL: ue.drop_rate,
        kpi.PDCP_VOLUME_DL: ue.arrived_bit,
        kpi.RLC_VOLUME_DL: ue.delivered_bit,
        kpi.PRB_USED_DL: ue.prb_used,
        kpi.CQI: ue.cqi.to(torch.float64),
    }
