"""A search ends no worse than it began, and finds rare chains that chance does not."""

from dataclasses import replace

import numpy as np
import pytest

from rapps.orchestrator.search import search
from rapps.orchestrator.task import USUAL_EQUIPMENT
from twin.link.demand import Demand
from twin.link.equipment import fits
from twin.link.errors import PlanError
from twin.link.oracle import table_twin
from twin.link.plan import ChainGrid, LinkChain
from twin.link.reward import rewards
from twin.link.space import Space

DEMAND = Demand(max_delay_s=0.05, min_throughput_bps=20e6, max_ber=1e-6)


def worth(chain: LinkChain) -> float:
    return float(rewards(table_twin()(ChainGrid.of((chain,)), USUAL_EQUIPMENT), DEMAND)[0])


def test_what_is_found_fits_and_is_worth_no_less_than_what_it_began_with() -> None:
    grid = Space.of(USUAL_EQUIPMENT).sample(4, np.random.default_rng(1))
    for row in range(4):
        found = search(DEMAND, USUAL_EQUIPMENT, seed=row, begin=grid.chain(row))
        assert fits(ChainGrid.of((found,)), USUAL_EQUIPMENT).all()
        assert worth(found) >= worth(grid.chain(row))


def test_a_search_is_worth_more_than_chance_and_the_same_whenever_it_is_asked() -> None:
    random = table_twin()(Space.of(USUAL_EQUIPMENT).sample(200, np.random.default_rng(2)), USUAL_EQUIPMENT)
    found = search(DEMAND, USUAL_EQUIPMENT, seed=3)
    assert worth(found) > rewards(random, DEMAND).max()
    assert search(DEMAND, USUAL_EQUIPMENT, seed=3) == found


def test_an_equipment_that_can_run_nothing_is_refused() -> None:
    with pytest.raises(PlanError):
        search(DEMAND, replace(USUAL_EQUIPMENT, free_prbs=1, compute_flops=1e6), seed=0)
