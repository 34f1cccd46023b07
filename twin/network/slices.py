"""Slices: who a slice's UEs are, what they ask for, how they are scheduled and promised; without torch."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

from oran.sla import SliceSla
from oran.slices import SNssai
from twin.network.curve import RateCurve
from twin.network.errors import ScenarioError


def within(owner: str, field: str, value: float, low: float, high: float) -> None:
    """Raise ScenarioError, naming field, value and range, unless the value lies in low..high."""
    if not (math.isfinite(value) and low <= value <= high):
        raise ScenarioError(f"{owner}: {field} is {value}; it must lie in {low:g}..{high:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceTraffic:
    """One slice: who its UEs are, what they ask for, how they are scheduled and what they are promised."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: str
    slice: SNssai
    sla: SliceSla
    ue_share: float
    """Share of the scenario's UEs; the shares of all slices are scaled to sum to one."""
    arrival: Literal["poisson", "periodic", "video"]
    """How units come. `poisson`: independently (files: FTP model 3, TR 36.872 A.2.1.3.1; packets). `periodic`: one
    per period, at a seeded offset. `video`: frames of random size, a little too early or late (TR 38.838 5.1)."""
    unit_bit: float
    """Size of a file or packet; the mean size of a video frame."""
    mean_bps: float
    """Mean offered load of a UE at load factor 1."""
    buffer_bit: float
    """Queue limit of a UE; what does not fit is dropped on arrival."""
    delay_budget_s: float
    """Data older than this is dropped (the PDCP discard timer, TS 38.331); so nothing is delivered later."""
    scheduler: Literal["round_robin", "proportional_fair", "earliest_deadline"] = "round_robin"
    """How the slice's UEs in a cell share its PRBs."""
    frame_deviation: float = 0.105
    """Standard deviation of a video frame's size over its mean; sizes stay within 0.5..1.5 of it."""
    frame_jitter_s: float = 0.002
    """Standard deviation of a video frame's time of arrival, which stays within twice that (TR 38.838: 2 ms)."""
    session_s: tuple[float, float] | None = None
    """Mean time a UE is there, and mean time it is gone; None: it is always there. A UE gone asks for nothing."""
    burst_gain: float = 1.0
    """Load inside a burst over the mean load; 1 is steady. Bursts hit all the slice's UEs of a cell together."""
    burst_duty: float = 0.25
    """Share of time inside a burst; outside, the load is lowered so that the mean stays."""
    burst_period_s: float = 4.0
    """Mean burst cycle; each cell has its own, hidden, period (within 20 %) and phase."""
    speed_mps: tuple[float, float] = (0.0, 0.0)
    """A UE's speed is uniform in this range."""
    mobility: Literal["waypoint", "highway", "trace"] = "waypoint"
    """`waypoint`: random waypoints around home. `highway`: along a lane of the scenario's road at a steady speed,
    and at the area's end in again at the other. `trace`: along the path of the trace."""
    extra_loss_db: float = 0.0
    """Loss on top of the path, e.g. of a device in a basement."""
    indoor_share: float = 0.0
    """Share of UEs in buildings, behind the scenario's `penetration`."""
    highest_mcs: int = 27
    """Highest index of TS 38.214 table 5.1.3.1-2 that the slice's devices can receive; 4 is the last QPSK."""
    target_bler: float = 0.1
    """Error rate of first transmissions that link adaptation aims at."""
    link: RateCurve | None = None
    """What the slice's link chain delivers at each SINR; None: link adaptation by the MCS table. At run time
    `twin.network.links.with_link` changes it."""
    follows_trace: bool = False
    """When a trace drives the network, this slice's load follows the trace's DL bit rate."""

    def __post_init__(self) -> None:
        owner = f"slice {self.name or self.slice}"
        within(owner, "ue_share", self.ue_share, 1e-6, 1e6)
        within(owner, "unit_bit", self.unit_bit, 8, 1e10)
        within(owner, "mean_bps", self.mean_bps, 0, 1e10)
        within(owner, "buffer_bit", self.buffer_bit, self.unit_bit, 1e12)
        within(owner, "delay_budget_s", self.delay_budget_s, 1e-3, 10)
        within(owner, "burst_duty", self.burst_duty, 0.01, 1)
        within(owner, "burst_gain", self.burst_gain, 1, 1 / self.burst_duty)
        within(owner, "burst_period_s", self.burst_period_s, 0.1, 3600)
        within(owner, "speed_mps low", self.speed_mps[0], 0, 150)
        within(owner, "speed_mps high", self.speed_mps[1], self.speed_mps[0], 150)
        within(owner, "highest_mcs", self.highest_mcs, 0, 27)
        within(owner, "target_bler", self.target_bler, 1e-5, 0.9)
        within(owner, "extra_loss_db", self.extra_loss_db, -30, 60)
        within(owner, "indoor_share", self.indoor_share, 0, 1)
        within(owner, "frame_deviation", self.frame_deviation, 0, 1)
        within(owner, "frame_jitter_s", self.frame_jitter_s, 0, 1)
        for mean_s in self.session_s or ():
            within(owner, "session_s", mean_s, 1e-3, 1e6)
        if self.sla.slice != self.slice:
            raise ScenarioError(f"{owner}: sla.slice is {self.sla.slice}; it must be {self.slice}")


# The default slices contend: at load factor 1.5 each cell's needs exceed its PRBs for much of the time, and each
# slice needs more than a third of the cells that are hot for it. eMBB is elastic: it asks for twice what it is
# promised. URLLC is small but cannot wait. mMTC devices are many, indoors, and receive QPSK only: they need many
# PRBs per bit, but their reports may wait a second.
EMBB = SliceTraffic(
    name="eMBB",
    slice=SNssai(1, 1),
    sla=SliceSla(SNssai(1, 1), throughput_bps=1.5e6, weight=0.4, name="eMBB"),
    ue_share=0.25,
    arrival="poisson",
    unit_bit=1e6,
    mean_bps=2e6,
    buffer_bit=24e6,
    delay_budget_s=1.5,
    scheduler="proportional_fair",
    burst_gain=1.5,
    burst_duty=0.3,
    burst_period_s=6.0,
    speed_mps=(0.5, 14.0),
    follows_trace=True,
)
URLLC = SliceTraffic(
    name="URLLC",
    slice=SNssai(2, 1),
    sla=SliceSla(SNssai(2, 1), delay_s=0.010, drop_rate=0.01, weight=0.4, name="URLLC"),
    ue_share=0.25,
    arrival="poisson",
    unit_bit=2_000,
    mean_bps=0.3e6,
    buffer_bit=200_000,
    delay_budget_s=0.03,
    scheduler="earliest_deadline",
    target_bler=0.01,
    burst_gain=1.5,
    burst_duty=0.5,
    burst_period_s=8.0,
    speed_mps=(0.5, 8.0),
)
MMTC = SliceTraffic(
    name="mMTC",
    slice=SNssai(3, 1),
    sla=SliceSla(SNssai(3, 1), delay_s=1.0, drop_rate=0.05, weight=0.2, name="mMTC"),
    ue_share=0.5,
    arrival="poisson",
    unit_bit=8_000,
    mean_bps=0.08e6,
    buffer_bit=400_000,
    delay_budget_s=1.5,
    scheduler="round_robin",
    burst_gain=2.0,
    burst_duty=0.2,
    burst_period_s=4.0,
    speed_mps=(0.0, 0.5),
    extra_loss_db=15.0,
    highest_mcs=2,
)
