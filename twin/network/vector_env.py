"""The network twin as a Gymnasium VectorEnv: many networks at once, one call of the twin for all of them.

    envs = NetworkVectorEnv(64, Scenario(), episode_steps=200)
    observations, infos = envs.reset(seed=1)
    observations, rewards, terminations, truncations, infos = envs.step(actions)

A sub-environment is a whole network: its observation and action hold all cells. `restart` and `advance` are the
same in torch tensors, on the device that the networks are on, for trainers: no copies, and KPIs and rewards of
each cell. What is seen, done and earned is defined in `twin.network.task`. Nothing ever terminates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor

from twin.network import network, task
from twin.network.kpis import Kpis, slice_kpis
from twin.network.scenario import Scenario
from twin.network.state import join
from twin.network.trace import Trace

Info = dict[str, object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step gave: tensors on the networks' device, the first axis being the environment."""

    observation: Tensor
    """What to act on next: float32 [envs, cells, slices, features]. Where an episode began, that one's first."""
    successor: Tensor
    """What the step led to, to bootstrap from: the same, but where an episode was over, that one's last."""
    reward: Tensor
    """The slicing reward of each cell: float64 [envs, cells]."""
    qos_ratio: Tensor
    """float64 [envs, cells, slices]."""
    truncated: Tensor
    """Whose episode is over: bool [envs]."""
    ratios: Tensor
    """The ratios that were in force: float64 [envs, cells, slices, 3] in percent."""
    kpis: Kpis


class NetworkVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Networks of one scenario; an environment's numbers do not depend on the others in the batch (on a CPU).

    The reward of a network is the mean of its cells' slicing rewards. After a step `infos` holds `kpis` (TS 28.552
    name to [envs, cells, slices], SI units, NaN when not measured), `ratios` [envs, cells, slices, 3] in percent,
    `cell_reward` and `satisfaction` [envs, cells], and for each `name` a mask `_name`: whose values these are.
    Where the next episode has begun at once, the last step's are in `final_info` and `final_obs`.

    `autoreset_mode` is one of Gymnasium's three. Its wrappers of observations want `NEXT_STEP`.
    """

    def __init__(
        self,
        num_envs: int,
        scenario: Scenario | None = None,
        *,
        episode_steps: int = 200,
        autoreset_mode: AutoresetMode = AutoresetMode.SAME_STEP,
        trace: Trace | None = None,
        device: str | torch.device = "cpu",
        render_mode: str | None = None,
    ) -> None:
        """So many networks of a scenario (the default one unless given), in episodes of so many control intervals.

        Raises ValueError for less than one network or step, and for a render mode other than None or `ansi`.
        """
        for name, value in (("num_envs", num_envs), ("episode_steps", episode_steps)):
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode is {render_mode!r}; it must be None or 'ansi'")
        self.num_envs = num_envs
        self.scenario = scenario or Scenario()
        self.episode_steps = episode_steps
        self.device = torch.device(device)
        self.render_mode = render_mode
        self.metadata = {"render_modes": ["ansi"], "autoreset_mode": autoreset_mode}
        cells = self.scenario.cells
        self.single_observation_space = task.observation_space(self.scenario, cells)
        self.single_action_space = task.action_space(self.scenario, cells)
        self.observation_space = task.observation_space(self.scenario, num_envs, cells)
        self.action_space = task.action_space(self.scenario, num_envs, cells)
        self._mode = autoreset_mode
        self._trace = trace
        self._seed: Tensor | None = None
        self._episode = torch.zeros(num_envs, dtype=torch.int64)
        self._steps = torch.zeros(num_envs, dtype=torch.int64)
        self._over = torch.zeros(num_envs, dtype=torch.bool)
        self._blocks = network.blocks(self.scenario, num_envs, self.device)
        self._networks: list[network.State] = []
        self._seen: Tensor = task.first_observation(self.scenario, num_envs, self.device)
        self._last: Outcome | None = None

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, object] | None = None
    ) -> tuple[np.ndarray, Info]:
        """Begin episodes everywhere, or with `options={"reset_mask": bool [envs]}` only there.

        A seed n gives the networks n, n + 1, ...; a sequence, one each. With a seed an episode is that seed's
        first, which is the twin's own; without, the next of the seed last given, or of one drawn. Raises
        ValueError for too few seeds or too many, one out of range, and a mask of another kind.
        """
        chosen: list[int] | None = None
        if isinstance(seed, int | np.integer):
            super().reset(seed=int(seed))
            chosen = [int(seed) + position for position in range(self.num_envs)]
        elif seed is not None:
            chosen = [int(item) for item in seed]
        mask = _mask(options, self.num_envs)
        return _array(self.restart(chosen, mask)), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Info]:
        """Run one control interval under ratios [envs, cells, slices, 3] in percent.

        Raises RuntimeError before the first reset, ValueError for a wrong shape or NaN.
        """
        begun = self._over.numpy() if self._mode is AutoresetMode.NEXT_STEP else np.zeros(self.num_envs, bool)
        outcome = self.advance(torch.tensor(actions, device=self.device))
        truncated = _array(outcome.truncated)
        final = truncated if self._mode is AutoresetMode.SAME_STEP else np.zeros(self.num_envs, bool)
        infos = self._infos(outcome, ~(final | begun))
        if final.any():
            # Gymnasium keeps the last observations apart, as objects.
            last = np.full(self.num_envs, None, dtype=object)
            successor = _array(outcome.successor)
            for position in np.flatnonzero(final):
                last[position] = successor[position]
            infos |= {"final_obs": last, "_final_obs": final}
            infos |= {"final_info": self._infos(outcome, final), "_final_info": final}
        reward = _array(outcome.reward.mean(dim=-1))
        return _array(outcome.observation), reward, np.zeros(self.num_envs, bool), truncated, infos

    def restart(self, seeds: Sequence[int] | None = None, mask: Tensor | None = None) -> Tensor:
        """As `reset`, in tensors: begin episodes everywhere or where mask, bool [envs], says; the observation."""
        mask = torch.ones(self.num_envs, dtype=torch.bool) if mask is None else mask.cpu()
        if seeds is None and self._seed is None:
            seeds = self.np_random.integers(task.MAX_SEED, size=self.num_envs).tolist()
        if seeds is None:
            self._episode = self._episode + mask
        else:
            if len(seeds) != self.num_envs:
                raise ValueError(f"{len(seeds)} seeds for {self.num_envs} environments; give one each")
            given = torch.tensor([task.checked_seed(item) for item in seeds])
            self._seed = given if self._seed is None else torch.where(mask, given, self._seed)
            self._episode = torch.where(mask, 0, self._episode)
        self._begin(mask)
        return self._seen

    @torch.no_grad()
    def advance(self, ratios: Tensor) -> Outcome:
        """As `step`, in tensors: one control interval under ratios [envs, cells, slices, 3] in percent."""
        if not self._networks:
            raise RuntimeError("no episode is running; call reset first")
        none = torch.zeros_like(self._over)
        if self._mode is AutoresetMode.DISABLED and self._over.any():
            raise RuntimeError('episodes are over; reset them with options={"reset_mask": truncated}')
        if ratios.shape != self.action_space.shape:
            wanted = list(self.action_space.shape or ())
            raise ValueError(f"ratios have shape {list(ratios.shape)}; they must be {wanted}")
        pairs = zip(self._networks, self._blocks, strict=True)
        done = [network.step(self.scenario, state, ratios[block]) for state, block in pairs]
        self._networks = [state for state, _ in done]
        kpis = done[0][1] if len(done) == 1 else join([measured for _, measured in done])
        in_force = torch.cat([state.ratios for state in self._networks])
        self._seen = successor = task.observe(self.scenario, kpis, in_force)
        qos = task.qos_ratio(self.scenario, kpis)
        reward = task.reward(self.scenario, qos)
        # In next-step mode the step after an episode's last does nothing but begin the next.
        late = self._over if self._mode is AutoresetMode.NEXT_STEP else none
        self._steps = self._steps + 1
        self._over = truncated = (self._steps >= self.episode_steps) & ~late
        begin = truncated if self._mode is AutoresetMode.SAME_STEP else late
        if begin.any():
            self._episode = self._episode + begin
            self._begin(begin)
        if late.any():
            reward, successor = torch.where(late.to(self.device).unsqueeze(-1), 0.0, reward), self._seen
        self._last = Outcome(self._seen, successor, reward, qos, truncated.to(self.device), in_force, kpis)
        return self._last

    def states(self) -> tuple[network.State, ...]:
        """The networks as they stand, in the groups that are stepped together."""
        return tuple(self._networks)

    def render(self) -> tuple[str, ...] | None:
        """With render mode `ansi`, each network's last step as a table; None before the first one."""
        if self.render_mode is None or self._last is None:
            return None
        last = self._last
        return tuple(task.table(self.scenario, last.kpis, last.ratios, env) for env in range(self.num_envs))

    def close_extras(self, **kwargs: object) -> None:
        """Let go of the networks."""
        self._networks, self._last = [], None

    def _begin(self, mask: Tensor) -> None:
        """Begin the episode each environment is at, where mask [envs] is true."""
        assert self._seed is not None
        seeds = task.episode_seed(self._seed, self._episode).to(self.device)
        there = mask.to(self.device)
        if not self._networks:
            self._networks = [
                network.reset(self.scenario, seeds[block], trace=self._trace) for block in self._blocks
            ]
        else:
            for number, block in enumerate(self._blocks):
                if mask[block].any():
                    fresh = network.reset(self.scenario, seeds[block], trace=self._trace)
                    self._networks[number] = network.merge(there[block], fresh, self._networks[number])
        first = task.first_observation(self.scenario, self.num_envs, self.device)
        self._seen = torch.where(there.view(-1, 1, 1, 1), first, self._seen)
        self._steps = torch.where(mask, 0, self._steps)
        self._over = self._over & ~mask

    def _infos(self, outcome: Outcome, mask: np.ndarray) -> Info:
        kept = task.satisfaction(self.scenario, outcome.qos_ratio)
        named: Info = {name: _array(values) for name, values in slice_kpis(outcome.kpis).items()}
        return _masked(
            {
                "kpis": _masked(named, mask),
                "ratios": _array(outcome.ratios),
                "cell_reward": _array(outcome.reward),
                "satisfaction": _array(kept),
            },
            mask,
        )


def _masked(infos: Info, mask: np.ndarray) -> Info:
    return infos | {f"_{name}": mask for name in infos}


def _mask(options: dict[str, object] | None, envs: int) -> Tensor | None:
    mask = (options or {}).get("reset_mask")
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray) or mask.shape != (envs,) or mask.dtype != np.bool_ or not mask.any():
        raise ValueError(f"reset_mask is {mask!r}; it must be a bool array [{envs}] with one True at least")
    return torch.tensor(mask)


def _array(values: Tensor) -> np.ndarray:
    """A copy that the caller may change."""
    copied: np.ndarray = values.cpu().numpy().copy()
    return copied
