"""How near the baselines come to the oracle, on the link twin's own tables (T0): `python benchmarks/planning.py`.

Tasks are drawn: an equipment, and a demand that some random chain meets with a little to spare, so that it can be
met. Each baseline has the same number of questions. The optimality gap is the oracle's reward less the baseline's.
Intervals are 95 % bootstrap over tasks. Prints a table and, as its last line, one JSON object.
"""

import argparse
import json
import math
import time
from collections.abc import Callable

import numpy as np

from ranloop.phases import interval
from twin.link.baselines import Search, Task, adapt, bayes, random_search
from twin.link.catalogue import ChannelClass
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.evaluate import evaluate_batch
from twin.link.oracle import oracle
from twin.link.reward import DEFAULT_WEIGHTS
from twin.link.space import Space

BASELINES: dict[str, Callable[[Task, int, int], Search]] = {
    "random": lambda task, budget, seed: random_search(task, budget=budget, seed=seed),
    "amc": lambda task, budget, seed: adapt(task, budget=budget),
    "bayes": lambda task, budget, seed: bayes(task, budget=budget, seed=seed),
}
SPARE = 1.1
"""How much a demand leaves to the chain that it was made from."""


def equipment(draw: np.random.Generator) -> EquipmentState:
    """A random equipment."""

    def between(low: float, high: float) -> float:
        return math.exp(draw.uniform(math.log(low), math.log(high)))

    return EquipmentState(
        free_prbs=int(draw.choice((24, 51, 106))),
        tx_antennas=int(draw.choice((1, 2, 4))),
        rx_antennas=int(draw.choice((1, 2, 4))),
        compute_flops=between(1e11, 1e13),
        max_tx_power_dbm=float(draw.choice((20, 26, 30))),
        channel=list(ChannelClass)[draw.integers(len(ChannelClass))],
        snr_db=float(draw.uniform(0.0, 25.0)),
        delay_spread_s=between(20e-9, 500e-9),
        doppler_hz=between(5.0, 200.0),
        has_deeprx=bool(draw.integers(2)),
        has_deeptx=bool(draw.integers(2)),
    )


def task(seed: int) -> Task:
    """A random equipment and a demand that can be met there."""
    draw = np.random.default_rng(seed)
    state = equipment(draw)
    chains = Space.of(state).sample(200, draw)
    told = evaluate_batch(chains, state)
    useful = np.flatnonzero((told.ber_high < 1e-2) & (told.throughput_bps > 1e5))
    if not len(useful):
        return task(seed + 1_000_003)
    row = int(draw.choice(useful))
    demand = Demand(
        max_delay_s=float(told.delay_s[row]) * SPARE,
        min_throughput_bps=float(told.throughput_bps[row]) / SPARE,
        max_ber=max(float(told.ber_high[row]) * SPARE, 1e-8),
    )
    return Task(demand=demand, equipment=state)


def main() -> None:
    """Run, print the table and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--budget", type=int, default=48, help="questions that each baseline may ask")
    parser.add_argument("--tolerance", type=float, default=0.05, help="of the oracle's reward")
    options = parser.parse_args()
    best, taken_s, asked = [], [], []
    found: dict[str, list[float]] = {name: [] for name in BASELINES}
    for seed in range(options.first_seed, options.first_seed + options.tasks):
        made = task(seed)
        began_s = time.perf_counter()
        optimum = oracle(made.demand, made.equipment, tolerance=options.tolerance)
        taken_s.append(time.perf_counter() - began_s)
        best.append(optimum.reward)
        asked.append(optimum.evaluations)
        for name, run in BASELINES.items():
            found[name].append(run(made, options.budget, seed).reward)
        gaps = ", ".join(f"{name} {best[-1] - values[-1]:.2f}" for name, values in found.items())
        print(
            f"task {seed}: oracle {best[-1]:.3f} in {taken_s[-1]:.1f} s, {asked[-1]} chains; gaps {gaps}",
            flush=True,
        )
    figures: dict[str, object] = {"tasks": options.tasks, "oracle_s": round(float(np.median(taken_s)), 2)}
    most = DEFAULT_WEIGHTS.satisfied
    print(f"oracle: reward {np.mean(best):.3f} of at most {most:g}; median {np.median(taken_s):.1f} s,")
    print(f"{np.median(asked):.0f} of up to 1e11 chains evaluated; worst {max(taken_s):.1f} s")
    print(f"{'baseline':10}{'optimality gap (95 %)':>28}{'demands met':>14}")
    for name, values in found.items():
        mean, low, high = interval(np.array(best) - np.array(values))
        met = float(np.mean(np.array(values) > 0))
        print(f"{name:10}{f'{mean:.3f} ({low:.3f}..{high:.3f})':>28}{met:>14.2f}")
        figures[f"{name}_gap"] = [round(value, 3) for value in (mean, low, high)]
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
