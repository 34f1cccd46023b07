"""Bests: the highest reward that is known to be reached on a task at a tier of the twin.

At T0 the oracle finds it. No oracle can search a higher tier; there it is that of a chain whose modules do well at
T0, with the power and PRBs that T1 says it needs: of the chains that come closest to the oracle's best, or of the
best of many with modules at random. Which of them it is, other channels tell than those that judge it: the best of
many by the same channels would be the luckiest, one at the edge of its demand that misses it by every other draw.
"""

from collections.abc import Sequence

import numpy as np

from rapps.orchestrator.sizing import alike
from training.orchestrator.dimensioning import at_random
from training.orchestrator.proving import SEED, proven
from training.orchestrator.tasks.feasibility import MOST_EVALUATIONS, TOLERANCE, Answers, Problem
from training.orchestrator.twin_pool import LOOKS, Question, TwinPool
from twin.link.errors import PlanError
from twin.link.oracle import oracle
from twin.link.plan import COLUMNS, ChainGrid
from twin.link.qos import Tier
from twin.link.space import concatenate

CLOSEST = 32
"""Chains of the oracle, and of those that are drawn."""
DRAWN = 2_000
CHOOSING = (SEED + 1, SEED + 2)
"""Seeds of the channels by which the best is chosen."""
JUDGING = (0, SEED + 3, SEED + 4, SEED + 5)
"""Seeds of those by which it is judged: that of plans, and more, for some chains miss one time in four."""
_MADE = ("prbs", "tx_power_dbm")
"""What a proof makes anew."""


def best(task: Problem, tier: Tier, pool: TwinPool, answers: Answers) -> float | None:
    """The reward, kept once it is known; None where no chain fits the equipment, or the twin lost all of them."""
    if tier is Tier.T0:
        return answers.best(task).reward
    known = answers.best_at(task, tier)
    if known is None and (known := _judged(task, tier, pool)) is not None:
        answers.keep_best(task, tier, known)
    return known


def _judged(task: Problem, tier: Tier, pool: TwinPool) -> float | None:
    """The mean reward, by some channels, of the chain that is the best by others."""
    try:
        close = _close(task, pool)
    except PlanError:
        return None
    chains = proven([_question(close.take(np.array([row])), task) for row in range(len(close))], 0, pool)
    chosen = _rewards(chains, task, tier, pool, CHOOSING)
    if np.isnan(chosen).all():
        return None
    (judged,) = _rewards(chains.take(np.array([np.nanargmax(chosen)])), task, tier, pool, JUDGING)
    return None if np.isnan(judged) else float(judged)


def _close(task: Problem, pool: TwinPool) -> ChainGrid:
    """Chains that do well at T0, but one of those that a proof makes alike; PlanError where none can be run."""
    found = oracle(
        task.demand,
        task.equipment,
        weights=pool.weights,
        tolerance=TOLERANCE,
        most_evaluations=MOST_EVALUATIONS,
        runners_up=CLOSEST,
    )
    chains = ChainGrid.of(found.runners_up or (found.chain,))
    if (drawn := at_random(task.demand, task.equipment, DRAWN, seed=0)) is not None:
        reward = next(pool.ask((_question(drawn, task),))).reward
        chains = concatenate((chains, drawn.take(np.argsort(-reward)[:CLOSEST])))
    first, _ = alike(*(getattr(chains, name) for name in COLUMNS if name not in _MADE))
    return chains.take(first)


def _rewards(chains: ChainGrid, task: Problem, tier: Tier, pool: TwinPool, seeds: Sequence[int]) -> np.ndarray:
    """Mean rewards [chains] over the channels of seeds; NaN where the twin lost a chain."""
    asked = (_question(chains, task),)
    told = [next(pool.ask(asked, tier, seed=seed, looks=LOOKS)).reward for seed in seeds]
    mean: np.ndarray = np.mean(told, axis=0)
    return mean


def _question(chains: ChainGrid, task: Problem) -> Question:
    return Question(chains=chains, demand=task.demand, equipment=task.equipment)
