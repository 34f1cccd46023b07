"""Scenario: everything that defines a simulated network, validated, in SI units, without torch."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from oran.sla import SliceSla
from oran.slices import SNssai
from twin.network.curve import RateCurve
from twin.network.errors import ScenarioError
from twin.network.slices import EMBB, MMTC, URLLC, SliceTraffic, within
from twin.site.errors import SiteError
from twin.site.site_map import SiteMap, open_map

__all__ = ["EMBB", "MMTC", "URLLC", "Outage", "RateCurve", "Scenario", "SliceTraffic"]

SUBCARRIERS_PER_PRB = 12
SYMBOLS_PER_SLOT = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A cell that is off for a while, from one step to another."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    cell: int
    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        owner = f"outage of cell {self.cell}"
        within(owner, "start_s", self.start_s, 0, 1e9)
        within(owner, "end_s", self.end_s, self.start_s, 1e9)


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
    propagation: Literal["macro", "uma", "umi", "rma"] = "macro"
    """`uma`, `umi`, `rma`: urban macro, urban micro, rural macro of TR 38.901, a link having line of sight or not.
    `macro`: UMa's path loss with a line of sight that fades out over metres, and one correlation distance."""
    penetration: Literal["low", "high"] = "low"
    """Walls that UEs in buildings are behind: old or thermally efficient glass (TR 38.901 table 7.4.3-2)."""
    drop: Literal["own", "sionna"] = "own"
    """Where line of sight and shadowing of a new network come from: our own draws, or Sionna's TR 38.901 model."""
    site: str | None = None
    """A ray-traced site instead of drawn path loss, line of sight and shadowing: the name of a shipped map, such
    as `munich`, or the path of one that `ranloop twin site` made. Cells stand and UEs stay where the map says, so
    that propagation, heights and inter-site distance do not count; `on_site` sets what must fit."""
    site_height_m: float = 25.0
    ue_height_m: float = 1.5
    shadowing_correlation_m: float = 50.0
    """Distance moved after which `macro` shadowing has decorrelated to 1/e; the others have the standard's."""
    shadowing_site_correlation: float = 0.5
    """Correlation of the shadowing of one UE's links to two cells (TR 36.872: 0.5)."""
    fading_branches: int = 4
    """Independent Rayleigh branches averaged per link and subband (antennas); 1 is plain Rayleigh."""
    subbands: int = 1
    """Parts of the carrier that fade differently; with one, the whole carrier fades alike."""
    delay_spread_s: float = 300e-9
    """RMS delay spread, which says how alike neighbouring subbands fade."""
    scatterer_speed_mps: float = 0.5
    """Motion around a UE, so that a standing UE fades too."""

    harq_transmissions: int = 4
    harq_round_trip_s: float = 0.004
    base_delay_s: float = 0.002
    """Scheduling, transmission and decoding of data that needs neither to wait nor a retransmission."""

    handover_hysteresis_db: float = 2.0
    handover_time_to_trigger_s: float = 0.1
    handover_interruption_s: float = 0.02

    outages: tuple[Outage, ...] = ()
    """Cells that are off for a while; their UEs hand over at once, or starve."""
    reconfiguration_loss: float = 0.0
    """Share of a cell's PRBs lost after its ratios change; 1 is a pause."""
    reconfiguration_s: float = 0.01
    """How long they are lost, at most a step."""
    reconfiguration_threshold_percent: float = 5.0
    """A change of any ratio by more percentage points than this costs."""

    highway_lanes: int = 6
    """Lanes of the road through the middle of the area; one half runs each way."""
    lane_width_m: float = 4.0

    step_s: float = 0.1
    substep_s: float = 0.01
    trace_links: bool = True
    """Whether a trace's SNR is the links' own, rather than that of path loss, shadowing and neighbours."""
    trace_interference: bool = False
    """Whether neighbours' load lowers a trace's SNR; off when that SNR holds interference already."""

    def __post_init__(self) -> None:
        for field, low, high in _RANGES:
            within("scenario", field, getattr(self, field), low, high)
        if not 1 <= len(self.slices) <= 16:
            raise ScenarioError(f"scenario: slices has {len(self.slices)} entries; it must have 1..16")
        names = [item.slice for item in self.slices]
        if len(set(names)) != len(names):
            raise ScenarioError(f"scenario: slices repeats an S-NSSAI: {', '.join(map(str, names))}")
        if self.ues < len(self.slices):
            raise ScenarioError(f"scenario: ues is {self.ues}; it must be at least one per slice ({len(names)})")
        if self.site is not None:
            self._check_site(self.site)
        for outage in self.outages:
            within("outage", "cell", outage.cell, 0, self.cells - 1)
        if self.drop == "sionna" and self.site is not None:
            raise ScenarioError(f"scenario: drop is sionna; on site {self.site} it must be own")
        if self.drop == "sionna" and (self.propagation == "macro" or self.shadowing_site_correlation > 0):
            raise ScenarioError(
                f"scenario: drop is sionna with propagation {self.propagation} and shadowing_site_correlation "
                f"{self.shadowing_site_correlation:g}; it needs uma, umi or rma, and 0"
            )
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

    def on_site(self, site: str) -> "Scenario":
        """A copy on a ray-traced site, with its cells and its carrier; ScenarioError when there is no map."""
        site_map = _open_site(site)
        cells = len(site_map.names)
        return self.with_(site=site, cells=cells, carrier_hz=site_map.carrier_hz, drop="own")

    def _check_site(self, site: str) -> None:
        site_map = _open_site(site)
        for field, wanted in (("cells", len(site_map.names)), ("carrier_hz", site_map.carrier_hz)):
            if getattr(self, field) != wanted:
                raise ScenarioError(
                    f"scenario: {field} is {getattr(self, field)}; on site {site} it must be {wanted} "
                    "(or another map must be traced)"
                )

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
    ("subbands", 1, 13),
    ("delay_spread_s", 0.0, 1e-5),
    ("scatterer_speed_mps", 0.0, 50.0),
    ("harq_transmissions", 1, 16),
    ("harq_round_trip_s", 0.0, 0.1),
    ("base_delay_s", 0.0, 0.1),
    ("handover_hysteresis_db", 0.0, 30.0),
    ("handover_time_to_trigger_s", 0.0, 10.0),
    ("handover_interruption_s", 0.0, 10.0),
    ("reconfiguration_loss", 0.0, 1.0),
    ("reconfiguration_s", 0.0, 10.0),
    ("reconfiguration_threshold_percent", 0.0, 100.0),
    ("highway_lanes", 1, 100),
    ("lane_width_m", 1.0, 100.0),
    ("step_s", 1e-3, 10.0),
    ("substep_s", 1e-3, 1.0),
)


def _open_site(site: str) -> SiteMap:
    try:
        return open_map(site)
    except SiteError as error:
        raise ScenarioError(f"scenario: site: {error}") from None


def _multiple(field: str, value: float, unit: float) -> None:
    count = value / unit
    if round(count) < 1 or abs(count - round(count)) > 1e-6:
        raise ScenarioError(f"scenario: {field} is {value}; it must be a multiple of substep_s ({unit})")


_ADAPTER = TypeAdapter(Scenario)
