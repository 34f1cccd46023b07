"""Budget: what a demand asks against what the equipment has, in dB, so that a plan's sums are additions.

Every figure follows from the demand and the equipment alone; none asks the twin. Needs are rounded up and means
down to steps of STEP_DB, so that a plan within the figures is within what they stand for.
"""

import math
from dataclasses import dataclass, fields

from twin.link.catalogue import DATA_SYMBOLS_PER_SLOT, REFERENCE_POWER_DBM, REFERENCE_PRBS, SUBCARRIERS_PER_PRB
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState

STEP_DB = 0.5
USUAL_MARGIN = 0.1
"""Planning margin of models that tell none of their own."""
SLOT_S = 1e-3
"""A slot of numerology 0."""
ELEMENTS_PER_S = SUBCARRIERS_PER_PRB * DATA_SYMBOLS_PER_SLOT / SLOT_S
"""Data resource elements of a PRB of numerology 0 in a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Figures in dB."""

    delay: float
    """Largest delay over a slot of numerology 0; one numerology higher gains 3 dB."""
    rate: float
    """Smallest throughput over one bit for each data resource element of one PRB of numerology 0."""
    load: float
    """The same over all free PRBs: bits that each resource element must carry."""
    ber: float
    """How far the largest bit error rate lies below 1."""
    spectrum: float
    """Free PRBs of numerology 0."""
    snr: float
    """Of a resource element and antenna at full power over all free PRBs; half as many PRBs gain 3 dB."""
    compute: float
    """Operations per second over 10^9."""

    @classmethod
    def of(cls, demand: Demand, equipment: EquipmentState) -> "Budget":
        """The budget of a demand, with its margin worked in."""
        target = demand.tightened()
        spectrum = equipment.free_prbs / 2.0
        rate = _db(target.min_throughput_bps / ELEMENTS_PER_S)
        spread = _db(equipment.free_prbs / REFERENCE_PRBS)
        return cls(
            delay=_down(_db(target.max_delay_s / SLOT_S)),
            rate=_up(rate),
            load=_up(rate - _db(spectrum)),
            ber=_up(-_db(target.max_ber)),
            spectrum=_down(_db(spectrum)),
            snr=_down(equipment.snr_db + equipment.max_tx_power_dbm - REFERENCE_POWER_DBM - spread),
            compute=_down(_db(equipment.compute_flops / 1e9)),
        )

    def text(self) -> str:
        """The figures in words."""
        return ", ".join(f"{name} {getattr(self, name):g} dB" for name in NAMES)


NAMES = tuple(field.name for field in fields(Budget))


def _db(ratio: float) -> float:
    return 10.0 * math.log10(ratio)


def _up(value_db: float) -> float:
    # + 0.0, for -0 is written with its sign.
    return math.ceil(round(value_db / STEP_DB, 6)) * STEP_DB + 0.0


def _down(value_db: float) -> float:
    return math.floor(round(value_db / STEP_DB, 6)) * STEP_DB + 0.0
