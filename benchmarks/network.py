"""How fast the network twin is, beside mobile-env in the same run on as many threads.

Ours is the default scenario, no feature off, by Gymnasium's interface: observations, rewards and infos included,
under random actions. A step is a substep of 10 ms, of which a control interval has ten; the steps of all
environments count. mobile-env steps 6 base stations and 200 UEs by its own handlers, the faster of which counts.
Its step is a snapshot: it has no queues, fading or interference. Both are warmed up and then take turns; figures
are medians over the rounds.

mobile-env is no dependency: without --peer-python it is installed by pip, once, into a virtual environment of its
own in the user's cache. Where that fails, ratios are null. Prints a table and, as its last line, one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from twin.network.scenario import Scenario
from twin.network.vector_env import NetworkVectorEnv

PEER = "mobile-env==2.1.0"
LEAST_RATIO, MOST_COST = 500.0, 10.0
"""The budget: times mobile-env's steps, and the cost of ten times the UEs."""
PEER_STEPS = 10


@dataclass
class Setting:
    """One size of the twin, and the steps a second that each round saw."""

    envs: int
    subbands: int
    ues: int
    device: str
    rates: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        scenario = Scenario(subbands=self.subbands, ues=self.ues)
        self._networks = NetworkVectorEnv(self.envs, scenario, episode_steps=1_000_000, device=self.device)
        self._networks.reset(seed=1)
        self._networks.action_space.seed(1)

    @property
    def name(self) -> str:
        """What the setting is called in the figures."""
        return f"env{self.envs}_sub{self.subbands}" + ("" if self.ues == 200 else f"_ue{self.ues}")

    def warm_up(self, steps: int, most_s: float) -> None:
        """Fill the queues, as far as time allows."""
        began_s = time.perf_counter()
        for _ in range(steps):
            self._networks.step(self._networks.action_space.sample())
            if time.perf_counter() - began_s > most_s:
                break

    def measure(self, least_s: float) -> None:
        """Step for at least so long."""
        taken_s, intervals = 0.0, 0
        while taken_s < least_s:
            actions = self._networks.action_space.sample()
            began_s = time.perf_counter()
            self._networks.step(actions)
            taken_s += time.perf_counter() - began_s
            intervals += 1
        self.rates.append(self.envs * intervals * self._networks.scenario.substeps / taken_s)


