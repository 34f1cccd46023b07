"""How true the twin is: writes docs/twin_validation.md and its plot. `python benchmarks/twin_validation.py`.

T0 and T1 are held against T2's Monte Carlo on delay spreads, Dopplers, widths and seeds that the tables were not
made with; our LDPC decoder against Sionna's; the network twin against theory, its own rules and Sionna's drops.
The last line is one JSON object of figures.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.link.catalogue import ChannelClass
from twin.link.equipment import EquipmentState
from twin.link.evaluate import evaluate
from twin.link.ldpc.validation import against_sionna
from twin.link.plan import LinkChain
from twin.link.qos import Tier
from twin.network.curve import RateCurve
from twin.network.scenario import Scenario
from twin.network.validation import fairness, fixed_link, poisson_queue, sharing, sinr_distribution

ROOT = Path(__file__).resolve().parents[1]
REPORT, PLOT = ROOT / "docs" / "twin_validation.md", ROOT / "docs" / "figures" / "twin_validation.png"
TARGET = 0.1
STEPS = (-2.0, -1.0, 0.0, 1.0, 2.0)
CODES = (
    (100, 300, 1.5), (300, 500, 1.75), (600, 1500, 0.9), (1272, 2544, 1.2), (3000, 12000, 0.4), (2000, 2400, 3.1),
    (5000, 6000, 2.8),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A link chain and the channel it is tried on."""

    name: str
    chain: LinkChain
    channel: ChannelClass
    delay_spread_s: float
    doppler_hz: float

    def equipment(self, level_db: float) -> EquipmentState:
        """The equipment at which the chain has this SNR per resource element."""
        state = EquipmentState(
            free_prbs=275,
            tx_antennas=4,
            rx_antennas=4,
            compute_flops=1e15,
            max_tx_power_dbm=46,
            channel=self.channel,
            snr_db=0.0,
            delay_spread_s=self.delay_spread_s,
            doppler_hz=self.doppler_hz,
            has_deeprx=True,
        )
        offset_db = float(state.resource_element_snr_db(self.chain))
        values = {field: getattr(state, field) for field in EquipmentState.__slots__}
        return EquipmentState(**{**values, "snr_db": level_db - offset_db})


def case(name: str, channel: ChannelClass, spread_s: float, doppler_hz: float, **fields: object) -> Case:
    """A case by its chain's fields."""
    values: dict[str, object] = {"numerology": 1, "prbs": 12, "estimator": "lmmse", **fields}
    return Case(name, chain_of(values), channel, spread_s, doppler_hz)


def chain_of(values: dict[str, object]) -> LinkChain:
    """A chain by its fields."""
    make: Callable[..., LinkChain] = LinkChain
    return make(**values)


