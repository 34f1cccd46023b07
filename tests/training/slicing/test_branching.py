"""Branching: futures differ by the split alone, leave the present as it is, and come true."""

import pytest
import torch

from oran import sla
from training.slicing.branching import Branched, Branching, branch, candidates, collect, fit
from training.slicing.environment import Environment, Seen
from training.slicing.representation import Representation
from twin.network.scenario import Scenario
from xapps.slicing.shares import ratios_of
from xapps.slicing.state import FEATURES, KINDS

LONE = Scenario(cells=1, ues=24, load_factor=6.0)
"""With one cell nobody else's split disturbs."""
BRIEF = Branching(parts=3, horizon=4, gamma=0.8, satisfaction_weight=1.0)


def test_candidates_are_all_splits() -> None:
    tried = candidates(3, 4)
    assert len(tried) == len({tuple(row) for row in tried.tolist()}) == 15
    torch.testing.assert_close(tried.sum(-1), torch.ones(15, dtype=torch.float64))


def test_what_a_branch_promises_comes_true_and_looking_changes_nothing() -> None:
    tried = candidates(3, BRIEF.parts)
    worths = []
    for row in tried:
        environment = Environment(LONE, 2)
        seen = environment.reset(range(2))
        seen = environment.step(torch.full((2, 1, 3), 1 / 3)).seen
        told = branch(environment, seen, tried, BRIEF)
        worth = torch.zeros(2, 1, dtype=torch.float64)
        for ahead in range(BRIEF.horizon):
            outcome = environment.step_ratios(ratios_of(row).expand(2, 1, 3, 3))
            reward = sla.reward(environment.targets, outcome.qos_ratio)
            worth += BRIEF.gamma**ahead * (reward + outcome.satisfaction)
        worths.append(worth[:, 0])
    found = torch.stack(worths, dim=1)
    found = (found - found.mean(dim=1, keepdim=True)).float()
    torch.testing.assert_close(told.advantage, found, atol=1e-5, rtol=1e-4)
    assert float(found.std()) > 0.05


def test_what_is_collected_repeats_and_weighs_all_splits() -> None:
    tried = candidates(3, BRIEF.parts)
    found, again = (
        collect(Environment(LONE, 2), tried, BRIEF, episodes=2, steps=10, seed=3).advantage for _ in range(2)
    )
    assert found.shape == (2 * 2 * 2, len(tried))
    torch.testing.assert_close(found, again)
    torch.testing.assert_close(found.sum(-1), torch.zeros(8), atol=1e-4, rtol=0)


def test_an_actor_is_fitted_to_what_is_best() -> None:
    """What is best follows from one feature here: the slice that needs most should get all."""
    tried = candidates(3, 4)
    draw = torch.Generator().manual_seed(1)
    features = torch.rand(600, 3, len(FEATURES), generator=draw)
    need = features[..., KINDS.index("need")]
    advantage = (need @ tried.float().T) * 5.0
    known = Branched(
        Seen.silent(features, torch.zeros(600, 3, 2, dtype=torch.int64)),
        advantage - advantage.mean(1, keepdim=True),
    )
    representation = Representation()
    representation.fit(features)
    actor, _ = fit(representation, known, tried, hidden=32, steps=400, seed=1)
    with torch.no_grad():
        chosen = actor.best(representation(known.seen)).argmax(dim=-1)
    assert float((chosen == need.argmax(dim=-1)).float().mean()) == pytest.approx(1.0, abs=0.15)
