"""The PettingZoo face keeps PettingZoo's own rules, and gives the numbers of the twin itself."""

import pickle

import numpy as np
import pytest
import torch
from pettingzoo.test import parallel_api_test, parallel_seed_test

from oran import kpi
from oran.experience import Transition
from oran.slices import static_ratios
from tests.twin.network_cases import EVERYTHING, SMALL, play
from twin.network import task
from twin.network.parallel_env import NetworkParallelEnv, parallel_env
from twin.network.scenario import Scenario

STATIC = static_ratios(3)


def run(env: NetworkParallelEnv, steps: int) -> list[np.ndarray]:
    """The global state after each step under the static ratios."""
    states = []
    for _ in range(steps):
        env.step(dict.fromkeys(env.agents, STATIC))
        states.append(env.state())
    return states


@pytest.mark.parametrize("scenario", [SMALL, EVERYTHING])
def test_pettingzoo_accepts_it(scenario: Scenario) -> None:
    parallel_api_test(parallel_env(scenario, episode_steps=12), num_cycles=30)
    parallel_seed_test(lambda: parallel_env(scenario, episode_steps=12), num_cycles=30)


def test_the_default_has_an_agent_for_each_du() -> None:
    env = parallel_env()
    assert env.possible_agents == [f"du_{cell}" for cell in range(6)]
    assert env.observation_space("du_0").shape == (3, len(task.FEATURES))
    assert env.action_space("du_0").shape == (3, 3)
    assert env.state_space.shape == (6, 3, len(task.FEATURES))


def test_numbers_are_the_twins() -> None:
    env = parallel_env(SMALL)
    env.reset(seed=7)
    state, history = play(SMALL, 5, seeds=(7,))
    for kpis in history:
        observations, rewards, _, _, infos = env.step(dict.fromkeys(env.agents, STATIC))
        seen = task.observe(SMALL, kpis, state.ratios)[0].numpy()
        qos = task.qos_ratio(SMALL, kpis)
        assert np.array_equal(env.state(), seen)
        for cell, agent in enumerate(env.possible_agents):
            assert np.array_equal(observations[agent], seen[cell])
            assert observations[agent] in env.observation_space(agent)
            assert rewards[agent] == task.reward(SMALL, qos)[0, cell].item()
            assert infos[agent]["satisfaction"] == task.satisfaction(SMALL, qos)[0, cell].item()


def test_infos_are_what_an_experience_record_holds() -> None:
    env = parallel_env(SMALL)
    env.reset(seed=1)
    _, rewards, _, _, infos = env.step(dict.fromkeys(env.agents, STATIC))
    info = infos["du_1"]
    kpis = info["kpis"]
    assert isinstance(kpis, dict)
    assert set(kpis) <= set(kpi.QUANTITIES)
    record = Transition(
        node="du_1",
        time_s=0.1,
        period_s=SMALL.step_s,
        slices=tuple(map(str, SMALL.snssais)),
        kpis=kpis,
        ratios=tuple(map(tuple, STATIC.tolist())),
        action=tuple(map(tuple, STATIC.tolist())),
        qos_ratio=tuple(info["qos_ratio"].tolist()),  # type: ignore[attr-defined]
        reward=rewards["du_1"],
        controller="static",
    )
    assert Transition.from_json(record.to_json()) == record


def test_episodes_differ_and_come_back_with_the_seed() -> None:
    env = parallel_env(SMALL, episode_steps=4)
    env.reset(seed=3)
    first = run(env, 4)
    assert env.agents == []
    env.reset()
    second = run(env, 4)
    assert not np.array_equal(first[-1], second[-1])
    env.reset(seed=3)
    assert all(map(np.array_equal, run(env, 4), first))
    env.reset()
    assert all(map(np.array_equal, run(env, 4), second))


def test_episodes_are_truncated_and_never_terminate() -> None:
    env = parallel_env(SMALL, episode_steps=2)
    env.reset(seed=1)
    for over in (False, True):
        _, _, terminations, truncations, _ = env.step(dict.fromkeys(env.agents, STATIC))
        assert set(truncations.values()) == {over}
        assert set(terminations.values()) == {False}
    with pytest.raises(RuntimeError, match="reset"):
        env.step(dict.fromkeys(env.possible_agents, STATIC))


def test_what_it_gives_is_not_used_again() -> None:
    one, other = parallel_env(SMALL), parallel_env(SMALL)
    one.reset(seed=1)
    other.reset(seed=1)
    observations, _, _, _, infos = one.step(dict.fromkeys(one.agents, STATIC))
    for agent in one.agents:
        observations[agent][:] = 9.0
        infos[agent]["ratios"][:] = 9.0  # type: ignore[index]
    other.step(dict.fromkeys(other.agents, STATIC))
    assert np.array_equal(one.state(), other.state())
    assert all(map(np.array_equal, run(one, 2), run(other, 2)))


def test_it_can_be_sent_to_another_process() -> None:
    env = parallel_env(SMALL)
    env.reset(seed=1)
    run(env, 2)
    twin = pickle.loads(pickle.dumps(env))
    assert all(map(np.array_equal, run(twin, 2), run(env, 2)))


def test_it_is_rendered_as_text() -> None:
    env = parallel_env(SMALL, render_mode="ansi")
    env.reset(seed=1)
    assert env.render() is None
    run(env, 1)
    text = env.render()
    assert text is not None
    assert "URLLC" in text
    env.close()
    assert parallel_env(SMALL).render() is None


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="episode_steps"):
        parallel_env(SMALL, episode_steps=0)
    with pytest.raises(ValueError, match="ansi"):
        parallel_env(SMALL, render_mode="human")
    env = parallel_env(SMALL)
    with pytest.raises(RuntimeError, match="reset"):
        env.step({})
    env.reset(seed=1)
    with pytest.raises(ValueError, match="du_2"):
        env.step({"du_0": STATIC, "du_1": STATIC})
    with pytest.raises(ValueError, match="NaN"):
        env.step(dict.fromkeys(env.agents, np.full((3, 3), np.nan)))
    with pytest.raises(ValueError, match="seed"):
        env.reset(seed=-1)
    assert torch.is_grad_enabled()
