"""SINR of each UE under the interference that its neighbours' actual PRB load makes."""

import math

import torch
from torch import Tensor

from twin.network.invariant import ordered_sum
from twin.network.scenario import Scenario

THERMAL_NOISE_DBM_HZ = -174.0


def noise_per_prb_mw(scenario: Scenario) -> float:
    """Thermal noise in one PRB at the UE, its noise figure included."""
    noise_dbm = THERMAL_NOISE_DBM_HZ + scenario.noise_figure_db + 10.0 * math.log10(scenario.prb_hz)
    return math.pow(10.0, noise_dbm / 10.0)


def transmit_per_prb_dbm(scenario: Scenario) -> float:
    """Radiated power per PRB: the cell's power spread over its PRBs, with the antenna gain."""
    return scenario.tx_power_dbm + scenario.antenna_gain_db - 10.0 * math.log10(scenario.prbs)


def interference_mw(received_mw: Tensor, load: Tensor) -> Tensor:
    """Mean interference per PRB; received power [envs, cells, ues], load [envs, cells] -> [envs, ues].

    A neighbour that uses half of its PRBs hits each PRB half of the time. The serving cell's own entry is zero.
    """
    return ordered_sum(received_mw * load.unsqueeze(-1), dim=1)


def sinr_db(signal_mw: Tensor, interference_mw: Tensor, noise_mw: float) -> Tensor:
    """Signal over interference and noise, in dB, kept within -60..60 so that it stays finite."""
    ratio = signal_mw / (interference_mw + noise_mw)
    return 10.0 * torch.log10(ratio.clamp(1e-6, 1e6))
