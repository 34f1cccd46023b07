"""Readers: the text of a file, whatever its format.

Blocks of a text are parted by blank lines, headings begin with as many # as their level, cells of a table are
parted by |, and pages by form feeds. A file that no text comes from is Unreadable, with a reason to be counted.
"""

import codecs
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

from training.orchestrator.corpus.errors import Unreadable

if TYPE_CHECKING:
    from docx.table import Table
    from docx.text.paragraph import Paragraph

MOST_UNPACKED_BYTES = 256 * 2**20
"""A docx that unpacks to more is taken for a zip bomb."""
MOST_CONTROL = 0.001
"""Share of control characters from which a file is taken for binary."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SPACES = re.compile(r"\s+")
_NAME = re.compile(r"\w+")


def read_text(path: Path) -> str:
    """A text file in UTF-8, in UTF-16 with its mark, or in Windows-1252."""
    return decoded(path.read_bytes())


def decoded(raw: bytes, declared: str | None = None) -> str:
    """Bytes as text; Unreadable when they are none."""
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    encodings = [name for mark, name in marks if raw.startswith(mark)] or [declared or "utf-8", "utf-8", "cp1252"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if len(_CONTROL.findall(text)) <= MOST_CONTROL * len(text):
            return text
    raise Unreadable("binary")


_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_LINK = re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)")
_RULED = re.compile(r"^[ |:+-]*-{3,}[ |:+-]*$", re.MULTILINE)
_STRESS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")


def read_markdown(path: Path) -> str:
    """Markdown without front matter, comments, images, targets of links, rules and marks of stress."""
    text = _FRONT_MATTER.sub("", read_text(path).replace("\r\n", "\n"))
    for pattern, to in ((_COMMENT, ""), (_IMAGE, ""), (_LINK, r"\1"), (_RULED, ""), (_STRESS, r"\2")):
        text = pattern.sub(to, text)
    return text


_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w-]+)""", re.IGNORECASE)


def read_html(path: Path) -> str:
    """What a web page says, without menus, scripts and forms."""
    raw = path.read_bytes()
    told = _CHARSET.search(raw, 0, 4096)
    page = _Page()
    page.feed(decoded(raw, told[1].decode("ascii") if told else None))
    page.close()
    return page.text()


class _Page(HTMLParser):
    """Collects the text of a web page in blocks."""

    UNREAD = frozenset(
        _NAME.findall(
            "aside button footer form head iframe nav noscript script select style svg template textarea "
        )
    )
    BLOCKS = frozenset(
        _NAME.findall(
            "address article blockquote body br dd div dl dt figcaption figure header hr html li main "
            "ol p pre section table tbody tfoot thead tr ul h1 h2 h3 h4 h5 h6 "
        )
    )
    LINES = frozenset(("br", "li", "tr", "dd", "dt"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._unread = ""
        self._preformatted = 0

    def text(self) -> str:
        """What was read so far."""
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Begin a block, a heading, an item or a cell."""
        if self._unread:
            return
        if tag in self.UNREAD:
            self._unread = tag
        elif tag in ("td", "th"):
            self._parts.append(" | ")
        elif tag in self.BLOCKS:
            self._parts.append("\n" if tag in self.LINES else "\n\n")
            if tag == "li":
                self._parts.append("- ")
            if re.fullmatch("h[1-6]", tag):
                self._parts.append("#" * int(tag[1]) + " ")
            self._preformatted += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """A tag that ends at once holds nothing that is not read."""
        if not self._unread and tag in self.BLOCKS:
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End a block, or what is not read."""
        if self._unread:
            if tag == self._unread:
                self._unread = ""
        elif tag in self.BLOCKS:
            self._parts.append("\n" if tag in self.LINES else "\n\n")
            self._preformatted -= tag == "pre" and self._preformatted > 0

    def handle_data(self, data: str) -> None:
        """Keep words; in HTML any white space is one space."""
        if not self._unread:
            self._parts.append(data if self._preformatted else _SPACES.sub(" ", data))


def read_docx(path: Path) -> str:
    """A Word document: headings, paragraphs and tables, without contents, cover, headers and footers."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, EOFError):
        raise Unreadable("broken file") from None
    if unpacked > MOST_UNPACKED_BYTES:
        raise Unreadable("zip bomb")
    from docx import Document
    from docx.text.paragraph import Paragraph

    blocks = []
    for block in Document(str(path)).iter_inner_content():
        blocks.append(_paragraph(block) if isinstance(block, Paragraph) else "\n".join(_rows(block)))
    return "\n\n".join(filter(None, blocks))


_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_UNREAD_STYLE = re.compile(r"toc|table of|tt$|z[a-z]$", re.IGNORECASE)
"""Styles of contents, and of the cover of 3GPP's documents (TT heads the contents, ZA to ZV the cover)."""


def _paragraph(paragraph: "Paragraph") -> str:
    style = (paragraph.style.name if paragraph.style else None) or ""
    text = _SPACES.sub(" ", paragraph.text).strip()
    if not text or _UNREAD_STYLE.match(style):
        return ""
    heading = _HEADING.match(style)
    return f"{'#' * int(heading[1])} {text}" if heading else text


def _rows(table: "Table") -> Iterator[str]:
    for row in table.rows:
        cells: list[str] = []
        before = None
        for cell in row.cells:
            # A cell that spans columns comes once for each of them.
            if cell._tc is not before:
                cells.append(_SPACES.sub(" ", cell.text).strip())
            before = cell._tc
        if any(cells):
            yield " | ".join(cells)


def read_pdf(path: Path) -> str:
    """A PDF document, pages parted by form feeds; Unreadable when it asks for a password or is scanned."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    reader = PdfReader(path, strict=False)
    try:
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("password")
        text = "\f".join(page.extract_text() for page in reader.pages)
    except DependencyError:
        # Ciphers that pypdf leaves to other libraries.
        raise Unreadable("password") from None
    if not text.strip():
        raise Unreadable("no text")
    return text


READERS: Mapping[str, Callable[[Path], str]] = {
    ".docx": read_docx,
    ".pdf": read_pdf,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".md": read_markdown,
    ".txt": read_text,
}
"""Readers by the end of a file's name."""


def read(path: Path, most_bytes: int) -> str:
    """The text of a file; Unreadable, with the reason to count, when there is none."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise Unreadable("unknown format")
    try:
        if path.stat().st_size > most_bytes:
            raise Unreadable("too large")
        text = reader(path)
    except Unreadable:
        raise
    except OSError:
        raise Unreadable("cannot be opened") from None
    except MemoryError:
        raise Unreadable("too much memory") from None
    except Exception:
        # Broken files break the libraries that read them in more ways than can be listed.
        raise Unreadable("broken file") from None
    if not text.strip():
        raise Unreadable("no text")
    return text
