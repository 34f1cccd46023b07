"""Tokens: texts as a language model takes them, by a tokenizer in the format of Hugging Face's `tokenizers`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from oran.model_package import PackageError
from xapps.slicing.errors import ModelError

MOST_TOKENS = 512
"""Longer texts are cut here, where the tokenizer itself does not cut them earlier."""


class Tokenizer:
    """Reads `tokenizer.json`; raises PackageError where it is none, or the library is missing."""

    def __init__(self, data: bytes) -> None:
        try:
            from tokenizers import Tokenizer as Reader
        except ImportError:
            raise PackageError("tokenizer.json needs tokenizers: pip install 'ranloop[xapp]'") from None
        try:
            self._reader: Any = Reader.from_str(data.decode("utf-8"))
            if self._reader.truncation is None:
                self._reader.enable_truncation(MOST_TOKENS)
        except Exception as error:
            raise PackageError(f"tokenizer.json is no tokenizer: {str(error)[:200]}") from None

    def __call__(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The tokens and their mask, int64 [texts, length], at least one wide; raises ModelError."""
        try:
            found = self._reader.encode_batch(list(texts))
        except Exception as error:
            raise ModelError(f"the prompt cannot be tokenised: {str(error)[:200]}") from None
        length = max(1, *(len(item.ids) for item in found))
        tokens = np.zeros((len(found), length), dtype=np.int64)
        mask = np.zeros_like(tokens)
        for row, item in enumerate(found):
            tokens[row, : len(item.ids)] = item.ids
            mask[row, : len(item.ids)] = item.attention_mask
        return tokens, mask
