"""Receivers compared: coded block error rates by SNR of LS, LMMSE, DeepRx and a receiver that knows the channel.

The links have delay spreads, Dopplers and seeds that nothing was trained or fitted on. Block error rates are those
of T1: each slot's mutual information, and what the code makes of it. Intervals are bootstrapped over slots, which
all receivers share.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from twin.link.catalogue import ChannelClass, Estimator, Modulation
from twin.link.chain.channel import Channel
from twin.link.chain.link import Setup
from twin.link.chain.tiers import probe_information
from twin.link.ldpc.awgn import bler
from twin.link.receivers.deeprx import DeepRx

RECEIVERS: dict[str, Estimator | None] = {
    "ls": Estimator.LS,
    "lmmse": Estimator.LMMSE,
    "deeprx": Estimator.DEEPRX,
    "perfect": None,
}
BLOCK_BITS, RATE = 1272, 0.5
TARGET = 0.1
RESAMPLES = 1000

CASES: dict[str, Setup] = {
    "QPSK, 1 antenna, TDL-A, slow": Setup(
        channel=Channel(ChannelClass.TDL_A, 0.0021, 0.0007), snr_db=0.0, modulation=Modulation.QPSK
    ),
    "QPSK, 2 antennas, TDL-C, long, fast": Setup(
        channel=Channel(ChannelClass.TDL_C, 0.023, 0.0085), snr_db=0.0, modulation=Modulation.QPSK, rx_antennas=2
    ),
    "16QAM, 1 antenna, TDL-C, fast": Setup(
        channel=Channel(ChannelClass.TDL_C, 0.0043, 0.011), snr_db=0.0, modulation=Modulation.QAM16
    ),
    "16QAM, 2 antennas, TDL-A": Setup(
        channel=Channel(ChannelClass.TDL_A, 0.0083, 0.0031), snr_db=0.0, modulation=Modulation.QAM16, rx_antennas=2
    ),
    "64QAM, 2 antennas, TDL-C": Setup(
        channel=Channel(ChannelClass.TDL_C, 0.0117, 0.0023), snr_db=0.0, modulation=Modulation.QAM64, rx_antennas=2
    ),
    "256QAM, 2 antennas, TDL-D": Setup(
        channel=Channel(ChannelClass.TDL_D, 0.0057, 0.0013),
        snr_db=0.0,
        modulation=Modulation.QAM256,
        rx_antennas=2,
    ),
}
SNRS_DB = tuple(range(-6, 36, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One receiver on one link: the chance that each slot's block fails, [SNRs, slots]."""

    case: str
    receiver: str
    failing: np.ndarray

    def row(self) -> dict[str, object]:
        """The curve with its 95 % interval, for a file."""
        draw = np.random.default_rng(1)
        picks = draw.integers(0, self.failing.shape[1], (RESAMPLES, self.failing.shape[1]))
        means = self.failing[:, picks].mean(axis=2)
        low, high = np.quantile(means, (0.025, 0.975), axis=1)
        return {
            "case": self.case,
            "receiver": self.receiver,
            "snr_db": list(SNRS_DB),
            "bler": [float(f"{value:.4g}") for value in self.failing.mean(axis=1)],
            "low": [float(f"{value:.4g}") for value in low],
            "high": [float(f"{value:.4g}") for value in high],
        }


def compare(network: DeepRx, *, slots: int, seed: int = 77, device: torch.device | None = None) -> list[Curve]:
    """All receivers on all links, each over the same slots."""
    found = []
    for (case, setup), (name, estimator) in ((one, two) for one in CASES.items() for two in RECEIVERS.items()):
        failing = np.empty((len(SNRS_DB), slots))
        for row, snr_db in enumerate(SNRS_DB):
            made = replace(setup, estimator=estimator, snr_db=float(snr_db))
            gmi = probe_information(made, slots, seed, device=device, network=network)
            failing[row] = bler(gmi, np.array(BLOCK_BITS), np.array(RATE))
        found.append(Curve(case, name, failing))
    return found


def snr_at_target(failing: np.ndarray) -> float:
    """The SNR in dB at which the mean block error rate falls to 10 %; NaN where it never does."""
    means = np.log10(np.maximum(failing.mean(axis=1), 1e-6))
    below = np.flatnonzero(means <= np.log10(TARGET))
    if not len(below) or below[0] == 0:
        return float("nan")
    last = below[0]
    share = (means[last - 1] - np.log10(TARGET)) / (means[last - 1] - means[last])
    return float(SNRS_DB[last - 1] + share * (SNRS_DB[last] - SNRS_DB[last - 1]))


def gain_db(curves: Sequence[Curve], rival: str) -> tuple[float, float, float]:
    """How much less SNR DeepRx needs than a rival for a BLER of 10 %: mean over the links, and 95 % interval."""
    of = {(curve.case, curve.receiver): curve.failing for curve in curves}
    draw = np.random.default_rng(2)
    slots = curves[0].failing.shape[1]
    picks = [np.arange(slots), *draw.integers(0, slots, (200, slots))]
    gains = []
    for pick in picks:
        each = [
            snr_at_target(of[case, rival][:, pick]) - snr_at_target(of[case, "deeprx"][:, pick])
            for case in dict.fromkeys(curve.case for curve in curves)
        ]
        gains.append(float(np.nanmean(each)) if not np.isnan(each).all() else 0.0)
    low, high = np.quantile(gains[1:], (0.025, 0.975))
    return gains[0], min(float(low), gains[0]), max(float(high), gains[0])


def draw_curves(curves: Sequence[Curve], path: Path) -> None:
    """Draw the curves with their intervals, one panel per link."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    cases = list(dict.fromkeys(curve.case for curve in curves))
    figure, axes = plt.subplots(2, (len(cases) + 1) // 2, figsize=(13, 7), sharey=True, squeeze=False)
    for axis, case in zip(axes.flat, cases, strict=False):
        for curve in (curve for curve in curves if curve.case == case):
            row = curve.row()
            (line,) = axis.semilogy(SNRS_DB, np.maximum(curve.failing.mean(axis=1), 1e-4), label=curve.receiver)
            axis.fill_between(
                SNRS_DB,
                np.maximum(np.array(row["low"]), 1e-4),
                np.maximum(np.array(row["high"]), 1e-4),
                color=line.get_color(),
                alpha=0.2,
            )
        axis.set(title=case, xlabel="SNR per resource element [dB]", ylim=(1e-3, 1.1))
        axis.title.set_fontsize(10)
        axis.grid(alpha=0.3)
    for axis in axes[:, 0]:
        axis.set_ylabel("block error rate")
    axes[0, 0].legend()
    figure.suptitle(
        f"Receivers at equal pilots: LDPC blocks of {BLOCK_BITS} bits, rate {RATE}; 95 % intervals", fontsize=11
    )
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
