"""The radio: path loss, shadowing, fading, SINR, link adaptation and mobility obey physics."""

import math
from dataclasses import replace

import pytest
import torch

from tests.twin.network_cases import SMALL
from twin.network import layout, mobility, rate, shadowing, sinr
from twin.network.pathloss import line_of_sight_probability, path_loss_db
from twin.network.scenario import EMBB, MMTC, URLLC, Scenario

SEEDS = torch.arange(64)
METRES = torch.linspace(10, 3000, 300)


@pytest.mark.parametrize("model", ["uma", "umi"])
def test_path_loss_grows_with_distance_and_obstruction(model: str) -> None:
    scenario = SMALL.with_(propagation=model)
    seen, hidden = (path_loss_db(scenario, METRES, torch.full_like(METRES, value)) for value in (1.0, 0.0))
    between = path_loss_db(scenario, METRES, torch.full_like(METRES, 0.5))
    assert (seen.diff() > 0).all()
    assert (hidden.diff() > 0).all()
    assert (hidden >= seen).all()
    assert torch.allclose(between, (seen + hidden) / 2, atol=1e-3)


def test_path_loss_matches_the_model_worked_by_hand() -> None:
    """UMa, 3.5 GHz, 25 m site, 1.5 m UE, 100 m: d3D = 102.7 m, below the break point of 560 m."""
    distance = torch.tensor([100.0])
    log_d, log_f = math.log10(math.hypot(100, 23.5)), math.log10(3.5)
    seen = path_loss_db(SMALL, distance, torch.ones(1)).item()
    hidden = path_loss_db(SMALL, distance, torch.zeros(1)).item()
    assert seen == pytest.approx(28 + 22 * log_d + 20 * log_f, abs=1e-3)
    assert hidden == pytest.approx(13.54 + 39.08 * log_d + 20 * log_f, abs=1e-3)


def test_line_of_sight_is_sure_nearby_and_rare_far_away() -> None:
    chance = line_of_sight_probability(SMALL, METRES)
    assert chance[0] == 1
    assert (chance.diff() <= 0).all()
    assert chance[-1] < 0.02


def test_line_of_sight_occurs_as_often_as_the_model_says() -> None:
    scenario = SMALL.with_(ues=200)
    fields = shadowing.initial(scenario, SEEDS)
    distance = torch.full((64, scenario.cells, 200), 60.0)
    seen = shadowing.line_of_sight(scenario, fields, distance)
    expected = line_of_sight_probability(scenario, torch.tensor(60.0)).item()
    assert abs(seen.mean().item() - expected) < 0.02


def test_shadowing_decorrelates_with_distance_moved() -> None:
    scenario = SMALL.with_(ues=400)
    fields = shadowing.initial(scenario, SEEDS)
    correlations = []
    for moved in (0.0, 10.0, 50.0, 500.0):
        far = torch.zeros(64, scenario.cells, 400)
        after = shadowing.move(scenario, fields, torch.full((64, 400), moved), far, SEEDS, torch.ones_like(SEEDS))
        assert abs(after.var() - 1) < 0.03
        correlations.append(torch.corrcoef(torch.stack((fields.flatten(), after.flatten())))[0, 1].item())
    for measured, moved in zip(correlations, (0, 10, 50, 500), strict=True):
        assert measured == pytest.approx(math.exp(-moved / scenario.shadowing_correlation_m), abs=0.02)


def test_shadowing_of_two_cells_is_correlated_as_configured() -> None:
    scenario = SMALL.with_(ues=400, shadowing_site_correlation=0.5)
    fields = shadowing.initial(scenario, SEEDS)
    blocked = torch.zeros(64, scenario.cells, 400)
    shadow = shadowing.shadowing_db(scenario, fields, shadowing.deviation_db(scenario, blocked, blocked, None))
    pair = torch.stack((shadow[:, 0].flatten(), shadow[:, 1].flatten()))
    assert torch.corrcoef(pair)[0, 1].item() == pytest.approx(0.5, abs=0.03)
    assert shadow.std().item() == pytest.approx(6.0, rel=0.03)


