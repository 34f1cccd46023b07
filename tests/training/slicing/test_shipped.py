"""The shipped agent on the twin: better than the heuristic on the same networks, and heedful of promises."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from training.slicing import arms
from training.slicing.environment import Environment, Seen
from training.slicing.score import play
from twin.network.scenario import Scenario
from xapps.slicing.actor import SHIPPED, Actor

SEEDS = range(7_000_000, 7_000_006)
URLLC = 1


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
def test_a_tighter_promise_of_delay_gives_its_slice_more() -> None:
    given = []
    for delay_s in (0.010, 0.006):
        scenario = Scenario()
        slices = list(scenario.slices)
        slices[URLLC] = replace(slices[URLLC], sla=replace(slices[URLLC].sla, delay_s=delay_s))
        policy, told = shipped(), list[Tensor]()

        def decide(
            environment: Environment, seen: Seen, policy: arms.Policy = policy, told: list[Tensor] = told
        ) -> Tensor:
            told.append(policy(environment, seen))
            return told[-1]

        play(Environment(scenario.with_(slices=tuple(slices)), len(SEEDS)), decide, SEEDS, 40)
        given.append(torch.stack(told)[..., URLLC, 1].mean(dim=(0, 2)).numpy())
    assert float(np.mean(given[1] - given[0])) > 0.0
