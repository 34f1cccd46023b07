"""How true the twin is: writes docs/twin_validation.md and its plot. `python benchmarks/twin_validation.py`.

T0 and T1 are held against T2's Monte Carlo on delay spreads, Dopplers, widths and seeds that the tables were not
made with; our LDPC decoder against Sionna's; the network twin against theory, its own rules, Sionna's drops and,
where there are any, an operator's traces. The last line is one JSON object of figures.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import field
from benchmarks.link_cases import COPIES, FRESH, KNOWN, RARE
from twin.link.ldpc.validation import against_sionna
from twin.link.qos import Tier
from twin.link.validation import RARE as RARE_BLER
from twin.link.validation import Case, Rare, Verdict, judge, judge_rare
from twin.network.curve import RateCurve
from twin.network.operators import Relation
from twin.network.scenario import Scenario
from twin.network.validation import fairness, fixed_link, poisson_queue, sharing, sinr_distribution

ROOT = Path(__file__).resolve().parents[1]
REPORT, PLOT = ROOT / "docs" / "twin_validation.md", ROOT / "docs" / "figures" / "twin_validation.png"
NEAR_DB = 0.3
GROUPS = (
    ("cases by which it was laid out", KNOWN),
    ("fresh cases, added when the tables were settled", FRESH),
    ("cases of blocks that are sent more than once", COPIES),
)
CASES = tuple(case for _, cases in GROUPS for case in cases)
CODES = (
    (100, 300, 1.5), (300, 500, 1.75), (600, 1500, 0.9), (1272, 2544, 1.2), (3000, 12000, 0.4), (2000, 2400, 3.1),
    (5000, 6000, 2.8),
)  # fmt: skip


def verdicts(blocks: int, failures: int, workers: int) -> list[Verdict]:
    """Every case's; they do not depend on the number of processes."""
    os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = "1"
    found = []
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for item in pool.map(partial(verdict, blocks=blocks, failures=failures), CASES):
            print(
                f"{item.case.name:24} T0 {item.t0_error_db:+.2f} dB, T1 {item.t1_error_db:+.2f} dB, spread",
                f"{item.t1_db.std(ddof=1):.2f} dB, T2 {item.counted.crossing_db()[1]:.2f} dB",
                flush=True,
            )
            found.append(item)
    return found


def verdict(case: Case, blocks: int, failures: int) -> Verdict:
    """One case's, on one thread."""
    import torch

    torch.set_num_threads(1)
    return judge(case, blocks=blocks, failures=failures)


def rare_verdicts(blocks: int, failures: int, workers: int) -> list[Rare]:
    """Every case's where errors are rare."""
    found = []
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        cases = (*RARE, *CASES)
        for item in pool.map(partial(rare_verdict, blocks=blocks, failures=failures), cases):
            print(
                f"{item.case.name:24} rare: T2 {item.bler:.1e} +-{item.error_decades:.2f} decades,",
                f"T0 {item.missed_decades(Tier.T0):+.2f}, T1 {item.missed_decades(Tier.T1):+.2f},",
                f"spread {item.t1_spread_decades:.2f}",
                flush=True,
            )
            found.append(item)
    return found


def rare_verdict(case: Case, blocks: int, failures: int) -> Rare:
    """One case's, on one thread."""
    import torch

    torch.set_num_threads(1)
    return judge_rare(case, blocks=blocks, failures=failures)


def rare_section(found: Sequence[Rare], blocks: int, failures: int) -> tuple[list[str], dict[str, float]]:
    """The tiers' table where errors are rare, and its figures."""
    lines = [
        "## Where errors are rare",
        f"At the SNR at which T0 expects one block in {1 / RARE_BLER:.0f} to fail, T2 counts {failures} failed "
        f"blocks, or {blocks} blocks; how much higher its rate is than a tier's, in decades (0.3 is a factor of "
        "two), and its 95 % interval, which both share. T1: the mean over 6 seeds, and what chance makes of one.",
        "",
        "| case | SNR dB | T2 BLER | interval | T0 missed | T1 missed | T1 spread |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {item.case.name} | {item.level_db:.1f} | {item.bler:.1e} | ± {1.96 * item.error_decades:.2f} | "
        f"{item.missed_decades(Tier.T0):+.2f} | {item.missed_decades(Tier.T1):+.2f} | "
        f"{item.t1_spread_decades:.2f} |"
        for item in found
    ]
    figures = {}
    for tier in (Tier.T0, Tier.T1):
        missed = np.array([item.missed_decades(tier) for item in found])
        median, worst = float(np.median(np.abs(missed))), float(np.abs(missed).max())
        figures[f"{tier.value}_rare_median_missed_decades"] = median
        figures[f"{tier.value}_rare_worst_missed_decades"] = worst
        lines += [
            "",
            f"{tier.value.upper()} misses by {median:.2f} decades in the median, by {worst:.2f} at worst; it says "
            f"too few errors in {(missed > 0).sum()} of {len(found)} cases.",
        ]
    return lines, figures


