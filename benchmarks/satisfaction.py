"""SLA satisfaction of the xApp's controllers on the network twin, over many seeds, without sockets.

The twin steps a batch of networks, one per seed; the xApp's own observation, controllers and guard decide each
cell's quotas one control interval later, as on the wire. Prints each arm's mean with its 95 % bootstrap interval
over seeds, and the gains of the controllers on the same seeds.
"""

import argparse
import json
import time

import numpy as np
import torch

from oran.sla import SlaTargets, qos_ratio, satisfaction, satisfied
from oran.slices import hard_ratios, static_ratios
from ranloop.phases import interval
from training.slicing.environment import as_numpy, slice_kpis
from twin.network.network import reset, step
from twin.network.scenario import Scenario
from twin.network.trace import Trace
from xapps.slicing.actor import SHIPPED, Actor
from xapps.slicing.controllers import Controller, create
from xapps.slicing.guard import GuardConfig, apply
from xapps.slicing.observation import CellObservation, observe

ARMS = ("hard", "static", "demand", "learned")
GAINS = (("demand", "static"), ("demand", "hard"), ("learned", "static"), ("learned", "demand"))


def run(
    scenario: Scenario, seeds: list[int], arm: str, steps: int, warm_up: int, trace: Trace | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean satisfaction of each seed [seeds] and of each slice [slices] under one controller."""
    names = tuple(item.name for item in scenario.slices)
    controller: Controller = create(arm, agent=Actor.load(SHIPPED, names) if arm == "learned" else None)
    guard = GuardConfig()
    targets = SlaTargets.of(scenario.slas)
    shape = (len(seeds), scenario.cells, len(scenario.slices), 3)
    start = hard_ratios(shape[2]) if arm == "hard" else static_ratios(shape[2])
    ratios: np.ndarray = np.broadcast_to(start, shape).copy()
    state = reset(scenario, torch.tensor(seeds), trace=trace)
    before: CellObservation | None = None
    kept, by_slice = [], []
    for number in range(warm_up + steps):
        state, measured = step(scenario, state, torch.from_numpy(ratios))
        kpis = as_numpy(slice_kpis(measured, scenario.step_s))
        if number >= warm_up:
            ratio = qos_ratio(targets, kpis.throughput_bps, kpis.delay_s, kpis.drop_rate)
            kept.append(satisfaction(targets, ratio).mean(axis=-1))
            by_slice.append(satisfied(ratio).mean(axis=(0, 1)))
        before = observe(
            kpis,
            node="twin",
            cell=None,
            time_s=number * scenario.step_s,
            slices=scenario.snssais,
            ratios=ratios,
            previous=before,
            cell_prbs=float(scenario.prbs),
        )
        ratios = apply(controller.decide(before, targets), ratios, guard).ratios
    return np.mean(kept, axis=0), np.mean(by_slice, axis=0)


def main() -> None:
    """Run the arms and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="number of seeds, from --first-seed on")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0, help="simulated time that counts")
    parser.add_argument("--warm-up", type=float, default=3.0, help="simulated time before it")
    parser.add_argument("--load", type=float, default=None, help="load factor instead of the scenario's")
    options = parser.parse_args()
    torch.set_num_threads(1)
    scenario = Scenario() if options.load is None else Scenario(load_factor=options.load)
    seeds = list(range(options.first_seed, options.first_seed + options.seeds))
    steps, warm_up = (round(span / scenario.step_s) for span in (options.seconds, options.warm_up))

    names = [item.name for item in scenario.slices]
    print(f"{len(seeds)} seeds, {options.seconds:g} s each, load factor {scenario.load_factor:g}")
    print(f"{'arm':10}{'satisfaction (95 %)':>26}" + "".join(f"{name:>9}" for name in names) + f"{'s':>8}")
    result: dict[str, np.ndarray] = {}
    for arm in ARMS:
        began = time.perf_counter()
        result[arm], by_slice = run(scenario, seeds, arm, steps, warm_up)
        mean, low, high = interval(result[arm])
        shares = "".join(f"{share:>9.3f}" for share in by_slice)
        print(f"{arm:10}{f'{mean:.3f} ({low:.3f}..{high:.3f})':>26}{shares}{time.perf_counter() - began:>8.1f}")
    figures: dict[str, object] = {"seeds": len(seeds)}
    for arm, reference in GAINS:
        mean, low, high = interval(result[arm] - result[reference])
        print(f"{arm} - {reference}: {mean:+.3f} ({low:+.3f}..{high:+.3f})")
        figures[f"{arm}_over_{reference}"] = [round(value, 4) for value in (mean, low, high)]
    figures.update({arm: round(float(values.mean()), 4) for arm, values in result.items()})
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
