"""The network twin: state in, state out; batched over environments; one step is one control interval.

    state = reset(scenario, seeds)
    state, kpis = step(scenario, state, ratios)

The same seed gives the same paths, fading and arrivals whatever the ratios, so that controllers can be compared on
equal terms. On a CPU an environment's results do not depend, to the last bit, on the batch it is in.
Budget: a step of 6 cells and 200 UEs in one environment takes below 25 ms on one core.
"""

import math
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import TypeVar

import torch
from torch import Tensor

from oran.slices import project
from twin.network import fading, layout, mobility, queues, rate, shadowing, sinr, traffic
from twin.network.invariant import from_db, ordered_sum
from twin.network.kpis import Counts, Kpis, UeKpis, ratio, slice_sums
from twin.network.pathloss import path_loss_db
from twin.network.randomness import key, normal
from twin.network.scenario import Scenario
from twin.network.scheduler import share_among_slices, share_among_ues
from twin.network.trace import Drive, Trace

STREAM_FIRST_FADING = 50
FAIRNESS_WINDOW_S = 0.5
"""Time constant of the mean rate that proportional fair scheduling divides by."""
_LEAST_RATE = 1e-9
_LEAST_MEAN_BPS = 1e3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class State:
    """All that a network remembers between steps; the first axis of every tensor is the environment."""

    seed: Tensor
    """int64 [envs]."""
    step: Tensor
    """Steps done, int64 [envs]."""
    walkers: mobility.Walkers
    shadow: Tensor
    """Fields of shadowing and line of sight: [envs, 2 cells + 1, ues]."""
    attachment: mobility.Attachment
    taps: Tensor
    """Fading: [envs, 2 branches, cells, ues]."""
    queues: queues.Queues
    load: Tensor
    """Share of each cell's PRBs used in the last substep: [envs, cells]."""
    sinr_db: Tensor
    """SINR last measured: [envs, ues]."""
    margin_db: Tensor
    """The outer loop's margin: [envs, ues]."""
    mean_bps: Tensor
    """Recent mean rate of each UE, for proportional fair scheduling: [envs, ues]."""
    drive: Drive | None
    """The trace that drives the links, if any."""


@dataclass(frozen=True, slots=True)
class _Fixed:
    """What follows from the scenario alone."""

    slice_of_ue: Tensor
    budget: Tensor
    buffer_bit: Tensor
    extra_loss_db: Tensor
    target_bler: Tensor
    highest_mcs: Tensor
    urgent: Tensor
    fair: Tensor
    follows_trace: Tensor
    table: rate.RateTable


@lru_cache(maxsize=32)
def _fixed(scenario: Scenario, device: torch.device) -> _Fixed:
    slices = layout.slice_of_ue(scenario).to(device)

    def per_ue(values: list[float], dtype: torch.dtype) -> Tensor:
        return torch.tensor(values, device=device).to(dtype)[slices]

    items = scenario.slices
    return _Fixed(
        slice_of_ue=slices,
        budget=per_ue(list(scenario.budget_substeps()), torch.int64),
        buffer_bit=per_ue([item.buffer_bit for item in items], torch.float64),
        extra_loss_db=per_ue([item.extra_loss_db for item in items], torch.float32),
        highest_mcs=per_ue([item.highest_mcs for item in items], torch.int64),
        target_bler=per_ue([item.target_bler for item in items], torch.float32),
        urgent=per_ue([item.scheduler == "earliest_deadline" for item in items], torch.bool),
        fair=per_ue([item.scheduler == "proportional_fair" for item in items], torch.bool),
        follows_trace=per_ue([item.follows_trace for item in items], torch.bool),
        table=rate.RateTable.of(scenario, device),
    )


