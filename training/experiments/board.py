"""Board: the scores of all arms on the same networks, side by side, and what follows from them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from training.experiments.page import Row
from training.experiments.references import STATIC
from training.experiments.run import Run
from training.experiments.statistics import gain, iqm
from training.slicing.comparison import BOUNDS
from training.slicing.score import Interval, Score

ROOM = {figure: name for figure, (name, _) in BOUNDS.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One run's score."""

    arm: str
    seed: int
    episodes: int
    score: Score


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """Entries of arms on the same networks; `slices` are the slices' names."""

    slices: tuple[str, ...]
    networks: tuple[int, ...]
    entries: tuple[Entry, ...]

    @property
    def arms(self) -> tuple[str, ...]:
        """In order of first appearance."""
        return tuple(dict.fromkeys(entry.arm for entry in self.entries))

    def of(self, arm: str) -> tuple[Entry, ...]:
        """An arm's entries by seed."""
        return tuple(sorted((entry for entry in self.entries if entry.arm == arm), key=lambda entry: entry.seed))

    def figures(self, arm: str, figure: str, index: int | None = None) -> np.ndarray:
        """A figure of an arm's runs [seeds, networks], of one slice where it has an index."""
        values = np.stack([getattr(entry.score, figure) for entry in self.of(arm)])
        return values if index is None else values[..., index]

    def iqm(self, arm: str, figure: str, index: int | None = None) -> Interval:
        """Its interquartile mean."""
        return iqm(self.figures(arm, figure, index))

    def iqm_here(self, arm: str, figure: str) -> Interval:
        """The same on just these networks, so that training seeds alone make the interval."""
        return iqm(self.figures(arm, figure), networks=False)

    def gain(self, arm: str, other: str, figure: str, index: int | None = None) -> Interval:
        """The difference of two arms on the same networks, and on the same seeds where both are trained."""
        return gain(np.subtract(*self._paired(arm, other, figure, index)))

    def embb_percent(self, arm: str, other: str) -> Interval:
        """How much more throughput an eMBB UE gets, in percent (`frozen` says how)."""
        own, reference = self._paired(arm, other, "embb_bps")
        return gain(100.0 * (own - reference) / reference.mean())

    def room(self, arm: str, figure: str) -> float | None:
        """Which part of the way from static to the clairvoyant it goes, on average."""
        if not {STATIC, ROOM[figure]} <= set(self.arms):
            return None
        low, high, own = (self.figures(name, figure).mean() for name in (STATIC, ROOM[figure], arm))
        return float((own - low) / (high - low)) if high > low else None

    def rows(self) -> tuple[Row, ...]:
        """One row for each network of each run."""
        return tuple(self._row(entry, place) for entry in self.entries for place in range(len(self.networks)))

    def _row(self, entry: Entry, place: int) -> Row:
        score = entry.score
        return {
            "arm": entry.arm,
            "seed": entry.seed,
            "episodes": entry.episodes,
            "network": self.networks[place],
            "return": float(score.reward[place]),
            "satisfaction": float(score.satisfaction[place]),
            "embb_bps": round(float(score.embb_bps[place]), 1),
            **{f"kept {name}": float(score.kept[place, at]) for at, name in enumerate(self.slices)},
            **{f"qos {name}": float(score.qos[place, at]) for at, name in enumerate(self.slices)},
        }

    def _paired(
        self, arm: str, other: str, figure: str, index: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        own, reference = self.figures(arm, figure, index), self.figures(other, figure, index)
        if len(own) == len(reference) or 1 in (len(own), len(reference)):
            return own, reference
        common = {entry.seed for entry in self.of(arm)} & {entry.seed for entry in self.of(other)}
        if not common:
            return own, reference.mean(axis=0, keepdims=True)
        picked = [
            values[[entry.seed in common for entry in self.of(name)]]
            for name, values in ((arm, own), (other, reference))
        ]
        return picked[0], picked[1]


def board(runs: Iterable[Run], slices: Sequence[str], networks: Sequence[int], part: str | None = None) -> Board:
    """The scores of the runs that are done, or a `part` of each; else those beside "" make arms of their own."""
    entries = []
    for run in runs:
        result = run.result or {}
        scores = cast(Mapping[str, Mapping[str, list[float]]], result.get("scores", {}))
        episodes = cast(int, result.get("episodes", 0))
        for name, plain in scores.items():
            if part in (None, name):
                arm = f"{run.arm.name}, {name}" if name and part is None else run.arm.name
                entries.append(Entry(arm, run.task.seed, episodes, Score.of(plain)))
    return Board(tuple(slices), tuple(networks), tuple(entries))
