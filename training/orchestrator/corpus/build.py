"""Build: a corpus from its sources, as shards of JSON lines and a report."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from training.orchestrator.corpus import sources
from training.orchestrator.corpus.errors import CorpusError
from training.orchestrator.corpus.gathering import Gathered, Tell, gather
from training.orchestrator.corpus.mixing import Mix, mixed
from training.orchestrator.corpus.reading import Reading
from training.orchestrator.corpus.report import Amount, Report
from training.orchestrator.corpus.sharding import write
from training.orchestrator.corpus.sources import Source

REPORT, GATHERED, WRITTEN = "report.json", "gathered.jsonl", "written"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig:
    """What a corpus is made of, and where it goes; CorpusError for a value that cannot be."""

    out: Path
    domain: tuple[Path, ...] = ()
    """Folders, or files, of the domain."""
    general: tuple[Path, ...] = ()
    """Folders, or files, of general English; our own where there are none."""
    own: bool = True
    """Whether the primers, the toolkit's reference and the facts are in it."""
    facts: int = 1_000
    """Facts that the twin is asked for."""
    domain_share: float = 0.8
    """The share of characters that are to be of the domain."""
    most_passes: float = 4.0
    """How often general text may come again where there is too little of it."""
    similarity: float = 0.8
    """Texts that have this share of their runs of five words in common are duplicates."""
    shard_bytes: int = 16 * 2**20
    seed: int = 1
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        for name in ("domain", "general"):
            object.__setattr__(self, name, tuple(Path(path) for path in getattr(self, name)))
        if not 0.0 < self.domain_share <= 1.0:
            raise CorpusError(f"domain_share is {self.domain_share}; it must be above 0 and at most 1")
        if not 0.0 <= self.most_passes <= 100.0:
            raise CorpusError(f"most_passes is {self.most_passes}; it must lie in 0..100")
        if not 0.5 <= self.similarity <= 1.0:
            raise CorpusError(f"similarity is {self.similarity}; it must lie in 0.5..1")
        if self.facts < 0 or self.shard_bytes < 1:
            raise CorpusError("facts must be at least 0 and shard_bytes at least 1")


def _silent(source: str, done: int, total: int) -> None:
    """Tell nobody."""


def build(config: CorpusConfig, tell: Tell = _silent) -> Report:
    """Build a corpus, or go on with one that was interrupted; one that is done is not built again.

    CorpusError where a source is not there, or the folder holds another build.
    """
    try:
        config.out.mkdir(parents=True, exist_ok=True)
        found = _sources(config)
        name = _name(config, found)
        report = _done(config.out, name)
        if report is None:
            gathered = gather(config.out / GATHERED, found, name, config.reading, config.similarity, tell)
            report = _finished(config, name, gathered)
    except OSError as error:
        raise CorpusError(f"{config.out}: {error}") from None
    return report


def _sources(config: CorpusConfig) -> tuple[Source, ...]:
    # Before our own are written, which takes a minute: a folder may be misspelt.
    domain, general = sources.users(config.domain, "domain"), sources.users(config.general, "general")
    if not config.general:
        general = (Source(name="general", kind="general", path=sources.GENERAL),)
    own: tuple[Source, ...] = ()
    if config.own:
        primers = Source(name="primers", kind="domain", path=sources.PRIMERS)
        own = (primers, *sources.written(config.out / WRITTEN, count=config.facts, seed=config.seed))
    found = (*own, *domain, *general)
    if len({source.name for source in found}) < len(found):
        raise CorpusError("a source is given twice; name each folder once")
    return found


def _name(config: CorpusConfig, found: tuple[Source, ...]) -> str:
    """A hash of what decides the corpus: where two builds have the same, one may go on with the other's work."""
    how = asdict(replace(config, out=Path(), reading=replace(config.reading, workers=1)))
    files = [(source.label(path), path.stat().st_size) for source in found for path in source.files()]
    return hashlib.sha256(json.dumps([how, files], default=str).encode()).hexdigest()[:16]


def _done(folder: Path, name: str) -> Report | None:
    """The report of a build that is done, if its shards are whole."""
    try:
        report = Report.of_json((folder / REPORT).read_text(encoding="utf-8"))
        whole = all(
            hashlib.sha256((folder / shard).read_bytes()).hexdigest() == digest
            for shard, digest in report.shards.items()
        )
    except (OSError, KeyError, TypeError, ValueError):
        return None
    return report if whole and report.build == name else None


def _finished(config: CorpusConfig, name: str, gathered: Gathered) -> Report:
    mix: Mix = mixed(gathered.places, config.domain_share, config.most_passes, config.seed)
    shards = write(config.out, config.out / GATHERED, mix.places, config.shard_bytes)
    amounts = {"domain": Amount(), "general": Amount()}
    for place in mix.places:
        amounts[place.kind].add(1, place.characters)
    report = Report(
        build=name,
        seed=config.seed,
        sources=gathered.reports,
        domain_share=config.domain_share,
        domain_share_reached=mix.domain_share,
        mix={"domain": amounts["domain"], "general": amounts["general"]},
        general_passes=mix.general_passes,
        shards=shards,
    )
    part = config.out / f"{REPORT}.part"
    part.write_text(f"{report.to_json()}\n", encoding="utf-8")
    os.replace(part, config.out / REPORT)
    return report
