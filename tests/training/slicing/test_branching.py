"""Branching: futures differ by the split alone, leave the present as it is, and come true."""

from pathlib import Path

import pytest
import torch

from training.slicing.branching import Branched, Decide, Futures, around, branch, collect, varied
from training.slicing.branching_fit import Fitting, Worth, fit_actor, fit_advantage
from training.slicing.branching_rounds import PRESETS, Rounds, agent_of
from training.slicing.config import Config
from training.slicing.environment import Environment, Seen
from training.slicing.networks import share_of
from training.slicing.representation import Representation
from twin.network.scenario import Scenario
from xapps.slicing.state import FEATURES, KINDS, remember

LONE = Scenario(cells=1, ues=24, load_factor=6.0)
"""With one cell nobody else's split disturbs."""
BRIEF = Futures(tried=5, hold=2, horizon=4, gamma=0.8)
WEIGHT = KINDS.index("weight")


def equal(seen: Seen) -> torch.Tensor:
    return torch.full(seen.features.shape[:-1], 1.0 / seen.features.shape[-2])


def by_need(seen: Seen) -> torch.Tensor:
    return torch.softmax(5.0 * seen.features[..., KINDS.index("need")], dim=-1)


@pytest.mark.parametrize("decide", [equal, by_need])
def test_what_a_branch_promises_comes_true_and_looking_changes_nothing(decide: Decide) -> None:
    draw = torch.Generator().manual_seed(1)
    tried = around(torch.full((2, 1, 3), 1 / 3), BRIEF.tried, draw)
    for place in range(BRIEF.tried):
        environment = Environment(LONE, 2)
        environment.reset(range(2))
        memory = remember(None, environment.observation())
        environment.step(torch.full((2, 1, 3), 1 / 3))
        memory = remember(memory, environment.observation())
        told = branch(environment, memory, tried, decide, BRIEF)[:, :, place]
        came, seen = torch.zeros(2, 1, 3, 2, dtype=torch.float64), None
        for ahead in range(BRIEF.horizon):
            share = tried[:, :, place] if seen is None or ahead < BRIEF.hold else decide(seen)
            outcome = environment.step(share)
            qos, seen = outcome.qos_ratio, outcome.seen
            came += BRIEF.gamma**ahead * torch.stack(((qos >= 1).double(), (qos - 1) / (qos + 1)), dim=-1)
        torch.testing.assert_close(told, came, atol=1e-5, rtol=1e-4)


def test_splits_bring_different_things() -> None:
    found = collect(Environment(LONE, 2), equal, BRIEF, steps=5, first_seed=3)
    assert float(found.brought[..., 1].std(dim=1).mean()) > 0.01


def test_what_is_collected_repeats_and_holds_the_policy_s_own_split() -> None:
    found, again = (collect(Environment(LONE, 2), by_need, BRIEF, steps=10, first_seed=3) for _ in range(2))
    assert len(found) == 2 * 2
    torch.testing.assert_close(found.brought, again.brought)
    torch.testing.assert_close(found.tried.sum(-1), torch.ones(4, BRIEF.tried))
    torch.testing.assert_close(found.tried[:, 0], by_need(found.seen))


def test_what_is_kept_in_a_file_comes_back() -> None:
    found = collect(Environment(LONE, 2), equal, BRIEF, steps=5, first_seed=3)
    back = Branched.from_tensors(found.tensors())
    torch.testing.assert_close(back.brought, found.brought)
    torch.testing.assert_close(back.seen.features, found.seen.features, atol=1e-3, rtol=1e-3)


def test_promises_vary_within_their_spread_and_by_seed_alone() -> None:
    scenario = Scenario()
    one, again, other = varied(scenario, 0.5, 1), varied(scenario, 0.5, 1), varied(scenario, 0.5, 2)
    assert one == again != other
    for before, after in zip(scenario.slas, one.slas, strict=True):
        for old, new in ((before.delay_s, after.delay_s), (before.throughput_bps, after.throughput_bps)):
            assert (old is None) == (new is None)
            assert old is None or new is None or 0.6 < new / old < 1.65


def known_states(count: int) -> Branched:
    """What is best follows from one feature here: the slice that needs most should get all."""
    draw = torch.Generator().manual_seed(1)
    features = torch.rand(count, 3, len(FEATURES), generator=draw)
    features[..., WEIGHT] = 1.0 / 3.0
    seen = Seen.silent(features, torch.zeros(count, 3, 2, dtype=torch.int64))
    tried = around(torch.full((count, 3), 1 / 3), 8, draw)
    deviation = 5.0 * features[:, None, :, KINDS.index("need")] * tried
    return Branched(seen, tried, torch.stack((tried, deviation), dim=-1))


def test_an_actor_is_fitted_to_what_is_best() -> None:
    known, representation = known_states(600), Representation()
    representation.fit(known.seen.features)
    fitting = Fitting(hidden=32, steps=400)
    advantage = fit_advantage(representation, known, fitting, seed=1, tell=lambda *told: None)
    need = known.seen.features[..., KINDS.index("need")]
    shares = []
    for worth in (Worth(satisfaction_weight=0.0), Worth(satisfaction_weight=0.0, care=(0.0, 5.0, 0.0))):
        actor = fit_actor(representation, advantage, known, worth, fitting, seed=1, tell=lambda *told: None)
        with torch.no_grad():
            shares.append(share_of(actor.best(representation(known.seen))))
    assert float((shares[0].argmax(dim=-1) == need.argmax(dim=-1)).float().mean()) > 0.85
    assert float(shares[1][:, 1].mean()) > float(shares[0][:, 1].mean()) + 0.1


def test_a_training_that_was_cut_off_ends_as_one_that_was_not(tmp_path_factory: pytest.TempPathFactory) -> None:
    whole, cut = (tmp_path_factory.mktemp(name) for name in ("whole", "cut"))
    done = Rounds(PRESETS["smoke"], LONE, equal, whole).run()
    heard: list[str] = []

    class Killed(Exception):
        pass

    def tell(text: str) -> None:
        heard.append(text)
        if len(heard) == 1:
            raise Killed

    with pytest.raises(Killed):
        Rounds(PRESETS["smoke"], LONE, equal, cut).run(tell)
    again = Rounds(PRESETS["smoke"], LONE, equal, cut).run()
    for one, other in zip(done.actor.parameters(), again.actor.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=0, rtol=0)


def test_an_agent_by_branching_says_that_it_knows_numbers_alone(tmp_path: Path) -> None:
    done = Rounds(PRESETS["smoke"], LONE, equal, tmp_path).run()
    made = agent_of(Config(arm="pa_mrl", hidden=7), done).config
    assert (made.arm, made.hidden) == ("numbers", done.hidden)
