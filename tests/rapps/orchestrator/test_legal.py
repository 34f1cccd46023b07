import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapps.orchestrator.legal import ORDER, Legal
from rapps.orchestrator.sizing import SIZES
from rapps.orchestrator.task import USUAL_EQUIPMENT
from twin.link.equipment import EquipmentState, check
from twin.link.errors import PlanError
from twin.link.plan import ChainGrid
from twin.link.space import Space


@st.composite
def equipments(draw: st.DrawFn) -> EquipmentState:
    antennas = st.sampled_from([1, 2, 4])
    return replace(
        USUAL_EQUIPMENT,
        free_prbs=draw(st.integers(1, 600)),
        tx_antennas=draw(antennas),
        rx_antennas=draw(antennas),
        compute_flops=10.0 ** draw(st.floats(8.0, 15.0)),
        max_tx_power_dbm=draw(st.floats(-10.0, 46.0)),
        has_deeprx=draw(st.booleans()),
        has_deeptx=draw(st.booleans()),
    )


@settings(deadline=None)
@given(equipments(), st.integers(0, 2**32))
def test_whoever_keeps_to_legal_values_ends_with_a_chain_that_runs(equipment: EquipmentState, seed: int) -> None:
    draw = random.Random(seed)
    try:
        legal = Legal(equipment)
    except PlanError:
        return
    while not legal.done:
        legal.choose(draw.choice(legal.options()))
    check(legal.chain(), equipment)


@settings(deadline=None, max_examples=20)
@given(equipments(), st.integers(0, 2**32))
def test_every_chain_that_runs_is_legal(equipment: EquipmentState, seed: int) -> None:
    try:
        grid = Space.of(equipment).sample(1, np.random.default_rng(seed))
    except PlanError:
        return
    legal = Legal(equipment)
    for name in ORDER:
        if name not in SIZES:
            legal.choose(getattr(grid.chain(0), name))
    assert legal.done
    assert ChainGrid.of((legal.chain(),)).consistent().all()


def test_a_value_that_is_not_legal_is_refused_with_those_that_are() -> None:
    legal = Legal(replace(USUAL_EQUIPMENT, tx_antennas=1))
    while legal.field != "tx_antennas":
        legal.choose(legal.options()[0])
    with pytest.raises(PlanError, match=r"tx_antennas is 4; it must be one of \(1,\)"):
        legal.choose(4)


def test_an_equipment_that_can_run_nothing_is_refused() -> None:
    with pytest.raises(PlanError, match="no link chain fits"):
        Legal(replace(USUAL_EQUIPMENT, free_prbs=1, compute_flops=1e6))
