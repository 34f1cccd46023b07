"""The catalogue is broad, and the twin can deliver what its services ask."""

import numpy as np
import pytest

from training.orchestrator.tasks.catalogue import Range, services
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.evaluate import evaluate_batch
from twin.link.reward import deviations, satisfied
from twin.link.space import Space


def test_the_catalogue_is_broad() -> None:
    assert len({service.key for service in services()}) == len(services()) >= 150
    assert len({service.vertical for service in services()}) >= 12
    names = [name for service in services() for name in service.names]
    assert len(set(names)) == len(names)
    assert all(service.about and service.cues and service.source for service in services())


def test_sources_are_named_alike() -> None:
    kinds = ("TS ", "TR ", "5QI ")
    assert all(service.source == "judgement" or service.source.startswith(kinds) for service in services())
    assert sum(service.source != "judgement" for service in services()) >= 50


def test_the_strictest_demand_of_each_service_is_met_on_good_equipment() -> None:
    """Some random chain meets it at tier T0, so the oracle's best does."""
    good = EquipmentState(
        free_prbs=273,
        tx_antennas=4,
        rx_antennas=4,
        compute_flops=1e14,
        max_tx_power_dbm=40,
        channel="tdl_d",  # type: ignore[arg-type]
        snr_db=22,
        delay_spread_s=50e-9,
        doppler_hz=10,
        has_deeprx=True,
        has_deeptx=True,
    )
    results = evaluate_batch(Space.of(good).sample(4_000, np.random.default_rng(1)), good)
    for service in services():
        demand = Demand(
            max_delay_s=service.delay_s.low,
            min_throughput_bps=service.throughput_bps.high,
            max_ber=service.ber.low,
        )
        errors = deviations(results.delay_s, results.throughput_bps, results.ber_high, demand)
        assert satisfied(errors).any(), service.key


@pytest.mark.parametrize("ends", [(0.0, 1.0), (2.0, 1.0), (1.0, float("inf")), (float("nan"), 1.0)])
def test_a_range_that_is_none_is_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="0 < low < high"):
        Range(low=ends[0], high=ends[1])
