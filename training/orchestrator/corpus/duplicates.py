"""Duplicates: near-duplicate texts found by MinHash and locality-sensitive hashing over runs of five words.

A signature is the smallest of each of 128 hashes over a text's runs; two texts agree in about as many places as
their sets of runs have in common (Broder 1997). Texts are compared only if a band of 8 places is the same in both:
of texts that have 0.8 in common, 95 % and more are. A kept text takes about 3 kB of memory.
"""

import re
import zlib

import numpy as np

from training.orchestrator.corpus.errors import CorpusError

GRAM = 5
PLACES, BAND = 128, 8
_CHUNK = 4_096
_WORD = re.compile(r"\w+")
_SEEDS = np.random.default_rng(20_260_101).integers(1, 2**63, (2, PLACES), dtype=np.uint64) | np.uint64(1)
_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)


def signature(text: str) -> np.ndarray:
    """The MinHash of a text, uint32 [PLACES]; upper and lower case, punctuation and white space do not count."""
    words = _WORD.findall(text.casefold()) or [""]
    codes = np.array([zlib.crc32(word.encode("utf-8", "replace")) for word in words], dtype=np.uint64)
    count = max(1, len(codes) - GRAM + 1)
    runs = np.zeros(count, dtype=np.uint64)
    for start in range(min(GRAM, len(codes))):
        runs = _mixed(runs + codes[start : start + count])
    runs = np.unique(runs)
    smallest = np.full(PLACES, 2**32 - 1, dtype=np.uint32)
    for start in range(0, len(runs), _CHUNK):
        hashes = (runs[start : start + _CHUNK, None] * _SEEDS[0] + _SEEDS[1]) >> np.uint64(32)
        smallest = np.minimum(smallest, hashes.min(axis=0).astype(np.uint32))
    return smallest


def _mixed(values: np.ndarray) -> np.ndarray:
    """SplitMix64: every bit of a value changes every bit of the result."""
    values = values + _MIX[0]
    values = (values ^ (values >> np.uint64(30))) * _MIX[1]
    values = (values ^ (values >> np.uint64(27))) * _MIX[2]
    mixed: np.ndarray = values ^ (values >> np.uint64(31))
    return mixed


class Seen:
    """The texts that were kept so far. CorpusError unless `similarity` lies in 0.5..1."""

    def __init__(self, similarity: float) -> None:
        if not 0.5 <= similarity <= 1.0:
            raise CorpusError(f"similarity is {similarity}; it must lie in 0.5..1")
        self._similarity = similarity
        self._signatures: list[np.ndarray] = []
        self._bands: dict[bytes, list[int]] = {}

    def add(self, text: str) -> bool:
        """Keep a text unless it is nearly one that was kept; tell whether it is new."""
        new = signature(text)
        keys = [bytes([band]) + new[band * BAND :][:BAND].tobytes() for band in range(PLACES // BAND)]
        alike = {place for key in keys for place in self._bands.get(key, ())}
        if any(np.mean(self._signatures[place] == new) >= self._similarity for place in alike):
            return False
        for key in keys:
            self._bands.setdefault(key, []).append(len(self._signatures))
        self._signatures.append(new)
        return True
