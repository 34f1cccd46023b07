"""Rounds of branching: from a policy to a better one, over and over; goes on where it was interrupted.

In each round futures are branched along the way of the round's policy, which goes on in them; then an actor is
fitted to all that was collected so far, and is the next round's policy. The last actor heeds what slices are to be
cared for. Collected episodes are kept as files, and draws depend on seed, round and episode alone, so that what
was killed goes on as it would have.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.slicing.branching import Branched, Decide, Futures, collect, varied
from training.slicing.branching_fit import Advantage, Fitting, Worth, fit_actor, fit_advantage
from training.slicing.config import Config
from training.slicing.environment import Environment, Seen
from training.slicing.networks import Actor, share_of
from training.slicing.representation import Representation
from training.slicing.sac import Sac
from twin.network.scenario import Scenario

FIRST_SEED = 10**9
"""Networks that branch have seeds from here on, which no evaluation uses."""
_NETWORKS = ("representation", "actor", "advantage")
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branching:
    """A training by branching."""

    start_episodes: int = 480
    """Episodes of soft actor-critic, which give the first policy."""
    start_satisfaction_weight: float = 3.0
    rounds: int = 3
    episodes: int = 12
    """Of each round; every second one under varied promises, weights and load."""
    envs: int = 16
    steps: int = 100
    spread: float = 0.5
    """Variation is up to e^spread."""
    futures: Futures = field(default_factory=Futures)
    worth: Worth = field(default_factory=Worth)
    last_worth: Worth = field(default_factory=lambda: Worth(care=(0.5, 0.0, 2.8)))
    """What counts for the last actor."""
    fitting: Fitting = field(default_factory=Fitting)
    seed: int = 1

    def flat(self) -> dict[str, str | int | float | bool]:
        """All fields as plain values, for a manifest."""
        told: dict[str, str | int | float | bool] = {"method": "branching"}
        for name, value in _leaves("branching.", asdict(self)):
            told[name] = " ".join(map(str, value)) if isinstance(value, tuple) else value
        return told


PRESETS: Mapping[str, Branching] = {
    "smoke": Branching(
        start_episodes=4,
        rounds=1,
        episodes=2,
        envs=2,
        steps=5,
        futures=Futures(tried=4, hold=2, horizon=4),
        fitting=Fitting(hidden=32, steps=40),
    ),
    "cpu": Branching(),
    "gpu": Branching(),
    "paper": Branching(episodes=36),
}


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a round ends with."""

    representation: Representation
    actor: Actor
    advantage: Advantage

    @torch.no_grad()
    def decide(self, seen: Seen) -> Tensor:
        """Shares of what is seen."""
        return share_of(self.actor.best(self.representation(seen)))

    @property
    def hidden(self) -> int:
        """Width of the actor's layers."""
        return int(self.actor.second[-1].in_features)  # type: ignore[arg-type]

    def state(self) -> dict[str, dict[str, Tensor]]:
        """As a file keeps it."""
        return {name: getattr(self, name).state_dict() for name in _NETWORKS}

    def load(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """From what a file keeps."""
        for name in _NETWORKS:
            getattr(self, name).load_state_dict(state[name])


class Rounds:
    """A training by branching under way."""

    def __init__(self, config: Branching, scenario: Scenario, start: Decide, folder: Path) -> None:
        self.config, self.scenario, self.folder = config, scenario, folder
        self._policy = start
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "branching.json").write_text(json.dumps(asdict(config), indent=1))

    def run(self, tell: Tell = lambda text: None) -> Fitted:
        """Train to the end."""
        config = self.config
        parts: list[Branched] = []
        for number in range(config.rounds):
            for episode in range(config.episodes):
                parts.append(self._episode(number, episode))
                tell(f"round {number + 1} of {config.rounds}: episode {episode + 1} of {config.episodes}")
            known = Branched.of(parts)
            fitted = self._fit(number, known, tell)
            self._policy = fitted.decide
        seed = config.seed * 1000 + config.rounds
        told = _teller("last actor", tell)
        actor = fit_actor(
            fitted.representation, fitted.advantage, known, config.last_worth, config.fitting, seed=seed, tell=told
        )
        return Fitted(fitted.representation, actor, fitted.advantage)

    def _episode(self, number: int, episode: int) -> Branched:
        config = self.config
        path = self.folder / f"futures-{number}-{episode}.pt"
        if not path.exists():
            place = (config.seed * 1000 + number) * 1000 + episode
            scenario = varied(self.scenario, config.spread, place) if episode % 2 else self.scenario
            first = FIRST_SEED + place * config.envs
            environment = Environment(scenario, config.envs)
            found = collect(environment, self._policy, config.futures, steps=config.steps, first_seed=first)
            _save(path, found.tensors())
        return Branched.from_tensors(torch.load(path, weights_only=True))

    def _fit(self, number: int, known: Branched, tell: Tell) -> Fitted:
        config, path = self.config, self.folder / f"round-{number}.pt"
        representation, hidden = Representation(), config.fitting.hidden
        if path.exists():
            advantage, actor = Advantage(representation.width, hidden), Actor(representation.width, hidden)
            fitted = Fitted(representation, actor.eval(), advantage.requires_grad_(False).eval())
            fitted.load(torch.load(path, weights_only=True))
            return fitted
        representation.fit(known.seen.features)
        seed, told = config.seed * 1000 + number, _teller(f"round {number + 1} of {config.rounds}", tell)
        advantage = fit_advantage(representation, known, config.fitting, seed=seed, tell=told)
        actor = fit_actor(representation, advantage, known, config.worth, config.fitting, seed=seed, tell=told)
        fitted = Fitted(representation, actor, advantage)
        _save(path, fitted.state())
        return fitted


def branching_of(preset: str, seed: int, episodes: int | None) -> Branching:
    """The preset's branching with another seed, and other episodes for the first policy where they are given."""
    chosen = replace(PRESETS[preset], seed=seed)
    return chosen if episodes is None else replace(chosen, start_episodes=episodes)


def start_of(config: Config, branching: Branching) -> Config:
    """The training that gives the first policy, from one of a preset."""
    return replace(
        config,
        episodes=branching.start_episodes,
        satisfaction_weight=branching.start_satisfaction_weight,
        seed=branching.seed,
    )


def agent_of(config: Config, fitted: Fitted) -> Sac:
    """What was fitted as an agent that can be played and exported; its critics know nothing.

    It goes by numbers alone, whatever the first policy knew, and its configuration says so.
    """
    sac = Sac(replace(config, arm="numbers", hidden=fitted.hidden), fitted.representation)
    sac.actor.load_state_dict(fitted.actor.state_dict())
    return sac.eval()


def policy_of(sac: Sac) -> Decide:
    """What an agent does without noise."""

    @torch.no_grad()
    def decide(seen: Seen) -> Tensor:
        return share_of(sac.act(sac.representation(seen)))

    return decide


def _teller(where: str, tell: Tell) -> Callable[[str, int, float], None]:
    return lambda what, step, loss: tell(f"{where}: {what}, step {step}, loss {loss:.4f}")


def _leaves(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value


def _save(path: Path, value: object) -> None:
    partial = path.with_suffix(".partial")
    torch.save(value, partial)
    partial.replace(path)
