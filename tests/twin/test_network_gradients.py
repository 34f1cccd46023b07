"""Calibration: the SINR's derivatives by path loss offsets are right, and a network keeps its offsets."""

import pytest
import torch

from tests.twin.network_cases import EVERYTHING, SMALL, play, static
from twin.network import radio
from twin.network.network import reset, step
from twin.network.scenario import Scenario
from twin.network.state import State

CASES = [
    SMALL,
    SMALL.with_(subbands=5, load_factor=4.0),
    SMALL.with_(propagation="rma", load_factor=4.0),
    EVERYTHING,
]


def loaded(scenario: Scenario) -> State:
    state, _ = play(scenario, 6, seeds=(1, 2))
    return state


@pytest.mark.parametrize("scenario", CASES)
def test_gradients_match_finite_differences(scenario: Scenario) -> None:
    """One cell's offset by 0.2 dB either way; single precision leaves about 1e-3 dB per dB of noise."""
    state = loaded(scenario)
    offset = torch.linspace(-3, 3, 2 * scenario.cells).reshape(2, -1).requires_grad_()
    levels = radio.sinr_db(scenario, state, offset)
    weight = torch.linspace(0.5, 1.5, levels.numel()).reshape(levels.shape) / levels.numel()
    (levels * weight).sum().backward()
    assert offset.grad is not None
    assert (offset.grad != 0).all()
    for env in range(2):
        for cell in range(scenario.cells):
            nudge = torch.zeros_like(offset)
            nudge[env, cell] = 0.2
            with torch.no_grad():
                above, below = (radio.sinr_db(scenario, state, offset + sign * nudge) for sign in (1, -1))
            measured = ((above - below).double() * weight).sum().item() / 0.4
            assert offset.grad[env, cell].item() == pytest.approx(measured, abs=2e-4, rel=1e-2)


@pytest.mark.parametrize("scenario", CASES)
def test_an_offset_lowers_its_own_cells_ues_and_frees_the_others(scenario: Scenario) -> None:
    state = loaded(scenario)
    none = torch.zeros(2, scenario.cells)
    worse = none.clone()
    worse[:, 0] = 3.0
    change = radio.sinr_db(scenario, state, worse) - radio.sinr_db(scenario, state, none)
    own = state.attachment.serving == 0
    assert own.any()
    assert (change[own] <= 1e-3).all()
    assert (change[own] >= -3.01).all()
    assert (change[~own] >= -1e-3).all()


def test_in_a_lone_cell_a_dB_is_a_dB() -> None:
    lone = Scenario(cells=1, ues=20)
    state = loaded(lone)
    usual = (state.sinr_db < 50) & (state.sinr_db > -50)
    offset = torch.zeros(2, 1, requires_grad=True)
    radio.sinr_db(lone, state, offset)[usual].sum().backward()
    assert offset.grad is not None
    assert offset.grad.sum().item() == pytest.approx(-usual.sum().item(), rel=1e-4)


def test_the_differentiable_sinr_is_the_networks_own() -> None:
    """Recomputed from the state of a lone cell, where load does not count, it is the last SINR measured."""
    lone = Scenario(cells=1, ues=20)
    for scenario in (lone, lone.with_(subbands=4), lone.with_(propagation="umi", site_height_m=10.0)):
        state = loaded(scenario)
        again = radio.sinr_db(scenario, state, state.pathloss_offset_db)
        assert torch.allclose(again, state.sinr_db, atol=1e-3)


def test_a_network_keeps_the_offsets_it_is_given() -> None:
    offset = torch.tensor([[6.0]])
    lone = Scenario(cells=1, ues=20)
    plain, weaker = (reset(lone, torch.tensor([1, 2]), pathloss_offset_db=each) for each in (None, offset))
    for _ in range(3):
        plain, _ = step(lone, plain, static(lone, 2))
        weaker, _ = step(lone, weaker, static(lone, 2))
    usual = plain.sinr_db < 50
    assert torch.allclose((plain.sinr_db - weaker.sinr_db)[usual], torch.tensor(6.0), atol=1e-3)
