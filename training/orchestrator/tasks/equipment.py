"""Equipment states: what a cell may have free, for training and, unlike any of those, for tests.

Free spectrum, SNR, antennas and channel class are cut into bands, and a state whose bands sum to a multiple of
UNSEEN_EVERY is kept for tests: training sees every band, but never these together.
"""

import math
import random
from typing import Literal

from twin.link.catalogue import ChannelClass
from twin.link.equipment import EquipmentState

Split = Literal["training", "test"]

PRBS = (12, 273)
SNR_DB = (-2.0, 24.0)
SNR_BAND_DB = 4.0
ANTENNAS = (1, 2, 4)
COMPUTE_FLOPS = (3e11, 1e14)
POWER_DBM = (20, 43)
DELAY_SPREAD_S = (20e-9, 400e-9)
DOPPLER_HZ = (2.0, 300.0)
UNSEEN_EVERY = 5


def is_unseen(state: EquipmentState) -> bool:
    """Tell whether a state is of those that no training sees."""
    bands = (
        int(math.log2(state.free_prbs / PRBS[0])),
        math.floor((state.snr_db - SNR_DB[0]) / SNR_BAND_DB),
        ANTENNAS.index(state.tx_antennas),
        ANTENNAS.index(state.rx_antennas),
        list(ChannelClass).index(state.channel),
    )
    return sum(bands) % UNSEEN_EVERY == 0


def drawn(split: Split, draw: random.Random) -> EquipmentState:
    """A state of a split; numbers are rounded to what a prompt can say shortly."""
    while True:
        state = _any(draw)
        if is_unseen(state) == (split == "test"):
            return state


def _any(draw: random.Random) -> EquipmentState:
    return EquipmentState(
        free_prbs=round(_log_uniform(*PRBS, draw)),
        tx_antennas=draw.choice(ANTENNAS),
        rx_antennas=draw.choice(ANTENNAS),
        compute_flops=_two_digits(_log_uniform(*COMPUTE_FLOPS, draw)),
        max_tx_power_dbm=float(draw.randint(*POWER_DBM)),
        channel=draw.choice(list(ChannelClass)),
        snr_db=round(2.0 * draw.uniform(*SNR_DB)) / 2.0,
        delay_spread_s=_two_digits(_log_uniform(*DELAY_SPREAD_S, draw)),
        doppler_hz=_two_digits(_log_uniform(*DOPPLER_HZ, draw)),
        has_deeprx=draw.random() < 0.5,
        has_deeptx=draw.random() < 0.5,
    )


def _log_uniform(low: float, high: float, draw: random.Random) -> float:
    return math.exp(draw.uniform(math.log(low), math.log(high)))


def _two_digits(value: float) -> float:
    return float(f"{value:.1e}")
