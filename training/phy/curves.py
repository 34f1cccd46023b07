"""Curves of rivals compared on the same links: coded block error rates by SNR, and how far they are apart.

Block error rates are those of T1: each slot's mutual information, and what the code makes of it. Intervals are
bootstrapped over slots, which all rivals of a link share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.link.validation import TARGET, crossing

BLOCK_BITS = 1272
RESAMPLES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One rival on one link: the chance that each slot's block fails, [SNRs, slots]."""

    case: str
    rival: str
    snrs_db: Sequence[float]
    failing: np.ndarray

    def row(self) -> dict[str, object]:
        """The curve with its 95 % interval, for a file."""
        draw = np.random.default_rng(1)
        picks = draw.integers(0, self.failing.shape[1], (RESAMPLES, self.failing.shape[1]))
        means = self.failing[:, picks].mean(axis=2)
        low, high = np.quantile(means, (0.025, 0.975), axis=1)
        return {
            "case": self.case,
            "rival": self.rival,
            "snr_db": list(self.snrs_db),
            "bler": [float(f"{value:.4g}") for value in self.failing.mean(axis=1)],
            "low": [float(f"{value:.4g}") for value in low],
            "high": [float(f"{value:.4g}") for value in high],
        }


def snr_at_target(snrs_db: Sequence[float], failing: np.ndarray) -> float:
    """The SNR in dB at which the mean block error rate falls to 10 %; NaN where it never does."""
    return crossing(np.asarray(snrs_db), np.maximum(failing.mean(axis=1), 1e-6), TARGET)


def gain_db(curves: Sequence[Curve], ours: str, rival: str) -> tuple[float, float, float]:
    """How much less SNR one needs than a rival for a BLER of 10 %: mean over the links, and 95 % interval."""
    of = {(curve.case, curve.rival): curve for curve in curves}
    draw = np.random.default_rng(2)
    slots = curves[0].failing.shape[1]
    picks = [np.arange(slots), *draw.integers(0, slots, (200, slots))]
    gains = []
    for pick in picks:
        each = [
            _at_target(of[case, rival], pick) - _at_target(of[case, ours], pick)
            for case in dict.fromkeys(curve.case for curve in curves)
        ]
        gains.append(float(np.nanmean(each)) if not np.isnan(each).all() else 0.0)
    low, high = np.quantile(gains[1:], (0.025, 0.975))
    return gains[0], min(float(low), gains[0]), max(float(high), gains[0])


def _at_target(curve: Curve, pick: np.ndarray) -> float:
    return snr_at_target(curve.snrs_db, curve.failing[:, pick])


def draw_curves(curves: Sequence[Curve], path: Path, title: str) -> None:
    """Draw the curves with their intervals, one panel per link."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    cases = list(dict.fromkeys(curve.case for curve in curves))
    figure, axes = plt.subplots(2, (len(cases) + 1) // 2, figsize=(13, 7), sharey=True, squeeze=False)
    for axis, case in zip(axes.flat, cases, strict=False):
        for curve in (curve for curve in curves if curve.case == case):
            row = curve.row()
            (line,) = axis.semilogy(curve.snrs_db, np.maximum(curve.failing.mean(axis=1), 1e-4), label=curve.rival)
            axis.fill_between(
                curve.snrs_db,
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
    figure.suptitle(f"{title}: LDPC blocks of {BLOCK_BITS} bits; 95 % intervals", fontsize=11)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
