"""The hardware model: time and operations follow the physics of slots, HARQ and modules."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.twin.link.link_cases import BASE, link_chains
from twin.link import hardware
from twin.link.plan import ChainGrid, LinkChain

flops = st.floats(1e9, 1e15)


def grid(**changes: object) -> ChainGrid:
    return ChainGrid.of((LinkChain(**(BASE | changes)),))


@given(link_chains, flops)
def test_a_slot_lasts_as_long_as_its_numerology_says(chain: LinkChain, rate: float) -> None:
    columns = ChainGrid.of((chain,))
    assert hardware.slot_s(columns)[0] == 1e-3 / 2**chain.numerology
    assert hardware.air_time_s(columns, 1.0)[0] == chain.repetition * hardware.slot_s(columns)[0]


@given(link_chains, flops, st.floats(1, 4), st.floats(1, 4))
def test_delay_grows_with_every_transmission_by_a_round_trip(
    chain: LinkChain, rate: float, first: float, second: float
) -> None:
    columns = ChainGrid.of((chain,))
    delays = [hardware.processing_delay_s(columns, rate, count)[0] for count in (first, second)]
    trip = hardware.harq_round_trip_s(columns, rate)[0]
    assert delays[1] - delays[0] == pytest.approx((second - first) * trip, rel=1e-6, abs=1e-12)
    assert delays[0] >= 1.5 * hardware.slot_s(columns)[0]
    assert trip * (1 + 1e-9) >= hardware.compute_s(columns, rate)[0] + 3 * hardware.slot_s(columns)[0]
    slots = trip / hardware.slot_s(columns)[0]
    assert slots == pytest.approx(round(slots))


@given(link_chains, flops)
def test_a_faster_platform_is_never_slower(chain: LinkChain, rate: float) -> None:
    columns = ChainGrid.of((chain,))
    slow, fast = (hardware.processing_delay_s(columns, r, 2.0)[0] for r in (rate, 2 * rate))
    assert fast <= slow


@given(link_chains, st.integers(1, 4))
def test_operations_are_finite_and_grow_with_bandwidth(chain: LinkChain, times: int) -> None:
    columns = ChainGrid.of((chain,))
    wide = columns.with_(prbs=chain.prbs * times)
    for name, count in hardware.operations(columns).items():
        assert np.isfinite(count[0])
        assert 0 <= count[0] <= hardware.operations(wide)[name][0]


@given(link_chains)
def test_required_compute_is_what_fills_a_slot(chain: LinkChain) -> None:
    columns = ChainGrid.of((chain,))
    required = hardware.required_flops(columns)[0]
    assert hardware.compute_s(columns, required)[0] == pytest.approx(hardware.slot_s(columns)[0])


def cost(module: str, **changes: object) -> float:
    return float(hardware.operations(grid(**changes))[module][0])


def test_better_modules_cost_more() -> None:
    four = {"layers": 4, "tx_antennas": 4, "rx_antennas": 4}
    detectors = [cost("detect", detector=name, **four) for name in ("zf", "lmmse", "ep", "kbest")]
    assert detectors == sorted(detectors)
    assert len(set(detectors)) == 4
    assert cost("estimate") < cost("estimate", estimator="lmmse")
    assert cost("estimate", estimator="lmmse") < cost("estimate", estimator="deeprx", detector="deeprx")
    assert cost("precode") == 0 < cost("precode", precoder="svd", tx_antennas=2)
    assert cost("detect") < cost("detect", transmitter="deeptx")
    assert cost("decode") < cost("decode", code="polar")
    assert cost("detect", estimator="deeprx", detector="deeprx") == 0


def test_decoding_is_most_of_a_classical_link() -> None:
    parts = hardware.operations(grid())
    assert parts["decode"][0] > 0.5 * sum(column[0] for column in parts.values())


def test_power() -> None:
    assert hardware.power_w(grid(tx_power_dbm=30))[0] == pytest.approx(1.0)
    assert hardware.power_w(grid(tx_power_dbm=20))[0] == pytest.approx(0.1)
