"""Propagation: TR 38.901's models as its tables say, walls, and Sionna's drops beside our own."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.twin.network_cases import SMALL, play
from twin.network import drops, mobility, penetration, shadowing
from twin.network.errors import ScenarioError
from twin.network.network import reset
from twin.network.pathloss import break_point_m, line_of_sight_probability, path_loss_db
from twin.network.scenario import EMBB, MMTC, URLLC, Scenario

SEEDS = torch.arange(32)
METRES = torch.linspace(10, 4000, 400)
SITES = {"uma": (25.0, 500.0), "umi": (10.0, 200.0), "rma": (35.0, 1732.0)}
MODELS = [
    SMALL.with_(
        propagation=name, site_height_m=height, inter_site_distance_m=apart, shadowing_site_correlation=0.0
    )
    for name, (height, apart) in SITES.items()
]


@pytest.mark.parametrize("scenario", MODELS, ids=list(SITES))
def test_path_loss_grows_with_distance_and_obstruction(scenario: Scenario) -> None:
    seen, hidden = (path_loss_db(scenario, METRES, torch.full_like(METRES, value)) for value in (1.0, 0.0))
    assert (seen.diff() > 0).all()
    assert (hidden.diff() > 0).all()
    assert (hidden >= seen).all()
    at_break = break_point_m(scenario) * torch.tensor([1 - 1e-5, 1 + 1e-5])
    assert path_loss_db(scenario, at_break, torch.ones(2)).diff().abs().item() < 0.1, (
        "continuous at the break point"
    )


def test_micro_cells_match_the_table_by_hand() -> None:
    """UMi, 3.5 GHz, 10 m site, 1.5 m UE, 80 m on the ground; break point 4 x 9 x 0.5 / 0.0857 m = 210 m."""
    umi = MODELS[1]
    log_d, log_f = math.log10(math.hypot(80, 8.5)), math.log10(3.5)
    distance = torch.tensor([80.0])
    assert break_point_m(umi) == pytest.approx(210, abs=1)
    assert path_loss_db(umi, distance, torch.ones(1)).item() == pytest.approx(
        32.4 + 21 * log_d + 20 * log_f, abs=1e-3
    )
    assert path_loss_db(umi, distance, torch.zeros(1)).item() == pytest.approx(
        22.4 + 35.3 * log_d + 21.3 * log_f, abs=1e-3
    )


def test_rural_cells_match_the_table_by_hand() -> None:
    """RMa, 0.7 GHz, 35 m site, 1.5 m UE, 1 km, streets 20 m wide, buildings 5 m high."""
    rma = MODELS[2].with_(carrier_hz=0.7e9)
    d = math.hypot(1000, 33.5)
    seen = 20 * math.log10(40 * math.pi * d * 0.7 / 3) + min(0.03 * 5**1.72, 10) * math.log10(d)
    seen += -min(0.044 * 5**1.72, 14.77) + 0.002 * math.log10(5) * d
    assert break_point_m(rma) == pytest.approx(2 * math.pi * 35 * 1.5 * 0.7e9 / 299_792_458)
    beyond = 20 * math.log10(40 * math.pi * 0.7 / 3) - min(0.044 * 5**1.72, 14.77)
    at_break = math.hypot(break_point_m(rma), 33.5)
    beyond += (20 + min(0.03 * 5**1.72, 10)) * math.log10(at_break) + 0.002 * math.log10(5) * at_break
    beyond += 40 * math.log10(d / at_break)
    hidden = 161.04 - 7.1 * math.log10(20) + 7.5 * math.log10(5) - (24.37 - 3.7 * (5 / 35) ** 2) * math.log10(35)
    hidden += (43.42 - 3.1 * math.log10(35)) * (math.log10(d) - 3) + 20 * math.log10(0.7)
    hidden -= 3.2 * math.log10(11.75 * 1.5) ** 2 - 4.97
    distance = torch.tensor([1000.0])
    expected = seen if break_point_m(rma) > 1000 else beyond
    assert path_loss_db(rma, distance, torch.ones(1)).item() == pytest.approx(expected, abs=2e-3)
    assert path_loss_db(rma, distance, torch.zeros(1)).item() == pytest.approx(max(hidden, expected), abs=2e-3)


@pytest.mark.parametrize("scenario", MODELS, ids=list(SITES))
def test_line_of_sight_is_all_or_nothing_and_as_often_as_the_model_says(scenario: Scenario) -> None:
    fields = shadowing.initial(scenario.with_(ues=300), SEEDS)
    for metres in (15.0, 60.0, 300.0):
        distance = torch.full((32, 3, 300), metres)
        seen = shadowing.line_of_sight(scenario.with_(ues=300), fields, distance)
        assert ((seen == 0) | (seen == 1)).all()
        expected = line_of_sight_probability(scenario, torch.tensor(metres)).item()
        assert seen.mean().item() == pytest.approx(expected, abs=0.012)


def test_high_ues_see_macro_sites_more_often() -> None:
    low, high = (line_of_sight_probability(MODELS[0].with_(ue_height_m=h), METRES) for h in (1.5, 22.0))
    assert (high >= low).all()
    assert (high <= 1).all()
    assert high[40] > 1.1 * low[40]


@pytest.mark.parametrize("scenario", MODELS, ids=list(SITES))
def test_shadowing_has_the_tables_deviation(scenario: Scenario) -> None:
    wide = scenario.with_(ues=300)
    fields = shadowing.initial(wide, SEEDS)
    name = scenario.propagation
    near = torch.full((32, 3, 300), 50.0)
    for seen, expected in zip((1.0, 0.0), shadowing.SHADOWING_DB[name], strict=True):
        deviation = shadowing.deviation_db(wide, torch.full_like(near, seen), near, None)
        assert shadowing.shadowing_db(wide, fields, deviation).std().item() == pytest.approx(expected, rel=0.03)
    inside = shadowing.deviation_db(wide, torch.zeros_like(near), near, torch.ones(32, 300))
    assert (inside == shadowing.INDOOR_DB[name]).all()


def test_shadowing_in_sight_decorrelates_sooner() -> None:
    wide = MODELS[0].with_(ues=300)
    fields = shadowing.initial(wide, SEEDS)
    moved = torch.full((32, 300), 20.0)
    for metres, decorrelation in ((1.0, 37.0), (1e5, 50.0)):
        after = shadowing.move(
            wide, fields, moved, torch.full((32, 3, 300), metres), SEEDS, torch.ones_like(SEEDS)
        )
        pair = torch.stack((fields[:, 3:6].flatten(), after[:, 3:6].flatten()))
        assert torch.corrcoef(pair)[0, 1].item() == pytest.approx(math.exp(-20 / decorrelation), abs=0.015)
        assert after.var().item() == pytest.approx(1.0, abs=0.03)


def test_walls_cost_what_the_tables_say() -> None:
    """3.5 GHz: glass 2.7 dB, coated glass 24.05 dB, concrete 19 dB."""
    low = 5 - 10 * math.log10(0.3 * 10**-0.27 + 0.7 * 10**-1.9)
    high = 5 - 10 * math.log10(0.7 * 10**-2.405 + 0.3 * 10**-1.9)
    assert penetration.wall_loss_db(SMALL) == pytest.approx(low)
    assert penetration.wall_loss_db(SMALL.with_(penetration="high")) == pytest.approx(high)
    slices = (replace(EMBB, indoor_share=0.8), replace(URLLC, indoor_share=1.0), MMTC)
    scenario = SMALL.with_(ues=400, slices=slices)
    drawn = penetration.draw(scenario, SEEDS)
    assert drawn is not None
    counts = scenario.ue_counts()
    embb, urllc, mmtc = drawn.inside.split(counts, dim=-1)
    assert embb.mean().item() == pytest.approx(0.8, abs=0.02)
    assert (urllc == 1).all()
    assert (mmtc == 0).all()
    assert (drawn.loss_db[drawn.inside == 0] == 0).all()
    inside = drawn.loss_db[drawn.inside == 1]
    assert inside.mean().item() == pytest.approx(low + 0.5 * 25 / 3, abs=0.25)
    assert inside.std().item() == pytest.approx(math.hypot(4.4, 0.5 * 25 / math.sqrt(18)), rel=0.05)
    assert penetration.draw(SMALL, SEEDS) is None


def test_walls_lower_the_sinr_of_those_inside_only() -> None:
    """In a lone, noise-limited cell."""
    base = Scenario(cells=1, ues=60, slices=(replace(EMBB, speed_mps=(0.0, 0.0)),), tx_power_dbm=10.0)
    mixed = base.with_(slices=(replace(base.slices[0], indoor_share=0.5),))
    state, out = play(base, 1)[0], play(mixed, 1)[0]
    assert out.indoors is not None
    inside = out.indoors.inside == 1
    assert torch.equal(state.sinr_db[~inside], out.sinr_db[~inside])
    assert (state.sinr_db[inside] > out.sinr_db[inside]).double().mean() > 0.95


def test_sionnas_drops_need_a_model_of_the_standard() -> None:
    with pytest.raises(ScenarioError, match="drop is sionna"):
        SMALL.with_(drop="sionna")
    with pytest.raises(ScenarioError, match="shadowing_site_correlation"):
        SMALL.with_(drop="sionna", propagation="uma")


@pytest.mark.slow
@pytest.mark.parametrize("scenario", MODELS, ids=list(SITES))
def test_our_formulas_agree_with_sionna(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Path loss link by link; line of sight, shadowing and coupling loss in distribution, in the same places."""
    pytest.importorskip("sionna.phy")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    wide, seeds = scenario.with_(cells=7, ues=400), torch.arange(6)
    walkers = mobility.start(wide, seeds)
    drawn = [drops.load(wide, int(seed), place) for seed, place in zip(seeds, walkers.position_m, strict=True)]
    distance = mobility.distances_m(wide, walkers.position_m)
    seen, shadow, loss = (
        torch.from_numpy(np.stack([getattr(drop, name) for drop in drawn])).to(torch.float32)
        for name in ("line_of_sight", "shadowing_db", "path_loss_db")
    )
    far = distance > 10
    assert (path_loss_db(wide, distance, seen) - loss)[far].abs().max() < 0.01
    fields = shadowing.initial(wide, seeds)
    own_seen = shadowing.line_of_sight(wide, fields, distance)
    assert seen.mean().item() == pytest.approx(own_seen.mean().item(), abs=0.01)
    deviation = shadowing.deviation_db(wide, own_seen, distance, None)
    ours = path_loss_db(wide, distance, own_seen) + shadowing.shadowing_db(wide, fields, deviation)
    # Coupling loss to the best cell, which decides what a UE gets.
    chances = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95])
    best, best_own = (loss + shadow).amin(dim=1).flatten(), ours.amin(dim=1).flatten()
    difference = torch.quantile(best, chances) - torch.quantile(best_own, chances)
    assert difference.abs().max() < 1.5
    assert difference.abs().mean() < 1.0
    again = drops.sionna_fields(wide, seeds, walkers.position_m)
    assert torch.equal(shadowing.line_of_sight(wide, again, distance), seen), "the fields hold what Sionna decided"
    back = shadowing.shadowing_db(wide, again, shadowing.deviation_db(wide, seen, distance, None))
    assert torch.allclose(back, shadow, atol=1e-4)
    sight = again[:, :7]
    assert sight.mean().abs().item() < 0.02
    assert sight.std().item() == pytest.approx(1.0, abs=0.03)


@pytest.mark.slow
def test_a_drop_is_made_once_and_is_the_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sionna.phy")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    scenario = MODELS[0].with_(drop="sionna")
    first = reset(scenario, torch.tensor([4, 5]))
    kept = sorted(drops.cache_folder().iterdir())
    assert len(kept) == 2
    monkeypatch.setattr(drops, "make", None)
    again = reset(scenario, torch.tensor([5]))
    assert torch.equal(again.shadow[0], first.shadow[1])
    assert not torch.equal(first.shadow[0], first.shadow[1])
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept[0].write_bytes(b"not a drop")
    kept[1].write_bytes(kept[1].read_bytes()[:-30])
    torch.rand(3)  # what others draw in between does not matter
    repaired = reset(scenario, torch.tensor([4, 5]))
    assert torch.equal(repaired.shadow, first.shadow)