class Peer:
    """mobile-env in a process of its own."""

    def __init__(self, python: Path, threads: int) -> None:
        """Start it and wait until it is warm; raises OSError when it does not run."""
        few = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}
        self._process = subprocess.Popen(
            [str(python), str(Path(__file__).with_name("network_peer.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | few,
        )
        self.rates: dict[str, list[float]] = {"central": [], "multi_agent": []}
        self.version = str(self._answer()["version"])

    def measure(self) -> None:
        """Let it take its steps."""
        assert self._process.stdin is not None
        print(PEER_STEPS, file=self._process.stdin, flush=True)
        for name, rate in self._answer().items():
            self.rates[name].append(float(rate))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def best(self) -> np.ndarray:
        """Steps a second of its faster handler in each round."""
        fastest = max(self.rates.values(), key=np.median)
        return np.array(fastest)

    def _answer(self) -> dict[str, str | float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            raise OSError(f"it ended with status {self._process.returncode}")
        answer: dict[str, str | float] = json.loads(line)
        return answer


def peer_python() -> Path:
    """A Python that has mobile-env, made on first use; raises OSError or CalledProcessError when that fails."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "") or Path.home() / ".cache")
    home = cache / "ranloop" / PEER.replace("==", "-")
    ready = home / ".ready"
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not ready.exists():
        print(f"installing {PEER} into {home}", file=sys.stderr)
        venv.create(home, with_pip=True, clear=True)
        quiet = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "15"]
        subprocess.run([str(python), "-m", "pip", "install", *quiet, PEER], check=True)
        ready.touch()
    return python


def start_peer(options: argparse.Namespace) -> Peer | None:
    """The peer, or None and a line that says why there is none."""
    if options.no_peer:
        return None
    try:
        return Peer(options.peer_python or peer_python(), options.threads)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"mobile-env is missing, so there is nothing to compare with: {error}", file=sys.stderr)
        return None


def settings(options: argparse.Namespace) -> list[Setting]:
    """The sizes to run."""
    sizes = [(envs, bands, ues) for ues in (200, 2000) for bands in (1, 13) for envs in (1, 16, 64)]
    if options.quick:
        sizes = [size for size in sizes if size in ((1, 1, 200), (64, 1, 200), (64, 13, 200), (64, 1, 2000))]
    return [Setting(*size, device=options.device) for size in sizes]


def report(sizes: list[Setting], peer: Peer | None) -> dict[str, float | None]:
    """Print the table; the figures."""
    print(f"{'envs':>6}{'subbands':>10}{'UEs':>7}{'10 ms steps/s':>15}{'range of rounds':>20}{'intervals/s':>13}")
    for size in sizes:
        median, low, high = np.median(size.rates), min(size.rates), max(size.rates)
        spread = f"{low:.0f}..{high:.0f}"
        print(f"{size.envs:>6}{size.subbands:>10}{size.ues:>7}{median:>15.0f}{spread:>20}{median / 10:>13.1f}")
    by_name = {size.name: np.array(size.rates) for size in sizes}
    figures: dict[str, float | None] = {
        f"{name}_steps_per_s": float(np.median(rates)) for name, rates in by_name.items()
    }
    cost = float(np.median(by_name["env64_sub1"] / by_name["env64_sub1_ue2000"]))
    figures |= {"ue2000_over_ue200_cost": cost, "env64_sub1_ratio": None, "peer_steps_per_s": None}
    print(f"ten times the UEs cost {cost:.2f} times as much ({verdict(cost <= MOST_COST)} {MOST_COST:g} at most)")
    if peer is not None:
        for name, rates in peer.rates.items():
            spread = f"{min(rates):.2f}..{max(rates):.2f}"
            print(f"mobile-env {peer.version}, {name}: {np.median(rates):.2f} steps/s ({spread})")
            figures[f"peer_{name}_steps_per_s"] = float(np.median(rates))
        ratio = float(np.median(by_name["env64_sub1"] / peer.best()))
        figures |= {"env64_sub1_ratio": ratio, "peer_steps_per_s": float(np.median(peer.best()))}
        kept = verdict(ratio >= LEAST_RATIO)
        print(f"64 environments take {ratio:.0f} times its steps ({kept} {LEAST_RATIO:g} at least)")
    return figures


def verdict(kept: bool) -> str:
    """How a figure stands to its bound."""
    return "keeps" if kept else "MISSES"


def main() -> None:
    """Run, print the table and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="turns that ours and the peer take")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each")
    parser.add_argument("--device", default="cpu", help="where ours runs: cpu or cuda")
    parser.add_argument("--quick", action="store_true", help="the sizes of the budget only, two rounds")
    parser.add_argument("--peer-python", type=Path, default=None, help="a Python that has mobile-env")
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    parser.add_argument("--require-peer", action="store_true", help="fail when the peer is missing")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rounds, least_s, most_s = (2, 0.2, 1.0) if options.quick else (options.rounds, 0.3, 3.0)
    peer = start_peer(options)
    if peer is None and options.require_peer:
        sys.exit("the peer is required; give --peer-python a Python that has mobile-env")
    sizes = settings(options)
    for size in sizes:
        size.warm_up(10, most_s)
    for _ in range(rounds):
        for size in sizes:
            size.measure(least_s)
        if peer is not None:
            peer.measure()
    figures = report(sizes, peer)
    if peer is not None:
        peer.close()
    print(json.dumps({name: value and float(f"{value:.4g}") for name, value in figures.items()}))


if __name__ == "__main__":
    main()
