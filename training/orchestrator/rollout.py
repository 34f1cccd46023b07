"""Rollout: the answers of a step and all that they are reinforced by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from rapps.orchestrator.decoding import Sample
from training.orchestrator.feedback import Feedback
from training.orchestrator.supervised import Row


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """Answers of a step and all that they are reinforced by, rows of decisions one after the other."""

    samples: Sequence[Sample]
    told: Feedback
    old: list[Tensor]
    """Logarithms of the likelihood of options when sampled, of each answer's decisions."""
    reference: list[Tensor]
    values: list[np.ndarray]
    advantage: list[np.ndarray]
    """Of each answer's options [decisions, options]; 0 where nothing is known, all NaN where the twin was lost."""
    returns: list[np.ndarray]
    """What the critic should have said of each answer's decisions."""
    weight: list[np.ndarray]
    figures: Row

    @property
    def learnt(self) -> np.ndarray:
        """Places of the answers that are learnt from: a question to the twin that was lost teaches nothing."""
        known = [bool(np.isfinite(rows).all()) for rows in self.advantage]
        return np.flatnonzero(self.told.known & known)

    @classmethod
    def join(cls, parts: Sequence[Rollout]) -> Rollout:
        """One after the other, and what was seen of all of them."""
        names = dict.fromkeys(name for part in parts for name in part.figures)
        seen = {name: [part.figures[name] for part in parts if name in part.figures] for name in names}
        told = Feedback.join([part.told for part in parts])
        values = [row for part in parts for row in part.values]
        figures = {name: float(np.mean(own)) for name, own in seen.items()} | told.figures()
        figures |= {"lost": sum(seen["lost"]), "explained": _explained(told, values)}
        return cls(
            [row for part in parts for row in part.samples],
            told,
            [row for part in parts for row in part.old],
            [row for part in parts for row in part.reference],
            values,
            [row for part in parts for row in part.advantage],
            [row for part in parts for row in part.returns],
            [row for part in parts for row in part.weight],
            figures,
        )


def _explained(told: Feedback, values: Sequence[np.ndarray]) -> float:
    """Share of the rewards' variance that the first value of each answer explains."""
    first = np.array([value[0] for value in values])[told.known]
    reward = told.rewards[told.known]
    variance = float(reward.var()) if len(reward) else 0.0
    return 1.0 - float((reward - first).var()) / variance if variance > 0 else 0.0