A, C, D, FLAT = ChannelClass.TDL_A, ChannelClass.TDL_C, ChannelClass.TDL_D, ChannelClass.AWGN
CASES = (
    case("QPSK 1/2 flat", FLAT, 0.0, 0.0, modulation="qpsk", code_rate=0.5),
    case("64QAM 0.7 flat", FLAT, 0.0, 0.0, modulation="64qam", code_rate=0.7),
    case("QPSK 0.3 LS 1x1", A, 70e-9, 17.0, modulation="qpsk", code_rate=0.3, estimator="ls"),
    case("QPSK 0.5 1x2", C, 230e-9, 90.0, modulation="qpsk", code_rate=0.5, rx_antennas=2),
    case("QPSK 0.5 LS 1x2", C, 600e-9, 210.0, modulation="qpsk", code_rate=0.5, rx_antennas=2, estimator="ls"),
    case("16QAM 0.5 1x2", C, 230e-9, 17.0, modulation="16qam", code_rate=0.5, rx_antennas=2, prbs=24),
    case("16QAM 0.5 LS 1x2", A, 140e-9, 60.0, modulation="16qam", code_rate=0.5, rx_antennas=2, estimator="ls"),
    case("16QAM 0.4 1x4", C, 90e-9, 150.0, modulation="16qam", code_rate=0.4, rx_antennas=4),
    case("64QAM 0.6 1x2", D, 60e-9, 30.0, modulation="64qam", code_rate=0.6, rx_antennas=2),
    case("64QAM 0.5 2x2", A, 110e-9, 25.0, modulation="64qam", code_rate=0.5, layers=2, tx_antennas=2,
         rx_antennas=2),
    case("16QAM 0.6 ZF 2x4", C, 180e-9, 40.0, modulation="16qam", code_rate=0.6, layers=2, tx_antennas=2,
         rx_antennas=4, detector="zf"),
    case("256QAM 0.7 1x4", D, 45e-9, 12.0, modulation="256qam", code_rate=0.7, rx_antennas=4, prbs=24),
    case("16QAM 0.5 SVD 4x2", A, 120e-9, 20.0, modulation="16qam", code_rate=0.5, layers=2, tx_antennas=4,
         rx_antennas=2, precoder="svd"),
    case("16QAM 0.5 DeepRx 1x2", C, 150e-9, 80.0, modulation="16qam", code_rate=0.5, rx_antennas=2,
         estimator="deeprx", detector="deeprx", prbs=6),
    case("QPSK 0.4 polar 1x2", A, 80e-9, 30.0, modulation="qpsk", code_rate=0.4, rx_antennas=2, code="polar",
         prbs=6),
)  # fmt: skip


def bler(item: Case, level_db: float, tier: Tier, *, seed: int = 11, most_blocks: int = 400) -> float:
    """Block error rate of a chain without HARQ: what is missing from its throughput."""
    answer = evaluate(item.chain, item.equipment(level_db), tier, seed=seed, most_blocks=most_blocks).qos
    whole = evaluate(item.chain, item.equipment(70.0)).qos.throughput_bps
    return max(1.0 - answer.throughput_bps / whole, 1e-5)


def crossing(levels_db: np.ndarray, rates: np.ndarray, target: float = TARGET) -> float:
    """Where block error rates fall through a target, interpolating their logarithms; NaN where they do not."""
    below = np.flatnonzero(rates <= target)
    if not len(below) or below[0] == 0:
        return float("nan")
    last = below[0]
    high, low = np.log(rates[last - 1]), np.log(rates[last])
    step_db = levels_db[last] - levels_db[last - 1]
    return float(levels_db[last - 1] + (high - np.log(target)) / (high - low) * step_db)


@dataclass(frozen=True, slots=True)
class Row:
    """What the tiers say of a case."""

    case: Case
    levels_db: np.ndarray
    t0: np.ndarray
    t1: np.ndarray
    t2: np.ndarray
    blocks: int

    def error_db(self, rates: np.ndarray) -> float:
        """How much more SNR T2 needs for a BLER of 10 %."""
        return crossing(self.levels_db, self.t2) - crossing(self.levels_db, rates)


def link_row(item: Case, blocks: int) -> Row:
    """One case, around the SNR at which T0 expects a BLER of 10 %, in steps that fit how steeply it falls."""
    grid = np.arange(-14.0, 44.0, 0.25)
    expected = np.array([bler(item, level, Tier.T0) for level in grid])
    middle = crossing(grid, expected)
    step_db = np.clip(crossing(grid, expected, 0.03) - crossing(grid, expected, 0.3), 0.3, 4.0) / 2.0
    levels = middle + step_db * np.array(STEPS)
    found = [[bler(item, level, tier, most_blocks=blocks) for level in levels] for tier in Tier]
    # What so few blocks cannot show counts alike in all tiers.
    t0, t1, t2 = np.maximum(np.array(found), 0.5 / blocks)
    return Row(item, levels, t0, t1, t2, blocks)


