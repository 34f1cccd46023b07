"""Tuning: the best that the rules without learning can do, found on networks of their own.

Rules get what agents get: the same networks to be tuned on, the same information, lag and guard.
"""

from collections.abc import Callable
from itertools import product
from typing import Literal

import numpy as np

from training.slicing import arms
from training.slicing.arms import Policy
from training.slicing.environment import Environment
from training.slicing.score import play
from twin.network.scenario import Scenario
from xapps.slicing.demand import DemandConfig

TUNING_SEED = 2_000_000
TUNING_SEEDS = 6
CANDIDATES = 64
STAGES = ((64, 6, 60), (16, 12, 100), (4, 24, 200))
"""How many of the best go on to be played on how many networks for how many control intervals."""
Figure = Literal["reward", "satisfaction"]
Tell = Callable[[str], None]


def best_split(
    scenario: Scenario, steps: int, *, parts: int = 10, tell: Tell = lambda name: None
) -> tuple[float, ...]:
    """The fixed split of highest return on the tuning seeds, of all in so many parts; percent of each slice."""
    slices = len(scenario.slices)
    best: tuple[float, tuple[float, ...]] = (-np.inf, ())
    for way in product(range(1, parts + 1), repeat=slices):
        if sum(way) != parts:
            continue
        percent = tuple(100.0 * part / parts for part in way)
        tell(f"split {'/'.join(f'{part:.0f}' for part in percent)}")
        found = _worth(scenario, arms.split(percent), "reward", TUNING_SEEDS, steps)
        best = max(best, (found, percent))
    return best[1]


def tuned_demand(scenario: Scenario, figure: Figure = "reward", *, tell: Tell = lambda name: None) -> DemandConfig:
    """The knobs that serve a figure best, by successive halving of random ones and the default."""
    draw = np.random.default_rng(TUNING_SEED)
    left = [DemandConfig(), *(_drawn(draw) for _ in range(CANDIDATES - 1))]
    for keep, seeds, steps in STAGES:
        left = left[:keep]
        tell(f"demand: {len(left)} of {CANDIDATES} settings on {seeds} networks, {steps} control intervals")
        worth = {config: _worth(scenario, arms.demand(config), figure, seeds, steps) for config in left}
        left.sort(key=lambda config: -worth[config])
    return left[0]


def _drawn(draw: np.random.Generator) -> DemandConfig:
    return DemandConfig(
        smoothing=round(float(draw.uniform(0.1, 1.0)), 3),
        peak_memory=round(float(draw.uniform(0.0, 0.99)), 3),
        peak_share=round(float(draw.uniform(0.0, 1.0)), 3),
        margin=round(float(draw.uniform(0.0, 1.0)), 3),
        backlog_share=round(float(draw.uniform(0.0, 2.0)), 3),
        least_percent=round(float(draw.uniform(0.0, 20.0)), 3),
    )


def _worth(scenario: Scenario, policy: Policy, figure: Figure, seeds: int, steps: int) -> float:
    networks = range(TUNING_SEED, TUNING_SEED + seeds)
    score = play(Environment(scenario, seeds), policy, networks, steps)
    return float(getattr(score, figure).mean())