@torch.no_grad()
def reset(scenario: Scenario, seeds: Tensor, *, trace: Trace | None = None) -> State:
    """Networks at time zero, one per seed; int64 seeds [envs], on the device to compute on.

    With a trace, each UE's link and speed, and the load of slices that follow it, come from the trace, which every
    UE enters at a seeded place. Raises ValueError for seeds of another kind.
    """
    if seeds.dtype != torch.int64 or seeds.dim() != 1 or seeds.numel() == 0:
        raise ValueError(f"seeds are {seeds.dtype} {list(seeds.shape)}; they must be int64 [envs], at least one")
    fixed = _fixed(scenario, seeds.device)
    envs, ues = seeds.shape[0], scenario.ues
    walkers = mobility.start(scenario, seeds)
    shadow = shadowing.initial(scenario, seeds)
    gain_db = _gain_db(scenario, fixed, walkers, shadow)
    shape = (2 * scenario.fading_branches, scenario.cells, ues)
    taps = normal(key(seeds, 0, STREAM_FIRST_FADING), math.prod(shape)).reshape(-1, *shape)
    zeros = torch.zeros(envs, ues, device=seeds.device)
    return State(
        seed=seeds,
        step=torch.zeros_like(seeds),
        walkers=walkers,
        shadow=shadow,
        attachment=mobility.attach(gain_db),
        taps=taps,
        queues=queues.empty(scenario, envs, seeds.device),
        load=torch.zeros(envs, scenario.cells, device=seeds.device),
        sinr_db=zeros,
        margin_db=zeros,
        mean_bps=torch.full_like(zeros, _LEAST_MEAN_BPS, dtype=torch.float64),
        drive=None if trace is None else Drive.of(trace, scenario, seeds),
    )


@torch.no_grad()
def step(scenario: Scenario, state: State, ratios: Tensor) -> tuple[State, Kpis]:
    """Advance every network by `step_s`; ratios [envs, cells, slices, 3] = dedicated, min, max in percent.

    Ratios that break a rule of TS 28.541 are projected to valid ones. Raises ValueError for a wrong shape or NaN.
    """
    fixed = _fixed(scenario, state.seed.device)
    ratios = _checked(scenario, state, ratios)
    number = state.step + 1
    walkers, moved_m = mobility.walk(scenario, state.walkers, state.seed, number)
    shadow = shadowing.move(scenario, state.shadow, moved_m, state.seed, number)
    gain_db = _gain_db(scenario, fixed, walkers, shadow)
    attachment = mobility.hand_over(scenario, state.attachment, gain_db)
    substep = state.step.unsqueeze(-1) * scenario.substeps + torch.arange(
        scenario.substeps, device=state.seed.device
    )
    air = _Air(scenario, fixed, state, walkers, gain_db, attachment, substep)
    arrivals = _arrivals(scenario, fixed, state, attachment, substep)
    ran = _run(scenario, fixed, state, attachment, air, arrivals, ratios)
    fresh = State(
        seed=state.seed,
        step=number,
        walkers=walkers,
        shadow=shadow,
        attachment=attachment,
        taps=air.taps,
        queues=ran.queues,
        load=ran.load,
        sinr_db=ran.sinr_db,
        margin_db=ran.margin_db,
        mean_bps=ran.mean_bps,
        drive=state.drive,
    )
    return fresh, _kpis(scenario, fixed, fresh, ran)


def merge(mask: Tensor, one: T, other: T) -> T:
    """A state with the environments of `one` where mask [envs] is true, else those of `other`.

    For restarting some environments of a batch. Works on `State` and `Kpis`; both must be of one scenario.
    """
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        chosen: T = torch.where(mask.view(-1, *(1,) * (one.dim() - 1)), one, other)  # type: ignore[assignment]
        return chosen
    if isinstance(one, Drive) and isinstance(other, Drive):
        return replace(one, offset_s=merge(mask, one.offset_s, other.offset_s))
    if is_dataclass(one) and not isinstance(one, type):
        parts = {
            item.name: merge(mask, getattr(one, item.name), getattr(other, item.name)) for item in fields(one)
        }
        return type(one)(**parts)
    return one


def _checked(scenario: Scenario, state: State, ratios: Tensor) -> Tensor:
    shape = (state.seed.shape[0], scenario.cells, len(scenario.slices), 3)
    if tuple(ratios.shape) != shape:
        raise ValueError(f"ratios have shape {list(ratios.shape)}; they must be {list(shape)}")
    ratios = ratios.to(device=state.seed.device, dtype=torch.float64)
    if bool(torch.isnan(ratios).any()):
        raise ValueError("ratios hold NaN; they must be percentages")
    return project(ratios)


def _gain_db(scenario: Scenario, fixed: _Fixed, walkers: mobility.Walkers, shadow: Tensor) -> Tensor:
    """Slow gain of each link: path loss, shadowing and the slice's extra loss; [envs, cells, ues]."""
    distance_m = mobility.distances_m(scenario, walkers.position_m)
    seen = shadowing.line_of_sight(scenario, shadow, distance_m)
    shadow_db = shadowing.shadowing_db(scenario, shadow, seen)
    return -(path_loss_db(scenario, distance_m, seen) + shadow_db + fixed.extra_loss_db)