def link_section(rows: list[Row]) -> list[str]:
    """The tiers' table."""
    lines = [
        "## Link twin: T0 and T1 beside T2",
        "SNR per resource element at which one block in ten fails, and how much more than a tier says T2's Monte "
        f"Carlo needs (at most {rows[0].blocks} blocks a point, 5 points around it; a point at 10 % is known to "
        f"about {100 * 1.96 * (0.09 / rows[0].blocks) ** 0.5:.0f} percentage points). T1 looks at 160 "
        "channels, 40 with DeepRx.",
        "",
        "| case | channel | T2 dB | T0 error dB | T1 error dB | BLER of T0, T1, T2 where T0 expects 10 % |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        middle = len(row.levels_db) // 2
        lines.append(
            f"| {row.case.name} | {row.case.channel.value} {row.case.delay_spread_s * 1e9:.0f} ns "
            f"{row.case.doppler_hz:.0f} Hz | {crossing(row.levels_db, row.t2):.2f} | "
            f"{row.error_db(row.t0):+.2f} | {row.error_db(row.t1):+.2f} | "
            f"{row.t0[middle]:.3f}, {row.t1[middle]:.3f}, {row.t2[middle]:.3f} |"
        )
    return lines


def plot(rows: list[Row]) -> None:
    """Draw the tiers' curves."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(3, (len(rows) + 2) // 3, figsize=(15, 9), sharey=True, squeeze=False)
    for axis, row in zip(axes.flat, rows, strict=False):
        for name, rates, style in (("T0", row.t0, "-"), ("T1", row.t1, "--"), ("T2", row.t2, "o")):
            axis.semilogy(row.levels_db, np.maximum(rates, 1e-3), style, label=name)
        axis.set_title(row.case.name, fontsize=9)
        axis.grid(alpha=0.3)
    for axis in axes[-1]:
        axis.set_xlabel("SNR [dB]")
    for axis in axes[:, 0]:
        axis.set_ylabel("BLER")
    axes[0, 0].legend()
    figure.tight_layout()
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=100)


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
    parser.add_argument("--blocks", type=int, default=400, help="blocks of a point of T2, and of a code")
    options = parser.parse_args()
    began_s = time.monotonic()
    rows = []
    for item in CASES:
        rows.append(link_row(item, options.blocks))
        print(
            f"{item.name:24} T0 {rows[-1].error_db(rows[-1].t0):+.2f} dB,",
            f"T1 {rows[-1].error_db(rows[-1].t1):+.2f} dB",
            flush=True,
        )
    codes, code_worst = code_section(options.blocks)
    network, figures = network_section()
    plot(rows)
    t0 = [abs(row.error_db(row.t0)) for row in rows]
    t1 = [abs(row.error_db(row.t1)) for row in rows]
    head = [
        "# Validation of the twin",
        f"Made by `python benchmarks/twin_validation.py --blocks {options.blocks}`. Channels, delay spreads, "
        "Dopplers, widths and seeds are others than those of the tables.",
        "",
        f"T0 is within 0.3 dB in {sum(error <= 0.3 for error in t0)} of {len(rows)} cases (median "
        f"{np.nanmedian(t0):.2f} dB, worst {np.nanmax(t0):.2f} dB), T1 in {sum(error <= 0.3 for error in t1)} "
        f"(median {np.nanmedian(t1):.2f} dB, worst {np.nanmax(t1):.2f} dB).",
        "",
        "![The tiers' block error rates](figures/twin_validation.png)",
        "",
    ]
    REPORT.write_text("\n".join([*head, *link_section(rows), "", *codes, "", *network, ""]))
    summary = {
        "t0_median_error_db": round(float(np.nanmedian(t0)), 3),
        "t0_worst_error_db": round(float(np.nanmax(t0)), 3),
        "t1_median_error_db": round(float(np.nanmedian(t1)), 3),
        "t1_worst_error_db": round(float(np.nanmax(t1)), 3),
        "ldpc_worst_standard_errors": round(code_worst, 2),
        **{name: float(f"{value:.3g}") for name, value in figures.items()},
        "seconds": round(time.monotonic() - began_s),
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
