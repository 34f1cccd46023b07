"""The closed loop on the wire over some seeds: static quotas, the demand heuristic and the shipped agent.

Each seed is one `ranloop demo`: RIC, nodes and xApp in processes of their own over real sockets, all controllers
on the same cells, users and traffic, and at last the A1 policy that tightens URLLC, under the agent. Prints the
share of promises kept and the return with 95 % bootstrap intervals over seeds, and one line of JSON. What a seed
gave is kept in the folder, so that a run that was killed goes on.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ranloop.demo import Demo, DemoConfig
from ranloop.phases import interval

Figure = tuple[float, float, float]
Summary = dict[str, Any]


def seed_summary(seed: int, options: argparse.Namespace) -> Summary:
    """The demo's summary of a seed, run now unless it was before."""
    folder = options.out / f"seed-{seed}"
    kept = folder / "summary.json"
    if not kept.exists():
        config = DemoConfig(seed=seed, phase_s=options.seconds, controllers=tuple(options.controllers), out=folder)
        print(f"seed {seed} ...", file=sys.stderr)
        Demo(config).run(tell=False)
    summary: Summary = json.loads(kept.read_text())
    return summary


def main() -> None:
    """Run the seeds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds, from --first-seed on")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of each phase")
    parser.add_argument("--controllers", nargs="+", default=["demand", "learned"], help="the last is compared")
    parser.add_argument("--out", type=Path, default=Path("out/wire"))
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    found = [seed_summary(seed, options) for seed in seeds]
    arms = ("static", *options.controllers)
    names = list(found[0]["satisfaction"][arms[0]])
    figures: dict[str, object] = {"seeds": list(seeds), "seconds": options.seconds}

    def over_seeds(arm: str, name: str) -> np.ndarray:
        return np.array([summary["satisfaction"][arm][name] for summary in found])

    returns = {arm: np.array([summary["return"][arm] for summary in found], dtype=np.float64) for arm in arms}
    print(f"{'arm':10}{'return':>22}" + "".join(f"{name:>22}" for name in names))
    for arm in arms:
        rows = {"return": interval(returns[arm]), **{name: interval(over_seeds(arm, name)) for name in names}}
        print(f"{arm:10}" + "".join(f"{_told(row):>22}" for row in rows.values()))
        figures[arm] = {name: _rounded(row) for name, row in rows.items()}
    last = arms[-1]
    for arm in arms[:-1]:
        gains = {
            "return": interval(returns[last] - returns[arm]),
            **{name: interval(over_seeds(last, name) - over_seeds(arm, name)) for name in names},
        }
        print(f"{last} - {arm}: " + ", ".join(f"{name} {_told(row, '+')}" for name, row in gains.items()))
        figures[f"{last}_over_{arm}"] = {name: _rounded(row) for name, row in gains.items()}
    print(json.dumps(figures))


def _told(row: Figure, sign: str = "") -> str:
    mean, low, high = (f"{value:{sign}.3f}" for value in row)
    return f"{mean} ({low}..{high})"


def _rounded(row: Figure) -> list[float]:
    return [round(value, 4) for value in row]


if __name__ == "__main__":
    main()
