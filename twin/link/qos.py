"""QoS and resource use: what an evaluated plan delivers and what it takes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np


class Tier(StrEnum):
    """How an answer was found, from quick to thorough."""

    T0 = "t0"
    """Tables."""
    T1 = "t1"
    """The chain up to its log-likelihood ratios, their mutual information, then a table of the code."""
    T2 = "t2"
    """Monte Carlo of the whole chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qos:
    """The QoS that a link chain delivers."""

    delay_s: float
    """Mean processing delay of a block: slot and HARQ timing, and the modules' compute time."""
    throughput_bps: float
    """Information bits delivered without error."""
    ber: float
    """Residual bit error rate, after HARQ, repetition and decoding."""
    ber_low: float
    ber_high: float
    """The 95 % interval of `ber`."""
    extrapolated: bool
    """Whether `ber` lies below what the tier resolves and comes from its tail model."""
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUse:
    """What a link chain takes while it runs."""

    prb_slots: float
    """PRBs x slots that a block occupies on average; 168 resource elements each, in every numerology."""
    power_w: float
    """Transmit power."""
    antennas: int
    """Transmit and receive antennas in use."""
    compute_flops: float
    """Operations per second to keep up with the air interface."""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of `twin.link.evaluate` to one plan."""

    qos: Qos
    use: ResourceUse


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Results:
    """The answers to many plans of one tier as columns [plans]; fields and units as in Qos and ResourceUse."""

    delay_s: np.ndarray
    throughput_bps: np.ndarray
    ber: np.ndarray
    ber_low: np.ndarray
    ber_high: np.ndarray
    extrapolated: np.ndarray
    prb_slots: np.ndarray
    power_w: np.ndarray
    antennas: np.ndarray
    compute_flops: np.ndarray
    tier: Tier = Tier.T0

    def __len__(self) -> int:
        return len(self.delay_s)

    def take(self, rows: np.ndarray | slice) -> Results:
        """The rows at these places, or where this mask holds."""
        columns = {column.name: getattr(self, column.name)[rows] for column in fields(self)[:-1]}
        return Results(**columns, tier=self.tier)

    def row(self, index: int) -> Result:
        """One plan's answer."""
        qos = Qos(
            delay_s=float(self.delay_s[index]),
            throughput_bps=float(self.throughput_bps[index]),
            ber=float(self.ber[index]),
            ber_low=float(self.ber_low[index]),
            ber_high=float(self.ber_high[index]),
            extrapolated=bool(self.extrapolated[index]),
            tier=self.tier,
        )
        use = ResourceUse(
            prb_slots=float(self.prb_slots[index]),
            power_w=float(self.power_w[index]),
            antennas=int(self.antennas[index]),
            compute_flops=float(self.compute_flops[index]),
        )
        return Result(qos, use)
