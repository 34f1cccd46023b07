"""Actor: the trained agent of a model package; it turns what is seen of cells into shares of their PRBs.

One actor serves all cells. It hears the operator's words when they change, never in a decision: what they mean to
the model is kept until then, as are the prompts already tokenised.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from oran.model_package import Manifest, PackageError, load
from xapps.slicing import prompt
from xapps.slicing.critic import Critic
from xapps.slicing.drift import Reference
from xapps.slicing.errors import ModelError
from xapps.slicing.onnx_model import OnnxModel
from xapps.slicing.schema import ACTOR, CRITIC, INPUTS, KIND, REFERENCE, TOKENIZER, WORDS, check
from xapps.slicing.shares import flaw
from xapps.slicing.state import FEATURES
from xapps.slicing.tokens import Tokenizer

SHIPPED = Path(__file__).parent / "models" / "actor"
"""The package that comes with the xApp."""
MOST_PROMPTS = 4096
"""Tokenised prompts that are kept; all combinations of three slices' levels are 729."""
_TYPES = {
    name: "tensor(float)" if text.startswith("float32") else "tensor(int64)" for name, text in INPUTS.items()
}
_TEXT = {"tokens": "tensor(int64)", "mask": "tensor(int64)"}


@dataclass(frozen=True, slots=True)
class _Heard:
    """The operator's words, what they mean to the model [1, width], and tokenised prompts by their code."""

    words: str
    meaning: np.ndarray | None
    prompts: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


class Actor:
    """A model that decides; `names` are those of the slices in their order."""

    def __init__(self, manifest: Manifest, files: dict[str, bytes], names: tuple[str, ...]) -> None:
        """Make the networks and try them; raises PackageError where they do not do what the manifest says."""
        check(manifest)
        self.manifest = manifest
        self._names = names
        self._inputs = tuple(manifest.inputs)
        self._network = OnnxModel(ACTOR, files[ACTOR], {name: _TYPES[name] for name in self._inputs}, "share")
        self._tokenizer = Tokenizer(files[TOKENIZER]) if {"words", "tokens"} & set(self._inputs) else None
        self._embed = OnnxModel(WORDS, files[WORDS], _TEXT, "words") if "words" in self._inputs else None
        self.critic = Critic(manifest, files[CRITIC], len(names)) if CRITIC in files else None
        self.reference = Reference.parse(files[REFERENCE]) if REFERENCE in files else None
        try:
            self.hear("")
            seen = np.stack([np.full((len(names), len(FEATURES)), level) for level in (0.0, 0.5, 1.0)])
            self.share(seen)
        except ModelError as error:
            raise PackageError(f"{self} does not serve {len(names)} slices: {error}") from None

    @classmethod
    def load(cls, folder: Path, names: tuple[str, ...]) -> "Actor":
        """Read, verify and try a package; raises PackageError."""
        return cls(*load(folder, kind=KIND), names)

    def __str__(self) -> str:
        return f"{self.manifest.name} {self.manifest.version}"

    @property
    def words(self) -> str:
        """The operator's words that it was told last."""
        return self._heard.words

    def hear(self, words: str) -> None:
        """Take in the operator's words, from any thread; raises ModelError and then keeps the former ones."""
        said, meaning = prompt.plain(words), None
        if self._embed is not None and self._tokenizer is not None:
            tokens, mask = self._tokenizer([said])
            meaning = self._embed({"tokens": tokens, "mask": mask})
            if meaning.ndim != 2 or len(meaning) != 1 or not np.isfinite(meaning).all():
                raise ModelError(f"{WORDS} gives {meaning.shape} for one text, or numbers that are not finite")
        self._heard = _Heard(said, meaning)

    def share(self, seen: np.ndarray) -> np.ndarray:
        """The shares of cells seen as features [n, slices, FEATURES]: [n, slices].

        Raises ModelError where the model fails or gives anything but a distribution for each cell.
        """
        heard = self._heard
        parts: dict[str, Callable[[], np.ndarray]] = {
            "state": lambda: seen,
            "levels": lambda: prompt.levels(seen),
            "words": lambda: np.repeat(heard.meaning, len(seen), axis=0),  # type: ignore[arg-type]
        }
        feeds = {name: part() for name, part in parts.items() if name in self._inputs}
        if "tokens" in self._inputs:
            feeds["tokens"], feeds["mask"] = self._read(heard, prompt.levels(seen))
        share = self._network(feeds).astype(np.float64)
        if share.shape != seen.shape[:-1]:
            raise ModelError(f"{ACTOR} gives shares {share.shape} for cells and slices {seen.shape[:-1]}")
        if wrong := flaw(share):
            raise ModelError(f"{ACTOR}: {wrong}")
        return share

    def _read(self, heard: _Heard, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The tokens and masks of the prompts of cells with levels [n, slices, 2], int64 [n, length]."""
        assert self._tokenizer is not None
        rows = []
        for code, places in zip(prompt.code(levels).tolist(), levels, strict=True):
            if code not in heard.prompts:
                if len(heard.prompts) >= MOST_PROMPTS:
                    heard.prompts.clear()
                heard.prompts[code] = self._tokenizer([prompt.text(self._names, places, heard.words)])
            rows.append(heard.prompts[code])
        length = max(tokens.shape[1] for tokens, _ in rows)
        padded = [np.pad(part, ((0, 0), (0, length - part.shape[1]))) for row in rows for part in row]
        return np.concatenate(padded[0::2]), np.concatenate(padded[1::2])
