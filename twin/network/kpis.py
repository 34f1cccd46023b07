"""KPIs of one step, in SI units: per UE, and per cell and slice under their TS 28.552 names."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oran import kpi
from twin.network import rate
from twin.network.invariant import ordered_sum
from twin.network.queues import Served
from twin.network.scenario import Scenario
from twin.network.state import Fixed, State


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
    """UEs of the slice that the cell serves, those in no session left out."""
    prb_available: Tensor
    """PRBs of each cell, 0 while it is off: [envs, cells]."""
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


class Tally:
    """Adds up the substeps of a step."""

    def __init__(self, scenario: Scenario, arrivals_bit: Tensor) -> None:
        """Arrivals [envs, substeps, ues]."""
        self._scenario = scenario
        self._arrived = ordered_sum(arrivals_bit, dim=1)
        self._sums = [torch.zeros_like(self._arrived) for _ in range(8)]
        self._sinr_db = torch.zeros_like(self._arrived, dtype=torch.float32)

    def add(
        self,
        served: Served,
        dropped_bit: Tensor,
        prb: Tensor,
        air_s: Tensor,
        waiting_bit: Tensor,
        potential: Tensor,
        sinr_db: Tensor,
    ) -> None:
        """Count a substep; `air_s` is delay once served, `potential` bits per resource element; [envs, ues]."""
        left = served.left_bit
        busy = (~served.emptied).to(torch.float64)
        parts = (left, dropped_bit, air_s * left, prb, busy * left, busy, waiting_bit > 0, potential)
        for total, part in zip(self._sums, parts, strict=True):
            total.add_(part)
        self._sinr_db.add_(sinr_db)

    def counts(self, waited: Tensor) -> Counts:
        """The sums of the step; `waited` is the summed waiting time in bit x substep [envs, ues]."""
        scenario = self._scenario
        delivered, dropped, air, prb, busy_bit, busy, active, potential = self._sums
        share = 1.0 / scenario.substeps
        return Counts(
            arrived_bit=self._arrived,
            delivered_bit=delivered,
            dropped_bit=dropped,
            delay_bit_s=air + waited * scenario.substep_s,
            prb=prb * share,
            busy_bit=busy_bit,
            busy_s=busy * scenario.substep_s,
            active=active * share,
            potential=potential * (share * scenario.symbol_rate_hz / scenario.prb_hz),
        )

    def mean_sinr_db(self) -> Tensor:
        """Mean SINR in dB: [envs, ues]."""
        return self._sinr_db / self._scenario.substeps


def slice_sums(
    counts: Counts, backlog_bit: Tensor, present: Tensor | None, group: Tensor, shape: tuple[int, int]
) -> dict[str, Tensor]:
    """Sum UE counts over the slices of each cell; int64 group [envs, ues] = cell x slices + slice."""
    envs = group.shape[0]
    cells, slices = shape

    def total(value: Tensor) -> Tensor:
        sums = torch.zeros(envs, cells * slices, dtype=torch.float64, device=value.device)
        return sums.scatter_add_(-1, group, value).reshape(-1, cells, slices)

    sums = {name: total(getattr(counts, name)) for name in Counts.__slots__}
    sums["backlog_bit"] = total(backlog_bit)
    sums["attached"] = total(torch.ones_like(backlog_bit) if present is None else present)
    return sums


def ratio(part: Tensor, whole: Tensor) -> Tensor:
    """Part / whole, NaN where whole is not above zero."""
    return torch.where(whole > 0, part / whole.clamp(min=1e-300), torch.nan)


def measure(
    scenario: Scenario, state: State, counts: Counts, sinr_db: Tensor, backlog_bit: Tensor, prbs: Tensor
) -> Kpis:
    """The KPIs of a step from its counts; SINR and backlog [envs, ues], PRBs available [envs, cells]."""
    fixed = Fixed.of(scenario, state.seed.device)
    serving, slices = state.attachment.serving, fixed.slice_of_ue.expand_as(state.attachment.serving)
    shape = (scenario.cells, len(scenario.slices))
    group = serving * shape[1] + slices
    total = slice_sums(counts, backlog_bit, state.present, group, shape)
    used = ratio(total["delivered_bit"], total["prb"] * (scenario.prb_hz * scenario.step_s))
    potential = ratio(total["potential"], total["attached"])
    return Kpis(
        throughput_bps=ratio(total["busy_bit"], total["busy_s"]),
        delay_s=ratio(total["delay_bit_s"], total["delivered_bit"]),
        drop_rate=ratio(total["dropped_bit"], total["delivered_bit"] + total["dropped_bit"]),
        arrived_bit=total["arrived_bit"],
        delivered_bit=total["delivered_bit"],
        dropped_bit=total["dropped_bit"],
        backlog_bit=total["backlog_bit"],
        prb_used=total["prb"],
        active_ues=total["active"],
        spectral_efficiency=torch.where(torch.isnan(used), potential, used),
        attached_ues=total["attached"],
        prb_available=prbs,
        ue=UeKpis(
            serving_cell=serving,
            slice=slices,
            throughput_bps=ratio(counts.busy_bit, counts.busy_s),
            delay_s=ratio(counts.delay_bit_s, counts.delivered_bit),
            drop_rate=ratio(counts.dropped_bit, counts.delivered_bit + counts.dropped_bit),
            arrived_bit=counts.arrived_bit,
            delivered_bit=counts.delivered_bit,
            dropped_bit=counts.dropped_bit,
            backlog_bit=backlog_bit,
            prb_used=counts.prb,
            sinr_db=sinr_db,
            cqi=rate.cqi(fixed.table, sinr_db),
            position_m=state.walkers.position_m,
        ),
    )


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
        kpi.PRB_TOTAL_DL: ratio(kpis.prb_used, available),
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
