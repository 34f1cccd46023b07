"""The network twin: state in, state out; batched over environments; one step is one control interval.

    state = reset(scenario, seeds)
    state, kpis = step(scenario, state, ratios)

The same seed gives the same paths, fading and arrivals whatever the ratios, so that controllers can be compared on
equal terms. On a CPU an environment's results do not depend, to the last bit, on the batch it is in.
Budget (benchmarks/network.py): on one core, 64 environments of 6 cells and 200 UEs take at least 500 times the
substeps a second that mobile-env takes steps; ten times the UEs cost at most ten times as much.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from oran.slices import project
from twin.network import (
    fading,
    links,
    mobility,
    outages,
    penetration,
    queues,
    radio,
    rate,
    sessions,
    shadowing,
    traffic,
)
from twin.network.errors import ScenarioError
from twin.network.kpis import Kpis, Tally, measure
from twin.network.scenario import Scenario
from twin.network.scheduler import share_among_slices, share_among_ues
from twin.network.state import Fixed, State, join, merge, rows
from twin.network.trace import Drive, Trace

__all__ = ["State", "blocks", "merge", "reset", "step"]

FAIRNESS_WINDOW_S = 0.5
"""Time constant of the mean rate that proportional fair scheduling divides by."""
_LEAST_RATE = 1e-9
_BLOCK_LINKS = 200_000
"""Links (environments x cells x UEs) that a CPU steps at once."""
_LEAST_MEAN_BPS = 1e3


@torch.no_grad()
def reset(
    scenario: Scenario, seeds: Tensor, *, trace: Trace | None = None, pathloss_offset_db: Tensor | None = None
) -> State:
    """Networks at time zero, one per seed; int64 seeds [envs], on the device to compute on.

    With a trace, each UE's link and speed, and the load of slices that follow it, come from the trace, which every
    UE enters at a seeded place. `pathloss_offset_db` [envs, cells] is what calibration adds to each cell's path
    loss. Raises ValueError for seeds of another kind, ScenarioError for a slice whose path is a missing trace's.
    """
    if seeds.dtype != torch.int64 or seeds.dim() != 1 or seeds.numel() == 0:
        raise ValueError(f"seeds are {seeds.dtype} {list(seeds.shape)}; they must be int64 [envs], at least one")
    if any(item.mobility == "trace" for item in scenario.slices) and (trace is None or trace.position_m is None):
        raise ScenarioError("scenario: a slice's mobility is trace; reset needs a trace with positions")
    envs, ues, device = seeds.shape[0], scenario.ues, seeds.device
    walkers = mobility.start(scenario, seeds)
    indoors = penetration.draw(scenario, seeds)
    shadow = _first_shadow(scenario, seeds, walkers)
    none = torch.zeros(envs, scenario.cells, device=device)
    offset_db = none if pathloss_offset_db is None else pathloss_offset_db.to(none).expand_as(none)
    off = outages.off(scenario, torch.zeros_like(seeds))
    gain_db = radio.gain_db(scenario, walkers, shadow, indoors, offset_db, off)
    zeros = torch.zeros(envs, ues, device=device)
    return State(
        seed=seeds,
        step=torch.zeros_like(seeds),
        walkers=walkers,
        indoors=indoors,
        present=sessions.start(scenario, seeds),
        shadow=shadow,
        pathloss_offset_db=offset_db,
        attachment=mobility.attach(gain_db),
        fading=fading.initial(scenario, seeds),
        queues=queues.empty(scenario, envs, device),
        load=none,
        sinr_db=zeros,
        margin_db=zeros,
        mean_bps=torch.full_like(zeros, _LEAST_MEAN_BPS, dtype=torch.float64),
        ratios=torch.full((envs, *_policy_shape(scenario)), torch.nan, dtype=torch.float64, device=device),
        links=links.Links.of(scenario, device),
        drive=None if trace is None else Drive.of(trace, scenario, seeds),
    )


@torch.no_grad()
def step(scenario: Scenario, state: State, ratios: Tensor) -> tuple[State, Kpis]:
    """Advance every network by `step_s`; ratios [envs, cells, slices, 3] = dedicated, min, max in percent.

    Ratios that break a rule of TS 28.541 are projected to valid ones. Raises ValueError for a wrong shape or NaN.
    """
    ratios = _checked(scenario, state, ratios)
    parts = blocks(scenario, state.seed.shape[0], state.seed.device)
    if len(parts) == 1:
        return _step(scenario, state, ratios)
    done = [_step(scenario, rows(state, part), ratios[part]) for part in parts]
    return join([after for after, _ in done]), join([kpis for _, kpis in done])


def blocks(scenario: Scenario, envs: int, device: torch.device) -> tuple[slice, ...]:
    """The environments that are best stepped together: on a CPU as many as its caches hold, else all.

    `step` heeds this by itself; who keeps a state for each block also saves joining them.
    """
    block = envs if device.type != "cpu" else max(1, _BLOCK_LINKS // (scenario.cells * scenario.ues))
    return tuple(slice(start, min(start + block, envs)) for start in range(0, envs, block))


def _step(scenario: Scenario, state: State, ratios: Tensor) -> tuple[State, Kpis]:
    number = state.step + 1
    path_m = None if state.drive is None else state.drive.path_m(number.to(torch.float64) * scenario.step_s)
    walkers, moved_m = mobility.walk(scenario, state.walkers, state.seed, number, path_m=path_m)
    shadow = state.shadow
    if shadow is not None:
        distance_m = mobility.distances_m(scenario, walkers.position_m)
        shadow = shadowing.move(scenario, shadow, moved_m, distance_m, state.seed, number)
    off = outages.off(scenario, state.step)
    gain_db = radio.gain_db(scenario, walkers, shadow, state.indoors, state.pathloss_offset_db, off)
    at_once = torch.isinf(moved_m)
    if off is not None:
        at_once = at_once | off.gather(1, state.attachment.serving)
    moved = replace(
        state,
        step=number,
        walkers=walkers,
        present=sessions.step(scenario, state.present, state.seed, number),
        shadow=shadow,
        attachment=mobility.hand_over(scenario, state.attachment, gain_db, at_once),
    )
    return _run(scenario, moved, gain_db, off, ratios)


def _policy_shape(scenario: Scenario) -> tuple[int, int, int]:
    return scenario.cells, len(scenario.slices), 3


def _first_shadow(scenario: Scenario, seeds: Tensor, walkers: mobility.Walkers) -> Tensor | None:
    if scenario.site is not None:
        return None
    if scenario.drop == "own":
        return shadowing.initial(scenario, seeds)
    from twin.network.drops import sionna_fields

    return sionna_fields(scenario, seeds, walkers.position_m)


def _checked(scenario: Scenario, state: State, ratios: Tensor) -> Tensor:
    shape = (state.seed.shape[0], *_policy_shape(scenario))
    if tuple(ratios.shape) != shape:
        raise ValueError(f"ratios have shape {list(ratios.shape)}; they must be {list(shape)}")
    ratios = ratios.to(device=state.seed.device, dtype=torch.float64)
    if bool(torch.isnan(ratios).any()):
        raise ValueError("ratios hold NaN; they must be percentages")
    return project(ratios)


def _arrivals(scenario: Scenario, state: State, substep: Tensor) -> Tensor:
    """Bits that arrive at each UE in each substep: [envs, substeps, ues]."""
    fixed = Fixed.of(scenario, state.seed.device)
    by_slice = traffic.burst_gain(scenario, state.seed, substep).flatten(-2)
    place = (state.attachment.serving * len(scenario.slices) + fixed.slice_of_ue).unsqueeze(1)
    gain = by_slice.gather(-1, place.expand(-1, scenario.substeps, -1))
    if state.drive is not None:
        demand = state.drive.demand(substep * scenario.substep_s)
        if demand is not None:
            gain = torch.where(fixed.follows_trace, demand, gain)
    if state.present is not None:
        gain = gain * state.present.unsqueeze(1)
    return traffic.arrivals_bit(scenario, state.seed, substep, gain)


def _prbs(scenario: Scenario, off: Tensor | None, before: Tensor, ratios: Tensor) -> tuple[Tensor, Tensor, int]:
    """PRBs of each cell [envs, cells] while it takes up new ratios, and after; and how many substeps that is."""
    whole = ratios.new_full(ratios.shape[:2], scenario.prbs)
    if off is not None:
        whole = whole * ~off
    if scenario.reconfiguration_loss == 0.0:
        return whole, whole, 0
    changed = (ratios - before).abs().amax(dim=(-2, -1)) > scenario.reconfiguration_threshold_percent
    pause = math.ceil(scenario.reconfiguration_s / scenario.substep_s - 1e-9)
    return whole * (1.0 - scenario.reconfiguration_loss * changed), whole, pause


@dataclass(frozen=True, slots=True)
class _Prospect:
    """What a UE may expect of its link in a substep; [envs, ues]."""

    bit_per_re: Tensor
    """Bits per resource element that the scheduler counts on."""
    mcs: Tensor
    reachable: Tensor
    """Whether it can be scheduled at all."""


def _prospect(scenario: Scenario, state: State, estimate_db: Tensor, margin_db: Tensor) -> _Prospect:
    fixed = Fixed.of(scenario, state.seed.device)
    level_db = estimate_db - margin_db
    mcs = torch.minimum(rate.select_mcs(fixed.table, level_db), fixed.highest_mcs)
    expected = fixed.table.efficiency[mcs] * (1.0 - fixed.target_bler)
    reachable = estimate_db > rate.OUTAGE_DB
    if state.links is not None:
        curved = state.links.curved[fixed.slice_of_ue] > 0
        good = state.links.goodput(fixed.slice_of_ue, estimate_db)
        expected = torch.where(curved, good, expected)
        reachable = torch.where(curved, good > links.LEAST_EFFICIENCY, reachable)
    return _Prospect(expected, mcs, reachable)


def _link(
    scenario: Scenario, state: State, prospect: _Prospect, estimate_db: Tensor, true_db: Tensor
) -> rate.Link:
    fixed = Fixed.of(scenario, state.seed.device)
    link = rate.adapt(scenario, fixed.table, prospect.mcs, true_db)
    if state.links is None:
        return link
    return state.links.instead_of(link, fixed.slice_of_ue, estimate_db, true_db, scenario.base_delay_s)


def _run(
    scenario: Scenario, state: State, gain_db: Tensor, off: Tensor | None, ratios: Tensor
) -> tuple[State, Kpis]:
    """Go through the substeps: measure, schedule, transmit, count."""
    fixed = Fixed.of(scenario, state.seed.device)
    serving = state.attachment.serving
    substep = torch.arange(scenario.substeps, device=state.seed.device)
    substep = substep + (state.step - 1).unsqueeze(-1) * scenario.substeps
    air = radio.Air(scenario, state, state.walkers, gain_db, serving, substep)
    arrivals = _arrivals(scenario, state, substep)
    work = queues.Work(state.queues, fixed.buffer_bit, scenario.substeps)
    tally = Tally(scenario, arrivals)
    group = serving * len(scenario.slices) + fixed.slice_of_ue
    symbols = scenario.symbol_rate_hz * scenario.substep_s
    memory = scenario.substep_s / FAIRNESS_WINDOW_S
    estimate_db, margin_db, load, mean_bps = state.sinr_db, state.margin_db, state.load, state.mean_bps
    reduced, whole, pause = _prbs(scenario, off, state.ratios, ratios)
    served_at_all = None if off is None else ~off.gather(1, serving)
    for k in range(scenario.substeps):
        true_db = air.advance(k, load)
        prospect = _prospect(scenario, state, estimate_db, margin_db)
        link = _link(scenario, state, prospect, estimate_db, true_db)
        reachable = prospect.reachable & (state.attachment.interrupted <= k)
        if served_at_all is not None:
            reachable = reachable & served_at_all
        per_prb = link.efficiency.to(torch.float64) * symbols
        waiting, dropped = work.arrive(arrivals[:, k])
        planned = (prospect.bit_per_re.to(torch.float64) * symbols).clamp_(min=_LEAST_RATE)
        need = torch.where(reachable, waiting / planned, 0.0)
        share = _share(scenario, need, group, ratios, reduced if k < pause else whole)
        prb = share_among_ues(
            need,
            torch.where(fixed.fair, planned / mean_bps, 1.0),
            _age(scenario, work, need),
            fixed.urgent.expand_as(group),
            group,
            share,
        )
        served = work.serve(prb * per_prb)
        # A queue that ran empty used only what it needed; any other used all it was given, in vain or not.
        used = torch.where(served.emptied, served.left_bit / per_prb.clamp(min=_LEAST_RATE), prb)
        tally.add(served, dropped, used, link.delay_s, waiting, per_prb / symbols, true_db)
        by_cell = torch.zeros_like(load, dtype=torch.float64).scatter_add_(-1, serving, used)
        load = (by_cell / scenario.prbs).to(torch.float32)
        margin_db = rate.outer_loop(margin_db, link.first_error, prb > 0, fixed.target_bler)
        mean_bps = mean_bps + memory * (served.left_bit / scenario.substep_s - mean_bps)
        mean_bps.clamp_(min=_LEAST_MEAN_BPS)
        estimate_db = true_db
    after, backlog_bit, waited = work.finish()
    fresh = replace(
        state,
        fading=air.fading,
        queues=after,
        load=load,
        sinr_db=estimate_db,
        margin_db=margin_db,
        mean_bps=mean_bps,
        ratios=ratios,
    )
    return fresh, measure(scenario, fresh, tally.counts(waited), tally.mean_sinr_db(), backlog_bit, whole)


def _age(scenario: Scenario, work: queues.Work, like: Tensor) -> Tensor:
    """Age of the oldest data of the UEs whose slice serves by deadline, 0 for the others: [envs, ues]."""
    counts = scenario.ue_counts()
    parts = [
        work.age(index) if item.scheduler == "earliest_deadline" else like.new_zeros(len(like), ues)
        for index, (item, ues) in enumerate(zip(scenario.slices, counts, strict=True))
    ]
    return torch.cat(parts, dim=-1)


def _share(scenario: Scenario, need: Tensor, group: Tensor, ratios: Tensor, prbs: Tensor) -> Tensor:
    """PRBs of each slice in each cell for its UEs' needs: [envs, cells x slices]."""
    shape = (scenario.cells, len(scenario.slices))
    totals = need.new_zeros(len(need), math.prod(shape))
    slice_need = totals.scatter_add(-1, group, need).reshape(-1, *shape)
    active = totals.scatter_add(-1, group, (need > 0).to(torch.float64)).reshape(-1, *shape)
    return share_among_slices(slice_need, active.clamp_(min=1e-6), ratios, prbs).flatten(-2)
