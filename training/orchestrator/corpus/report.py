"""Report: what a build made of its sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from training.orchestrator.corpus.document import Kind


@dataclass(slots=True)
class Amount:
    """A number of documents and of their characters."""

    documents: int = 0
    characters: int = 0

    def add(self, documents: int, characters: int) -> None:
        """Count more."""
        self.documents += documents
        self.characters += characters


@dataclass(slots=True, kw_only=True)
class SourceReport:
    """What became of one source."""

    kind: Kind
    files: int = 0
    characters_read: int = 0
    kept: Amount = field(default_factory=Amount)
    dropped: dict[str, Amount] = field(default_factory=dict)
    """By reason. Documents are files that could not be read, or parts of those that could."""

    def drop(self, reason: str, documents: int, characters: int) -> None:
        """Count what was dropped for a reason."""
        self.dropped.setdefault(reason, Amount()).add(documents, characters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A build: its sources, the mix and the shards."""

    build: str
    """A hash of the configuration and of the files that there were."""
    seed: int
    sources: Mapping[str, SourceReport]
    domain_share: float
    """The share of characters of the domain that was asked for."""
    domain_share_reached: float
    mix: Mapping[Kind, Amount]
    general_passes: float
    """How often the general text is in the mix: below 1 some of it, above 1 all of it and some again."""
    shards: Mapping[str, str]
    """The SHA-256 of each shard by its name."""

    def to_json(self, indent: int | None = 2) -> str:
        """The report as JSON; without indent on one line."""
        return json.dumps(asdict(self), indent=indent, ensure_ascii=False)

    @classmethod
    def of_json(cls, text: str) -> Report:
        """Read a report; KeyError, TypeError or ValueError where it is none."""
        told: dict[str, Any] = json.loads(text)
        sources = {
            name: SourceReport(
                kind=source["kind"],
                files=source["files"],
                characters_read=source["characters_read"],
                kept=Amount(**source["kept"]),
                dropped={reason: Amount(**amount) for reason, amount in source["dropped"].items()},
            )
            for name, source in told.pop("sources").items()
        }
        mix: dict[Kind, Amount] = {kind: Amount(**amount) for kind, amount in told.pop("mix").items()}
        return cls(**told, sources=sources, mix=mix)

    def table(self) -> str:
        """The report for a reader."""
        lines = [f"{'source':<30} {'kind':<8} {'files':>7} {'read':>11} {'kept':>11}  dropped documents"]
        for name, source in self.sources.items():
            dropped = ", ".join(f"{amount.documents} {reason}" for reason, amount in source.dropped.items())
            lines.append(
                f"{name[-30:]:<30} {source.kind:<8} {source.files:>7} {source.characters_read:>11} "
                f"{source.kept.characters:>11}  {dropped or '-'}"
            )
        documents = sum(amount.documents for amount in self.mix.values())
        characters = sum(amount.characters for amount in self.mix.values())
        lines.append(
            f"{documents} documents, {characters} characters, {self.domain_share_reached:.1%} of the domain "
            f"({self.domain_share:.1%} asked), general text {self.general_passes:.2f} times, "
            f"{len(self.shards)} shards"
        )
        return "\n".join(lines)
