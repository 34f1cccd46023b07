"""Documents for tests: small files in each format."""

import random
from collections.abc import Sequence
from pathlib import Path

from docx import Document

PROSE = (
    "The orchestrator reads what a service needs and plans the link that delivers it. It knows how many resource "
    "blocks are free, how strong the signal is and which receivers there are. From these it chooses the "
    "modulation and the code, and the twin says what would come of that choice before anybody depends on it."
)
"""A paragraph that every filter lets pass."""
_WORDS = (
    *("the", "of", "and", "that", "with", "for", "was", "on", "as", "it", "not", "which", "from", "they", "an"),
    *(
        "link",
        "signal",
        "block",
        "power",
        "cell",
        "user",
        "channel",
        "delay",
        "symbol",
        "antenna",
        "slice",
        "code",
    ),
    *(
        "sends",
        "hears",
        "carries",
        "needs",
        "finds",
        "repeats",
        "waits",
        "measures",
        "changes",
        "follows",
        "loses",
    ),
)


def paragraph(number: int) -> str:
    """A paragraph that passes too and has little in common with those of other numbers."""
    draw = random.Random(number)
    return " ".join(f"{' '.join(draw.choices(_WORDS, k=12)).capitalize()}." for _ in range(6))


def write_docx(path: Path, blocks: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]] = ()) -> None:
    """A Word document of paragraphs, (style, text) each, and a table."""
    document = Document()
    document.sections[0].header.paragraphs[0].text = "HEADER OF EVERY PAGE"
    for style, text in blocks:
        document.add_paragraph(text, style=style)
    if rows:
        table = document.add_table(rows=len(rows), cols=len(rows[0]))
        for row, cells in zip(table.rows, rows, strict=True):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
    document.save(str(path))


def write_pdf(path: Path, pages: Sequence[Sequence[str]]) -> None:
    """A PDF of pages of lines, in Latin-1."""
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for lines in pages:
        shown = "".join(f"({_escaped(line)}) Tj T* " for line in lines)
        stream = f"BT /F1 10 Tf 12 TL 40 800 Td {shown}ET".encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), b" ".join(kids))
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        out.index(b"xref\n"),
    )
    path.write_bytes(out)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
