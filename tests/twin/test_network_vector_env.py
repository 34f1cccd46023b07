"""The Gymnasium face: its conventions are kept, and an environment's numbers do not depend on the batch."""

import pickle

import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import (
    DictInfoToList,
    FlattenObservation,
    NormalizeObservation,
    RecordEpisodeStatistics,
    RescaleAction,
)

from oran.slices import static_ratios, valid
from tests.twin.network_cases import EVERYTHING, SMALL, play
from twin.network import network, task
from twin.network.kpis import slice_kpis
from twin.network.parallel_env import parallel_env
from twin.network.scenario import Scenario
from twin.network.trace import Trace
from twin.network.vector_env import NetworkVectorEnv

Step = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, object]]


def static(envs: NetworkVectorEnv) -> np.ndarray:
    shape = envs.action_space.shape
    assert shape is not None
    return np.broadcast_to(static_ratios(len(envs.scenario.slices)), shape)


def run(envs: NetworkVectorEnv, steps: int) -> list[Step]:
    return [envs.step(static(envs)) for _ in range(steps)]


def test_spaces_are_those_of_all_cells() -> None:
    envs = NetworkVectorEnv(2)
    assert envs.single_action_space.shape == (6, 3, 3)
    assert envs.single_observation_space.shape == (6, 3, len(task.FEATURES))
    assert envs.observation_space.shape == (2, 6, 3, len(task.FEATURES))
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


@pytest.mark.parametrize("scenario", [SMALL, EVERYTHING])
def test_steps_have_the_types_of_their_spaces(scenario: Scenario) -> None:
    envs = NetworkVectorEnv(3, scenario, episode_steps=4)
    observation, infos = envs.reset(seed=1)
    assert observation in envs.observation_space
    assert infos == {}
    envs.action_space.seed(1)
    for _ in range(9):
        observation, reward, terminated, truncated, _ = envs.step(envs.action_space.sample())
        assert observation in envs.observation_space
        assert reward.dtype == np.float64
        assert reward.shape == terminated.shape == truncated.shape == (3,)
        assert terminated.dtype == truncated.dtype == np.bool_
        assert not terminated.any()


def test_numbers_are_the_twins() -> None:
    envs = NetworkVectorEnv(3, SMALL)
    envs.reset(seed=5)
    state, history = play(SMALL, 4, seeds=(5, 6, 7))
    for kpis, (observation, reward, _, _, infos) in zip(history, run(envs, 4), strict=True):
        qos = task.qos_ratio(SMALL, kpis)
        assert np.array_equal(observation, task.observe(SMALL, kpis, state.ratios))
        assert np.array_equal(reward, task.reward(SMALL, qos).mean(dim=-1))
        assert np.array_equal(infos["cell_reward"], task.reward(SMALL, qos))  # type: ignore[arg-type]
        for name, values in slice_kpis(kpis).items():
            assert np.array_equal(infos["kpis"][name], values, equal_nan=True)  # type: ignore[index]


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("scenario", [SMALL, EVERYTHING])
def test_the_batch_position_never_changes_a_result(scenario: Scenario, mode: AutoresetMode) -> None:
    batch = NetworkVectorEnv(5, scenario, episode_steps=3, autoreset_mode=mode)
    batch.reset(seed=[4, 9, 2, 7, 7])
    together = run(batch, 8)
    for position, seed in ((1, 9), (4, 7)):
        alone = NetworkVectorEnv(1, scenario, episode_steps=3, autoreset_mode=mode)
        alone.reset(seed=seed)
        for one, other in zip(run(alone, 8), together, strict=True):
            for mine, theirs in zip(one[:4], other[:4], strict=True):
                assert np.array_equal(mine[0], theirs[position])


def test_it_agrees_with_the_parallel_env_over_episodes() -> None:
    envs = NetworkVectorEnv(2, SMALL, episode_steps=3)
    envs.reset(seed=11)
    one = parallel_env(SMALL, episode_steps=3)
    one.reset(seed=12)
    for _, reward, _, truncated, infos in run(envs, 7):
        _, rewards, _, truncations, _ = one.step(dict.fromkeys(one.agents, static_ratios(3)))
        assert reward[1] == pytest.approx(np.mean(list(rewards.values())), abs=1e-12)
        assert truncated[1] == truncations["du_0"]
        if truncated[1]:
            last = infos["final_obs"][1]  # type: ignore[index]
            assert np.array_equal(last, one.state())
            one.reset()


def test_same_step_mode_begins_the_next_episode_at_once() -> None:
    envs = NetworkVectorEnv(2, SMALL, episode_steps=2)
    first, _ = envs.reset(seed=1)
    before, last, after = run(envs, 3)
    assert before[3].tolist() == [False, False]
    assert last[3].tolist() == [True, True]
    assert np.array_equal(last[0], first), "before anything is measured all networks look alike"
    infos = last[4]
    assert infos["_final_obs"].tolist() == [True, True]  # type: ignore[attr-defined]
    assert infos["_kpis"].tolist() == [False, False]  # type: ignore[attr-defined]
    assert infos["final_obs"][0].shape == (3, 3, len(task.FEATURES))  # type: ignore[index]
    assert set(infos["final_info"]) >= {"kpis", "ratios", "cell_reward"}  # type: ignore[call-overload]
    assert "final_obs" not in after[4]
    assert not np.array_equal(after[0], before[0]), "another episode, another network"


