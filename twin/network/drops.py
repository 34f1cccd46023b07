"""Drops by Sionna: line of sight and shadowing of new networks from its TR 38.901 models, once per episode.

What Sionna draws for the UEs' first places becomes the fields of `twin.network.shadowing`, which then change as
the UEs move, like our own. Making a drop takes about a second, so it is kept in a file named after the scenario's
radio, the UEs' places and the seed, below $XDG_CACHE_HOME/ranloop/drops (or ~/.cache/ranloop/drops).
"""

import hashlib
import json
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from twin.network import layout
from twin.network.mobility import distances_m
from twin.network.pathloss import line_of_sight_probability
from twin.network.randomness import key, normal, uniform
from twin.network.scenario import Scenario
from twin.network.shadowing import deviation_db

STREAM_DROP, STREAM_CHANCE, STREAM_COMMON = 80, 81, 82
_SPECIFICATION = "16.1"
_RADIO = ("propagation", "carrier_hz", "site_height_m", "ue_height_m", "inter_site_distance_m", "cells", "ues")


@dataclass(frozen=True, slots=True, eq=False)
class Drop:
    """What Sionna drew for one network; [cells, ues] each."""

    line_of_sight: np.ndarray
    """bool."""
    shadowing_db: np.ndarray
    """Loss on top of the path loss, float32."""
    path_loss_db: np.ndarray
    """Without shadowing and walls, float32."""


def cache_folder() -> Path:
    """Where drops are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ranloop" / "drops"


def sionna_fields(scenario: Scenario, seed: Tensor, position_m: Tensor) -> Tensor:
    """The fields of new UEs as `shadowing.initial` gives them, by Sionna; seed [envs], places [envs, ues, 2]."""
    drops = [load(scenario, int(one), place) for one, place in zip(seed.tolist(), position_m.cpu(), strict=True)]
    seen, shadow_db = (
        torch.from_numpy(np.stack([getattr(drop, name) for drop in drops])).to(seed.device)
        for name in ("line_of_sight", "shadowing_db")
    )
    distance_m = distances_m(scenario, position_m)
    chance = line_of_sight_probability(scenario, distance_m).to(torch.float64)
    # A field whose place in its distribution says what Sionna decided, and is otherwise random.
    links = scenario.cells * scenario.ues
    inside = uniform(key(seed, 0, STREAM_CHANCE), links).reshape(chance.shape).clamp(1e-3, 1.0 - 1e-3)
    hidden = torch.where(seen, chance * inside, chance + (1.0 - chance) * inside)
    sight = torch.special.ndtri(hidden.clamp(1e-9, 1.0 - 1e-9)).to(torch.float32)
    own = shadow_db / deviation_db(scenario, seen.to(torch.float32), distance_m, None)
    common = normal(key(seed, 0, STREAM_COMMON), scenario.ues).unsqueeze(1)
    return torch.cat((sight, own, common), dim=1)


def load(scenario: Scenario, seed: int, position_m: Tensor) -> Drop:
    """The drop of one network, from the cache or else made and put there; places [ues, 2] in m."""
    radio = {name: getattr(scenario, name) for name in _RADIO}
    digest = hashlib.sha256(json.dumps([_SPECIFICATION, radio]).encode())
    digest.update(position_m.to(torch.float32).contiguous().numpy().tobytes())
    path = cache_folder() / f"{digest.hexdigest()[:24]}_{seed}.npz"
    try:
        with path.open("rb") as source, np.load(source) as kept:
            return Drop(kept["line_of_sight"], kept["shadowing_db"], kept["path_loss_db"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error):
        drop = make(scenario, seed, position_m)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and then renamed, so that another process never reads half a file.
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    with draft.open("wb") as file:
        np.savez_compressed(
            file,
            line_of_sight=drop.line_of_sight,
            shadowing_db=drop.shadowing_db,
            path_loss_db=drop.path_loss_db,
        )
    draft.replace(path)
    return drop


def make(scenario: Scenario, seed: int, position_m: Tensor) -> Drop:
    """Let Sionna draw line of sight and shadowing for UEs outdoors at places [ues, 2] in m, in about a second."""
    from sionna.phy import config
    from sionna.phy.channel.tr38901.lsp import LSPGenerator

    place = position_m.to(torch.float32)
    generator: torch.Generator = config.torch_rng("cpu")
    before = generator.get_state()
    try:
        generator.manual_seed(int(key(torch.tensor(seed), 0, STREAM_DROP)) & (2**63 - 1))
        model = _model(scenario)
        model.set_topology(
            ut_loc=_lift(place, scenario.ue_height_m),
            bs_loc=_lift(layout.cell_positions(scenario), scenario.site_height_m),
            ut_orientations=torch.zeros(1, len(place), 3),
            bs_orientations=torch.zeros(1, scenario.cells, 3),
            ut_velocities=torch.zeros(1, len(place), 3),
            in_state=torch.zeros(1, len(place), dtype=torch.bool),
        )
        parameters = LSPGenerator(model)
        parameters.topology_updated_callback()
        gain = parameters().sf[0]
    finally:
        generator.set_state(before)
    seen: np.ndarray = model.los[0].numpy()
    loss: np.ndarray = model.basic_pathloss[0].numpy().astype(np.float32)
    return Drop(seen, (-10.0 * torch.log10(gain)).numpy().astype(np.float32), loss)


def _lift(place_m: Tensor, height_m: float) -> Tensor:
    return torch.cat((place_m, torch.full_like(place_m[:, :1], height_m)), dim=-1).unsqueeze(0)


def _model(scenario: Scenario) -> Any:
    from sionna.phy.channel.tr38901 import Antenna
    from sionna.phy.channel.tr38901.rma_scenario import RMaScenario
    from sionna.phy.channel.tr38901.uma_scenario import UMaScenario
    from sionna.phy.channel.tr38901.umi_scenario import UMiScenario

    antenna = Antenna("single", "V", "omni", scenario.carrier_hz, device="cpu")
    common = {"direction": "downlink", "spec_version": _SPECIFICATION, "device": "cpu", "precision": "single"}
    if scenario.propagation == "rma":
        return RMaScenario(scenario.carrier_hz, antenna, antenna, **common)
    kind = UMaScenario if scenario.propagation == "uma" else UMiScenario
    return kind(scenario.carrier_hz, "low", antenna, antenna, **common)
