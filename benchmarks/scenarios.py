"""What each scenario of the library has to teach: writes docs/scenarios.md. `python benchmarks/scenarios.py`.

For each scenario: SLA satisfaction of hard-equal, static and demand control, by the xApp's own controllers and
guard one control interval late, and of two bounds that know the future: the clairvoyant, and the ceiling where
each slice has the cells to itself. Where these coincide there is nothing to learn. All run on the same seeds, with
95 % bootstrap intervals over seeds. The last line is one JSON object of figures.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.satisfaction import run
from oran.sla import SlaTargets, satisfaction, satisfied
from ranloop.phases import interval
from twin.network import clairvoyant, library, task
from twin.network.kpis import Kpis
from twin.network.library import Entry
from twin.network.network import reset, step
from twin.network.trace import load_trace

REPORT = Path(__file__).resolve().parents[1] / "docs" / "scenarios.md"
INTRODUCTION = """# Scenarios

`twin.network.library` loads these by name (`library.load("dense_urban")`), or a YAML or JSON file of your own.
Fields are those of `twin.network.scenario.Scenario`, with SI units in their names. `twin.network.families` draws
variations of one for training and, beyond it, for tests of generalisation.

Made by `{made}`: {run}.
SLA satisfaction is the weighted share of promises kept over cells, slices and control intervals; 95 % bootstrap
intervals over seeds. `clairvoyant` tries all splits in tenths over the next three steps in a twin that knows the
future, and takes each cell's best: what could be reached, found by search, so no strict bound. `ceiling` gives
each slice the whole network in turn: above any controller but for interference, and no split gives it to all.
"""
ARMS = ("hard", "static", "demand", "clairvoyant", "ceiling")


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A scenario and what each arm keeps of its promises."""

    entry: Entry
    satisfaction: dict[str, np.ndarray]
    """Of each seed, by arm."""
    by_slice: dict[str, np.ndarray]
    prb_share: float
    """Share of PRBs used under static control."""


def kept(entry: Entry, kpis: Kpis) -> np.ndarray:
    """Promises kept, 0 or 1: [envs, cells, slices]."""
    return np.asarray(satisfied(task.qos_ratio(entry.scenario, kpis)), dtype=float)


def weighted(entry: Entry, promises: np.ndarray) -> np.ndarray:
    """Satisfaction of each environment [envs] of promises kept [steps, envs, cells, slices]."""
    share: np.ndarray = satisfaction(SlaTargets.of(entry.scenario.slas), promises).mean(axis=(0, 2))
    return share


def foreseeing(entry: Entry, seeds: list[int], steps: int, warm_up: int) -> np.ndarray:
    """The promises that the clairvoyant keeps [steps, seeds, cells, slices]."""
    scenario, tried = entry.scenario, clairvoyant.splits(len(entry.scenario.slices))
    state = reset(scenario, torch.tensor(seeds), trace=entry.trace)
    found = []
    for number in range(warm_up + steps):
        state, kpis = step(scenario, state, clairvoyant.decide(scenario, state, tried))
        if number >= warm_up:
            found.append(kept(entry, kpis))
    return np.stack(found)


def fixed(
    entry: Entry, ratios: torch.Tensor, seeds: list[int], steps: int, warm_up: int
) -> tuple[np.ndarray, float]:
    """Promises kept [steps, seeds, cells, slices] and the PRBs used under ratios [slices, 3] that stay."""
    scenario = entry.scenario
    everywhere = ratios.expand(len(seeds), scenario.cells, -1, -1)
    state = reset(scenario, torch.tensor(seeds), trace=entry.trace)
    found, used = [], []
    for number in range(warm_up + steps):
        state, kpis = step(scenario, state, everywhere)
        if number >= warm_up:
            found.append(kept(entry, kpis))
            used.append(float(kpis.prb_used.sum() / kpis.prb_available.sum()))
    return np.stack(found), float(np.mean(used))


