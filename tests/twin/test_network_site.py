"""The network twin on a ray-traced site: the map's gains, places and walls, whatever the batch."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.twin.network_cases import EVERYTHING, play, static
from tests.twin.site.site_cases import small_map
from twin.network import layout, mobility, radio
from twin.network.errors import ScenarioError
from twin.network.network import State, merge, reset, step
from twin.network.scenario import EMBB, MMTC, URLLC, Outage, Scenario
from twin.network.site import Site
from twin.site.site_map import SiteMap, open_map

CPU = torch.device("cpu")
MUNICH = Scenario(ues=60).on_site("munich")


@pytest.fixture
def small(tmp_path: Path) -> tuple[Scenario, SiteMap]:
    path = tmp_path / "small.npz"
    made = small_map()
    made.save(path)
    return Scenario(ues=30).on_site(str(path)), made


def site_of(scenario: Scenario) -> Site:
    site = Site.of(scenario, CPU)
    assert site is not None
    return site


def grid_m(made: SiteMap) -> Tensor:
    """All places of a map: [1, places, 2]."""
    rows, columns = np.indices(made.outdoors.shape)
    place = np.stack((columns, rows), axis=-1).reshape(-1, 2) * made.spacing_m + made.origin_m
    return torch.from_numpy(place).to(torch.float32).unsqueeze(0)


def test_a_site_sets_cells_carrier_and_area(small: tuple[Scenario, SiteMap]) -> None:
    scenario, made = small
    assert scenario.cells == 2
    assert scenario.carrier_hz == made.carrier_hz
    assert layout.cell_positions(scenario).tolist() == made.position_m[:, :2].tolist()
    assert layout.area(scenario).flatten().tolist() == list(made.area_m)
    assert Scenario.from_json(scenario.to_json()) == scenario


def test_what_does_not_fit_the_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cells is 5; on site munich it must be 6"):
        MUNICH.with_(cells=5)
    with pytest.raises(ScenarioError, match=r"carrier_hz is .*; on site munich it must be "):
        MUNICH.with_(carrier_hz=28e9)
    with pytest.raises(ScenarioError, match="drop is sionna; on site munich it must be own"):
        MUNICH.with_(drop="sionna", propagation="uma", shadowing_site_correlation=0.0)
    with pytest.raises(ScenarioError, match=r"site: .*missing\.npz: no such file; the shipped sites are .*munich"):
        Scenario(site=str(tmp_path / "missing.npz"))
    (tmp_path / "bad.npz").write_bytes(b"PK but no archive")
    with pytest.raises(ScenarioError, match=r"bad\.npz: not a site map .*ranloop twin site"):
        Scenario().on_site(str(tmp_path / "bad.npz"))


def test_the_lookup_is_exact_on_the_grid(small: tuple[Scenario, SiteMap]) -> None:
    scenario, made = small
    gain = site_of(scenario).gain_at(grid_m(made))[0]
    assert torch.equal(gain, torch.from_numpy(made.loss_floor_gain_db()).flatten(1))
    assert (gain[:, 0] == -made.no_path_loss_db).all(), "the stated loss where there is no path"


def test_the_lookup_is_bilinear_between_and_stays_at_the_rim(small: tuple[Scenario, SiteMap]) -> None:
    scenario, made = small
    site, corner = site_of(scenario), made.loss_floor_gain_db()[:, 4:6, 6:8].astype(np.float64)
    share = np.random.default_rng(1).random((200, 2))
    place = (share + np.array([6, 4])) * made.spacing_m + made.origin_m
    got = site.gain_at(torch.from_numpy(place).to(torch.float32).unsqueeze(0))[0].numpy()
    x, y = share.T
    weights = np.stack(((1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x))
    assert got == pytest.approx(corner.reshape(2, 4) @ weights, abs=2e-4)
    outside = torch.tensor([[[-1e3, 25.0], [1e3, 25.0]]])
    assert torch.equal(site.gain_at(outside), site.gain_at(torch.tensor([[[-30.0, 25.0], [50.0, 25.0]]])))


def test_the_gain_of_a_link_is_the_maps_and_what_the_scenario_adds(small: tuple[Scenario, SiteMap]) -> None:
    scenario, _ = small
    slices = (replace(EMBB, extra_loss_db=7.0, indoor_share=0.5), URLLC, replace(MMTC, extra_loss_db=0.0))
    scenario = scenario.with_(slices=slices)
    state = reset(scenario, torch.tensor([4]), pathloss_offset_db=torch.tensor([[0.0, 2.0]]))
    assert state.shadow is None
    assert state.indoors is not None
    gain = radio.gain_db(scenario, state.walkers, None, state.indoors, state.pathloss_offset_db, None)
    plain = site_of(scenario).gain_at(state.walkers.position_m)
    extra = torch.zeros(scenario.ues)
    extra[: scenario.ue_counts()[0]] = 7.0
    expected = plain - extra - state.indoors.loss_db - torch.tensor([0.0, 2.0]).view(2, 1)
    assert torch.allclose(gain, expected, atol=1e-4)
    assert torch.equal(state.attachment.serving, gain.argmax(dim=1))


def test_users_live_outdoors_where_their_cell_is_strong_and_where_someone_reaches_them() -> None:
    scenario = MUNICH.with_(ues=3000, roaming_share=0.3)
    site, walkers = site_of(scenario), mobility.start(scenario, torch.arange(2))
    assert site.is_outdoors(walkers.position_m).double().mean() > 0.9999
    low, high = layout.area(scenario)
    assert ((walkers.position_m >= low) & (walkers.position_m <= high)).all()
    gain = site.gain_at(walkers.position_m)
    own = gain.gather(1, walkers.home.unsqueeze(1)).squeeze(1)
    near = own >= gain.amax(dim=1) - 6.0
    assert near[~walkers.roams].double().mean() > 0.95, "but for what lies between the grid's points"
    assert near[walkers.roams].double().mean() < 0.6
    unreached = np.isnan(open_map("munich").gain_db).all(axis=0)
    point = ((walkers.position_m - low) / site.spacing_m).round().to(torch.int64)
    assert not unreached[point[..., 1].numpy(), point[..., 0].numpy()].any()
    share = torch.nn.functional.one_hot(walkers.home, 6).double().mean(dim=(0, 1))
    assert (share > 0.05).all()


def test_places_are_spread_evenly_over_the_squares_around_their_points(small: tuple[Scenario, SiteMap]) -> None:
    scenario, made = small
    everywhere = scenario.with_(ues=40_000, roaming_share=1.0)
    place = mobility.start(everywhere, torch.tensor([1])).position_m[0]
    shift = (place - torch.tensor(made.origin_m)) / made.spacing_m
    off = shift - shift.round()
    inner = ((shift > 0.5) & (shift < torch.tensor([7.5, 5.5]))).all(dim=-1)
    assert off[inner].mean(dim=0).abs().max() < 0.01
    assert off[inner].var(dim=0) == pytest.approx([1 / 12, 1 / 12], rel=0.03)
    assert torch.corrcoef(off[inner].T)[0, 1].abs() < 0.02
    index = shift.round().to(torch.int64)
    count = torch.bincount(index[:, 1] * 9 + index[:, 0], minlength=63).reshape(7, 9).numpy()
    free = made.outdoors & ~np.isnan(made.gain_db).all(axis=0)
    assert (count[~free] == 0).all()
    assert count[free].std() / count[free].mean() < 0.06


def test_walkers_keep_to_the_streets_and_never_stop_for_good() -> None:
    slices = tuple(replace(item, speed_mps=(5.0, 15.0)) for item in (EMBB, URLLC, MMTC))
    scenario = MUNICH.with_(slices=slices)
    site, seed = site_of(scenario), torch.tensor([5, 6])
    walkers = start = mobility.start(scenario, seed)
    moved = torch.zeros(2, scenario.ues)
    for number in range(1, 300):
        walkers, by = mobility.walk(scenario, walkers, seed, torch.full_like(seed, number))
        assert (by <= walkers.speed_mps * scenario.step_s + 1e-4).all()
        moved += by
        assert site.is_outdoors(walkers.position_m).double().mean() > 0.999
    assert (moved > 0).all()
    assert moved.median() > 0.5 * (start.speed_mps * 30.0).median()


def test_cars_and_outages_work_on_a_site() -> None:
    slices = (replace(EMBB, mobility="highway", speed_mps=(20.0, 40.0)), URLLC, MMTC)
    scenario = MUNICH.with_(slices=slices, outages=(Outage(cell=2, start_s=0.2, end_s=0.5),))
    _, kpis = play(scenario, 8)
    low, high = layout.area(scenario)
    for number, measured in enumerate(kpis):
        place = measured.ue.position_m
        assert ((place >= low) & (place <= high)).all()
        assert bool((measured.ue.serving_cell == 2).any()) == (number not in (2, 3, 4))
    middle = 0.5 * (low[1] + high[1])
    cars = scenario.ue_counts()[0]
    assert (kpis[-1].ue.position_m[:, :cars, 1] - middle).abs().max() <= 2.5 * scenario.lane_width_m


def test_everything_at_once_is_the_same_whatever_the_batch(small: tuple[Scenario, SiteMap]) -> None:
    changes = {field.name: getattr(EVERYTHING, field.name) for field in fields(Scenario)}
    del changes["cells"], changes["carrier_hz"], changes["site"]
    scenario = small[0].with_(**changes)
    seeds = torch.tensor([3, 1, 4, 1, 5])
    many, alone = reset(scenario, seeds), reset(scenario, seeds[2:3])
    for _ in range(6):
        many, _ = step(scenario, many, static(scenario, 5))
        alone, kpis = step(scenario, alone, static(scenario, 1))
    assert torch.equal(many.walkers.position_m[2], alone.walkers.position_m[0])
    assert torch.equal(many.sinr_db[2], alone.sinr_db[0])
    assert torch.equal(many.queues.age_mass[2], alone.queues.age_mass[0])
    assert torch.equal(many.sinr_db[1], many.sinr_db[3]), "equal seeds are equal networks"
    assert torch.isfinite(kpis.ue.sinr_db).all()


def test_some_networks_of_a_batch_restart_on_a_site() -> None:
    state, _ = play(MUNICH, 2, seeds=(1, 2))
    fresh = reset(MUNICH, torch.tensor([7, 8]))
    mixed: State = merge(torch.tensor([True, False]), fresh, state)
    assert mixed.shadow is None
    assert torch.equal(mixed.walkers.position_m[0], fresh.walkers.position_m[0])
    assert torch.equal(mixed.walkers.position_m[1], state.walkers.position_m[1])
    step(MUNICH, mixed, static(MUNICH, 2))


def test_a_state_of_a_site_is_refused_elsewhere() -> None:
    state = reset(MUNICH, torch.tensor([1]))
    with pytest.raises(ValueError, match="made on a site"):
        step(MUNICH.with_(site=None), state, static(MUNICH, 1))


def test_calibration_has_its_gradient_on_a_site() -> None:
    state, _ = play(MUNICH, 3)
    offset = torch.zeros(2, 6, requires_grad=True)
    radio.sinr_db(MUNICH, state, offset).mean().backward()  # type: ignore[no-untyped-call]
    assert offset.grad is not None
    assert torch.isfinite(offset.grad).all()
    assert offset.grad.abs().max() > 1e-3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_walks_the_same_streets() -> None:
    states = []
    for device in ("cpu", "cuda"):
        state = reset(MUNICH, torch.tensor([1, 2], device=device))
        for _ in range(3):
            state, _ = step(MUNICH, state, static(MUNICH, 2).to(device))
        states.append(state)
    assert torch.allclose(states[0].walkers.position_m, states[1].walkers.position_m.cpu(), atol=1e-3)