def test_next_step_mode_spends_a_step_on_it() -> None:
    envs = NetworkVectorEnv(2, SMALL, episode_steps=2, autoreset_mode=AutoresetMode.NEXT_STEP)
    same = NetworkVectorEnv(2, SMALL, episode_steps=2)
    first, _ = envs.reset(seed=1)
    same.reset(seed=1)
    steps, others = run(envs, 5), run(same, 4)
    assert [step[3][0] for step in steps] == [False, True, False, False, True]
    assert np.array_equal(steps[2][0], first)
    assert steps[2][1].tolist() == [0.0, 0.0]
    assert steps[2][4]["_kpis"].tolist() == [False, False]  # type: ignore[attr-defined]
    for mine, theirs in ((0, 0), (1, 1), (3, 2), (4, 3)):
        assert np.array_equal(steps[mine][1], others[theirs][1])


def test_without_autoreset_the_caller_resets_some() -> None:
    envs = NetworkVectorEnv(2, SMALL, episode_steps=3, autoreset_mode=AutoresetMode.DISABLED)
    first, _ = envs.reset(seed=1)
    run(envs, 1)
    mask = np.array([True, False])
    observation, _ = envs.reset(options={"reset_mask": mask})
    assert np.array_equal(observation[0], first[0])
    assert not np.array_equal(observation[1], first[1])
    assert [step[3].tolist() for step in run(envs, 2)] == [[False, False], [False, True]]
    with pytest.raises(RuntimeError, match="reset_mask"):
        run(envs, 1)
    envs.reset(options={"reset_mask": ~mask})
    assert [step[3].tolist() for step in run(envs, 1)] == [[True, False]]


def test_resetting_some_leaves_the_others_alone() -> None:
    one, other = NetworkVectorEnv(3, SMALL), NetworkVectorEnv(3, SMALL)
    for envs in (one, other):
        envs.reset(seed=1)
        run(envs, 2)
    one.reset(seed=[8, 8, 8], options={"reset_mask": np.array([False, True, False])})
    fresh = NetworkVectorEnv(1, SMALL)
    fresh.reset(seed=8)
    for mine, theirs, new in zip(run(one, 2), run(other, 2), run(fresh, 2), strict=True):
        assert np.array_equal(mine[0][[0, 2]], theirs[0][[0, 2]])
        assert np.array_equal(mine[0][1], new[0][0])


def test_tensors_are_the_same_numbers() -> None:
    arrays, tensors = NetworkVectorEnv(2, SMALL, episode_steps=3), NetworkVectorEnv(2, SMALL, episode_steps=3)
    first, _ = arrays.reset(seed=3)
    assert np.array_equal(tensors.restart([3, 4]), first)
    for observation, reward, _, truncated, infos in run(arrays, 4):
        outcome = tensors.advance(torch.tensor(static(tensors)))
        assert np.array_equal(outcome.observation, observation)
        assert np.array_equal(outcome.reward.mean(dim=-1), reward)
        assert np.array_equal(outcome.truncated, truncated)
        if truncated.any():
            assert np.array_equal(outcome.successor[1], infos["final_obs"][1])  # type: ignore[index]
        else:
            assert torch.equal(outcome.successor, outcome.observation)


def test_any_action_is_made_valid() -> None:
    envs = NetworkVectorEnv(2, SMALL)
    envs.reset(seed=1)
    envs.action_space.seed(1)
    for _ in range(3):
        _, _, _, _, infos = envs.step(envs.action_space.sample())
        assert valid(infos["ratios"]).all()  # type: ignore[attr-defined]


def test_what_it_gives_is_not_used_again() -> None:
    one, other = NetworkVectorEnv(2, SMALL), NetworkVectorEnv(2, SMALL)
    for envs in (one, other):
        envs.reset(seed=1)
    observation, *_, infos = run(one, 1)[0]
    observation[:] = 9.0
    infos["ratios"][:] = 9.0  # type: ignore[index]
    run(other, 1)
    assert np.array_equal(run(one, 1)[0][0], run(other, 1)[0][0])


def test_gymnasiums_wrappers_work_on_it() -> None:
    plain = NetworkVectorEnv(2, SMALL, episode_steps=3)
    unit = RescaleAction(plain, np.float32(-1.0), np.float32(1.0))
    envs = DictInfoToList(RecordEpisodeStatistics(unit))
    envs.reset(seed=1)
    actions = np.zeros((2, 3, 3, 3), dtype=np.float32)
    returns = np.zeros(2)
    for _ in range(3):
        _, reward, _, _, infos = envs.step(actions)
        returns += reward
    assert isinstance(infos, list)
    assert infos[1]["episode"]["r"] == pytest.approx(returns[1])
    assert infos[1]["episode"]["l"] == 3
    assert np.allclose(infos[1]["final_info"]["ratios"][..., 1], 100.0 / 3.0)


