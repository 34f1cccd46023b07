"""ONNX LM: a causal language model that onnxruntime runs on one core, with its tokenizer.

The graph comes without its weights, which are given to it beside: `model.safetensors` as `transformers` writes it,
in half precision or not. Everything is computed in float32.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from oran.model_package import PackageError
from rapps.orchestrator.decoding import padded

GRAPH, WEIGHTS, TOKENIZER, CONFIG = "network.onnx", "model.safetensors", "tokenizer.json", "config.json"
FILES = (GRAPH, WEIGHTS, TOKENIZER, CONFIG)
"""What a model is made of."""
INPUTS: Mapping[str, str] = {
    "ids": "int64 [n, length]: the next tokens of n answers by tokenizer.json, padded on the left",
    "mask": "int64 [n, read + length]: 1 where there is a token, of those read before too",
    "cache": "float32 [layers, 2, n, heads, read, width]: keys and values of those read before",
}
OUTPUTS: Mapping[str, str] = {
    "logits": "float32 [n, vocabulary]: after the last token",
    "cache_out": "float32 [layers, 2, n, heads, read + length, width]: the cache, the next tokens in it",
}
_TYPES = {"ids": "tensor(int64)", "mask": "tensor(int64)", "cache": "tensor(float)"}
_CACHE_AXES = 6
_MOST_TEXTS = 10_000
"""Texts whose tokens are remembered: an answer is put together of a few hundred."""


class OnnxLm:
    """A model by its FILES (`rapps.orchestrator.decoding.Model`); PackageError where they do not make one."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Make the network and try it."""
        self._tokenizer = _tokenizer(files[TOKENIZER])
        self._network = _network(files[GRAPH], _weights(files[WEIGHTS]))
        self._layers, _, _, self._heads, _, self._width = _cache_shape(self._network)
        self._encoded = lru_cache(_MOST_TEXTS)(self._encode)
        self.end = _end(files[CONFIG])
        self._try()

    def encode(self, text: str) -> tuple[int, ...]:
        """A text's tokens; a text that was seen lately costs nothing."""
        return self._encoded(text)

    def begin(self, prompts: Sequence[Sequence[int]], each: int) -> Session:
        """Read prompts, for so many answers to each, in turn."""
        return Session(self, prompts, each)

    def empty(self, rows: int) -> np.ndarray:
        """The cache of answers of which nothing was read."""
        return np.zeros((self._layers, 2, rows, self._heads, 0, self._width), dtype=np.float32)

    def run(self, ids: np.ndarray, mask: np.ndarray, cache: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The network's OUTPUTS for its INPUTS; PackageError where it fails."""
        try:
            logits, after = self._network.run([*OUTPUTS], {"ids": ids, "mask": mask, "cache": cache})
        except Exception as error:
            raise PackageError(f"{GRAPH} fails: {str(error)[:300]}") from None
        return np.asarray(logits), np.asarray(after)

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _try(self) -> None:
        """Read the first and the last token, and tell two answers apart."""
        tokens = max(self._tokenizer.get_vocab().values(), default=0) + 1
        if not 0 <= self.end < tokens:
            raise PackageError(f"eos_token_id is {self.end}; it must be one of the {tokens} tokens of {TOKENIZER}")
        logits = self.begin([[0, tokens - 1]], 2).feed([[self.end], [0, 0]])
        if logits.ndim != 2 or len(logits) != 2 or logits.shape[1] < tokens:
            raise PackageError(f"{GRAPH} gives logits {logits.shape} for 2 answers of {tokens} tokens")
        if not np.isfinite(logits).all():
            raise PackageError(f"{GRAPH} gives logits that are not finite; its weights are none")


class Session:
    """Answers under way: what the network has read of them, with padding wherever others were longer."""

    def __init__(self, lm: OnnxLm, prompts: Sequence[Sequence[int]], each: int) -> None:
        self._lm, self._cache = lm, lm.empty(len(prompts))
        self._mask = np.zeros((len(prompts), 0), dtype=np.int64)
        self.feed(prompts)
        if each > 1:
            self._cache, self._mask = self._cache.repeat(each, axis=2), self._mask.repeat(each, axis=0)

    def feed(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Read the next tokens of each answer, and give the logits after them, float32 [answers, vocabulary]."""
        ids, mask = padded(rows, self._lm.end)
        self._mask = np.concatenate((self._mask, mask), axis=1)
        logits, self._cache = self._lm.run(ids, self._mask, self._cache)
        return logits


def _network(graph: bytes, weights: Mapping[str, np.ndarray]) -> Any:
    """A session on one core: a larger share of the machine hardly speeds up so small a network."""
    try:
        import onnxruntime
    except ImportError:
        raise PackageError(f"{GRAPH} needs onnxruntime: pip install 'ranloop[rapp]'") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(weight) for weight in weights.values()]
    try:
        options.add_external_initializers([*weights], values)
        network = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise PackageError(f"{GRAPH} and {WEIGHTS} make no network: {str(error)[:300]}") from None
    taken = {item.name: item.type for item in network.get_inputs()}
    given = [item.name for item in network.get_outputs()]
    if taken != _TYPES or given != [*OUTPUTS]:
        raise PackageError(
            f"{GRAPH} takes {taken!r:.200} and gives {given!r:.200}; {_TYPES}, {[*OUTPUTS]} are wanted"
        )
    return network


def _cache_shape(network: Any) -> tuple[int, ...]:
    """The cache's axes, 0 for those of any length; PackageError where the fixed ones are not told."""
    shape = next(item.shape for item in network.get_inputs() if item.name == "cache")
    axes = tuple(axis if isinstance(axis, int) else 0 for axis in shape)
    if len(axes) != _CACHE_AXES or axes[1] != 2 or not all(axes[place] > 0 for place in (0, 3, 5)):
        raise PackageError(f"{GRAPH} has a cache {shape!r:.100}; {INPUTS['cache']} is wanted")
    return axes


def _weights(data: bytes) -> dict[str, np.ndarray]:
    try:
        from safetensors.numpy import load
    except ImportError:
        raise PackageError(f"{WEIGHTS} needs safetensors: pip install 'ranloop[rapp]'") from None
    try:
        return {name: np.ascontiguousarray(weight, dtype=np.float32) for name, weight in load(data).items()}
    except Exception as error:
        raise PackageError(f"{WEIGHTS} holds no weights: {str(error)[:200]}") from None


def _tokenizer(data: bytes) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise PackageError(f"{TOKENIZER} needs tokenizers: pip install 'ranloop[rapp]'") from None
    try:
        return Tokenizer.from_str(data.decode("utf-8"))
    except Exception as error:
        raise PackageError(f"{TOKENIZER} is no tokenizer: {str(error)[:200]}") from None


def _end(data: bytes) -> int:
    try:
        end = json.loads(data)["eos_token_id"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PackageError(f"{CONFIG} cannot be read: {error!r:.200}") from None
    if type(end) is not int:
        raise PackageError(f"eos_token_id is {end!r:.40} in {CONFIG}; it must be the token that ends a text")
    return end
