"""The tiers that run the chain: T1 up to mutual information, T2 through the decoder.

A block's transmissions (HARQ, and the slots of a repetition) see independent channels, as over a fast or hopping
channel; that is optimistic for a slow one. A slot's bits are shuffled over all of it, so that its blocks see one
channel, and in every transmission anew, so that the weak places of points and layers, and the bits that share a
point, are others each time.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from twin.link.blocks import blocks_of
from twin.link.catalogue import Detector, Precoder
from twin.link.chain.ensemble import carried, channels, look_in_parts, prbs_apart
from twin.link.chain.link import (
    Setup,
    information,
    random_bits,
    send,
)
from twin.link.equipment import EquipmentState
from twin.link.ldpc import awgn
from twin.link.ldpc.codec import Codec
from twin.link.ldpc.redundancy import RV_ORDER
from twin.link.plan import LinkChain

if TYPE_CHECKING:
    from twin.link.receivers.deeprx import DeepRx

SEEN_PRBS = {Detector.ZF: 2048, Detector.LMMSE: 2048, Detector.EP: 64, Detector.KBEST: 8, Detector.DEEPRX: 96}
"""PRBs on which T1 runs the receiver twice, over all layers, fewer where it is slow."""
LEAST_PRBS = 8
THINNED = 4
"""One of so many channels tells what fewer PRBs of the receiver would have made of them."""
PROBE_CHANNELS = 16384
"""Channels of which T1 finds what they carry, for one antenna at each end; fewer with more of them."""


@torch.no_grad()
def probe_information(
    setup: Setup,
    slots: int,
    seed: int,
    *,
    device: torch.device | None = None,
    network: "DeepRx | None" = None,
    shaped: torch.Tensor | None = None,
) -> np.ndarray:
    """GMI per coded bit over so many channels, float64 [slots]; `network` and `shaped` as in `send`."""
    device = device or torch.device("cpu")
    draw = torch.Generator(device).manual_seed(seed)
    bits = random_bits(setup, slots, draw, device)
    llr = send(setup, bits, draw, network=network, shaped=shaped)
    found: np.ndarray = information(llr, bits).clamp(0.0, 1.0).double().cpu().numpy()
    return found


@torch.no_grad()
def fading_information(setup: Setup, prbs: int, seed: int, looks: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """GMI per coded bit of slots over thousands of channels and an allocation of so many PRBs, float64 [slots].

    And that of some of them by all PRBs that the receiver is run on but those of each part, [PARTS, some]. There
    are `looks` times as many channels and PRBs.
    """
    draw = torch.Generator().manual_seed(seed)

    def level(few: torch.Tensor) -> torch.Tensor:
        return carried(few, setup.noise, setup.detector, setup.modulation).mean((1, 2))

    # With one layer all detectors are alike, and quick.
    detector = Detector.LMMSE if setup.layers == 1 and setup.detector is not Detector.DEEPRX else setup.detector
    count = looks * max(LEAST_PRBS, SEEN_PRBS[detector] // setup.layers)
    regression = look_in_parts(replace(setup, prbs=(0,)), prbs_apart(setup, count, level, draw), draw)
    many = channels(setup, prbs, looks * probe_channels(setup), draw)
    known = carried(many, setup.noise, setup.detector, setup.modulation).mean(-1)
    seen = regression[0].slots(known, setup.channel, prbs, draw)
    parts = regression[1:].slots(known[::THINNED], setup.channel, prbs, draw)
    return seen.double().numpy(), parts.double().numpy()


def probe_channels(setup: Setup) -> int:
    """Channels of which T1 finds what they carry."""
    beams = setup.precoder is Precoder.SVD and setup.rx_antennas > 1
    slower = 4 if beams else max(1, setup.rx_antennas // 2)
    return PROBE_CHANNELS // (setup.layers * slower)


def interleaver(copy: int, bits: int) -> np.ndarray:
    """The order in which the bits of a slot go over the air in a copy, int64 [bits].

    Where all copies of 64QAM have the same bits in the same points, eight with .34 bits per bit each tell .66;
    shuffled they tell .95. HSDPA's constellation rearrangement (TS 25.212 4.5.7) is the same in four versions.
    """
    return np.random.default_rng((copy, bits)).permutation(bits)


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """What T2 counted. Blocks are the unit of failure: bit errors come in bursts, one failed block each."""

    blocks: int
    failed: int
    """Blocks that failed after all transmissions."""
    information_bits: int
    bit_errors: int
    transmissions: int
    """Over all blocks together."""

    @property
    def bler(self) -> float:
        """Residual block error rate."""
        return self.failed / self.blocks

    def ber_interval(self) -> tuple[float, float]:
        """95 % interval of the bit error rate: Clopper-Pearson for failed blocks, times a failed block's bits."""
        from scipy.stats import beta

        low = float(beta.ppf(0.025, self.failed, self.blocks - self.failed + 1)) if self.failed else 0.0
        high = (
            float(beta.ppf(0.975, self.failed + 1, self.blocks - self.failed))
            if self.failed < self.blocks
            else 1.0
        )
        # Without a failure nobody knows how many bits one would cost: at most half of them.
        share = self.bit_errors / (self.failed * self.information_bits) if self.failed else 0.5
        return low * share, min(high * share, 1.0)


@torch.no_grad()
def monte_carlo(
    chain: LinkChain,
    equipment: EquipmentState,
    *,
    seed: int = 0,
    target_failures: int = 50,
    most_blocks: int = 20_000,
    codec: Codec | None = None,
) -> MonteCarlo:
    """Send coded blocks until so many failed, or so many were sent; `codec` takes the place of ours."""
    setup = Setup.of(chain, equipment, whole=True)
    count, k, n = blocks_of(chain)
    codec = codec or awgn.codec(chain.code, k, n)
    draw = torch.Generator().manual_seed(seed)
    bits_draw = np.random.default_rng(seed)
    slots = max(1, math.ceil(64 / count))
    total = math.prod(setup.shape)
    sent = failed = bit_errors = transmissions = 0
    while sent < most_blocks and failed < target_failures:
        bits = bits_draw.integers(0, 2, (slots * count, k), dtype=np.uint8)
        open_blocks = np.arange(len(bits))
        llrs: list[np.ndarray] = []
        wrong = np.zeros(len(bits), dtype=np.int64)
        for _ in range(chain.harq_transmissions):
            for _ in range(chain.repetition):
                rv, order = RV_ORDER[len(llrs) % len(RV_ORDER)], interleaver(len(llrs), count * n)
                padded = np.zeros((slots, total), dtype=np.int64)
                padded[:, : count * n] = codec.encode(bits, rv).reshape(slots, -1)[:, order]
                received = send(setup, torch.from_numpy(padded).reshape(slots, *setup.shape), draw)
                llr = np.empty((slots, count * n), dtype=np.float32)
                llr[:, order] = received.reshape(slots, total)[:, : count * n].numpy()
                llrs.append(llr.reshape(-1, n))
            transmissions += len(open_blocks)
            rvs = tuple(RV_ORDER[index % len(RV_ORDER)] for index in range(len(llrs)))
            decoded = codec.decode(np.stack([part[open_blocks] for part in llrs], axis=1), rvs)
            wrong[open_blocks] = (decoded != bits[open_blocks]).sum(axis=1)
            open_blocks = open_blocks[wrong[open_blocks] > 0]
            if not len(open_blocks):
                break
        sent, failed, bit_errors = (
            sent + len(bits),
            failed + len(open_blocks),
            bit_errors + int(wrong[open_blocks].sum()),
        )
    return MonteCarlo(sent, failed, k, bit_errors, transmissions)
