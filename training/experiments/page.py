"""Page: what an experiment found, as CSV, picture and Markdown; the part written by hand outlives rewrites."""

import csv
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from training.slicing.score import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

READING = "## Reading"
"""What follows this heading, up to the next of its rank, is written by hand and kept."""
_UNWRITTEN = "Not written yet."
Cell = str | int | float
Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is told."""

    body: tuple[str, ...]
    """Paragraphs and tables in Markdown."""
    rows: tuple[Row, ...]
    """Everything that the body follows from, one measurement a row."""
    draw: Callable[["Figure"], None]


def write(page: Page, folder: Path, *, name: str, title: str, about: str, facts: Sequence[str]) -> Path:
    """Write NAME.csv, NAME.png and NAME.md; the page's path. `facts` are told of how it came about."""
    import matplotlib.figure

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        columns = list(dict.fromkeys(column for row in page.rows for column in row))
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(page.rows)
    figure = matplotlib.figure.Figure(figsize=(9, 5), layout="constrained")
    page.draw(figure)
    figure.savefig(folder / f"{name}.png", dpi=120)
    path = folder / f"{name}.md"
    reading = hand_written(path.read_text(encoding="utf-8")) if path.exists() else _UNWRITTEN
    parts = [
        f"# {title}",
        about,
        *page.body,
        f"![{title}]({name}.png)",
        f"{READING}\n{reading}",
        "## How it was made\n" + "\n".join(f"- {fact}" for fact in facts),
    ]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def hand_written(text: str) -> str:
    """The part of a page that is kept."""
    found = re.search(rf"^{READING}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return found.group(1).strip() if found else _UNWRITTEN


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def told(interval: Interval, digits: int = 3, *, signed: bool = False) -> str:
    """An interval as the tables have it."""
    form = f"{'+' if signed else ''}.{digits}f"
    return f"{interval.mean:{form}} ({interval.low:{form}}..{interval.high:{form}})"


def machine() -> str:
    """What ran it, as far as others need it."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def today() -> str:
    """The date for a page."""
    return f"{datetime.now(UTC):%Y-%m-%d}"