class _Air:
    """The radio links during one step: fading advances with each substep."""

    def __init__(
        self,
        scenario: Scenario,
        fixed: _Fixed,
        state: State,
        walkers: mobility.Walkers,
        gain_db: Tensor,
        attachment: mobility.Attachment,
        substep: Tensor,
    ) -> None:
        power_dbm = sinr.transmit_per_prb_dbm(scenario) + gain_db
        self._serving = attachment.serving.unsqueeze(1)
        self._signal_mw = from_db(power_dbm.gather(1, self._serving)).expand(-1, scenario.substeps, -1)
        self._others_mw = from_db(power_dbm).scatter(1, self._serving, 0.0)
        self._noise_mw = sinr.noise_per_prb_mw(scenario)
        speed = walkers.speed_mps
        if state.drive is not None:
            time_s = substep * scenario.substep_s
            speed = state.drive.speed_mps(time_s[:, :1]).squeeze(1)
            self._signal_mw = self._noise_mw * from_db(state.drive.snr_db(time_s))
            if not scenario.trace_interference:
                self._others_mw = torch.zeros_like(self._others_mw)
        self._correlation = fading.correlation(scenario, speed)
        self._innovations = fading.innovations(scenario, state.seed.unsqueeze(-1), substep)
        self.taps = state.taps

    def advance(self, k: int, load: Tensor) -> Tensor:
        """SINR of each UE in substep k under the neighbours' load [envs, cells]; [envs, ues]."""
        self.taps = fading.advance(self.taps, self._correlation, self._innovations[:, k])
        gain = fading.power_gain(self.taps)
        signal_mw = self._signal_mw[:, k] * gain.gather(1, self._serving).squeeze(1)
        return sinr.sinr_db(signal_mw, sinr.interference_mw(self._others_mw * gain, load), self._noise_mw)


def _arrivals(
    scenario: Scenario, fixed: _Fixed, state: State, attachment: mobility.Attachment, substep: Tensor
) -> Tensor:
    """Bits that arrive at each UE in each substep: [envs, substeps, ues]."""
    by_slice = traffic.burst_gain(scenario, state.seed, substep).flatten(-2)
    place = (attachment.serving * len(scenario.slices) + fixed.slice_of_ue).unsqueeze(1)
    gain = by_slice.gather(-1, place.expand(-1, scenario.substeps, -1))
    if state.drive is not None:
        demand = state.drive.demand(substep * scenario.substep_s)
        if demand is not None:
            gain = torch.where(fixed.follows_trace, demand, gain)
    return traffic.arrivals_bit(scenario, state.seed, substep, gain, fixed.slice_of_ue)


@dataclass(frozen=True, slots=True)
class _Ran:
    """Outcome of a step's substeps."""

    queues: queues.Queues
    backlog_bit: Tensor
    load: Tensor
    sinr_db: Tensor
    mean_sinr_db: Tensor
    margin_db: Tensor
    mean_bps: Tensor
    counts: Counts


