"""Train slicing agents on the twin: rollouts, updates, evaluations, checkpoints; goes on where it was interrupted.

A round is an episode of all networks at once. Draws depend on seed and round alone, and a checkpoint is written
after every round that was evaluated, so that a training that was killed goes on as it would have.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from training.slicing import arms
from training.slicing.config import Config, ConfigError
from training.slicing.environment import Environment, Seen
from training.slicing.networks import share_of
from training.slicing.replay import Replay
from training.slicing.representation import Representation, build
from training.slicing.sac import Losses, Sac
from training.slicing.score import play
from twin.network import library

EVALUATION_SEED = 1_000_000
"""Evaluations during training run on seeds from here on; tests on others still."""
CONFIG, CHECKPOINT = "config.json", "checkpoint.pt"
Row = dict[str, float]


class Training:
    """A training under way; other environments (of so many networks) and another representation can be given."""

    def __init__(
        self,
        config: Config,
        folder: Path,
        device: torch.device | None = None,
        *,
        environments: Callable[[int], Environment] | None = None,
        representation: Representation | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.folder = config, folder
        self.device = device or torch.device("cpu")
        self.scenario = library.load(config.scenario)
        self._environments = environments or (lambda envs: Environment(self.scenario, envs, device=self.device))
        self.environment = self._environments(config.envs)
        if representation is None:
            names = tuple(item.name for item in self.scenario.slices)
            representation = build(config, names, self.device)
        self.sac = Sac(config, representation).to(self.device)
        self.round = 0
        self.curve: list[Row] = []
        self._replay: Replay | None = None
        self._draw = torch.Generator(self.device)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).write_text(json.dumps(asdict(config), indent=1))

    @classmethod
    def restored(cls, folder: Path) -> "Training":
        """A training as its folder's checkpoint left it, on the CPU; ConfigError where there is none."""
        try:
            config = Config(**json.loads((folder / CONFIG).read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{folder} holds no training: {error}") from None
        if not (folder / CHECKPOINT).exists():
            raise ConfigError(f"{folder} holds no checkpoint yet: train longer")
        training = cls(config, folder)
        training._resume()
        return training

    @property
    def rounds(self) -> int:
        """Episodes of all networks together."""
        return -(-self.config.episodes // self.config.envs)

    def run(self, tell: Callable[[Row], None] = lambda row: None, *, stop_after: int | None = None) -> Sac:
        """Train to the end, or to so many rounds; `tell` hears of every evaluation."""
        self._resume()
        while self.round < min(self.rounds, stop_after or self.rounds):
            began_s = time.monotonic()
            losses = self._play()
            self.round += 1
            last = self.round in (self.rounds, stop_after)
            if self.round % self.config.evaluate_every == 0 or last:
                row = {"episodes": float(self.round * self.config.envs), **self.evaluate(), **losses}
                row["round_s"] = time.monotonic() - began_s
                self.curve.append(row)
                tell(row)
                self._save()
        return self.sac

    def evaluate(self) -> Row:
        """Mean reward and satisfaction of the actor without noise on seeds that training never sees."""
        seeds = range(EVALUATION_SEED, EVALUATION_SEED + self.config.evaluation_seeds)
        found = play(self._environments(len(seeds)), arms.learnt(self.sac), seeds, self.config.episode_steps)
        row = {"reward": float(found.reward.mean()), "satisfaction": float(found.satisfaction.mean())}
        for item, kept in zip(self.scenario.slices, found.kept.mean(axis=0), strict=True):
            row[f"kept {item.name}"] = float(kept)
        return row

    def _play(self) -> Row:
        """An episode of all networks, learning meanwhile."""
        config = self.config
        self._draw.manual_seed(config.seed * 1_000_003 + self.round)
        self.sac.slow_down(self.round / self.rounds)
        first = config.seed * 10**8 + self.round * config.envs
        seen = self.environment.reset(range(first, first + config.envs))
        if self._replay is None:
            self._replay = Replay(config.replay_episodes, config.episode_steps, seen)
        self._replay.begin(seen)
        losses: list[Losses] = []
        for step in range(config.episode_steps):
            total = self.round * config.episode_steps + step
            action = self._explore(seen.features.shape, total) if total < config.warm_up_steps else None
            if action is None:
                with torch.no_grad():
                    action, _ = self.sac.actor.sample(self.sac.representation(seen), self._draw)
            share = share_of(action)
            outcome = self.environment.step(share)
            kept = config.satisfaction_weight * outcome.satisfaction.to(torch.float32)
            self._replay.add(share, outcome.reward + kept, outcome.seen)
            seen = outcome.seen
            if total + 1 == config.warm_up_steps:
                self._settle()
            if total + 1 >= config.warm_up_steps:
                for _ in range(config.updates):
                    losses.append(self.sac.update(self._replay.sample(config.batch, self._draw), self._draw))
        if not losses:
            return {}
        return {name: sum(getattr(item, name) for item in losses) / len(losses) for name in Losses.__slots__}

    def _explore(self, shape: torch.Size, step: int) -> Tensor:
        """Random actions that last a while, so that queues feel them."""
        self._draw.manual_seed(self.config.seed * 7_919 + step // 5)
        return torch.rand(shape[:-1], generator=self._draw, device=self.device) * 2.0 - 1.0

    def _settle(self) -> None:
        """What standardises the state and centres the reward follows from the random actions."""
        assert self._replay is not None
        known = slice(0, max(1, self._replay.step))
        place = (self._replay.begun - 1) % self._replay.episodes
        seen = Seen(
            self._replay.features[place, known].to(torch.float32),
            self._replay.levels[place, known].to(torch.int64),
            self._replay.said[place, known].to(torch.int64),
        )
        self.sac.representation.prepare(seen, self.config.seed)
        self.sac.reward_centre.copy_(self._replay.reward[place, known].mean())

    def _save(self) -> None:
        state = {
            "sac": self.sac.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.sac.optimisers],
            "round": self.round,
            "curve": self.curve,
            "replay": None if self._replay is None else self._replay.state(),
        }
        partial = self.folder / "checkpoint.partial"
        torch.save(state, partial)
        partial.replace(self.folder / CHECKPOINT)
        (self.folder / "curve.json").write_text(json.dumps(self.curve, indent=1))

    def _resume(self) -> None:
        path = self.folder / CHECKPOINT
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.sac.load_state_dict(state["sac"])
        for optimiser, kept in zip(self.sac.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.round, self.curve = int(state["round"]), state["curve"]
        if state["replay"] is not None:
            seen = self.environment.reset(range(self.config.envs))
            self._replay = Replay(self.config.replay_episodes, self.config.episode_steps, seen)
            self._replay.restore(state["replay"])