def test_more_power_gives_more_sinr_and_more_neighbour_load_less() -> None:
    signal = torch.tensor([[1e-9]])
    others = torch.tensor([[[0.0], [1e-10]]])
    loads = [torch.tensor([[1.0, load]]) for load in (0.0, 0.3, 1.0)]
    noise = sinr.noise_per_prb_mw(SMALL)
    quiet = sinr.sinr_db(signal, sinr.interference_mw(others, loads[0]), noise)
    louder = sinr.sinr_db(2 * signal, sinr.interference_mw(others, loads[0]), noise)
    assert louder.item() == pytest.approx(quiet.item() + 10 * math.log10(2), abs=1e-4)
    under = [sinr.sinr_db(signal, sinr.interference_mw(others, load), noise).item() for load in loads]
    assert under[0] > under[1] > under[2]
    assert under[2] == pytest.approx(10 * math.log10(1e-9 / (1e-10 + noise)), abs=1e-3)
    powers = [sinr.transmit_per_prb_dbm(SMALL.with_(tx_power_dbm=power)) for power in (40.0, 43.0)]
    assert powers[1] - powers[0] == pytest.approx(3.0)


def test_block_errors_fall_with_sinr_and_rise_with_the_mcs() -> None:
    table = rate.RateTable.of(SMALL, torch.device("cpu"))
    level = torch.linspace(-20, 40, 601)
    mcs = torch.arange(28)
    bler = rate.block_error_rate(table, mcs.unsqueeze(-1), level)
    assert (bler.diff(dim=-1) <= 0).all()
    assert (bler.diff(dim=0) >= 0).all()
    at_threshold = rate.block_error_rate(table, mcs, table.threshold_db)
    assert torch.allclose(at_threshold, torch.full_like(at_threshold, 0.1), atol=1e-5)


def test_repetitions_fall_with_sinr_and_efficiency_rises() -> None:
    table = rate.RateTable.of(SMALL, torch.device("cpu"))
    level = torch.linspace(-20, 40, 601)
    link = rate.adapt(SMALL, table, torch.full((601,), 10), level)
    repetitions = (link.delay_s - SMALL.base_delay_s) / SMALL.harq_round_trip_s
    assert (repetitions.diff() <= 1e-6).all()
    assert (link.efficiency.diff() >= -1e-6).all()
    assert repetitions[0] == pytest.approx(SMALL.harq_transmissions - 1)
    assert repetitions[-1] == pytest.approx(0, abs=1e-5)
    assert link.efficiency[0] < 1e-3
    assert link.efficiency[-1] == pytest.approx(table.efficiency[10].item())


def test_combining_lets_a_block_through_that_fails_alone() -> None:
    once = rate.RateTable.of(SMALL.with_(harq_transmissions=1), torch.device("cpu"))
    often = rate.RateTable.of(SMALL, torch.device("cpu"))
    mcs = torch.tensor([10])
    weak = once.threshold_db[mcs] - 3.0
    assert rate.adapt(SMALL, once, mcs, weak).efficiency < 0.02
    assert rate.adapt(SMALL, often, mcs, weak).efficiency > 0.3 * often.efficiency[10]


def test_the_chosen_mcs_meets_the_target_on_a_true_estimate() -> None:
    table = rate.RateTable.of(SMALL, torch.device("cpu"))
    level = torch.linspace(table.threshold_db[0].item(), 40, 500)
    mcs = rate.select_mcs(table, level)
    assert (rate.block_error_rate(table, mcs, level) <= 0.1 + 1e-5).all()
    assert (mcs.diff() >= 0).all()
    assert rate.select_mcs(table, torch.tensor([-50.0])).item() == 0


def test_the_outer_loop_settles_where_the_target_is_met() -> None:
    """An estimate that is 4 dB too good must end in a margin of about 4 dB."""
    table = rate.RateTable.of(SMALL, torch.device("cpu"))
    margin, true, target = torch.zeros(1), torch.tensor([12.0]), torch.tensor([0.1])
    sent = torch.tensor([True])
    errors = []
    for _ in range(800):
        link = rate.adapt(SMALL, table, rate.select_mcs(table, true + 4.0 - margin), true)
        margin = rate.outer_loop(margin, link.first_error, sent, target)
        errors.append(link.first_error.item())
    assert sum(errors[400:]) / 400 == pytest.approx(0.1, abs=0.02)
    assert rate.outer_loop(margin, torch.ones(1), ~sent, target) == margin


