"""Settings of an E2 node: who it is, what it offers, and its bounds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oran import kpi
from oran.e2.identity import GlobalE2NodeId, NrCgi, plmn_to_octets
from oran.e2.kpm.profile import STANDARD, NodeProfile
from oran.slices import SNssai
from twin.e2node.errors import NodeConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

GNB_ID_BITS = 24
CELL_ID_BITS = 36 - GNB_ID_BITS
DEFAULT_SLICES = (SNssai(1, 1), SNssai(2, 1), SNssai(3, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """One gNB-DU with one cell.

    `du` numbers the DU within the gNB (1 and up) and the cell within it. `step_ms` is the twin's step: reporting
    and granularity periods must be multiples of it. `supports_ccc` offers slice quotas per cell by E2SM-CCC;
    `slice_labels` offers cell measurements per slice: without both the node is like a srsRAN DU, which takes
    quotas by E2SM-RC and measures with noLabel only. `timestamp_octets` is 4 for KPM up to v2.03, 8 from v3 on.
    A UE report that would grow beyond `max_ues_per_report` or `max_report_octets` is split into several.
    """

    du: int = 1
    plmn: str = "00101"
    gnb_id: int = 0x19B
    slices: tuple[SNssai, ...] = DEFAULT_SLICES
    step_ms: int = 100
    supports_ccc: bool = True
    slice_labels: bool = True
    kpm_id: int = 2
    rc_id: int = 3
    ccc_id: int = 4
    timestamp_octets: int = 8
    units: kpi.Profile = kpi.STANDARD
    dialect: NodeProfile = STANDARD
    max_ues_per_report: int = 100
    max_report_octets: int = 16_383
    max_subscriptions: int = 64
    longest_period_ms: int = 60_000
    queue_messages: int = 512
    setup_timeout_s: float = 5.0
    first_backoff_s: float = 0.2
    longest_backoff_s: float = 5.0

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise NodeConfigError(f"{name} is {value}; it must lie in {low}..{high}")
        if self.timestamp_octets not in (4, 8):
            raise NodeConfigError(f"timestamp_octets is {self.timestamp_octets}; it must be 4 or 8")
        if not 1 <= len(self.slices) <= 16 or len(set(self.slices)) != len(self.slices):
            raise NodeConfigError("slices must hold 1..16 different S-NSSAIs")
        if len({self.kpm_id, self.rc_id, self.ccc_id}) != 3:
            raise NodeConfigError("kpm_id, rc_id and ccc_id must differ")
        try:
            self.plmn_octets  # noqa: B018  refuses a PLMN that is none
        except ValueError as error:
            raise NodeConfigError(str(error)) from None

    @property
    def mcc_mnc(self) -> tuple[str, str]:
        """The PLMN's two codes in digits."""
        return self.plmn[:3], self.plmn[3:]

    @property
    def plmn_octets(self) -> bytes:
        """The PLMN in 3 BCD octets."""
        return plmn_to_octets(*self.mcc_mnc)

    @property
    def node_id(self) -> GlobalE2NodeId:
        """The node's global id."""
        return GlobalE2NodeId(self.plmn_octets, self.gnb_id, GNB_ID_BITS, du_id=self.du)

    @property
    def name(self) -> str:
        """The name the RIC gives the node."""
        return self.node_id.ran_name

    @property
    def cell(self) -> NrCgi:
        """The DU's cell."""
        return NrCgi(self.plmn_octets, self.gnb_id << CELL_ID_BITS | self.du)


def _ranges() -> "Iterator[tuple[str, float, float]]":
    yield from (("du", 1, (1 << CELL_ID_BITS) - 1), ("gnb_id", 0, (1 << GNB_ID_BITS) - 1), ("step_ms", 1, 10_000))
    yield from ((name, 0, 4095) for name in ("kpm_id", "rc_id", "ccc_id"))
    yield from (("max_ues_per_report", 1, 65_535), ("max_report_octets", 1_000, 1 << 20))
    yield from (
        ("max_subscriptions", 1, 1024),
        ("longest_period_ms", 10, 3_600_000),
        ("queue_messages", 1, 65_536),
    )
    yield from ((name, 0.001, 3600.0) for name in ("setup_timeout_s", "first_backoff_s", "longest_backoff_s"))


_RANGES = tuple(_ranges())