def row(entry: Entry, seeds: list[int], seconds: float, warm_up_s: float) -> Row:
    """All arms on one scenario."""
    scenario, slices = entry.scenario, len(entry.scenario.slices)
    steps, warm_up = (round(span / scenario.step_s) for span in (seconds, warm_up_s))
    share: dict[str, np.ndarray] = {}
    by_slice: dict[str, np.ndarray] = {}
    for arm in ("hard", "static", "demand"):
        share[arm], by_slice[arm] = run(scenario, seeds, arm, steps, warm_up, entry.trace)
    found = foreseeing(entry, seeds, steps, warm_up)
    share["clairvoyant"], by_slice["clairvoyant"] = weighted(entry, found), found.mean(axis=(0, 1, 2))
    lone = [
        fixed(entry, clairvoyant.alone(slices, index), seeds, steps, warm_up)[0][..., index]
        for index in range(slices)
    ]
    ceiling = np.stack(lone, axis=-1)
    share["ceiling"], by_slice["ceiling"] = weighted(entry, ceiling), ceiling.mean(axis=(0, 1, 2))
    used = fixed(entry, clairvoyant.splits(slices)[-1], seeds[:2], steps, warm_up)[1]
    return Row(entry, share, by_slice, used)


def told(values: np.ndarray) -> str:
    """A mean with its interval."""
    mean, low, high = interval(values)
    return f"{mean:.3f} ({low:.3f}..{high:.3f})"


def report(rows: list[Row], options: argparse.Namespace) -> str:
    """The document."""
    made = f"python benchmarks/scenarios.py --seeds {options.seeds} --seconds {options.seconds:g}"
    seeds = f"{options.first_seed}..{options.first_seed + options.seeds - 1}"
    run = f"seeds {seeds}, {options.seconds:g} s each after {options.warm_up:g} s of warm-up"
    lines = [INTRODUCTION.format(made=made, run=run)]
    lines += ["| scenario | PRBs used | " + " | ".join(ARMS) + " |", "|---" * (len(ARMS) + 2) + "|"]
    for item in rows:
        shares = " | ".join(told(item.satisfaction[arm]) for arm in ARMS)
        lines.append(f"| `{item.entry.name}` | {100 * item.prb_share:.0f} % | {shares} |")
    lines += ["", "Differences on the same seeds:", ""]
    lines += ["| scenario | demand - static | clairvoyant - demand |", "|---|---|---|"]
    for item in rows:
        of = item.satisfaction
        gained, left = told(of["demand"] - of["static"]), told(of["clairvoyant"] - of["demand"])
        lines.append(f"| `{item.entry.name}` | {gained} | {left} |")
    for item in rows:
        names = [part.name for part in item.entry.scenario.slices]
        lines += ["", f"## {item.entry.name}", item.entry.about, ""]
        lines += ["| promises kept | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for arm in ARMS:
            lines.append(f"| {arm} | " + " | ".join(f"{share:.3f}" for share in item.by_slice[arm]) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Run the scenarios, print the table, write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="scenarios by name or file; all of the library by default")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=12.0, help="simulated time that counts")
    parser.add_argument("--warm-up", type=float, default=2.0, help="simulated time before it")
    parser.add_argument("--trace", type=Path, help="a drive test to use instead of the scenario's own")
    parser.add_argument("--out", type=Path, default=REPORT, help="written when all scenarios are run")
    options = parser.parse_args()
    torch.set_num_threads(1)
    seeds = list(range(options.first_seed, options.first_seed + options.seeds))
    print(f"{'scenario':16}" + "".join(f"{arm:>24}" for arm in ARMS) + f"{'used':>7}{'s':>6}")
    rows = []
    for name in options.names or library.names():
        began_s = time.monotonic()
        entry = library.entry(name)
        if options.trace is not None and entry.trace is not None:
            entry = Entry(entry.name, entry.about, entry.scenario, load_trace(options.trace))
        rows.append(row(entry, seeds, options.seconds, options.warm_up))
        cells = "".join(f"{told(rows[-1].satisfaction[arm]):>24}" for arm in ARMS)
        print(f"{entry.name:16}{cells}{rows[-1].prb_share:>7.2f}{time.monotonic() - began_s:>6.0f}", flush=True)
        for arm in ARMS:
            print(f"    {arm:12}" + "".join(f"{share:8.3f}" for share in rows[-1].by_slice[arm]), flush=True)
    if not options.names:
        options.out.write_text(report(rows, options), encoding="utf-8")
    print(
        json.dumps(
            {
                item.entry.name: {arm: round(float(item.satisfaction[arm].mean()), 4) for arm in ARMS}
                for item in rows
            }
        )
    )


if __name__ == "__main__":
    main()
