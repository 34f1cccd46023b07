"""Bests: the highest reward that is known to be reached on a task at a tier of the twin.

At T0 the oracle finds it. No oracle can search a higher tier; there it is the best of the chains that come closest
to T0's best, judged at that tier: T0 is near enough to have among them one that is about as good.
"""

import numpy as np

from training.orchestrator.tasks.feasibility import MOST_EVALUATIONS, TOLERANCE, Answers, Problem
from training.orchestrator.twin_pool import LOOKS, Question, TwinPool
from twin.link.errors import PlanError
from twin.link.oracle import oracle
from twin.link.plan import ChainGrid
from twin.link.qos import Tier

CLOSEST = 32
"""Chains that are judged at the higher tier."""


def best(task: Problem, tier: Tier, pool: TwinPool, answers: Answers) -> float | None:
    """The reward, kept once it is known; None where no chain fits the equipment, or the twin lost all of them."""
    if tier is Tier.T0:
        return answers.best(task).reward
    known = answers.best_at(task, tier)
    if known is None and (known := _judged(task, tier, pool)) is not None:
        answers.keep_best(task, tier, known)
    return known


def _judged(task: Problem, tier: Tier, pool: TwinPool) -> float | None:
    try:
        found = oracle(
            task.demand,
            task.equipment,
            weights=pool.weights,
            tolerance=TOLERANCE,
            most_evaluations=MOST_EVALUATIONS,
            runners_up=CLOSEST,
        )
    except PlanError:
        return None
    chains = ChainGrid.of(found.runners_up or (found.chain,))
    asked = Question(chains=chains, demand=task.demand, equipment=task.equipment)
    verdict = next(pool.ask((asked,), tier, looks=LOOKS))
    return None if verdict.lost.all() else float(np.max(verdict.reward[~verdict.lost]))
