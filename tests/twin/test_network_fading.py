"""Fading: its law, its correlation over time and frequency, and the effective SINR over subbands."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.twin.network_cases import SMALL
from twin.network import fading, sinr
from twin.network.fading import Fading
from twin.network.scenario import Scenario

SEEDS = torch.arange(64)
MANY = SMALL.with_(ues=200, scatterer_speed_mps=0.0)


def advanced(scenario: Scenario, speed_mps: float, substeps: int) -> list[list[torch.Tensor]]:
    """Power gains of each subband before and after each substep."""
    state = fading.initial(scenario, SEEDS)
    kept = fading.correlation(scenario, torch.full((64, scenario.ues), speed_mps))
    model = Fading(scenario, state, kept, SEEDS, torch.arange(substeps).expand(64, -1))
    history = [model.gains()]
    for k in range(substeps):
        model.advance(k)
        history.append([gain.clone() for gain in model.gains()])
    return history


def correlated(one: torch.Tensor, other: torch.Tensor) -> float:
    return torch.corrcoef(torch.stack((one.flatten(), other.flatten())))[0, 1].item()


@pytest.mark.parametrize("speed_mps", [0.3, 1.0, 2.0, 20.0])
def test_the_channel_is_correlated_as_clarke_says(speed_mps: float) -> None:
    kept = fading.correlation(MANY, torch.full((16, 200), speed_mps))
    wave_number = 2 * math.pi * MANY.carrier_hz / 299_792_458
    expected = torch.special.bessel_j0(torch.tensor(wave_number * speed_mps * MANY.substep_s)).item()
    assert torch.allclose(kept, torch.full_like(kept, expected), atol=1e-5)


@pytest.mark.parametrize("subbands", [1, 3])
@pytest.mark.parametrize("branches", [1, 4, 9])
@pytest.mark.parametrize("speed_mps", [0.3, 1.0, 20.0])
def test_powers_keep_their_law_and_are_correlated_as_their_taps_are(
    subbands: int, branches: int, speed_mps: float
) -> None:
    """The power of complex Gaussians of correlation k has correlation k^2, mean one and variance 1 / branches."""
    scenario = MANY.with_(subbands=subbands, fading_branches=branches)
    history = advanced(scenario, speed_mps, 12)
    kept = fading.correlation(scenario, torch.tensor([[speed_mps]])).item()
    for band in range(subbands):
        before, after = history[-2][band], history[-1][band]
        assert after.mean().item() == pytest.approx(1.0, abs=0.03)
        assert after.var().item() == pytest.approx(1.0 / branches, rel=0.08)
        assert correlated(before, after) == pytest.approx(kept**2, abs=0.03)
        two_apart = correlated(history[-3][band], after)
        assert two_apart == pytest.approx(kept**4, abs=0.03), "a first-order autoregression"


@pytest.mark.parametrize("subbands", [1, 2])
def test_one_branch_is_rayleigh(subbands: int) -> None:
    gains = advanced(MANY.with_(subbands=subbands, fading_branches=1), 1.0, 8)[-1][-1]
    for level in (0.01, 0.1, 1.0, 3.0):
        assert (gains < level).double().mean().item() == pytest.approx(1 - math.exp(-level), abs=0.012)


@pytest.mark.parametrize("delay_spread_s", [0.0, 30e-9, 100e-9, 3e-6])
def test_subbands_are_as_alike_as_the_delay_spread_says(delay_spread_s: float) -> None:
    scenario = MANY.with_(subbands=5, fading_branches=2, delay_spread_s=delay_spread_s)
    alike = fading.subband_correlation(scenario)
    apart_hz = scenario.prbs * scenario.prb_hz / 5
    assert alike == pytest.approx(1 / math.hypot(1, 2 * math.pi * apart_hz * delay_spread_s))
    last = advanced(scenario, 2.0, 10)[-1]
    for apart in (1, 2):
        for band in range(5 - apart):
            measured = correlated(last[band], last[band + apart])
            assert measured == pytest.approx(alike ** (2 * apart), abs=0.035)


def test_no_draw_makes_a_gain_that_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words at the ends of their range, which come once in millions of draws."""
    for word in (-(2**31), -1, 0, 2**31 - 1):
        for branches in (1, 4, 64):
            scenario = SMALL.with_(fading_branches=branches)

            def stuck(keys: torch.Tensor, count: int, word: int = word) -> torch.Tensor:
                return torch.full((*keys.shape, count), word, dtype=torch.int32)

            with monkeypatch.context() as patch:
                patch.setattr(fading, "words", stuck)
                state = fading.initial(scenario, SEEDS)
                kept = torch.full((64, scenario.ues), 0.5)
                later = Fading(scenario, state, kept, SEEDS, torch.zeros(64, 1, dtype=torch.int64)).advance(0)
            assert torch.isfinite(later).all()
            assert (later >= 0).all()


def test_the_fading_of_the_state_stays_as_it_was() -> None:
    for subbands in (1, 3):
        scenario = SMALL.with_(subbands=subbands)
        state = fading.initial(scenario, SEEDS)
        before = state.clone()
        model = Fading(scenario, state, torch.full((64, 24), 0.5), SEEDS, torch.arange(3).expand(64, -1))
        model.advance(0)
        model.advance(1)
        assert torch.equal(state, before)
        assert not torch.equal(model.state, before)


bands = st.lists(st.floats(-60, 60), min_size=1, max_size=13)


@given(bands)
def test_the_effective_sinr_has_the_mean_capacity(levels_db: list[float]) -> None:
    ratios = [10 ** (level / 10) for level in levels_db]
    effective_db = sinr.effective_db([torch.tensor([ratio], dtype=torch.float32) for ratio in ratios]).item()
    capacity = sum(math.log2(1 + ratio) for ratio in ratios) / len(ratios)
    expected_db = 10 * math.log10(max(math.expm1(capacity * math.log(2)), 1e-6))
    assert effective_db == pytest.approx(expected_db, abs=0.02)
    assert min(levels_db) - 0.02 <= effective_db <= max(levels_db) + 0.02


@given(bands, st.integers(0, 12), st.floats(0.1, 20))
def test_the_effective_sinr_grows_with_each_subbands(levels_db: list[float], index: int, more_db: float) -> None:
    better = list(levels_db)
    better[index % len(better)] = min(better[index % len(better)] + more_db, 60.0)
    before, after = (
        sinr.effective_db([torch.tensor([10 ** (level / 10)]) for level in each]).item()
        for each in (levels_db, better)
    )
    assert after >= before - 0.01


def test_subbands_alike_count_as_one() -> None:
    level = torch.tensor([0.01, 1.0, 1000.0])
    one, many = sinr.effective_db([level]), sinr.effective_db([level] * 13)
    assert torch.allclose(one, many, atol=1e-3)


def test_more_subbands_fade_less() -> None:
    """Frequency diversity: what remains of fading once mutual information is averaged shrinks with subbands."""
    spreads = []
    for subbands in (1, 4, 13):
        scenario = MANY.with_(subbands=subbands, fading_branches=1, delay_spread_s=3e-6)
        gains = advanced(scenario, 2.0, 3)[-1]
        spreads.append(sinr.effective_db([10.0 * gain for gain in gains]).std().item())
    assert spreads[0] > 1.5 * spreads[1] > 2.0 * spreads[2]
