"""Sources: the folders that a corpus is made of, the users' and our own."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from training.orchestrator.corpus import facts, plans, toolkit
from training.orchestrator.corpus.document import Kind
from training.orchestrator.corpus.errors import CorpusError

PRIMERS = Path(__file__).parent / "domain"
"""Primers of the radio access network in our own words."""
GENERAL = Path(__file__).parent / "general"
"""Everyday English of our own: little, so that a mix can be made without any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A folder, or one file. CorpusError when it is not there."""

    name: str
    kind: Kind
    path: Path

    def __post_init__(self) -> None:
        if not self.path.exists():
            raise CorpusError(f"{self.path} is not there; it must be a folder of documents, or one")

    def files(self) -> tuple[Path, ...]:
        """Its files in order, hidden ones apart."""
        if self.path.is_file():
            return (self.path,)
        found = (path for path in self.path.rglob("*") if path.is_file())
        return tuple(sorted(path for path in found if not _hidden(path.relative_to(self.path))))

    def label(self, path: Path) -> str:
        """What a document is said to come from."""
        below = path.relative_to(self.path).as_posix() if path != self.path else path.name
        # A name that is no Unicode is still a name.
        return f"{self.name}/{below}".encode(errors="replace").decode()


def users(paths: Iterable[Path], kind: Kind) -> tuple[Source, ...]:
    """The users' folders, by their names."""
    return tuple(Source(name=str(path), kind=kind, path=path) for path in paths)


def written(folder: Path, *, count: int, seed: int) -> tuple[Source, ...]:
    """What programs write of the domain, now written: the toolkit's reference, and `count` facts and plans."""
    found = []
    texts_by_name = {
        "toolkit": toolkit.documents(),
        "facts": facts.documents(count, seed),
        "plans": plans.documents(count, seed),
    }
    for name, documents in texts_by_name.items():
        below = folder / name
        below.mkdir(parents=True, exist_ok=True)
        texts = {f"{title}.md": text for title, text in documents}
        for path in below.glob("*.md"):
            if path.name not in texts:
                path.unlink()
        for title, text in texts.items():
            path = below / title
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8", newline="\n")
        found.append(Source(name=name, kind="domain", path=below))
    return tuple(found)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
