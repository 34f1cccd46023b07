"""Gathering: all sources prepared and without duplicates, in one file that an interrupted build goes on from.

A line of the file is a document; after the documents of each file of a source comes a line that counts what became
of it. What follows the last such line is of a file that was not done, and is cut off before a build goes on.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.orchestrator.corpus.document import Document, Kind
from training.orchestrator.corpus.duplicates import Seen
from training.orchestrator.corpus.errors import CorpusError
from training.orchestrator.corpus.preparing import Prepared
from training.orchestrator.corpus.reading import Reading, prepared
from training.orchestrator.corpus.report import SourceReport
from training.orchestrator.corpus.sources import Source

DUPLICATE = "duplicate"
Tell = Callable[[str, int, int], None]
"""Told of a source, how many of its files are done and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a document lies in the file of a gathering."""

    kind: Kind
    offset: int
    characters: int


@dataclass(slots=True)
class Gathered:
    """What was gathered so far."""

    reports: dict[str, SourceReport] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    end: int = 0
    """Where the last file that was done ends."""


def gather(
    file: Path, sources: Sequence[Source], build: str, reading: Reading, similarity: float, tell: Tell
) -> Gathered:
    """Prepare what is not prepared yet. CorpusError where the file is of another build."""
    seen = Seen(similarity)
    gathered = _resumed(file, sources, build, seen)
    with file.open("r+b") as out:
        out.truncate(gathered.end)
        out.seek(gathered.end)
        for source in sources:
            files, report = source.files(), gathered.reports[source.name]
            tell(source.name, report.files, len(files))
            left = files[report.files :]
            for path, done in zip(left, prepared(left, reading), strict=True):
                label = source.label(path)
                lines, counts = _deduplicated(label, source.kind, done, seen)
                for line, characters in lines:
                    gathered.places.append(Place(kind=source.kind, offset=out.tell(), characters=characters))
                    out.write(line)
                out.write(_line({"of": source.name, "file": label, **counts}))
                out.flush()
                _count(report, counts)
                tell(source.name, report.files, len(files))
        gathered.end = out.tell()
    return gathered


def _deduplicated(
    label: str, kind: Kind, done: Prepared, seen: Seen
) -> tuple[list[tuple[bytes, int]], dict[str, Any]]:
    """Lines of the documents that are new, with their characters, and the counts of a file."""
    lines = []
    dropped = dict(done.dropped)
    for text in done.texts:
        if seen.add(text):
            lines.append((f"{Document(text=text, source=label, kind=kind).to_json()}\n".encode(), len(text)))
        else:
            documents, characters = dropped.get(DUPLICATE, (0, 0))
            dropped[DUPLICATE] = documents + 1, characters + len(text)
    kept = len(lines), sum(characters for _, characters in lines)
    return lines, {"read": done.characters, "kept": kept, "dropped": dropped}


def _count(report: SourceReport, counts: dict[str, Any]) -> None:
    report.files += 1
    report.characters_read += counts["read"]
    report.kept.add(*counts["kept"])
    for reason, (documents, characters) in counts["dropped"].items():
        report.drop(reason, documents, characters)


def _resumed(file: Path, sources: Sequence[Source], build: str, seen: Seen) -> Gathered:
    """What an interrupted build left, or a beginning."""
    if not file.exists() or file.stat().st_size == 0:
        file.write_bytes(_line({"build": build}))
    gathered = Gathered(reports={source.name: SourceReport(kind=source.kind) for source in sources})
    with file.open("rb") as lines:
        if _told(next(lines, b"")) != {"build": build}:
            raise CorpusError(
                f"{file} is of a build with other files or another configuration; "
                f"remove {file.parent} or build into another folder"
            )
        gathered.end = position = lines.tell()
        waiting: list[tuple[Place, str]] = []
        for line in lines:
            told = _told(line)
            if told is None:
                break
            if "text" in told:
                place = Place(kind=told["kind"], offset=position, characters=len(told["text"]))
                waiting.append((place, told["text"]))
            position += len(line)
            if "of" in told:
                for place, text in waiting:
                    seen.add(text)
                    gathered.places.append(place)
                waiting = []
                _count(gathered.reports[told["of"]], told)
                gathered.end = position
    return gathered


def _line(told: dict[str, Any]) -> bytes:
    return f"{json.dumps(told, ensure_ascii=False)}\n".encode()


def _told(line: bytes) -> dict[str, Any] | None:
    """A whole line, or None for one that was cut off."""
    if not line.endswith(b"\n"):
        return None
    try:
        told: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return told
