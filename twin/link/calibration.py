"""Calibration: by how much live links are off the twin's, so that the twin can be asked as they are.

The twin's links do what its tables say at the SNR that an equipment reports. Live ones do that at another, for
receivers lose some of it and reports are biased. A calibration tells, by channel class, what is to be added to the
reported SNR before any tier is asked, or a chain is made for it. It is a JSON file:

    {"snr_offset_db": {"tdl_c": -1.5, "awgn": -0.4}}
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from twin.link.catalogue import ChannelClass
from twin.link.equipment import SNRS_DB, EquipmentState
from twin.link.errors import CalibrationError

MOST_OFFSET_DB = 20.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is added to the SNR of an equipment, by channel class; CalibrationError for what cannot be."""

    snr_offset_db: Mapping[ChannelClass, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for channel, offset_db in self.snr_offset_db.items():
            if channel not in list(ChannelClass):
                raise CalibrationError(f"there is no channel {channel!r:.40}; there are {', '.join(ChannelClass)}")
            number = isinstance(offset_db, int | float) and not isinstance(offset_db, bool)
            if not (number and math.isfinite(offset_db) and abs(offset_db) <= MOST_OFFSET_DB):
                raise CalibrationError(
                    f"the offset of {channel} is {offset_db!r:.40}; it must be a number in "
                    f"-{MOST_OFFSET_DB:g}..{MOST_OFFSET_DB:g} dB"
                )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; CalibrationError says what is wrong with it."""
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise CalibrationError(f"{path}: {error}") from None
        if not (
            isinstance(told, dict) and told.keys() == {"snr_offset_db"} and isinstance(told["snr_offset_db"], dict)
        ):
            raise CalibrationError(f"{path}: it must be an object with snr_offset_db, dB by channel class, alone")
        try:
            return cls(told["snr_offset_db"])
        except CalibrationError as error:
            raise CalibrationError(f"{path}: {error}") from None

    def applied(self, equipment: EquipmentState) -> EquipmentState:
        """The equipment as the twin is to be asked about it."""
        offset_db = self.snr_offset_db.get(equipment.channel, 0.0)
        if not offset_db:
            return equipment
        low, high = SNRS_DB
        return replace(equipment, snr_db=min(max(equipment.snr_db + offset_db, low), high))


UNCALIBRATED = Calibration()
