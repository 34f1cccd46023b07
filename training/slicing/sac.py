"""Soft actor-critic for many agents: critics of the joint state and action, one actor that all cells share.

Each agent earns the reward of its own cell, and its critic's value is that of its own cell; but an actor is made
to raise the values of all cells, for what it takes disturbs its neighbours. Centralised training, distributed
execution: the actor sees its own cell only (PA-MRL, Algorithm 1; Haarnoja et al. 2018).
"""

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.slicing.config import Config
from training.slicing.networks import Actor, Critic, share_of
from training.slicing.replay import Batch
from training.slicing.representation import Representation


@dataclass(frozen=True, slots=True)
class Losses:
    """What an update saw."""

    critic: float
    actor: float
    temperature: float
    entropy: float
    td_error: float
    """Mean absolute error of the joint value, in units of the scaled reward."""


class Sac(nn.Module):
    """Everything that learns, and how."""

    reward_centre: Tensor

    def __init__(self, config: Config, representation: Representation) -> None:
        super().__init__()
        self.config = config
        self.representation = representation
        self.actor = Actor(representation.width, config.hidden)
        self.critics = nn.ModuleList(Critic(representation.width, config.hidden) for _ in range(2))
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(config.temperature)))
        self.register_buffer("reward_centre", torch.zeros(()))
        policy = [*self.actor.parameters()]
        value = [*self.critics.parameters(), *representation.parameters()]
        self.optimisers = [
            torch.optim.Adam(group, config.learning_rate) for group in (value, policy, [self.log_temperature])
        ]

    @torch.no_grad()
    def act(self, seen: Tensor) -> Tensor:
        """Actions without noise [..., slices] of representations [..., slices, width]."""
        return self.actor.best(seen)

    def slow_down(self, done: float) -> None:
        """Lower the learning rate as training goes on, `done` being 0 at its start and 1 at its end."""
        last = self.config.last_learning_rate
        rate = self.config.learning_rate + done * (last - self.config.learning_rate)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate

    def update(self, batch: Batch, draw: torch.Generator) -> Losses:
        """Learn from some transitions."""
        config, temperature = self.config, self.log_temperature.exp().detach()
        seen = self.representation(batch.seen)
        with torch.no_grad():
            after = self.representation(batch.after)
            then, density = self.actor.sample(after, draw)
            value = (
                torch.minimum(*(target(after, share_of(then)) for target in self.targets)) - temperature * density
            )
            reward = config.reward_scale * (batch.reward - self.reward_centre)
            wanted = reward + config.gamma * value
        errors = torch.stack([critic(seen, batch.share) - wanted for critic in self.critics])
        critic_loss = errors.square().mean()
        self._step(0, critic_loss)

        known = seen.detach()
        action, density = self.actor.sample(known, draw)
        self.critics.requires_grad_(False)
        values = torch.minimum(*(critic(known, share_of(action)) for critic in self.critics))
        actor_loss = (temperature * density - values).mean()
        self._step(1, actor_loss)
        self.critics.requires_grad_(True)

        entropy = -density.detach().mean()
        self._step(2, self.log_temperature * (entropy - config.target_entropy))
        with torch.no_grad():
            for target, source in zip(self.targets.parameters(), self.critics.parameters(), strict=True):
                target.lerp_(source, config.tau)
        return Losses(
            critic=float(critic_loss.detach()),
            actor=float(actor_loss.detach()),
            temperature=float(temperature),
            entropy=float(entropy),
            td_error=float(errors.detach().abs().mean()),
        )

    def _step(self, which: int, loss: Tensor) -> None:
        optimiser = self.optimisers[which]
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        for group in optimiser.param_groups:
            nn.utils.clip_grad_norm_(group["params"], self.config.clip)
        optimiser.step()
