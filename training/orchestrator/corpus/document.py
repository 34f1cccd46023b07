"""Document: a text of the corpus, where it comes from and whether it is of the domain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from training.orchestrator.corpus.errors import CorpusError

Kind = Literal["domain", "general"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SHARD, SHARDS = "shard-{:05d}.jsonl", "shard-*.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text. CorpusError for a text that is empty or no Unicode, or an unknown kind."""

    text: str
    source: str
    kind: Kind

    def __post_init__(self) -> None:
        for name in ("text", "source"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise CorpusError(f"{name} is missing or empty; it must be a text")
            try:
                value.encode()
            except UnicodeEncodeError:
                raise CorpusError(f"{name} has half a surrogate pair; it must be Unicode") from None
        if self.kind not in KINDS:
            raise CorpusError(f"kind is {str(self.kind)[:40]!r}; it must be one of {', '.join(KINDS)}")

    def to_json(self) -> str:
        """The document as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def parse(line: str) -> Document:
    """Read one document from JSON; CorpusError names the field that is wrong."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"this is not JSON: {error}") from None
    if not isinstance(told, dict) or set(told) != {"text", "source", "kind"}:
        raise CorpusError("this is no document; it must be an object with text, source and kind")
    return Document(**told)


def read(folder: Path) -> Iterator[Document]:
    """The documents of a corpus, shard by shard; CorpusError names file and line of what is wrong."""
    shards = sorted(folder.glob(SHARDS))
    if not shards:
        raise CorpusError(f"{folder} holds no corpus; `ranloop corpus build --out {folder}` makes one")
    for shard in shards:
        try:
            with shard.open(encoding="utf-8", newline="\n") as file:
                for number, line in enumerate(file, 1):
                    try:
                        yield parse(line)
                    except CorpusError as error:
                        raise CorpusError(f"{shard}, line {number}: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise CorpusError(f"{shard}: {error}") from None
