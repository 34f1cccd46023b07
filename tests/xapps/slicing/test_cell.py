import math

import numpy as np

from oran.sla import SlaTargets
from oran.slices import MIN, from_policy, static_ratios, valid
from tests.xapps.slicing.cells import CELL, NODE, TARGETS, THREE, observation
from xapps.slicing.cell import CellLoop
from xapps.slicing.controllers import create
from xapps.slicing.guard import GuardConfig, Reason
from xapps.slicing.observation import CellObservation, SliceKpis


def loop(controller: str = "demand") -> CellLoop:
    return CellLoop(
        NODE, CELL, THREE, controller=create(controller), guard=GuardConfig(), period_s=0.1, cell_prbs=51
    )


def report(**changes: object) -> SliceKpis:
    return observation(**changes).kpis


def test_a_report_becomes_a_policy_and_an_experience_record() -> None:
    cell = loop()
    decision = cell.on_report(report(), TARGETS, now_s=1.0, time_s=1e9)
    assert valid(from_policy(decision.policy))
    record = decision.transition("demand")
    assert record is not None
    assert record.slices == tuple(map(str, THREE))
    assert record.kpis["DRB.UEThpDl"] == (8e6, 4e6, None)
    assert record.ratios == tuple(tuple(row) for row in static_ratios(3).tolist())
    assert record.qos_ratio[0] == 8 / 5
    assert 0 < decision.satisfaction <= 1


def test_kpis_that_cannot_be_true_reach_no_controller() -> None:
    cell = loop()
    cell.on_report(report(), TARGETS, now_s=1.0, time_s=1e9)
    before = cell.observation
    decision = cell.on_report(report(delay_s=[-1, 0, 0]), TARGETS, now_s=1.1, time_s=1e9)
    assert decision.reasons == (Reason.IMPLAUSIBLE,)
    assert decision.transition("demand") is None
    assert np.isnan(decision.qos).all()
    assert cell.observation is before


def test_silence_is_no_decision_until_it_is_long() -> None:
    cell = loop()
    first = cell.on_report(report(), TARGETS, now_s=1.0, time_s=1e9)
    assert cell.on_silence(TARGETS, 1.2) is None
    held = cell.on_silence(TARGETS, 1.5)
    assert held is not None
    assert held.reasons == (Reason.STALE,)
    assert held.policy == first.policy


def test_a_controller_that_fails_or_is_mad_is_contained() -> None:
    class Mad:
        name = "mad"

        def __init__(self) -> None:
            self.answers: list[object] = [None, np.full((3, 3), math.nan), np.zeros(7), [[1e300] * 3] * 3]

        def decide(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray:
            answer = self.answers.pop(0)
            if answer is None:
                raise RuntimeError("no idea")
            return answer  # type: ignore[return-value]

    cell = CellLoop(NODE, CELL, THREE, controller=Mad(), guard=GuardConfig(), period_s=0.1, cell_prbs=51)
    reasons = [cell.on_report(report(), TARGETS, now_s=1.0, time_s=1e9).reasons for _ in range(4)]
    assert reasons[:3] == [(Reason.CONTROLLER,), (Reason.NON_FINITE,), (Reason.CONTROLLER,)]
    assert Reason.INVALID in reasons[3]
    assert cell.error == "RuntimeError('no idea')"


def test_quotas_in_force_are_what_the_next_report_was_measured_under() -> None:
    cell = loop()
    cell.took_over(cell.on_report(report(), TARGETS, now_s=1.0, time_s=1e9).policy)
    cell.on_report(report(), TARGETS, now_s=1.1, time_s=1e9)
    assert cell.observation is not None
    np.testing.assert_array_equal(cell.observation.ratios, cell.in_force)
    assert cell.in_force[:, MIN].sum() <= 100
