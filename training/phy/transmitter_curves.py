"""Transmitters compared: coded block error rates by SNR of square QAM and DeepTx, the receivers being alike.

The links have delay spreads, Dopplers and seeds that nothing was trained or fitted on. See `training.phy.curves`.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from training.phy.curves import BLOCK_BITS, Curve
from twin.link.catalogue import ChannelClass, Estimator, Modulation
from twin.link.chain.channel import Channel
from twin.link.chain.link import Setup
from twin.link.chain.tiers import probe_information
from twin.link.ldpc.awgn import bler
from twin.link.transmitters.deeptx import DeepTx

SPAN_DB = tuple(np.arange(-5.0, 9.1, 0.5).tolist())
"""SNRs around a link's middle."""
_FLAT = Channel(ChannelClass.AWGN)


@dataclass(frozen=True, slots=True)
class Case:
    """A link, its code rate, and the SNR around which its code's waterfall lies."""

    setup: Setup
    rate: float


def _case(modulation: Modulation, rate: float, middle_db: float, channel: Channel, **fields: object) -> Case:
    return Case(replace(Setup(channel=channel, snr_db=middle_db, modulation=modulation), **fields), rate)  # type: ignore[arg-type]


CASES: dict[str, Case] = {
    "16QAM 0.3, flat": _case(Modulation.QAM16, 0.3, 2.0, _FLAT, rx_antennas=1),
    "16QAM 0.6, 2 antennas, TDL-A": _case(
        Modulation.QAM16, 0.6, 8.0, Channel(ChannelClass.TDL_A, 0.0083, 0.0031), rx_antennas=2
    ),
    "16QAM 0.8, 2 antennas, LS, TDL-D": _case(
        Modulation.QAM16,
        0.8,
        10.0,
        Channel(ChannelClass.TDL_D, 0.0037, 0.0011),
        rx_antennas=2,
        estimator=Estimator.LS,
    ),
    "64QAM 0.5, flat": _case(Modulation.QAM64, 0.5, 9.0, _FLAT, rx_antennas=1),
    "64QAM 0.4, 1 antenna, TDL-C, fast": _case(
        Modulation.QAM64, 0.4, 14.0, Channel(ChannelClass.TDL_C, 0.0043, 0.011)
    ),
    "64QAM 0.7, 2 antennas, TDL-C": _case(
        Modulation.QAM64, 0.7, 15.0, Channel(ChannelClass.TDL_C, 0.0117, 0.0023), rx_antennas=2
    ),
}
PROBE = (0, 3, 6, 9)


def compare(network: DeepTx, *, slots: int, seed: int = 77, device: torch.device | None = None) -> list[Curve]:
    """Both transmitters on all links, each over the same slots."""
    found = []
    for name, case in CASES.items():
        with torch.no_grad():
            learnt = network(case.setup.modulation.bits, case.rate)
        for rival, shaped in (("qam", None), ("deeptx", learnt)):
            levels = [case.setup.snr_db + offset for offset in SPAN_DB]
            failing = np.empty((len(levels), slots))
            for row, snr_db in enumerate(levels):
                made = replace(case.setup, snr_db=snr_db, prbs=PROBE)
                gmi = probe_information(made, slots, seed, device=device, shaped=shaped)
                failing[row] = bler(gmi, np.array(BLOCK_BITS), np.array(case.rate))
            found.append(Curve(name, rival, levels, failing))
    return found
