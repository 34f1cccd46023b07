"""What happened in one phase of the demo, and how well the slices' promises were kept."""

from dataclasses import dataclass

import numpy as np

from oran.sla import SlaTargets, SliceSla, qos_ratio, reward, satisfaction, satisfied
from oran.slices import MIN


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase as the nodes measured it. Arrays have shape [steps, cells, slices]; units are SI.

    NaN in a KPI means that nothing was measured in that step. `quotas` adds a last axis: dedicated, min, max in
    percent.
    """

    name: str
    slas: tuple[SliceSla, ...]
    step_s: float
    throughput_bps: np.ndarray
    delay_s: np.ndarray
    drop_rate: np.ndarray
    quotas: np.ndarray

    @property
    def steps(self) -> int:
        """Number of control intervals recorded."""
        return int(self.throughput_bps.shape[0])

    @property
    def time_s(self) -> np.ndarray:
        """Time since the phase began; [steps]."""
        return np.arange(self.steps) * self.step_s

    def ratio(self) -> np.ndarray:
        """QoS achieved over promised (`oran.sla.qos_ratio`); [steps, cells, slices]."""
        targets = SlaTargets.of(self.slas)
        return qos_ratio(targets, self.throughput_bps, self.delay_s, self.drop_rate)

    def satisfaction(self) -> np.ndarray:
        """Weighted share of promises kept, averaged over cells; [steps]."""
        share: np.ndarray = satisfaction(SlaTargets.of(self.slas), self.ratio()).mean(axis=-1)
        return share

    def slice_satisfaction(self) -> np.ndarray:
        """Share of cells and steps in which each slice's promise was kept; [slices]."""
        share: np.ndarray = satisfied(self.ratio()).mean(axis=(0, 1))
        return share

    def shares(self) -> tuple[float, ...]:
        """Share of promises kept over the phase: of all slices by weight, then of each slice."""
        return (float(self.satisfaction().mean()), *self.slice_satisfaction().tolist())

    def reward(self) -> float:
        """The return: the mean slicing reward over cells and steps."""
        return float(reward(SlaTargets.of(self.slas), self.ratio()).mean())

    def mean_min_percent(self) -> tuple[float, ...]:
        """What each slice was guaranteed, in percent of a cell, over cells and steps."""
        return tuple(self.quotas[..., MIN].mean(axis=(0, 1)).tolist())

    def first(self, steps: int) -> "Phase":
        """The first steps only, so that two phases compare the same traffic."""
        return Phase(
            self.name,
            self.slas,
            self.step_s,
            self.throughput_bps[:steps],
            self.delay_s[:steps],
            self.drop_rate[:steps],
            self.quotas[:steps],
        )


def interval(samples: np.ndarray, *, seed: int = 0, resamples: int = 10_000) -> tuple[float, float, float]:
    """Mean of independent samples and its 95 % percentile bootstrap interval; [n] -> (mean, low, high)."""
    draw = np.random.default_rng(seed).integers(len(samples), size=(resamples, len(samples)))
    low, high = np.percentile(samples[draw].mean(axis=1), [2.5, 97.5])
    return float(samples.mean()), float(low), float(high)
