"""Mobility: how UEs move, each slice's in its own way, and handover to the strongest cell.

Waypoints: a UE walks to places drawn around its home. Highway: a car keeps its lane and speed, and where the area
ends it enters again at the other end, with the data that waits for it. Trace: a UE follows the path of the trace
from where it lives, folded back into the area at its borders. On a ray-traced site waypoints are outdoors, and who
meets a wall on the way turns to another one; cars and traces go their way whatever stands there.

Nothing here depends on the slices' PRBs, so that a seed gives the same paths whatever controls the network.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.network import layout
from twin.network.errors import ScenarioError
from twin.network.invariant import length
from twin.network.randomness import key, uniform
from twin.network.scenario import Scenario
from twin.network.site import Site

STREAM_ROAMS, STREAM_SPEED, STREAM_START, STREAM_WAYPOINT = 30, 31, 32, 33
HOME_RADIUS = 0.55
"""Radius of the disc around home, in inter-site distances: it covers the cell and a rim of its neighbours."""


@dataclass(frozen=True, slots=True)
class Walkers:
    """Where UEs are and where they go; positions in m [envs, ues, 2], float32."""

    position_m: Tensor
    waypoint_m: Tensor
    """Where the UE heads for: a waypoint, or the end of its lane. Of one that follows a trace: where it lives."""
    home: Tensor
    """Home cell, int64 [envs, ues]."""
    roams: Tensor
    """Whether the whole area is home, bool [envs, ues]."""
    speed_mps: Tensor
    """[envs, ues], float32."""


def start(scenario: Scenario, seed: Tensor) -> Walkers:
    """New UEs, each somewhere in its home or on its lane; int64 seed [envs]."""
    ranges = torch.tensor([item.speed_mps for item in scenario.slices], dtype=torch.float64, device=seed.device)
    low, high = ranges[layout.slice_of_ue(scenario).to(seed.device)].unbind(dim=-1)
    speed = low + (high - low) * uniform(key(seed, 0, STREAM_SPEED), scenario.ues)
    roams = uniform(key(seed, 0, STREAM_ROAMS), scenario.ues) < scenario.roaming_share
    home = layout.home_cells(scenario, seed)
    position = _place(scenario, home, roams, key(seed, 0, STREAM_START))
    waypoint = _place(scenario, home, roams, key(seed, 0, STREAM_WAYPOINT))
    drives = _moving_by(scenario, "highway", seed.device)
    if drives is not None:
        place, end = layout.lanes(scenario, seed)
        position, waypoint = torch.where(drives, place, position), torch.where(drives, end, waypoint)
    follows = _moving_by(scenario, "trace", seed.device)
    if follows is not None:
        waypoint = torch.where(follows, position, waypoint)
    return Walkers(position, waypoint, home, roams, speed.to(torch.float32))


def walk(
    scenario: Scenario, walkers: Walkers, seed: Tensor, step: Tensor, *, path_m: Tensor | None = None
) -> tuple[Walkers, Tensor]:
    """One step; int64 seed, step [envs] -> walkers, metres moved [envs, ues], infinite for a car that wrapped.

    `path_m` [envs, ues, 2] is how far a trace's path has led each UE from where it entered.
    """
    reach = walkers.speed_mps * scenario.step_s
    way = walkers.waypoint_m - walkers.position_m
    distance = length(way)
    arrived = distance <= reach
    moved = torch.minimum(reach, distance)
    position = walkers.position_m + way * (moved / distance.clamp(min=1e-6)).unsqueeze(-1)
    fresh = _place(scenario, walkers.home, walkers.roams, key(seed, step, STREAM_WAYPOINT))
    drives, follows = (_moving_by(scenario, name, seed.device) for name in ("highway", "trace"))
    steady = torch.zeros_like(arrived[0]).unsqueeze(-1)
    if drives is not None:
        steady = steady | drives
        leaves = arrived & drives.squeeze(-1)
        entry = layout.other_end(scenario, walkers.waypoint_m, reach - moved)
        position = torch.where(leaves.unsqueeze(-1), entry, position)
        moved = torch.where(leaves, torch.inf, moved)
    if follows is not None:
        steady = steady | follows
        if path_m is None:
            raise ScenarioError("scenario: a slice's mobility is trace; reset needs a trace with positions")
        there = layout.fold(scenario, walkers.waypoint_m + path_m)
        position = torch.where(follows, there, position)
        moved = torch.where(follows.squeeze(-1), length(position - walkers.position_m), moved)
    site = Site.of(scenario, seed.device)
    if site is not None:
        blocked = ~site.is_outdoors(position) & ~steady.squeeze(-1)
        position = torch.where(blocked.unsqueeze(-1), walkers.position_m, position)
        moved = torch.where(blocked, 0.0, moved)
        arrived = arrived | blocked
    waypoint = torch.where(arrived.unsqueeze(-1) & ~steady, fresh, walkers.waypoint_m)
    return Walkers(position, waypoint, walkers.home, walkers.roams, walkers.speed_mps), moved


def _moving_by(scenario: Scenario, kind: str, device: torch.device) -> Tensor | None:
    """Which UEs move in a way, bool [ues, 1]; None when none does."""
    chosen = [item.mobility == kind for item in scenario.slices]
    return torch.tensor(chosen)[layout.slice_of_ue(scenario)].to(device).unsqueeze(-1) if any(chosen) else None


def distances_m(scenario: Scenario, position_m: Tensor) -> Tensor:
    """Distance on the ground of each UE to each cell; [envs, ues, 2] -> [envs, cells, ues]."""
    cells = layout.cell_positions(scenario).to(position_m.device)
    apart = position_m.unsqueeze(1) - cells.view(1, -1, 1, 2)
    return length(apart)


@dataclass(frozen=True, slots=True)
class Attachment:
    """Which cell serves each UE; int64 [envs, ues]."""

    serving: Tensor
    better_for: Tensor
    """Steps for which another cell has been better by the hysteresis."""
    interrupted: Tensor
    """Substeps of handover interruption still to come."""


def attach(gain_db: Tensor) -> Attachment:
    """Attach new UEs to their strongest cell; gain [envs, cells, ues]."""
    serving = gain_db.argmax(dim=1)
    return Attachment(serving, torch.zeros_like(serving), torch.zeros_like(serving))


def hand_over(
    scenario: Scenario, attachment: Attachment, gain_db: Tensor, at_once: Tensor | None = None
) -> Attachment:
    """Hand over UEs whose strongest cell has been better by the hysteresis for the time to trigger (event A3).

    `at_once` [envs, ues] names those who do not wait: their cell went off, or they came in far from it.
    """
    best_db, best = gain_db.max(dim=1)
    serving_db = gain_db.gather(1, attachment.serving.unsqueeze(1)).squeeze(1)
    better = best_db > serving_db + scenario.handover_hysteresis_db
    better_for = torch.where(better, attachment.better_for + 1, 0)
    goes = better & (better_for * scenario.step_s >= scenario.handover_time_to_trigger_s)
    if at_once is not None:
        goes = goes | (at_once & (best != attachment.serving))
    pause = math.ceil(scenario.handover_interruption_s / scenario.substep_s - 1e-9)
    left = (attachment.interrupted - scenario.substeps).clamp(min=0)
    return Attachment(
        torch.where(goes, best, attachment.serving),
        torch.where(goes, 0, better_for),
        torch.where(goes, pause, left),
    )


def _place(scenario: Scenario, home: Tensor, roams: Tensor, keys: Tensor) -> Tensor:
    """A place in each UE's home disc, or in the whole area for those who roam; [envs, ues, 2], inside the area."""
    exact = uniform(keys, 2 * scenario.ues).reshape(-1, 2, scenario.ues)
    site = Site.of(scenario, home.device)
    if site is not None:
        return site.places(home, roams, exact)
    draws = exact.to(torch.float32)
    low, high = layout.area(scenario).to(home.device)
    radius = HOME_RADIUS * scenario.inter_site_distance_m * draws[:, 0].sqrt()
    angle = 2.0 * math.pi * draws[:, 1]
    disc = torch.stack((radius * angle.cos(), radius * angle.sin()), dim=-1)
    near_home = layout.cell_positions(scenario).to(home.device)[home] + disc
    anywhere = low + (high - low) * draws.transpose(1, 2)
    return torch.where(roams.unsqueeze(-1), anywhere, near_home).clamp(low, high)
