import math

from hypothesis import given
from hypothesis import strategies as st

from rapps.orchestrator.budget import STEP_DB, Budget
from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from twin.link.demand import Demand


def demands() -> st.SearchStrategy[Demand]:
    return st.builds(
        Demand,
        max_delay_s=st.floats(1e-4, 10.0),
        min_throughput_bps=st.floats(1e3, 1e10),
        max_ber=st.floats(1e-9, 0.5),
        margin=st.sampled_from([0.0, 0.1, 1.0]),
    )


@given(demands())
def test_figures_are_on_the_safe_side_by_less_than_a_step(demand: Demand) -> None:
    target, budget = demand.tightened(), Budget.of(demand, USUAL)
    delay_db = 10.0 * math.log10(target.max_delay_s / 1e-3)
    assert -1e-6 <= delay_db - budget.delay < STEP_DB + 1e-6
    ber_db = -10.0 * math.log10(target.max_ber)
    assert -1e-6 <= budget.ber - ber_db < STEP_DB + 1e-6
    assert budget.load >= budget.rate - budget.spectrum - 2 * STEP_DB


def test_twice_the_throughput_is_three_decibels_more() -> None:
    one, two = (
        Budget.of(Demand(max_delay_s=0.01, min_throughput_bps=rate, max_ber=1e-5), USUAL) for rate in (1e6, 2e6)
    )
    assert two.rate - one.rate == 3.0
    assert two.delay == one.delay


@given(demands())
def test_the_text_has_every_figure_and_no_minus_zero(demand: Demand) -> None:
    text = Budget.of(demand, USUAL).text()
    assert text.count(" dB") == 7
    assert "-0 " not in text
