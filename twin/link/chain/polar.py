"""Polar blocks by Sionna's codec, with the interface of our LDPC blocks."""

from functools import lru_cache

import numpy as np

LIST_SIZE = 8


class PolarBlocks:
    """Blocks of k bits in n; every transmission carries the same bits, and their LLRs add up (Chase combining)."""

    def __init__(self, k: int, n: int) -> None:
        from sionna.phy.fec.polar import Polar5GDecoder, Polar5GEncoder

        self._encoder = Polar5GEncoder(k, n)
        self._decoder = Polar5GDecoder(self._encoder, dec_type="SCL", list_size=LIST_SIZE)

    def encode(self, bits: np.ndarray, rv: int) -> np.ndarray:
        """Encode uint8 [blocks, k] -> [blocks, n]; the redundancy version makes no difference."""
        import torch

        found: np.ndarray = self._encoder(torch.from_numpy(bits).float()).numpy().astype(np.uint8)
        return found

    def decode(self, llr: np.ndarray, rvs: tuple[int, ...]) -> np.ndarray:
        """Decode LLRs log p1/p0 [blocks, transmissions, n] -> uint8 [blocks, k]."""
        import torch

        total = torch.from_numpy(np.ascontiguousarray(llr.sum(axis=1), dtype=np.float32))
        found: np.ndarray = self._decoder(total).numpy().astype(np.uint8)
        return found


@lru_cache(maxsize=64)
def polar_codec(k: int, n: int) -> PolarBlocks:
    """The codec of a size."""
    return PolarBlocks(k, n)
