"""KPIs: their TS 28.552 names, their units, and the one conversion from the wire to SI units.

TS 28.552 measures in practical units (kbit/s, tenths of a millisecond, percent) and real nodes depart from it,
so a `Profile` says for one kind of node what one unit on the wire is in SI. Inside Ranloop every value is SI:
bit/s, s, bit, a ratio of 1, a count.
"""

import math
from dataclasses import dataclass, field

UE_THROUGHPUT_DL = "DRB.UEThpDl"
"""Mean downlink throughput of a UE while it has data (5.1.1.3.1), bit/s."""
SDU_DELAY_DL = "DRB.RlcSduDelayDl"
"""Mean downlink delay from RLC ingress to acknowledgement (5.1.3.3.3), s."""
DROP_RATE_DL = "DRB.RlcPacketDropRateDl"
"""Share of downlink RLC SDUs dropped, late ones among them (5.1.3.2), 0..1."""
PDCP_VOLUME_DL = "DRB.PdcpSduVolumeDL"
"""Downlink data that arrived in the period (5.1.2.1.1), bit: the offered load."""
RLC_VOLUME_DL = "DRB.RlcSduTransmittedVolumeDL"
"""Downlink data that was delivered in the period, bit."""
PRB_USED_DL = "RRU.PrbUsedDl"
"""Mean number of downlink PRBs used (5.1.1.2.5)."""
PRB_AVAILABLE_DL = "RRU.PrbAvailDl"
"""Downlink PRBs of the cell (5.1.1.2.6)."""
PRB_TOTAL_DL = "RRU.PrbTotDl"
"""Share of the cell's downlink PRBs used (5.1.1.2.1), 0..1."""
ACTIVE_UES_DL = "DRB.MeanActiveUeDl"
"""Mean number of UEs with downlink data (5.1.1.23.1)."""
CQI = "CQI"
"""Channel quality indicator of a UE, 0..15, as srsRAN reports it."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a KPI measures: its SI unit and the range outside which a value cannot be true."""

    unit: str
    scale: float
    """SI units per unit of TS 28.552."""
    highest: float
    lowest: float = 0.0


QUANTITIES: dict[str, Quantity] = {
    UE_THROUGHPUT_DL: Quantity("bit/s", 1e3, 1e11),
    "DRB.UEThpUl": Quantity("bit/s", 1e3, 1e11),
    SDU_DELAY_DL: Quantity("s", 1e-4, 600.0),
    "DRB.RlcDelayUl": Quantity("s", 1e-4, 600.0),
    "DRB.AirIfDelayUl": Quantity("s", 1e-4, 600.0),
    DROP_RATE_DL: Quantity("1", 1e-6, 1.0),
    PDCP_VOLUME_DL: Quantity("bit", 1e6, 1e13),
    "DRB.PdcpSduVolumeUL": Quantity("bit", 1e6, 1e13),
    RLC_VOLUME_DL: Quantity("bit", 1e3, 1e13),
    "DRB.RlcSduTransmittedVolumeUL": Quantity("bit", 1e3, 1e13),
    PRB_USED_DL: Quantity("PRB", 1.0, 1e4),
    "RRU.PrbUsedUl": Quantity("PRB", 1.0, 1e4),
    PRB_AVAILABLE_DL: Quantity("PRB", 1.0, 1e4),
    "RRU.PrbAvailUl": Quantity("PRB", 1.0, 1e4),
    PRB_TOTAL_DL: Quantity("1", 1e-2, 1.0),
    "RRU.PrbTotUl": Quantity("1", 1e-2, 1.0),
    ACTIVE_UES_DL: Quantity("UE", 1.0, 1e5),
    CQI: Quantity("1", 1.0, 15.0),
    "RSRP": Quantity("dBm", 1.0, 0.0, -200.0),
    "RSRQ": Quantity("dB", 1.0, 30.0, -60.0),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """How one kind of node departs from TS 28.552: SI units per wire unit, by KPI name."""

    name: str
    scales: dict[str, float] = field(default_factory=dict)


STANDARD = Profile("3gpp")
SRSRAN = Profile("srsran", {PDCP_VOLUME_DL: 1e3})
OAI = Profile("oai", {PDCP_VOLUME_DL: 1e3, SDU_DELAY_DL: 1e-6})
PROFILES = {profile.name: profile for profile in (STANDARD, SRSRAN, OAI)}


def to_si(name: str, value: float, profile: Profile = STANDARD) -> float:
    """Convert a wire value to SI units; KeyError for a KPI that is not in `QUANTITIES`."""
    return value * profile.scales.get(name, QUANTITIES[name].scale)


def to_wire(name: str, value: float, profile: Profile = STANDARD) -> float:
    """Convert an SI value to the unit on the wire; KeyError for a KPI that is not in `QUANTITIES`."""
    return value / profile.scales.get(name, QUANTITIES[name].scale)


def plausible(name: str, value: float) -> bool:
    """Tell whether an SI value can be true; NaN, infinity and an unknown KPI cannot."""
    quantity = QUANTITIES.get(name)
    slack = 1e-9
    return (
        quantity is not None
        and math.isfinite(value)
        and quantity.lowest - slack <= value <= quantity.highest * (1 + slack) + slack
    )
