import numpy as np
import pytest

from rapps.orchestrator.decoding import Sample
from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator.audit import disagreement
from training.orchestrator.feedback import Feedback
from training.orchestrator.tasks.task import Task
from twin.link.evaluate import evaluate
from twin.link.qos import Tier


@pytest.fixture(scope="module")
def answered() -> tuple[list[Task], list[Sample], Feedback]:
    asked = tasks(4)
    samples = ASKED.sample(made(), asked, each=2, temperature=1.0, seed=3)
    return asked, samples, ASKED.feedback(asked, samples)


def test_what_disagrees_misses_the_true_demand_at_t1(answered: tuple[list[Task], list[Sample], Feedback]) -> None:
    """Were all answers complete by T0, those that T1 finds short would disagree."""
    asked, samples, told = answered
    every = Feedback(told.rewards, np.ones(len(samples), dtype=bool))
    found = disagreement(ASKED, asked, samples, every, len(samples), np.random.default_rng(0))
    missed = []
    for row, sample in enumerate(samples):
        task = asked[row // 2]
        qos = evaluate(sample.script.chain(), task.equipment, Tier.T1).qos
        demand = task.demand
        held = (
            qos.delay_s <= demand.max_delay_s
            and qos.throughput_bps >= demand.min_throughput_bps
            and qos.ber_high <= demand.max_ber
        )
        missed.append(not held)
    assert 0 < sum(missed) < len(missed)
    assert found == {"disagree_t1": pytest.approx(np.mean(missed)), "audited": len(samples)}


def test_only_complete_answers_are_audited_and_no_more_than_asked_for(
    answered: tuple[list[Task], list[Sample], Feedback],
) -> None:
    asked, samples, told = answered
    assert told.completed.sum() > 1
    found = disagreement(ASKED, asked, samples, told, 1, np.random.default_rng(0))
    assert found["audited"] == 1.0
    none = Feedback(told.rewards, np.zeros(len(samples), dtype=bool))
    assert disagreement(ASKED, asked, samples, none, 8, np.random.default_rng(0)) == {}
