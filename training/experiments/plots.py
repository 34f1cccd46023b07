"""Plots: arms as points with intervals, and learning curves with bands."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from training.experiments.statistics import band
from training.slicing.score import Interval

Curve = Sequence[Mapping[str, float]]
"""What a training tells, row by row."""


def points(axes: Axes, intervals: Mapping[str, Interval], label: str) -> None:
    """One row for each arm, the first on top."""
    names = list(intervals)
    for place, name in enumerate(names):
        found = intervals[name]
        ends = [[max(0.0, found.mean - found.low)], [max(0.0, found.high - found.mean)]]
        axes.errorbar(found.mean, -place, xerr=ends, fmt="o", color="tab:blue", capsize=3)
    axes.set_yticks([-place for place in range(len(names))], names)
    axes.set_xlabel(label)
    axes.grid(axis="x", alpha=0.3)


def curves(axes: Axes, runs: Mapping[str, Sequence[Curve]], figure: str) -> None:
    """Mean learning curve of each arm's runs, with its 95 % band, as far as all of them go."""
    for arm, rows in runs.items():
        count = min((len(curve) for curve in rows), default=0)
        if count == 0:
            continue
        values = np.array([[row[figure] for row in curve[:count]] for curve in rows])
        episodes = [row["episodes"] for row in rows[0][:count]]
        mean, low, high = band(values)
        (line,) = axes.plot(episodes, mean, label=arm)
        axes.fill_between(episodes, low, high, alpha=0.2, color=line.get_color())
    axes.set_xlabel("episodes")
    axes.grid(alpha=0.3)


def course(axes: Axes, rows: Curve, figure: str, *, along: str, color: str | None = None, label: str = "") -> None:
    """A figure of one training, by step or round, where its rows tell it."""
    told = [row for row in rows if figure in row]
    axes.plot([row[along] for row in told], [row[figure] for row in told], color=color, label=label, alpha=0.8)
    axes.set_xlabel(along)
    axes.grid(alpha=0.3)
