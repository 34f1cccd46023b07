"""How fast the link twin is, beside Sionna in the same run: plans by each tier, LDPC decoding, coded Monte Carlo.

Everything runs on one thread of the CPU. Prints a table and, as its last line, one JSON object.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from twin.link.blocks import blocks_of
from twin.link.catalogue import ChannelClass, Estimator, Modulation
from twin.link.chain.tiers import monte_carlo
from twin.link.equipment import EquipmentState
from twin.link.evaluate import evaluate, evaluate_batch
from twin.link.ldpc import code, decode
from twin.link.ldpc.validation import received
from twin.link.plan import LinkChain
from twin.link.qos import Tier
from twin.link.space import Space

EQUIPMENT = EquipmentState(
    free_prbs=51,
    tx_antennas=2,
    rx_antennas=2,
    compute_flops=1e13,
    max_tx_power_dbm=30,
    channel=ChannelClass.TDL_C,
    snr_db=6.0,
    delay_spread_s=100e-9,
    doppler_hz=50.0,
    has_deeprx=True,
)
CHAIN = LinkChain(
    numerology=1,
    prbs=24,
    modulation=Modulation.QAM16,
    code_rate=0.5,
    rx_antennas=2,
    tx_power_dbm=20,
    estimator=Estimator.LMMSE,
)
DECODED = ((1272, 2544, 1.25), (6912, 13824, 1.0))


def seconds(work: Callable[[], object], least_s: float = 0.5) -> list[float]:
    """Seconds of each call, for at least so long, after one to warm up."""
    work()
    taken: list[float] = []
    while sum(taken) < least_s or len(taken) < 5:
        began_s = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began_s)
    return taken


class SionnaBlocks:
    """Sionna's LDPC codec in the place of ours."""

    def __init__(self, k: int, n: int) -> None:
        from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

        self._encoder = LDPC5GEncoder(k, n)
        self._decoder = LDPC5GDecoder(self._encoder, cn_update="boxplus-phi", num_iter=20, return_infobits=True)

    def encode(self, bits: np.ndarray, rv: int) -> np.ndarray:
        """One redundancy version."""
        found: np.ndarray = self._encoder(torch.from_numpy(bits).float()).numpy().astype(np.uint8)
        return found

    def decode(self, llr: np.ndarray, rvs: tuple[int, ...]) -> np.ndarray:
        """One transmission."""
        found: np.ndarray = (
            self._decoder(torch.from_numpy(np.ascontiguousarray(llr[:, 0]))).numpy().astype(np.uint8)
        )
        return found


def decoding() -> dict[str, float]:
    """Milliseconds a block of our decoder and of Sionna's, in the waterfall."""
    found: dict[str, float] = {}
    for k, n, ebn0_db in DECODED:
        _, llr = received(k, n, ebn0_db, 64, seed=1)
        ours_s = min(seconds(partial(decode, code(k, n), llr))) / 64
        theirs = SionnaBlocks(k, n)
        few = llr[:16, None]
        theirs_s = min(seconds(partial(theirs.decode, few, (0,)))) / 16
        found |= {
            f"ldpc_{k}_ms": ours_s * 1e3,
            f"ldpc_{k}_sionna_ms": theirs_s * 1e3,
            f"ldpc_{k}_ratio": theirs_s / ours_s,
        }
    return found


def main() -> None:
    """Run, print the table and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=5000, help="plans in T0's batch")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chains = Space.of(EQUIPMENT).sample(options.plans, np.random.default_rng(1))
    t0 = seconds(lambda: evaluate(CHAIN, EQUIPMENT))
    batch = seconds(lambda: evaluate_batch(chains, EQUIPMENT))
    t1 = seconds(lambda: evaluate(CHAIN, EQUIPMENT, Tier.T1))
    _, k, n = blocks_of(CHAIN)
    both = [
        min(seconds(partial(monte_carlo, CHAIN, EQUIPMENT, most_blocks=64, codec=codec), 0.2))
        for codec in (None, SionnaBlocks(k, n))
    ]
    decoders = decoding()
    figures = {
        "t0_ms": float(np.median(t0)) * 1e3,
        "t0_plans_per_s": options.plans / float(np.median(batch)),
        "t1_s": float(np.median(t1)),
        "t1_p99_s": float(np.quantile(t1, 0.99)),
        "t2_ms_per_block": both[0] / 64 * 1e3,
        "ldpc_speedup": decoders["ldpc_6912_ratio"],
        "t2_speedup": both[1] / both[0],
        **decoders,
    }
    for name, value in figures.items():
        print(f"{name:24} {value:12.4g}")
    print(json.dumps({name: float(f"{value:.4g}") for name, value in figures.items()}))


if __name__ == "__main__":
    main()
