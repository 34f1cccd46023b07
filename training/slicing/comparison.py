"""Comparison: all arms on the same seeds, summed up as acceptance and experiments need it.

The share of headroom is how much of the way from static quotas to the clairvoyant an arm goes; it is told of
return and of satisfaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.slicing.arms import Policy
from training.slicing.environment import Environment
from training.slicing.score import Interval, Score, play, play_clairvoyant
from twin.network.clairvoyant import Aim
from twin.network.scenario import Scenario

REFERENCE = "static"
BOUNDS: Mapping[str, tuple[str, Aim]] = {
    "satisfaction": ("clairvoyant", "satisfaction"),
    "reward": ("clairvoyant for return", "return"),
}
"""Who knows the future and makes most of each figure."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Scores of arms on the same seeds."""

    scenario: Scenario
    seeds: tuple[int, ...]
    steps: int
    scores: Mapping[str, Score]

    def headroom(self, arm: str, figure: str) -> Interval | None:
        """Which part of the way from static to the clairvoyant an arm goes in `reward` or `satisfaction`."""
        bound, _ = BOUNDS[figure]
        if not {REFERENCE, bound} <= self.scores.keys():
            return None
        low, high, own = (getattr(self.scores[name], figure) for name in (REFERENCE, bound, arm))
        room = float((high - low).mean())
        return Interval.of((own - low) / room) if room > 0 else None

    def embb_percent(self, arm: str, reference: str) -> Interval:
        """How much more throughput a UE of the eMBB slice gets than under the reference, in percent."""
        own, other = self.scores[arm].embb_bps, self.scores[reference].embb_bps
        return Interval.of(100.0 * (own - other) / float(other.mean()))

    def gain(self, arm: str, reference: str, figure: str) -> Interval:
        """The difference of two arms on the same seeds."""
        return Interval.of(getattr(self.scores[arm], figure) - getattr(self.scores[reference], figure))

    def figures(self) -> dict[str, object]:
        """Everything as plain values, for JSON."""
        names = [item.name for item in self.scenario.slices]
        told: dict[str, object] = {"seeds": list(self.seeds), "steps": self.steps}
        for arm, score in self.scores.items():
            told[arm] = {
                "return": _list(Interval.of(score.reward)),
                "satisfaction": _list(Interval.of(score.satisfaction)),
                "kept": dict(zip(names, np.round(score.kept.mean(axis=0), 4).tolist(), strict=True)),
                "qos": dict(zip(names, np.round(score.qos.mean(axis=0), 4).tolist(), strict=True)),
                "embb_improvement_percent": {
                    other: _list(self.embb_percent(arm, other)) for other in self.scores if other != arm
                },
                "headroom": {
                    figure: None if (found := self.headroom(arm, figure)) is None else _list(found)
                    for figure in ("reward", "satisfaction")
                },
            }
        return told


def compare(
    scenario: Scenario,
    policies: Mapping[str, Callable[[], Policy]],
    seeds: Sequence[int],
    steps: int,
    *,
    bound: bool = True,
    tell: Tell = lambda name: None,
) -> Comparison:
    """Play every policy, made anew, and those who know the future where `bound`; `tell` hears each name before."""
    scores: dict[str, Score] = {}
    for name, make in policies.items():
        tell(name)
        scores[name] = play(Environment(scenario, len(seeds)), make(), seeds, steps)
    for name, aim in BOUNDS.values() if bound else ():
        tell(name)
        scores[name] = play_clairvoyant(scenario, seeds, steps, aim=aim)
    return Comparison(scenario, tuple(seeds), steps, scores)


def _list(interval: Interval) -> list[float]:
    return [round(value, 5) for value in (interval.mean, interval.low, interval.high)]
