"""Receivers compared: coded block error rates by SNR of LS, LMMSE, DeepRx and a receiver that knows the channel.

The links have delay spreads, Dopplers and seeds that nothing was trained or fitted on. See
`training.phy.curves`.
"""

from dataclasses import replace

import numpy as np
import torch

from training.phy.curves import BLOCK_BITS, Curve
from twin.link.catalogue import ChannelClass, Estimator, Modulation
from twin.link.chain.channel import Channel
from twin.link.chain.link import Setup
from twin.link.chain.tiers import probe_information
from twin.link.ldpc.awgn import bler
from twin.link.receivers.deeprx import DeepRx

RECEIVERS: dict[str, Estimator | None] = {
    "ls": Estimator.LS,
    "lmmse": Estimator.LMMSE,
    "deeprx": Estimator.DEEPRX,
    "perfect": None,
}
RATE = 0.5

CASES: dict[str, Setup] = {
    "QPSK, 1 antenna, TDL-A, slow": Setup(
        channel=Channel(ChannelClass.TDL_A, 0.0021, 0.0007), snr_db=0.0, modulation=Modulation.QPSK
    ),
    "QPSK, 2 antennas, TDL-C, long, fast": Setup(
        channel=Channel(ChannelClass.TDL_C, 0.023, 0.0085), snr_db=0.0, modulation=Modulation.QPSK, rx_antennas=2
    ),
    "16QAM, 1 antenna, TDL-C, fast": Setup(
        channel=Channel(ChannelClass.TDL_C, 0.0043, 0.011), snr_db=0.0, modulation=Modulation.QAM16
    ),
    "16QAM, 2 antennas, TDL-A": Setup(
        channel=Channel(ChannelClass.TDL_A, 0.0083, 0.0031), snr_db=0.0, modulation=Modulation.QAM16, rx_antennas=2
    ),
    "64QAM, 2 antennas, TDL-C": Setup(
        channel=Channel(ChannelClass.TDL_C, 0.0117, 0.0023), snr_db=0.0, modulation=Modulation.QAM64, rx_antennas=2
    ),
    "256QAM, 2 antennas, TDL-D": Setup(
        channel=Channel(ChannelClass.TDL_D, 0.0057, 0.0013),
        snr_db=0.0,
        modulation=Modulation.QAM256,
        rx_antennas=2,
    ),
}
SNRS_DB = tuple(range(-6, 36, 2))


def compare(network: DeepRx, *, slots: int, seed: int = 77, device: torch.device | None = None) -> list[Curve]:
    """All receivers on all links, each over the same slots."""
    found = []
    for (case, setup), (name, estimator) in ((one, two) for one in CASES.items() for two in RECEIVERS.items()):
        failing = np.empty((len(SNRS_DB), slots))
        for row, snr_db in enumerate(SNRS_DB):
            made = replace(setup, estimator=estimator, snr_db=float(snr_db))
            gmi = probe_information(made, slots, seed, device=device, network=network)
            failing[row] = bler(gmi, np.array(BLOCK_BITS), np.array(RATE))
        found.append(Curve(case, name, SNRS_DB, failing))
    return found
