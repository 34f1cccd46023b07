"""Audit: how often a higher tier of the twin takes back what T0 promised of answers.

A policy that T0's tables reward could learn to please the tables. An answer that T0 finds complete with the
planning margin to spare is to meet the demand itself at T1: the margin is there for what lies between the tiers.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rapps.orchestrator.decoding import Sample
from training.orchestrator.asking import Asked, chains
from training.orchestrator.feedback import Feedback
from training.orchestrator.tasks.task import Task
from twin.link.qos import Tier


def disagreement(
    asked: Asked,
    tasks: Sequence[Task],
    samples: Sequence[Sample],
    told: Feedback,
    most: int,
    draw: np.random.Generator,
) -> dict[str, float]:
    """Share of the complete answers, of at most so many of them, that miss the demand at T1 (`disagree_t1`).

    `samples` are as many answers to each task. Nothing where none is complete, or T1 has no word of any.
    """
    each = len(samples) // len(tasks)
    complete = np.flatnonzero(told.completed)
    rows = draw.choice(complete, size=min(most, len(complete)), replace=False).tolist()
    if not rows:
        return {}
    made = chains([samples[row] for row in rows])
    grids = [made.take(slice(place, place + 1)) for place in range(len(rows))]
    found = replace(asked, margin=0.0).judge([tasks[row // each] for row in rows], grids, Tier.T1)
    missed = [not one.completed[0] for one in found if one.known[0]]
    return {"disagree_t1": float(np.mean(missed)), "audited": float(len(missed))} if missed else {}
