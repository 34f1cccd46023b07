"""Replay: the last episodes of all networks, on the device that learns."""

from dataclasses import dataclass

import torch
from torch import Tensor

from training.slicing.environment import Seen


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Transitions; [n, cells, ...] each."""

    seen: Seen
    share: Tensor
    reward: Tensor
    after: Seen


class Replay:
    """A ring of episodes, each of all networks together; features, which lie in 0..1, in half precision."""

    def __init__(self, episodes: int, steps: int, seen: Seen) -> None:
        """Room for so many episodes of so many steps, of networks that see what `seen` looks like."""
        envs, cells, slices, width = seen.features.shape
        device = seen.features.device
        self.episodes, self.steps = episodes, steps
        shape = (episodes, steps + 1, envs, cells, slices)
        self.features = torch.zeros(*shape, width, dtype=torch.float16, device=device)
        self.levels = torch.zeros(*shape, 2, dtype=torch.uint8, device=device)
        self.said = torch.zeros(episodes, steps + 1, envs, cells, dtype=torch.int16, device=device)
        self.share = torch.zeros(episodes, steps, envs, cells, slices, device=device)
        self.reward = torch.zeros(episodes, steps, envs, cells, device=device)
        self.begun = 0
        """Episodes begun."""
        self.step = 0
        """Steps of the last one."""

    def begin(self, seen: Seen) -> None:
        """An episode begins."""
        self.begun, self.step = self.begun + 1, 0
        self._see(seen)

    def add(self, share: Tensor, reward: Tensor, after: Seen) -> None:
        """A step of the episode: shares [envs, cells, slices], rewards [envs, cells]."""
        place = (self.begun - 1) % self.episodes
        self.share[place, self.step], self.reward[place, self.step] = share, reward
        self.step += 1
        self._see(after)

    def sample(self, count: int, draw: torch.Generator) -> Batch:
        """Random transitions, all equally likely."""
        device = self.reward.device
        whole, last = min(self.begun - 1, self.episodes - 1), (self.begun - 1) % self.episodes
        number = torch.randint(whole * self.steps + self.step, (count,), generator=draw, device=device)
        # The last episode comes first; the whole ones follow it around the ring.
        current = number < self.step
        rest = number - self.step
        episode = torch.where(current, last, (last - 1 - rest // self.steps) % self.episodes)
        step = torch.where(current, number, rest % self.steps)
        env = torch.randint(self.reward.shape[2], (count,), generator=draw, device=device)
        at, then = (episode, step, env), (episode, step + 1, env)
        return Batch(self._seen(at), self.share[at], self.reward[at], self._seen(then))

    def state(self) -> dict[str, Tensor | int]:
        """What a checkpoint keeps: the episodes that there are."""
        filled = min(self.begun, self.episodes)
        return {
            "features": self.features[:filled],
            "levels": self.levels[:filled],
            "said": self.said[:filled],
            "share": self.share[:filled],
            "reward": self.reward[:filled],
            "begun": self.begun,
            "step": self.step,
        }

    def restore(self, state: dict[str, Tensor | int]) -> None:
        """Take over what a checkpoint kept."""
        for name in ("features", "levels", "said", "share", "reward"):
            kept = state[name]
            assert isinstance(kept, Tensor)
            getattr(self, name)[: len(kept)] = kept
        self.begun, self.step = int(state["begun"]), int(state["step"])

    def __len__(self) -> int:
        whole = min(self.begun - 1, self.episodes - 1) if self.begun else 0
        return (whole * self.steps + self.step) * self.reward.shape[2]

    def _see(self, seen: Seen) -> None:
        place = (self.begun - 1) % self.episodes
        self.features[place, self.step] = seen.features
        self.levels[place, self.step] = seen.levels.to(torch.uint8)
        self.said[place, self.step] = seen.said.to(torch.int16)

    def _seen(self, at: tuple[Tensor, Tensor, Tensor]) -> Seen:
        return Seen(
            self.features[at].to(torch.float32), self.levels[at].to(torch.int64), self.said[at].to(torch.int64)
        )