def link_section(found: Sequence[Verdict], blocks: int, failures: int) -> list[str]:
    """The tiers' table."""
    lines = [
        "## Link twin: T0 and T1 beside T2",
        "SNR per resource element at which one block in ten fails, and how much more than a tier says T2's Monte "
        f"Carlo needs. T2: {failures} failed blocks or {blocks} blocks at each of six SNRs around it, a quadratic "
        "probit curve through them, and the 95 % interval of its crossing, which each error shares. T1: mean over "
        f"{len(found[0].t1_db)} seeds (its bias) and their standard deviation (what chance makes of one answer).",
        "",
        "| case | channel | PRBs | T2 dB | T0 error dB | T1 bias dB | T1 spread dB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, some in grouped(found):
        lines.append(f"| *{name}* | | | | | | |")
        for item in some:
            case, (level_db, error_db) = item.case, item.counted.crossing_db()
            lines.append(
                f"| {case.name} | {case.channel.value} {case.delay_spread_s * 1e9:.0f} ns "
                f"{case.doppler_hz:.0f} Hz | {case.chain.prbs} | {level_db:.2f} ± {1.96 * error_db:.2f} | "
                f"{item.t0_error_db:+.2f} | {item.t1_error_db:+.2f} | {item.t1_db.std(ddof=1):.2f} |"
            )
    return lines


def grouped(found: Sequence[Verdict]) -> list[tuple[str, list[Verdict]]]:
    """Verdicts by the group that their case is of, under its name."""
    return [(name, [item for item in found if item.case in cases]) for name, cases in GROUPS]


def standing(found: Sequence[Verdict]) -> list[str]:
    """In how many cases the tiers are near."""
    lines = []
    for name, some in grouped(found):
        for tier in ("t0", "t1"):
            errors = np.abs([getattr(item, f"{tier}_error_db") for item in some])
            near = int((errors <= NEAR_DB).sum())
            lines.append(
                f"- {tier.upper()} is within {NEAR_DB} dB in {near} of {len(errors)} {name}: "
                f"median {np.median(errors):.2f} dB, worst {errors.max():.2f} dB."
            )
    return lines


def plot(found: Sequence[Verdict], relations: tuple[Relation, Relation] | None) -> None:
    """Draw the tiers' curves, and the field's."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(4, (len(found) + 5) // 4, figsize=(19, 11), squeeze=False)
    for axis, item in zip(axes.flat, found, strict=False):
        counted = item.counted
        share = counted.bler
        error = 1.96 * np.sqrt(share * (1 - share) * counted.blocks_per_slot / counted.blocks)
        axis.errorbar(counted.levels_db, share, np.minimum(error, 0.9 * share), fmt="o", ms=4, label="T2, 95 %")
        axis.semilogy(counted.levels_db, item.t0, "-", label="T0")
        axis.semilogy(counted.levels_db, item.t1, "--", label="T1")
        axis.set_title(item.case.name, fontsize=9)
        axis.set_ylim(0.015, 0.6)
        axis.grid(alpha=0.3, which="both")
    for axis in axes[:, 0]:
        axis.set_ylabel("BLER")
    for axis in axes[-1]:
        axis.set_xlabel("SNR [dB]")
    axes[0, 0].legend(fontsize=8)
    for axis in axes.flat[len(found) :]:
        axis.set_visible(relations is not None and axis in axes.flat[-2:])
    if relations is not None:
        field.panels(axes[-1, -2], axes[-1, -1], *relations)
    figure.tight_layout()
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=80)


def code_section(blocks: int) -> tuple[list[str], float]:
    """Our decoder beside Sionna's, and the worst difference in standard errors."""
    lines = [
        "## LDPC decoder beside Sionna's boxplus",
        f"Same received blocks, 20 iterations each, {blocks} blocks a code.",
        "",
        "| k | n | base graph, lifting | Eb/N0 dB | ours | Sionna | standard error |",
        "|---|---|---|---|---|---|---|",
    ]
    worst = 0.0
    for k, n, ebn0_db in CODES:
        found = against_sionna(k, n, ebn0_db, blocks=blocks)
        worst = max(worst, (found.bler - found.sionna_bler) / max(found.error, 1e-3))
        lines.append(
            f"| {k} | {n} | {found.graph}, {found.lifting} | {ebn0_db} | {found.bler:.3f} | "
            f"{found.sionna_bler:.3f} | {found.error:.3f} |"
        )
    return lines, worst


def network_section() -> tuple[list[str], dict[str, float]]:
    """The network twin's checks."""
    queue, shares = poisson_queue(), sharing()
    curve = RateCurve(
        snr_db=(-10.0, 0.0, 10.0, 20.0), efficiency=(0.1, 0.8, 2.5, 5.0), bler=(0.5, 0.1, 0.05, 0.01)
    )
    link = fixed_link(curve, (-5.0, 5.0, 15.0))
    uma = Scenario(propagation="uma", shadowing_site_correlation=0.0)
    drops = sinr_distribution(uma, seeds=tuple(range(1, 21)))
    fair = {name: fairness(name) for name in ("round_robin", "proportional_fair")}
    figures = {
        "queue_delay_error": queue.worst_share,
        "prb_breach": max(shares.cell, shares.above_max, shares.below_min, shares.idle),
        "fixed_link_error_bit": link.worst,
        "same_drop_error_db": drops.same_drop_error_db,
        "sinr_quantile_error_db": float(np.abs(drops.own - drops.sionna).max()),
        "pf_airtime_jain": fair["proportional_fair"].airtime_jain,
    }
    lines = [
        "## Network twin",
        "| check | figure |",
        "|---|---|",
        f"| mean delay of a Poisson queue beside M/D/1, loads {', '.join(f'{load:g}' for load in queue.x)}: "
        f"worst error | {100 * queue.worst_share:.1f} % |",
        "| rules of RRM policy ratios over 20,000 random policies and needs: worst breach | "
        f"{figures['prb_breach']:.1e} PRB |",
        f"| a full cell through a fixed link chain beside its curve: worst error | {link.worst:.1e} bit per RE |",
        f"| SINR in the same drop as Sionna's UMa: worst error | {drops.same_drop_error_db:.1e} dB |",
        "| quantiles of SINR, our drops beside Sionna's: worst distance | "
        f"{figures['sinr_quantile_error_db']:.2f} dB |",
        f"| proportional fair: Jain's index of airtime (round robin {fair['round_robin'].airtime_jain:.4f}) | "
        f"{figures['pf_airtime_jain']:.4f} |",
        f"| total rate, proportional fair over round robin | "
        f"{fair['proportional_fair'].total_bps / fair['round_robin'].total_bps:.3f} |",
    ]
    return lines, figures


def main() -> None:
    """Run all checks, write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=3000, help="most blocks of a point of T2")
    parser.add_argument("--failures", type=int, default=300, help="failed blocks that make a point of T2")
    parser.add_argument("--workers", type=int, default=1, help="processes for the link's cases")
    parser.add_argument("--traces", type=Path, help="zip archive of an operator's traces")
    options = parser.parse_args()
    began_s = time.monotonic()
    found = verdicts(options.blocks, options.failures, options.workers)
    rare, rare_figures = rare_section(
        rare_verdicts(10 * options.blocks, options.failures // 3, options.workers),
        10 * options.blocks,
        options.failures // 3,
    )
    codes, code_worst = code_section(400)
    network, figures = network_section()
    lines, relations, more = field.section(options.traces)
    plot(found, relations)
    head = [
        "# Validation of the twin",
        f"Made by `python benchmarks/twin_validation.py --blocks {options.blocks} --failures {options.failures}"
        f"{' --traces PATH' if options.traces else ''}`. Channels, delay spreads, Dopplers, widths and seeds are "
        "others than those of the tables.",
        "",
        *standing(found),
        "",
        "![The tiers' block error rates](figures/twin_validation.png)",
        "",
    ]
    sections = (link_section(found, options.blocks, options.failures), rare, codes, network, lines)
    REPORT.write_text("\n".join([*head, *(line for section in sections for line in (*section, ""))]))
    summary = {
        **{f"{tier}_{name}": value for tier in ("t0", "t1") for name, value in errors(found, tier).items()},
        "t1_spread_db": float(np.median([item.t1_db.std(ddof=1) for item in found])),
        **rare_figures,
        "ldpc_worst_standard_errors": code_worst,
        **figures,
        **more,
        "seconds": time.monotonic() - began_s,
    }
    print(json.dumps({name: float(f"{value:.3g}") for name, value in summary.items()}))


def errors(found: Sequence[Verdict], tier: str) -> dict[str, float]:
    """A tier's errors over all cases."""
    values = np.abs([getattr(item, f"{tier}_error_db") for item in found])
    return {"median_error_db": float(np.median(values)), "worst_error_db": float(values.max())}


if __name__ == "__main__":
    main()