def _run(
    scenario: Scenario,
    fixed: _Fixed,
    state: State,
    attachment: mobility.Attachment,
    air: _Air,
    arrivals: Tensor,
    ratios: Tensor,
) -> _Ran:
    """Go through the substeps: measure, schedule, transmit, count."""
    work = queues.Work(state.queues, fixed.budget, fixed.buffer_bit, scenario.substeps)
    group = attachment.serving * len(scenario.slices) + fixed.slice_of_ue
    symbols = scenario.symbol_rate_hz * scenario.substep_s
    memory = scenario.substep_s / FAIRNESS_WINDOW_S
    estimate_db, margin_db, load, mean_bps = state.sinr_db, state.margin_db, state.load, state.mean_bps
    rows: list[tuple[Tensor, ...]] = []
    sinrs: list[Tensor] = []
    for k in range(scenario.substeps):
        true_db = air.advance(k, load)
        mcs = torch.minimum(rate.select_mcs(fixed.table, estimate_db - margin_db), fixed.highest_mcs)
        reachable = (estimate_db > rate.OUTAGE_DB) & (attachment.interrupted <= k)
        link = rate.adapt(fixed.table, mcs, true_db)
        per_prb = link.efficiency.to(torch.float64) * symbols
        waiting, dropped = work.arrive(arrivals[:, k])
        planned = fixed.table.efficiency[mcs].to(torch.float64) * ((1.0 - fixed.target_bler) * symbols)
        need = torch.where(reachable, waiting / planned, 0.0)
        prb = _schedule(scenario, fixed, need, planned / mean_bps, work.age(), group, ratios)
        served = work.serve(prb * per_prb)
        # A queue that ran empty used only what it needed; any other used all it was given, in vain or not.
        used = torch.where(served.emptied, served.left_bit / per_prb.clamp(min=_LEAST_RATE), prb)
        delivered = served.left_bit
        air_s = scenario.base_delay_s + link.repetitions * scenario.harq_round_trip_s
        delay = served.delay * scenario.substep_s + air_s * delivered
        busy = (~served.emptied).to(torch.float64)
        active = (waiting > 0).to(torch.float64)
        potential = per_prb / symbols
        rows.append((delivered, dropped, delay, used, busy * delivered, busy, active, potential))
        sinrs.append(true_db)
        by_cell = torch.zeros_like(load, dtype=torch.float64).scatter_add_(-1, attachment.serving, used)
        load = (by_cell / scenario.prbs).to(torch.float32)
        margin_db = rate.outer_loop(margin_db, link.first_error, prb > 0, fixed.target_bler)
        mean_bps = (mean_bps + memory * (delivered / scenario.substep_s - mean_bps)).clamp(min=_LEAST_MEAN_BPS)
        estimate_db = true_db
    after, backlog = work.finish()
    columns = [ordered_sum(torch.stack(column), dim=0) for column in zip(*rows, strict=True)]
    counts = _counts(scenario, arrivals, columns)
    mean_sinr_db = ordered_sum(torch.stack(sinrs), dim=0) / scenario.substeps
    return _Ran(after, backlog, load, estimate_db, mean_sinr_db, margin_db, mean_bps, counts)


def _counts(scenario: Scenario, arrivals: Tensor, columns: list[Tensor]) -> Counts:
    delivered, dropped, delay, prb, busy_bit, busy, active, potential = columns
    share = 1.0 / scenario.substeps
    hertz = scenario.symbol_rate_hz / scenario.prb_hz
    return Counts(
        arrived_bit=ordered_sum(arrivals, dim=1),
        delivered_bit=delivered,
        dropped_bit=dropped,
        delay_bit_s=delay,
        prb=prb * share,
        busy_bit=busy_bit,
        busy_s=busy * scenario.substep_s,
        active=active * share,
        potential=potential * (share * hertz),
    )


def _schedule(
    scenario: Scenario, fixed: _Fixed, need: Tensor, fairness: Tensor, age: Tensor, group: Tensor, ratios: Tensor
) -> Tensor:
    """PRBs of each UE for its need in PRBs: slices first, then the UEs of each; [envs, ues]."""
    groups = scenario.cells * len(scenario.slices)
    totals = torch.zeros(need.shape[0], groups, dtype=torch.float64, device=need.device)
    shape = (scenario.cells, len(scenario.slices))
    slice_need = totals.scatter_add(-1, group, need).reshape(-1, *shape)
    active = totals.scatter_add(-1, group, (need > 0).to(torch.float64)).reshape(-1, *shape)
    granted = share_among_slices(slice_need, active.clamp(min=1e-6), ratios, scenario.prbs).flatten(-2)
    weight = torch.where(fixed.fair, fairness, 1.0)
    return share_among_ues(need, weight, age, fixed.urgent.expand_as(group), group, granted)


def _kpis(scenario: Scenario, fixed: _Fixed, state: State, ran: _Ran) -> Kpis:
    counts = ran.counts
    serving, slices = state.attachment.serving, fixed.slice_of_ue.expand_as(state.attachment.serving)
    shape = (scenario.cells, len(scenario.slices))
    group = serving * shape[1] + slices
    total = slice_sums(counts, ran.backlog_bit, group, shape)
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
        prb_available=torch.full_like(state.load, scenario.prbs, dtype=torch.float64),
        ue=UeKpis(
            serving_cell=serving,
            slice=slices,
            throughput_bps=ratio(counts.busy_bit, counts.busy_s),
            delay_s=ratio(counts.delay_bit_s, counts.delivered_bit),
            drop_rate=ratio(counts.dropped_bit, counts.delivered_bit + counts.dropped_bit),
            arrived_bit=counts.arrived_bit,
            delivered_bit=counts.delivered_bit,
            dropped_bit=counts.dropped_bit,
            backlog_bit=ran.backlog_bit,
            prb_used=counts.prb,
            sinr_db=ran.mean_sinr_db,
            cqi=rate.cqi(fixed.table, ran.mean_sinr_db),
            position_m=state.walkers.position_m,
        ),
    )
