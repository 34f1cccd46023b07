"""SINR of each UE under the interference that its neighbours' actual PRB load makes."""

import math

import torch
from torch import Tensor

from twin.network.invariant import ordered_sum
from twin.network.scenario import Scenario

THERMAL_NOISE_DBM_HZ = -174.0
_LOWEST, _HIGHEST = 1e-6, 1e6
_MOST_FACTORS = 5
"""Subbands whose 1 + SINR are multiplied before a logarithm is taken; their product stays a normal number."""


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


def sinr(signal_mw: Tensor, interference_mw: Tensor, noise_mw: float) -> Tensor:
    """Signal over interference and noise, within -60..60 dB so that it stays finite."""
    return (signal_mw / (interference_mw + noise_mw)).clamp(_LOWEST, _HIGHEST)


def sinr_db(signal_mw: Tensor, interference_mw: Tensor, noise_mw: float) -> Tensor:
    """Signal over interference and noise in dB, within -60..60."""
    return 10.0 * torch.log10(sinr(signal_mw, interference_mw, noise_mw))


def effective_db(sinrs: list[Tensor]) -> Tensor:
    """The SINR of a channel that is alike in all subbands and has the subbands' mean mutual information, in dB.

    With Gaussian signals a subband's mutual information is log2(1 + SINR) bits per symbol, so the effective SINR
    is the geometric mean of 1 + SINR, less one: a code word spread over all subbands carries what they carry on
    average (the capacity form of effective SINR mapping). SINRs of one shape, within 1e-6..1e6, one a subband.
    """
    if len(sinrs) == 1:
        return 10.0 * torch.log10(sinrs[0])
    nats = torch.zeros_like(sinrs[0])
    for start in range(0, len(sinrs), _MOST_FACTORS):
        product = 1.0 + sinrs[start]
        for other in sinrs[start + 1 : start + _MOST_FACTORS]:
            product = product + product * other
        nats = nats + torch.log(product)
    mean = torch.expm1(nats / len(sinrs))
    # Far below 0 dB, 1 + SINR has lost the SINR's digits; there the mean is that of the SINRs.
    arithmetic = sum(sinrs[1:], sinrs[0]) / len(sinrs)
    return 10.0 * torch.log10(torch.where(arithmetic < 1e-3, arithmetic, mean).clamp(_LOWEST, _HIGHEST))
