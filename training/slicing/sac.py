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
    token_gradient: float
    """Norm of the gradient that moved the learnable tokens, 0 where they were not moved."""


class Sac(nn.Module):
    """Everything that learns, and how."""

    reward_centre: Tensor
    updates: Tensor

    def __init__(self, config: Config, representation: Representation) -> None:
        super().__init__()
        self.config = config
        self.representation = representation
        self.actor = Actor(representation.width, config.hidden)
        self.critics = nn.ModuleList(Critic(representation.width, config.hidden) for _ in range(2))
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(config.temperature)))
        self.register_buffer("reward_centre", torch.zeros(()))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        language = representation.language
        tokens = [] if language is None or not language.trained else [language.tokens]
        adapters = [item for item in representation.parameters() if not any(item is token for token in tokens)]
        groups = [[*self.critics.parameters(), *adapters], [*self.actor.parameters()], [self.log_temperature]]
        self.optimisers = [torch.optim.Adam(group, config.learning_rate) for group in groups]
        if tokens:
            self.optimisers.append(torch.optim.Adam(tokens, config.token_learning_rate))
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["initial_lr"] = group["lr"]

    @torch.no_grad()
    def act(self, seen: Tensor) -> Tensor:
        """Actions without noise [..., slices] of representations [..., slices, width]."""
        return self.actor.best(seen)

    def slow_down(self, done: float) -> None:
        """Lower all learning rates as training goes on, `done` being 0 at its start and 1 at its end."""
        left = 1.0 + done * (self.config.last_learning_rate / self.config.learning_rate - 1.0)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * left

    def update(self, batch: Batch, draw: torch.Generator) -> Losses:
        """Learn from some transitions: critics and adapters, actor, temperature, now and then the tokens."""
        with torch.autocast(batch.reward.device.type, torch.bfloat16, enabled=self._mixed(batch)):
            seen, critic_loss, td_error = self._judge(batch, draw)
        self._step(0, critic_loss)
        self.critics.requires_grad_(False)
        with torch.autocast(batch.reward.device.type, torch.bfloat16, enabled=self._mixed(batch)):
            actor_loss, entropy = self._improve(seen.detach(), draw)
        self._step(1, actor_loss)
        self.critics.requires_grad_(True)
        temperature = float(self.log_temperature.detach().exp())
        self._step(2, self.log_temperature * (entropy - self.config.target_entropy))
        with torch.no_grad():
            for target, source in zip(self.targets.parameters(), self.critics.parameters(), strict=True):
                target.lerp_(source, self.config.tau)
        return Losses(
            critic=float(critic_loss.detach()),
            actor=float(actor_loss.detach()),
            temperature=temperature,
            entropy=float(entropy),
            td_error=float(td_error),
            token_gradient=self._move_tokens(),
        )

    def _judge(self, batch: Batch, draw: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """What was seen as represented, the loss of both critics, and their mean absolute error."""
        config = self.config
        seen = self.representation(batch.seen)
        with torch.no_grad():
            after = self.representation(batch.after)
            then, density = self.actor.sample(after, draw)
            value = torch.minimum(*(target(after, share_of(then)) for target in self.targets))
            reward = config.reward_scale * (batch.reward - self.reward_centre)
            wanted = reward + config.gamma * (value - self.log_temperature.exp() * density)
        errors = torch.stack([critic(seen, batch.share) - wanted for critic in self.critics])
        return seen, errors.square().mean(), errors.detach().abs().mean()

    def _improve(self, seen: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """The loss of the actor, and its entropy."""
        action, density = self.actor.sample(seen, draw)
        values = torch.minimum(*(critic(seen, share_of(action)) for critic in self.critics))
        temperature = self.log_temperature.exp().detach()
        return (temperature * density - values).mean(), -density.detach().mean()

    def _move_tokens(self) -> float:
        """Every so many updates carry what gathered meanwhile into the learnable tokens."""
        self.updates += 1
        config, language = self.config, self.representation.language
        if language is None or not language.trained or int(self.updates) % config.token_every:
            return 0.0
        return language.learn(self.optimisers[3], config.token_batch, config.clip)

    def _mixed(self, batch: Batch) -> bool:
        return self.config.precision == "bfloat16" and batch.reward.device.type == "cuda"

    def _step(self, which: int, loss: Tensor) -> None:
        optimiser = self.optimisers[which]
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        for group in optimiser.param_groups:
            nn.utils.clip_grad_norm_(group["params"], self.config.clip)
        optimiser.step()
