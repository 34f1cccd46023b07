"""The network twin as a PettingZoo ParallelEnv: one network, an agent per cell (`du_0`, `du_1`, ...).

    env = parallel_env(Scenario(), episode_steps=200)
    observations, infos = env.reset(seed=1)
    observations, rewards, terminations, truncations, infos = env.step(actions)

What agents see, do and earn is defined in `twin.network.task`. Nothing ever terminates; episodes are truncated.
"""

from typing import ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box
from pettingzoo import ParallelEnv
from torch import Tensor

from twin.network import network, task
from twin.network.kpis import Kpis, slice_kpis
from twin.network.scenario import Scenario
from twin.network.trace import Trace

Info = dict[str, object]


class NetworkParallelEnv(ParallelEnv):  # type: ignore[misc]  # pettingzoo has no types
    """One network whose cells' agents set RRM policy ratios; each earns its own cell's slicing reward.

    After a step each agent's `infos` hold `kpis` (TS 28.552 name to one value per slice in SI units, None when not
    measured), `ratios` (those in force, [slices, 3] in percent), `qos_ratio` [slices] and `satisfaction`.
    """

    metadata: ClassVar[dict[str, object]] = {"name": "ranloop_network_v0", "render_modes": ["ansi"]}

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        episode_steps: int = 200,
        trace: Trace | None = None,
        render_mode: str | None = None,
    ) -> None:
        """A scenario (the default one unless given) in episodes of so many control intervals.

        Raises ValueError for an episode without steps and for a render mode other than None or `ansi`.
        """
        if episode_steps < 1:
            raise ValueError(f"episode_steps is {episode_steps}; it must be at least 1")
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode is {render_mode!r}; it must be None or 'ansi'")
        self.scenario = scenario or Scenario()
        self.episode_steps = episode_steps
        self.render_mode = render_mode
        self.possible_agents = [f"du_{cell}" for cell in range(self.scenario.cells)]
        self.agents: list[str] = []
        self.observation_spaces = {agent: task.observation_space(self.scenario) for agent in self.possible_agents}
        self.action_spaces = {agent: task.action_space(self.scenario) for agent in self.possible_agents}
        self.state_space = task.observation_space(self.scenario, self.scenario.cells)
        self._trace = trace
        self._seed: Tensor | None = None
        self._episode = torch.zeros(1, dtype=torch.int64)
        self._network: network.State | None = None
        self._kpis: Kpis | None = None
        self._seen = task.first_observation(self.scenario, 1, torch.device("cpu"))
        self._steps = 0

    def observation_space(self, agent: str) -> Box:
        """What an agent sees; always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Box:
        """What an agent may do; always the same object."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, object] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Info]]:
        """Begin an episode: with a seed, that seed's first; without one, the next of the seed last given.

        An environment that never got a seed draws one. `options` are not used.
        """
        if seed is None and self._seed is None:
            seed = int(np.random.default_rng().integers(task.MAX_SEED))
        if seed is not None:
            self._seed, self._episode = torch.tensor([task.checked_seed(seed)]), torch.zeros_like(self._episode)
        else:
            self._episode = self._episode + 1
        assert self._seed is not None
        seeds = task.episode_seed(self._seed, self._episode)
        self._network = network.reset(self.scenario, seeds, trace=self._trace)
        self._kpis, self._steps = None, 0
        self._seen = task.first_observation(self.scenario, 1, seeds.device)
        self.agents = self.possible_agents[:]
        return self._observations(), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Info]]:
        """Run one control interval under each agent's ratios [slices, 3] in percent.

        Raises RuntimeError outside an episode, ValueError for an agent without an action, a wrong shape or NaN.
        """
        if self._network is None or not self.agents:
            raise RuntimeError("no episode is running; call reset first")
        missing = [agent for agent in self.agents if agent not in actions]
        if missing:
            raise ValueError(f"actions lack {', '.join(missing)}; give one for every agent")
        ratios = torch.from_numpy(np.stack([np.asarray(actions[agent]) for agent in self.agents])).unsqueeze(0)
        self._network, self._kpis = network.step(self.scenario, self._network, ratios)
        self._seen = task.observe(self.scenario, self._kpis, self._network.ratios)
        self._steps += 1
        qos = task.qos_ratio(self.scenario, self._kpis)
        rewards = dict(zip(self.agents, task.reward(self.scenario, qos)[0].tolist(), strict=True))
        over = self._steps >= self.episode_steps
        terminations, truncations = dict.fromkeys(self.agents, False), dict.fromkeys(self.agents, over)
        observations, infos = self._observations(), self._infos(self._kpis, qos)
        if over:
            self.agents = []
        return observations, rewards, terminations, truncations, infos

    def state(self) -> np.ndarray:
        """What all agents see together, for a central critic; float32 [cells, slices, features]."""
        seen: np.ndarray = self._seen[0].numpy().copy()
        return seen

    def render(self) -> str | None:
        """With render mode `ansi`, the last step as a table; None before the first one."""
        if self.render_mode is None or self._kpis is None or self._network is None:
            return None
        return task.table(self.scenario, self._kpis, self._network.ratios)

    def close(self) -> None:
        """Let go of the network."""
        self._network, self._kpis, self.agents = None, None, []

    def _observations(self) -> dict[str, np.ndarray]:
        return dict(zip(self.agents, self.state(), strict=True))

    def _infos(self, kpis: Kpis, qos: Tensor) -> dict[str, Info]:
        assert self._network is not None
        named, kept = slice_kpis(kpis), task.satisfaction(self.scenario, qos)
        return {
            agent: {
                "kpis": {name: task.known(values[0, cell]) for name, values in named.items()},
                "ratios": self._network.ratios[0, cell].numpy(),
                "qos_ratio": qos[0, cell].numpy(),
                "satisfaction": float(kept[0, cell]),
            }
            for cell, agent in enumerate(self.agents)
        }


parallel_env = NetworkParallelEnv
"""The name under which PettingZoo's own modules offer their environment."""