def test_cqi_spans_its_range() -> None:
    table = rate.RateTable.of(SMALL, torch.device("cpu"))
    values = rate.cqi(table, torch.linspace(-20, 40, 100))
    assert (values.min(), values.max()) == (0, 15)
    assert (values.diff() >= 0).all()


def test_ues_live_more_often_where_their_slice_is_hot() -> None:
    scenario = Scenario(hot_ratio=5.0)
    homes = layout.home_cells(scenario, SEEDS)
    index = layout.slice_of_ue(scenario)
    share = torch.stack(
        [torch.stack([(homes[:, index == s] == c).double().mean(1) for c in range(6)], -1) for s in range(3)], 1
    )  # [envs, slices, cells]
    assert torch.allclose(share.sum(-1), torch.ones(64, 3, dtype=torch.float64))
    top_two = share.sort(dim=-1, descending=True).values[..., :2].sum(-1)
    assert top_two.mean().item() == pytest.approx(10 / 14, abs=0.05)
    even = layout.home_cells(scenario.with_(hot_ratio=1.0), SEEDS)
    assert (even == 0).double().mean().item() == pytest.approx(1 / 6, abs=0.02)


def test_walkers_keep_their_speed_and_stay_inside() -> None:
    fast = tuple(replace(item, speed_mps=(20.0, 40.0)) for item in (EMBB, URLLC, MMTC))
    scenario = SMALL.with_(slices=fast, roaming_share=0.5)
    seeds = torch.arange(8)
    walkers = mobility.start(scenario, seeds)
    low, high = layout.area(scenario)
    for number in range(1, 60):
        before = walkers.position_m
        walkers, moved = mobility.walk(scenario, walkers, seeds, torch.full_like(seeds, number))
        assert (walkers.position_m >= low).all()
        assert (walkers.position_m <= high).all()
        assert (moved <= walkers.speed_mps * scenario.step_s + 1e-4).all()
        gone = (walkers.position_m - before).norm(dim=-1)
        assert torch.allclose(gone, moved, atol=1e-3)
    assert moved.mean() > 1.5


def test_ues_that_stand_still_stay() -> None:
    still = tuple(replace(item, speed_mps=(0.0, 0.0)) for item in (EMBB, URLLC, MMTC))
    scenario = SMALL.with_(slices=still)
    walkers = mobility.start(scenario, SEEDS)
    after, moved = mobility.walk(scenario, walkers, SEEDS, torch.ones_like(SEEDS))
    assert torch.equal(after.position_m, walkers.position_m)
    assert (moved == 0).all()


def test_handover_needs_hysteresis_and_time() -> None:
    scenario = SMALL.with_(handover_hysteresis_db=3.0, handover_time_to_trigger_s=0.3)
    start = torch.tensor([[[0.0], [-5.0]]])
    attachment = mobility.attach(start)
    assert attachment.serving.item() == 0
    slightly_better = torch.tensor([[[0.0], [2.0]]])
    for _ in range(10):
        attachment = mobility.hand_over(scenario, attachment, slightly_better)
    assert attachment.serving.item() == 0
    much_better = torch.tensor([[[0.0], [6.0]]])
    served = []
    for _ in range(4):
        attachment = mobility.hand_over(scenario, attachment, much_better)
        served.append(attachment.serving.item())
    assert served == [0, 0, 1, 1]


def test_a_dip_restarts_the_time_to_trigger() -> None:
    scenario = SMALL.with_(handover_hysteresis_db=3.0, handover_time_to_trigger_s=0.2)
    attachment = mobility.attach(torch.tensor([[[0.0], [-5.0]]]))
    for other_db in (6.0, 0.0, 6.0):
        attachment = mobility.hand_over(scenario, attachment, torch.tensor([[[0.0], [other_db]]]))
    assert attachment.serving.item() == 0


def test_handover_interrupts_service_for_a_while() -> None:
    scenario = SMALL.with_(handover_time_to_trigger_s=0.0, handover_interruption_s=0.15)
    attachment = mobility.attach(torch.tensor([[[0.0], [-5.0]]]))
    left = []
    for _ in range(3):
        attachment = mobility.hand_over(scenario, attachment, torch.tensor([[[0.0], [9.0]]]))
        left.append(attachment.interrupted.item())
    assert left == [15, 5, 0]
