"""Code blocks of a slot: how many, of how many information bits and sent bits (TS 38.212 5.2.2).

A slot's coded bits are its data resource elements times layers and bits per symbol. They are cut into code blocks
of equal size, as few as the code allows; what division leaves over stays unused. With repetition every copy of a
slot carries another redundancy version of the same blocks.
"""

from dataclasses import dataclass

import numpy as np

from twin.link.catalogue import POLAR_MAX_BITS, Code
from twin.link.hardware import data_resource_elements
from twin.link.plan import ChainGrid, LinkChain, code_of

LDPC_MAX_BITS, LDPC_MAX_BITS_LOW_RATE = 8448, 3840
LOW_RATE = 0.25
POLAR_MAX_SENT = 1088
"""Longest polar code word that is sent without repetition (TS 38.212 5.4.1, uplink)."""
_POLAR = code_of(Code.POLAR)


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Code blocks of a slot, int64 [chains] each: how many, information bits and sent bits of each."""

    count: np.ndarray
    k: np.ndarray
    n: np.ndarray

    def take(self, rows: np.ndarray) -> "Blocks":
        """Those of some of the chains."""
        return Blocks(self.count[rows], self.k[rows], self.n[rows])


def blocks(chains: ChainGrid) -> Blocks:
    """The code blocks of each chain's slot."""
    sent = data_resource_elements(chains).astype(np.int64) * chains.layers * chains.bits_per_symbol
    information = np.floor(sent * chains.rate + 1e-9).astype(np.int64)
    ldpc_most = np.where(chains.rate <= LOW_RATE, LDPC_MAX_BITS_LOW_RATE, LDPC_MAX_BITS)
    polar_most = np.minimum(POLAR_MAX_BITS, np.floor(POLAR_MAX_SENT * chains.rate).astype(np.int64))
    most = np.where(chains.code == _POLAR, polar_most, ldpc_most)
    count = np.maximum(1, -(-information // most))
    return Blocks(count, information // count, sent // count)


def blocks_of(chain: LinkChain) -> tuple[int, int, int]:
    """One chain's number of code blocks, information bits and sent bits of each."""
    found = blocks(ChainGrid.of((chain,)))
    return int(found.count[0]), int(found.k[0]), int(found.n[0])
