"""Scenario: everything that defines a simulated network, validated, in SI units, without torch."""

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from oran.sla import SliceSla
from oran.slices import SNssai
from twin.network.errors import ScenarioError

SUBCARRIERS_PER_PRB = 12
SYMBOLS_PER_SLOT = 14


def _within(owner: str, field: str, value: float, low: float, high: float) -> None:
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
    arrival: Literal["poisson", "periodic"]
    """`poisson`: units (files or packets) arrive independently; `periodic`: one unit per period, seeded offset."""
    unit_bit: float
    """Size of a file or packet."""
    mean_bps: float
    """Mean offered load of a UE at load factor 1."""
    buffer_bit: float
    """Queue limit of a UE; what does not fit is dropped on arrival."""
    delay_budget_s: float
    """Data older than this is dropped (the PDCP discard timer, TS 38.331); so nothing is delivered later."""
    scheduler: Literal["round_robin", "proportional_fair", "earliest_deadline"] = "round_robin"
    """How the slice's UEs in a cell share its PRBs."""
    burst_gain: float = 1.0
    """Load inside a burst over the mean load; 1 is steady. Bursts hit all the slice's UEs of a cell together."""
    burst_duty: float = 0.25
    """Share of time inside a burst; outside, the load is lowered so that the mean stays."""
    burst_period_s: float = 4.0
    """Mean burst cycle; each cell has its own, hidden, period (within 20 %) and phase."""
    speed_mps: tuple[float, float] = (0.0, 0.0)
    """A UE's speed is uniform in this range."""
    extra_loss_db: float = 0.0
    """Loss on top of the path, e.g. indoors."""
    highest_mcs: int = 27
    """Highest index of TS 38.214 table 5.1.3.1-2 that the slice's devices can receive; 4 is the last QPSK."""
    target_bler: float = 0.1
    """Error rate of first transmissions that link adaptation aims at."""
    follows_trace: bool = False
    """When a trace drives the network, this slice's load follows the trace's DL bit rate."""

    def __post_init__(self) -> None:
        owner = f"slice {self.name or self.slice}"
        _within(owner, "ue_share", self.ue_share, 1e-6, 1e6)
        _within(owner, "unit_bit", self.unit_bit, 8, 1e10)
        _within(owner, "mean_bps", self.mean_bps, 0, 1e10)
        _within(owner, "buffer_bit", self.buffer_bit, self.unit_bit, 1e12)
        _within(owner, "delay_budget_s", self.delay_budget_s, 1e-3, 10)
        _within(owner, "burst_duty", self.burst_duty, 0.01, 1)
        _within(owner, "burst_gain", self.burst_gain, 1, 1 / self.burst_duty)
        _within(owner, "burst_period_s", self.burst_period_s, 0.1, 3600)
        _within(owner, "speed_mps low", self.speed_mps[0], 0, 150)
        _within(owner, "speed_mps high", self.speed_mps[1], self.speed_mps[0], 150)
        _within(owner, "highest_mcs", self.highest_mcs, 0, 27)
        _within(owner, "target_bler", self.target_bler, 1e-5, 0.9)
        _within(owner, "extra_loss_db", self.extra_loss_db, -30, 60)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A network of cells, slices and UEs. Downlink only; every cell is omnidirectional and has one DU."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    cells: int = 6
    ues: int = 200
    slices: tuple[SliceTraffic, ...] = (EMBB, URLLC, MMTC)
    load_factor: float = 1.5
    """Multiplies every slice's offered load."""
    hot_ratio: float = 4.0
    """Each cell is hot for one slice: a UE of that slice lives there so many times more often than elsewhere."""
    roaming_share: float = 0.1
    """Share of UEs that wander over the whole area rather than around their home cell."""

    prbs: int = 51
    subcarrier_spacing_hz: float = 30e3
    overhead: float = 0.14
    """Share of resource elements that carry control and reference signals (TS 38.306 4.1.2, FR1 downlink)."""
    carrier_hz: float = 3.5e9
    tx_power_dbm: float = 43.0
    antenna_gain_db: float = 8.0
    noise_figure_db: float = 7.0
    inter_site_distance_m: float = 400.0
    path_loss: Literal["uma", "umi"] = "uma"
    site_height_m: float = 25.0
    ue_height_m: float = 1.5
    shadowing_correlation_m: float = 50.0
    """Distance moved after which shadowing has decorrelated to 1/e."""
    shadowing_site_correlation: float = 0.5
    """Correlation of the shadowing of one UE's links to two cells (TR 36.872: 0.5)."""
    fading_branches: int = 4
    """Independent Rayleigh branches averaged per link (antennas, frequency); 1 is plain Rayleigh."""
    scatterer_speed_mps: float = 0.5
    """Motion around a UE, so that a standing UE fades too."""

    harq_transmissions: int = 4
    harq_round_trip_s: float = 0.004
    base_delay_s: float = 0.002
    """Scheduling, transmission and decoding of data that needs neither to wait nor a retransmission."""

    handover_hysteresis_db: float = 2.0
    handover_time_to_trigger_s: float = 0.1
    handover_interruption_s: float = 0.02

    step_s: float = 0.1
    substep_s: float = 0.01
    trace_interference: bool = False
    """Whether neighbours' load lowers a trace's SNR; off when that SNR holds interference already."""

    def __post_init__(self) -> None:
        for field, low, high in _RANGES:
            _within("scenario", field, getattr(self, field), low, high)
        if not 1 <= len(self.slices) <= 16:
            raise ScenarioError(f"scenario: slices has {len(self.slices)} entries; it must have 1..16")
        names = [item.slice for item in self.slices]
        if len(set(names)) != len(names):
            raise ScenarioError(f"scenario: slices repeats an S-NSSAI: {', '.join(map(str, names))}")
        if self.ues < len(self.slices):
            raise ScenarioError(f"scenario: ues is {self.ues}; it must be at least one per slice ({len(names)})")
        _multiple("step_s", self.step_s, self.substep_s)
        for item in self.slices:
            if item.delay_budget_s < self.substep_s:
                raise ScenarioError(
                    f"slice {item.name}: delay_budget_s is {item.delay_budget_s}; "
                    f"it must be at least substep_s ({self.substep_s})"
                )

    @property
    def substeps(self) -> int:
        """Substeps in one step."""
        return round(self.step_s / self.substep_s)

    @property
    def prb_hz(self) -> float:
        """Bandwidth of one PRB."""
        return SUBCARRIERS_PER_PRB * self.subcarrier_spacing_hz

    @property
    def symbol_rate_hz(self) -> float:
        """Data-carrying resource elements per second of one PRB."""
        slots_per_s = self.subcarrier_spacing_hz / 15e3 * 1e3
        return SUBCARRIERS_PER_PRB * SYMBOLS_PER_SLOT * slots_per_s * (1.0 - self.overhead)

    @property
    def snssais(self) -> tuple[SNssai, ...]:
        """The slices' names in order."""
        return tuple(item.slice for item in self.slices)

    @property
    def slas(self) -> tuple[SliceSla, ...]:
        """The slices' promises in order."""
        return tuple(item.sla for item in self.slices)

    def budget_substeps(self) -> tuple[int, ...]:
        """Each slice's delay budget in whole substeps, rounded down."""
        return tuple(int(item.delay_budget_s / self.substep_s + 1e-9) for item in self.slices)

    def ue_counts(self) -> tuple[int, ...]:
        """UEs of each slice: at least one each, `ues` together, by largest remainder of the shares."""
        spare = self.ues - len(self.slices)
        total = sum(item.ue_share for item in self.slices)
        exact = [item.ue_share / total * self.ues for item in self.slices]
        over = [max(value - 1.0, 0.0) for value in exact]
        scale = spare / sum(over) if sum(over) > 0 else 0.0
        counts = [1 + int(value * scale) for value in over]
        by_remainder = sorted(range(len(over)), key=lambda i: counts[i] - 1 - over[i] * scale)
        for i in range(self.ues - sum(counts)):
            counts[by_remainder[i % len(counts)]] += 1
        return tuple(counts)

    def with_(self, **changes: object) -> "Scenario":
        """A copy with fields changed; ScenarioError for a field that does not exist or a value out of range."""
        try:
            return replace(self, **changes)  # type: ignore[arg-type]
        except TypeError as error:
            raise ScenarioError(f"scenario: {error}") from None

    def to_json(self) -> str:
        """The scenario as JSON text that `from_json` reads back."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Scenario":
        """Read JSON text; fields left out keep their defaults. ScenarioError names what is wrong."""
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "scenario"
            raise ScenarioError(f"{place}: {first['msg']}") from None

    @classmethod
    def load(cls, path: str | Path) -> "Scenario":
        """Read a JSON file; ScenarioError names the file."""
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ScenarioError) as error:
            raise ScenarioError(f"{path}: {error}") from None

    def save(self, path: str | Path) -> None:
        """Write the scenario as a JSON file."""
        Path(path).write_text(self.to_json() + "\n", encoding="utf-8")


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("cells", 1, 1000),
    ("ues", 1, 100_000),
    ("load_factor", 0.0, 100.0),
    ("hot_ratio", 1.0, 1e3),
    ("roaming_share", 0.0, 1.0),
    ("prbs", 1, 275),
    ("subcarrier_spacing_hz", 15e3, 120e3),
    ("overhead", 0.0, 0.9),
    ("carrier_hz", 0.5e9, 100e9),
    ("tx_power_dbm", -20.0, 80.0),
    ("antenna_gain_db", -20.0, 40.0),
    ("noise_figure_db", 0.0, 30.0),
    ("inter_site_distance_m", 20.0, 10e3),
    ("site_height_m", 2.0, 150.0),
    ("ue_height_m", 1.0, 22.5),
    ("shadowing_correlation_m", 1.0, 1e3),
    ("shadowing_site_correlation", 0.0, 1.0),
    ("fading_branches", 1, 64),
    ("scatterer_speed_mps", 0.0, 50.0),
    ("harq_transmissions", 1, 16),
    ("harq_round_trip_s", 0.0, 0.1),
    ("base_delay_s", 0.0, 0.1),
    ("handover_hysteresis_db", 0.0, 30.0),
    ("handover_time_to_trigger_s", 0.0, 10.0),
    ("handover_interruption_s", 0.0, 10.0),
    ("step_s", 1e-3, 10.0),
    ("substep_s", 1e-3, 1.0),
)


def _multiple(field: str, value: float, unit: float) -> None:
    count = value / unit
    if round(count) < 1 or abs(count - round(count)) > 1e-6:
        raise ScenarioError(f"scenario: {field} is {value}; it must be a multiple of substep_s ({unit})")


_ADAPTER = TypeAdapter(Scenario)
