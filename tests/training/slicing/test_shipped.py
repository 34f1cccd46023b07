"""The shipped agent on the twin: better than the heuristic on the same networks, and heedful of promises."""

from dataclasses import replace

import pytest

from oran.sla import SlaTargets
from training.slicing import arms
from training.slicing.environment import Environment
from training.slicing.score import play
from twin.network.scenario import Scenario
from xapps.slicing.actor import SHIPPED, Actor

SEEDS = range(7_000_000, 7_000_006)


def shipped() -> arms.Policy:
    return arms.packaged(Actor.load(SHIPPED, ("eMBB", "URLLC", "mMTC")))


@pytest.mark.slow
def test_it_keeps_more_promises_than_the_heuristic_and_earns_more() -> None:
    scenario = Scenario()
    own, demand = (
        play(Environment(scenario, len(SEEDS)), policy, SEEDS, 60) for policy in (shipped(), arms.demand())
    )
    assert float((own.satisfaction - demand.satisfaction).mean()) > 0.01
    assert float((own.reward - demand.reward).mean()) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slot", "promise"), [(0, {"throughput_bps": 2.25e6}), (2, {"delay_s": 0.4}), (1, {"weight": 0.8})]
)
def test_a_promise_that_counts_for_more_is_kept_more_often_once_it_is_told(
    slot: int, promise: dict[str, float]
) -> None:
    old = Scenario()
    slices = list(old.slices)
    slices[slot] = replace(slices[slot], sla=replace(slices[slot].sla, **promise))  # type: ignore[arg-type]
    kept = []
    for told in (old.slas, tuple(item.sla for item in slices)):
        environment = Environment(old.with_(slices=tuple(slices)), len(SEEDS))
        environment.targets = SlaTargets.of(told)
        kept.append(play(environment, shipped(), SEEDS, 40).kept[:, slot].mean())
    assert kept[1] > kept[0] + 0.01
