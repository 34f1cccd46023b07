"""Our decoder beside Sionna's belief propagation, on the same received blocks."""

from dataclasses import dataclass

import numpy as np

from twin.link.ldpc.code import code
from twin.link.ldpc.codec import decode, encode


@dataclass(frozen=True, slots=True)
class Comparison:
    """One code at one SNR: block error rates of both decoders over the same blocks."""

    k: int
    n: int
    graph: int
    lifting: int
    ebn0_db: float
    blocks: int
    bler: float
    sionna_bler: float

    @property
    def error(self) -> float:
        """The standard error of the difference, for independent errors: an upper bound, as the noise is shared."""
        both = self.bler * (1 - self.bler) + self.sionna_bler * (1 - self.sionna_bler)
        return float(np.sqrt(both / self.blocks))


def received(k: int, n: int, ebn0_db: float, blocks: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random blocks sent by BPSK over AWGN: bits uint8 [blocks, k] and LLRs log p1/p0 float32 [blocks, n]."""
    draw = np.random.default_rng(seed)
    bits = draw.integers(0, 2, (blocks, k), dtype=np.uint8)
    variance = 1.0 / (2.0 * k / n * 10.0 ** (ebn0_db / 10.0))
    signal = 2.0 * encode(code(k, n), bits) - 1.0 + draw.normal(0.0, np.sqrt(variance), (blocks, n))
    return bits, (2.0 * signal / variance).astype(np.float32)


def against_sionna(k: int, n: int, ebn0_db: float, *, blocks: int = 200, seed: int = 1) -> Comparison:
    """Decode the same blocks with ours (20 iterations) and with Sionna's boxplus decoder (20 iterations)."""
    import torch
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

    bits, llr = received(k, n, ebn0_db, blocks, seed)
    ours = (decode(code(k, n), llr)[0] != bits).any(axis=1).mean()
    theirs_decoder = LDPC5GDecoder(LDPC5GEncoder(k, n), cn_update="boxplus-phi", num_iter=20, return_infobits=True)
    theirs = (theirs_decoder(torch.from_numpy(llr)).numpy() != bits).any(axis=1).mean()
    made = code(k, n)
    return Comparison(k, n, made.graph.number, made.lifting, ebn0_db, blocks, float(ours), float(theirs))
