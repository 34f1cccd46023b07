"""Coverage maps: what UEs without fading would measure, place by place."""

import math

import numpy as np
import pytest
import torch

from tests.twin.network_cases import SMALL
from twin.network import layout, sinr
from twin.network.coverage import coverage
from twin.network.pathloss import line_of_sight_probability, path_loss_db
from twin.network.scenario import Scenario
from twin.site.site_map import open_map

MUNICH = Scenario().on_site("munich")


def test_the_strongest_cell_is_the_nearest_where_all_are_alike() -> None:
    found = coverage(SMALL, torch.full((3,), 0.5))
    west, east, south, north = found.extent_m
    rows, columns = found.server.shape
    x = west + (torch.arange(columns) + 0.5) * (east - west) / columns
    y = south + (torch.arange(rows) + 0.5) * (north - south) / rows
    place = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    apart = (place.unsqueeze(2) - layout.cell_positions(SMALL)).norm(dim=-1)
    nearest = apart.sort(dim=-1)
    clear = nearest.values[..., 1] - nearest.values[..., 0] > 1.0
    assert torch.equal(found.server[clear], nearest.indices[..., 0][clear])
    low, high = layout.area(SMALL)
    assert torch.allclose(torch.stack((x[0], y[0], x[-1], y[-1])), torch.cat((low, high)), atol=1e-3)


def test_a_lone_cell_has_the_link_budget_by_hand() -> None:
    """Signal over thermal noise in one PRB: -174 dBm/Hz + 10 log 360 kHz + 7 dB."""
    lone = Scenario(cells=1, ues=3)
    found = coverage(lone, torch.ones(1))
    corner = math.hypot(200.0, 200.0)
    distance = torch.tensor([corner])
    loss = path_loss_db(lone, distance, line_of_sight_probability(lone, distance)).item()
    noise_dbm = -174 + 10 * math.log10(360e3) + 7
    expected = 43 + 8 - 10 * math.log10(51) - loss - noise_dbm
    assert found.sinr_db[0, 0].item() == pytest.approx(expected, abs=0.01)


def test_load_lowers_the_sinr_and_only_of_others() -> None:
    idle, busy = (coverage(SMALL, torch.full((3,), share)) for share in (0.0, 1.0))
    assert (busy.sinr_db < idle.sinr_db).all()
    alone = coverage(SMALL, torch.tensor([1.0, 0.0, 0.0]))
    own = alone.server == 0
    assert torch.equal(alone.sinr_db[own], idle.sinr_db[own])
    assert (alone.sinr_db[~own] < idle.sinr_db[~own]).all()


def test_a_cell_that_is_off_serves_nobody_and_disturbs_nobody() -> None:
    off = torch.tensor([False, True, False])
    found = coverage(SMALL, torch.ones(3), off)
    assert not (found.server == 1).any()
    silent = coverage(SMALL, torch.tensor([1.0, 0.0, 1.0]), off)
    assert torch.allclose(found.sinr_db, silent.sinr_db, atol=1e-3)


def test_a_site_is_mapped_at_its_own_places() -> None:
    made, found = open_map("munich"), coverage(MUNICH, torch.zeros(6))
    assert found.outdoors is not None
    assert np.array_equal(found.outdoors.numpy(), made.outdoors)
    reached = np.fmax.reduce(made.gain_db, axis=0) > -made.no_path_loss_db
    assert np.array_equal(np.isfinite(found.sinr_db.numpy()), reached)
    best = np.fmax.reduce(made.gain_db, axis=0)[reached]
    noise_dbm = 10 * math.log10(sinr.noise_per_prb_mw(MUNICH))
    budget = np.clip(best + sinr.transmit_per_prb_dbm(MUNICH) - noise_dbm, -60, 60)
    assert found.sinr_db.numpy()[reached] == pytest.approx(budget, abs=0.01)
    west, east, south, north = found.extent_m
    assert (west, south) == pytest.approx((-302.5, -242.5))
    assert (east, north) == pytest.approx((302.5, 242.5))
