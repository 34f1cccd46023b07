"""Fidelity: how far a package's shares lie from those of its agent, what that costs, and its latency."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from oran.model_package import Metric
from training.slicing import arms
from training.slicing.arms import Policy
from training.slicing.environment import Environment
from training.slicing.sac import Sac
from training.slicing.score import Interval, play
from xapps.slicing.actor import Actor

SEED, NETWORKS, STEPS = 3_100_000, 6, 60
DECISIONS, CELLS = 200, 6


@torch.no_grad()
def visited(
    environment: Environment, policy: Policy, seeds: Sequence[int], steps: int, *, every: int = 10
) -> np.ndarray:
    """Features of cells that a policy comes to see, every so many steps: float32 [n, slices, FEATURES]."""
    seen, found = environment.reset(seeds), []
    for step in range(steps):
        if step % every == 0:
            found.append(seen.features.flatten(0, 1).cpu().numpy())
        seen = environment.step_ratios(policy(environment, seen)).seen
    return np.concatenate(found)


def cost(environment: Environment, sac: Sac, actor: Actor) -> Mapping[str, Metric]:
    """How far shares of the same cells differ, and what return the package loses on the same networks."""
    seeds = range(SEED, SEED + environment.envs)
    whole, made = (play(environment, policy, seeds, STEPS) for policy in (arms.learnt(sac), arms.packaged(actor)))
    lost = Interval.of(whole.reward - made.reward)
    return {"return_lost": Metric(lost.mean, lost.low, lost.high)}


def difference(found: np.ndarray, wanted: np.ndarray) -> Metric:
    """The mean difference of shares [n, slices]; as interval, what 95 % of all differences lie in."""
    off = np.abs(found - wanted)
    low, high = np.quantile(off, (0.025, 0.975))
    mean = float(off.mean())
    return Metric(mean, min(float(low), mean), max(float(high), mean))


def latency(actor: Actor, states: np.ndarray) -> Mapping[str, Metric]:
    """Seconds to decide for so many cells, one after the other: median and 99th percentile of some turns."""
    spans = []
    for turn in range(DECISIONS):
        began_s = time.perf_counter()
        for cell in range(CELLS):
            place = (turn * CELLS + cell) % len(states)
            actor.share(states[place : place + 1].astype(np.float64))
        spans.append(time.perf_counter() - began_s)
    half, most = np.quantile(spans[DECISIONS // 10 :], (0.5, 0.99))
    return {
        f"decision_p{percent}_{CELLS}_cells_s": Metric(value, value, value)
        for percent, value in ((50, float(half)), (99, float(most)))
    }
