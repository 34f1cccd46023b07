"""The yardstick that the tiers are held against: it finds where a known curve crosses, and says how surely."""

import numpy as np
import pytest
from scipy.special import ndtr

from twin.link.catalogue import ChannelClass
from twin.link.qos import Tier
from twin.link.validation import RATES, Case, Counted, crossing, judge, judge_rare


def counted(blocks: int, seed: int, blocks_per_slot: int = 1) -> Counted:
    levels = np.linspace(4.0, 9.0, 6)
    truth = ndtr(-(0.3 + 0.35 * (levels - 5.0) + 0.02 * (levels - 5.0) ** 2))
    failed = np.random.default_rng(seed).binomial(blocks, truth)
    return Counted(levels, np.full(6, blocks), failed, blocks_per_slot)


def test_the_crossing_of_a_known_curve_is_found_within_its_interval() -> None:
    # 0.3 + 0.35 x + 0.02 x^2 = 1.2816
    truth = 5.0 + (-0.35 + (0.35**2 + 4 * 0.02 * 0.98155) ** 0.5) / 0.04
    found = np.array([counted(1000, seed).crossing_db() for seed in range(60)])
    assert found[:, 0].mean() == pytest.approx(truth, abs=0.05)
    within = np.abs(found[:, 0] - truth) < 1.96 * found[:, 1]
    assert 0.85 < within.mean() <= 1.0
    assert found[:, 0].std() == pytest.approx(found[:, 1].mean(), rel=0.35)


def test_blocks_of_one_slot_are_one_trial() -> None:
    alone, shared = (counted(900, 3, blocks_per_slot).crossing_db() for blocks_per_slot in (1, 4))
    assert alone[0] == pytest.approx(shared[0], abs=1e-6)
    assert shared[1] == pytest.approx(2.0 * alone[1], rel=1e-3)


def test_a_crossing_lies_between_its_neighbours_or_nowhere() -> None:
    levels = np.arange(4.0)
    assert crossing(levels, np.array([0.9, 0.2, 0.05, 0.01])) == pytest.approx(1.5)
    assert np.isnan(crossing(levels, np.full(4, 0.5)))
    assert np.isnan(crossing(levels, np.full(4, 0.01)))


def test_a_case_has_the_snr_that_it_is_asked_at() -> None:
    case = Case.of(
        "wide", ChannelClass.TDL_C, 1e-7, 20.0, modulation="qpsk", code_rate=0.5, prbs=100, numerology=2
    )
    assert case.equipment(7.0).resource_element_snr_db(case.chain) == pytest.approx(7.0)


@pytest.mark.slow
def test_the_tiers_say_alike_where_one_block_in_ten_fails() -> None:
    case = Case.of("fades", ChannelClass.TDL_C, 3e-7, 50.0, modulation="16qam", code_rate=0.4, rx_antennas=2)
    found = judge(case, blocks=500, failures=60)
    level_db, error_db = found.counted.crossing_db()
    assert error_db < 0.4
    assert abs(found.t0_error_db) < 0.3 + 2.5 * error_db
    assert found.t1_db.mean() == pytest.approx(found.t0_db, abs=0.3)
    assert found.t1_db.std() < 0.3
    assert case.bler(level_db, Tier.T0) == pytest.approx(0.1, abs=0.06)
    np.testing.assert_allclose(found.t0, RATES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fields",
    [{"modulation": "64qam", "rx_antennas": 2}, {"modulation": "16qam", "tx_antennas": 2, "precoder": "svd"}],
)
def test_low_rates_in_deep_fades_fail_as_rarely_as_told(fields: dict[str, object]) -> None:
    case = Case.of("fades", ChannelClass.TDL_C, 1e-7, 50.0, code_rate=0.1, estimator="ls", prbs=6, **fields)
    found = judge_rare(case, blocks=8000, failures=40)
    assert found.failed > 5
    assert abs(found.missed_decades(Tier.T1)) < 0.2 + 2.5 * found.error_decades
    assert found.t1_spread_decades < 0.2