def test_gymnasiums_observation_wrappers_work_in_next_step_mode() -> None:
    late = NetworkVectorEnv(2, SMALL, episode_steps=3, autoreset_mode=AutoresetMode.NEXT_STEP)
    envs = NormalizeObservation(FlattenObservation(late))
    envs.reset(seed=1)
    for _ in range(5):
        observation = envs.step(static(late))[0]
        assert observation.shape == (2, 3 * 3 * len(task.FEATURES))
        assert np.isfinite(observation).all()


def test_it_can_be_sent_to_another_process() -> None:
    envs = NetworkVectorEnv(2, SMALL)
    envs.reset(seed=1)
    run(envs, 1)
    twin = pickle.loads(pickle.dumps(envs))
    assert np.array_equal(run(twin, 1)[0][0], run(envs, 1)[0][0])


def test_without_a_seed_one_is_drawn_and_stays() -> None:
    one, other = NetworkVectorEnv(1, SMALL), NetworkVectorEnv(1, SMALL)
    for envs in (one, other):
        envs.reset()
    assert not np.array_equal(run(one, 1)[0][0], run(other, 1)[0][0])
    envs = NetworkVectorEnv(1, SMALL)
    envs.reset(seed=5)
    envs.reset()
    later = run(envs, 1)[0][0]
    envs.reset(seed=5)
    envs.reset()
    assert np.array_equal(run(envs, 1)[0][0], later)


def test_it_is_rendered_as_text() -> None:
    envs = NetworkVectorEnv(2, SMALL, render_mode="ansi")
    envs.reset(seed=1)
    assert envs.render() is None
    run(envs, 1)
    text = envs.render()
    assert text is not None
    assert len(text) == 2
    assert text[0] != text[1]
    envs.close()
    assert envs.closed


def test_what_makes_no_sense_is_refused() -> None:
    for wrong in ({"num_envs": 0}, {"num_envs": 1, "episode_steps": 0}, {"num_envs": 1, "render_mode": "human"}):
        with pytest.raises(ValueError, match=list(wrong)[-1]):
            NetworkVectorEnv(scenario=SMALL, **wrong)  # type: ignore[arg-type]
    envs = NetworkVectorEnv(2, SMALL)
    with pytest.raises(RuntimeError, match="reset"):
        run(envs, 1)
    with pytest.raises(ValueError, match="3 seeds"):
        envs.reset(seed=[1, 2, 3])
    for mask in (np.array([1, 0]), np.array([True]), np.array([False, False]), [True, False]):
        with pytest.raises(ValueError, match="reset_mask"):
            envs.reset(options={"reset_mask": mask})
    envs.reset(seed=1)
    with pytest.raises(ValueError, match="NaN"):
        envs.step(np.full(envs.action_space.shape, np.nan))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\[2, 3, 3, 3\]"):
        envs.step(np.zeros((3, 3)))


def test_blocks_never_change_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = NetworkVectorEnv(5, SMALL, episode_steps=3)
    monkeypatch.setattr(network, "_BLOCK_LINKS", 2 * 3 * 24)
    parted = NetworkVectorEnv(5, SMALL, episode_steps=3)
    for envs in (whole, parted):
        envs.reset(seed=1)
        run(envs, 1)
        envs.reset(seed=[7, 7, 7, 7, 7], options={"reset_mask": np.array([False, False, True, False, False])})
    for mine, theirs in zip(run(whole, 4), run(parted, 4), strict=True):
        for one, other in zip(mine[:4], theirs[:4], strict=True):
            assert np.array_equal(one, other)
        assert np.array_equal(mine[4]["ratios"], theirs[4]["ratios"])  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_a_trace_drives_the_networks_over_episodes(mode: AutoresetMode) -> None:
    trace = Trace(np.linspace(0, 20, 50), np.full(50, 9.0), np.linspace(1, 5, 50))
    envs = NetworkVectorEnv(2, SMALL, episode_steps=2, trace=trace, autoreset_mode=mode)
    envs.reset(seed=3)
    one = parallel_env(SMALL, episode_steps=2, trace=trace)
    one.reset(seed=4)
    for _, reward, _, truncated, infos in run(envs, 6):
        if not infos["_kpis"][1] and not truncated[1]:  # type: ignore[index]
            continue  # the step that only begins an episode
        _, rewards, _, _, _ = one.step(dict.fromkeys(one.agents, static_ratios(3)))
        assert reward[1] == pytest.approx(np.mean(list(rewards.values())), abs=1e-12)
        if truncated[1]:
            one.reset()
    other = NetworkVectorEnv(2, SMALL, episode_steps=2)
    other.reset(seed=3)
    envs.reset(seed=3)
    assert not np.array_equal(run(envs, 1)[0][0], run(other, 1)[0][0])
