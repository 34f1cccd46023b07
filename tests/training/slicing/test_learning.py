"""Networks, replay and training: order does not matter, nothing is invented, a killed training goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.slicing import arms
from training.slicing.config import PRESETS, Config, ConfigError
from training.slicing.environment import Environment, Seen
from training.slicing.networks import Actor, Critic, share_of
from training.slicing.replay import Replay
from training.slicing.score import Interval, play, play_clairvoyant
from training.slicing.train import Training
from twin.network.scenario import Scenario
from xapps.slicing.shares import ratios_of
from xapps.slicing.state import FEATURES

SMOKE = replace(PRESETS["smoke"], episodes=8, envs=2, episode_steps=8, warm_up_steps=6, hidden=16, batch=8)
SMALL = Scenario(cells=2, ues=30)


def test_shares_sum_to_one_and_promise_it() -> None:
    share = share_of(torch.tensor([[0.5, -0.2, 0.1, 0.9]], dtype=torch.float64))
    torch.testing.assert_close(share.sum(-1), torch.ones(1, dtype=torch.float64))
    ratios = ratios_of(share)
    torch.testing.assert_close(ratios[..., 1].sum(-1), torch.full((1,), 100.0, dtype=torch.float64))
    assert (ratios[..., 0] == 0).all()
    assert (ratios[..., 2] == 100).all()


def test_an_actor_treats_slices_alike_in_any_order_and_number() -> None:
    actor, order = Actor(7, 16), torch.tensor([2, 0, 3, 1])
    seen = torch.randn(5, 4, 7)
    torch.testing.assert_close(actor.best(seen)[:, order], actor.best(seen[:, order]))
    assert actor.best(torch.randn(5, 8, 7)).shape == (5, 8)


def test_a_critic_values_cells_alike_in_any_order_and_number_and_knows_the_others() -> None:
    critic, order = Critic(7, 16), torch.tensor([2, 0, 1])
    seen, action = torch.randn(5, 3, 2, 7), torch.rand(5, 3, 2)
    value = critic(seen, action)
    torch.testing.assert_close(value[:, order], critic(seen[:, order], action[:, order]), atol=1e-6, rtol=1e-5)
    assert critic(torch.randn(1, 60, 2, 7), torch.zeros(1, 60, 2)).shape == (1, 60)
    other = action.clone()
    other[:, 1] += 0.5
    assert ((critic(seen, other) - value)[:, 0].abs() > 1e-7).any()


def test_sampled_actions_have_the_density_that_is_told() -> None:
    """A density integrates to one: the mean of 1 / density over samples is the volume of the space, 2."""
    actor = Actor(3, 8)
    with torch.no_grad():
        actor.second[-1].bias[1] = 2.0  # wide enough to visit all of the space
    seen = torch.randn(1, 1, 3).expand(200_000, 1, 3)
    with torch.no_grad():
        action, log_density = actor.sample(seen, torch.Generator().manual_seed(1))
    assert float(action.abs().max()) <= 1.0
    inside = action.squeeze(-1).abs() < 0.9
    volume = (torch.exp(-log_density) * inside).mean()
    assert float(volume) == pytest.approx(1.8, rel=0.05)


def test_replay_gives_back_what_followed_what_and_forgets_the_oldest() -> None:
    def seen(value: float) -> Seen:
        features = torch.full((3, 1, 1, 2), value)
        return Seen.silent(features, torch.zeros(3, 1, 1, 2, dtype=torch.int64))

    replay = Replay(2, 4, seen(0.0))
    for episode in range(4):
        replay.begin(seen(10.0 * episode))
        for step in range(4 if episode < 3 else 2):
            value = 10.0 * episode + step
            replay.add(torch.full((3, 1, 1), value), torch.full((3, 1), value), seen(value + 1))
    assert len(replay) == (4 + 2) * 3
    batch = replay.sample(2000, torch.Generator().manual_seed(1))
    before, after = batch.seen.features[..., 0].flatten(), batch.after.features[..., 0].flatten()
    torch.testing.assert_close(after - before, torch.ones_like(before), atol=1e-4, rtol=0)
    torch.testing.assert_close(before, batch.reward.flatten())
    assert set(batch.reward.flatten().tolist()) == {20.0, 21.0, 22.0, 23.0, 30.0, 31.0}


def test_the_same_seed_gives_the_same_curve_and_a_killed_training_goes_on(tmp_path: Path) -> None:
    runs = [Training(SMOKE, tmp_path / name) for name in ("whole", "again", "parts")]
    for run in runs[:2]:
        run.run()
    runs[2].run(stop_after=2)
    resumed = Training(SMOKE, tmp_path / "parts")
    resumed.run()
    curves = [[row["reward"] for row in run.curve] for run in (*runs[:2], resumed)]
    assert len(curves[0]) == 4
    assert curves[0] == curves[1] == curves[2]


def test_a_configuration_that_cannot_be_is_named() -> None:
    with pytest.raises(ConfigError, match=r"gamma is 1.5; it must lie in 0..0.9999"):
        Config(gamma=1.5)


def test_agents_see_what_the_xapp_computes_and_act_through_its_guard() -> None:
    environment = Environment(SMALL, 2)
    seen = environment.reset(range(2))
    assert seen.features.shape == (2, 2, 3, len(FEATURES))
    outcome = environment.step(torch.tensor([1.0, 0.0, 0.0]).expand(2, 2, 3))
    # The guard keeps floors of 5 % and lets a ratio move by 20 points at once.
    allocation = outcome.seen.features[..., FEATURES.index("allocation")]
    torch.testing.assert_close(allocation[..., 0], torch.full((2, 2), 0.53), atol=0.02, rtol=0)
    assert (allocation >= 0.05 - 1e-6).all()
    assert (outcome.changed > 10).all()


def test_who_knows_the_future_is_ahead_of_the_heuristic_and_that_of_hard_shares() -> None:
    seeds = range(50, 54)
    rewards = [
        play(Environment(SMALL, 4), policy, seeds, 15).reward.mean() for policy in (arms.hard(3), arms.demand())
    ]
    assert rewards[0] < rewards[1] < play_clairvoyant(SMALL, seeds, 15, parts=5).reward.mean()


def test_an_interval_holds_its_mean() -> None:
    found = Interval.of(np.array([0.1, 0.2, 0.4, 0.3]))
    assert found.low <= found.mean <= found.high
    assert found.mean == pytest.approx(0.25)


@pytest.mark.slow
def test_agents_learn_to_beat_static_quotas(tmp_path: Path) -> None:
    config = Config(episodes=32, envs=16, episode_steps=60, warm_up_steps=30, evaluate_every=2, evaluation_seeds=8)
    training = Training(config, tmp_path)
    training.run()
    seeds = range(7_000, 7_008)
    learnt = play(Environment(training.scenario, 8), arms.learnt(training.sac), seeds, 40)
    fixed = play(Environment(training.scenario, 8), arms.static(3), seeds, 40)
    assert learnt.reward.mean() > fixed.reward.mean() + 0.02
