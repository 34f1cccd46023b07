"""Readers keep the words of every format, and a file that no text comes from is counted, whatever it is."""

import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from tests.training.orchestrator.corpus.samples import PROSE, write_docx, write_pdf
from training.orchestrator.corpus import readers
from training.orchestrator.corpus.errors import Unreadable
from training.orchestrator.corpus.readers import READERS, read

MOST = 2**20


def test_every_format_gives_its_words(tmp_path: Path) -> None:
    write_docx(tmp_path / "a.docx", [("Heading 1", "Title"), ("Normal", PROSE)])
    write_pdf(tmp_path / "a.pdf", [["Title", PROSE]])
    for name in ("a.html", "a.htm", "a.xhtml"):
        (tmp_path / name).write_text(f"<html><body><h1>Title</h1><p>{PROSE}</p></body></html>")
    (tmp_path / "a.md").write_text(f"# Title\n\n{PROSE}\n")
    (tmp_path / "a.txt").write_text(f"Title\n\n{PROSE}\n")
    for suffix in READERS:
        text = read(tmp_path / f"a{suffix}", MOST)
        assert "Title" in text
        assert PROSE in text


def test_docx_has_headings_and_tables_but_no_contents_cover_or_header(tmp_path: Path) -> None:
    file = tmp_path / "a.docx"
    write_docx(file, [("Heading 2", "Scope"), ("Normal", "One.")], [["Field", "Unit"], ["delay", "s"]])
    document = Document(str(file))
    for style in ("TOC 1", "TT", "ZT"):
        document.styles.add_style(style, 1)
        document.add_paragraph("not to be read", style=style)
    document.save(str(file))
    assert read(file, MOST) == "## Scope\n\nOne.\n\nField | Unit\ndelay | s"


def test_a_cell_that_spans_columns_comes_once(tmp_path: Path) -> None:
    document = Document()
    table = document.add_table(rows=1, cols=3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(0, 2).text = "narrow"
    document.save(str(tmp_path / "a.docx"))
    assert read(tmp_path / "a.docx", MOST) == "wide | narrow"


def test_html_without_what_is_not_text(tmp_path: Path) -> None:
    file = tmp_path / "a.html"
    file.write_text(
        "<head><title>no</title><style>no{}</style></head><nav>no</nav><script>if (a<b) no()</script>"
        "<h2>Delay &amp; rate</h2><p>a\n  b<br>c</p><ul><li>one<li>two</ul><table><tr><td>x<td>y</table><footer>no"
        "</footer><p>last<hr/>"
    )
    text = read(file, MOST)
    assert "no" not in text
    assert "## Delay & rate" in text
    assert "a b\nc" in text
    assert "- one" in text
    assert "x | y" in text
    assert "last" in text


def test_html_in_the_encoding_that_it_states(tmp_path: Path) -> None:
    file = tmp_path / "a.html"
    file.write_bytes('<meta charset="iso-8859-2"><p>łódź</p>'.encode("iso-8859-2"))
    assert "łódź" in read(file, MOST)


def test_markdown_without_what_is_not_text(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text(
        "---\ntitle: no\n---\n<!-- no\nno -->A **bold** ![no](no.png) [word](no.html).\n\n|---|---|\n\nend"
    )
    assert "no" not in read(file, MOST)
    assert "A bold  word." in read(file, MOST)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_in_usual_encodings(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Größe: 5 µs".encode(encoding))
    assert read(tmp_path / "a.txt", MOST) == "Größe: 5 µs"


def test_pages_of_a_pdf_are_parted(tmp_path: Path) -> None:
    write_pdf(tmp_path / "a.pdf", [["one"], ["two"]])
    assert read(tmp_path / "a.pdf", MOST).split() == ["one", "two"]
    assert read(tmp_path / "a.pdf", MOST).count("\f") == 1


def broken(kind: str, folder: Path) -> Path:
    """A file from which nothing can be read."""
    whole = folder / "whole.docx"
    write_docx(whole, [("Normal", PROSE)])
    if kind == "truncated docx":
        (folder / "a.docx").write_bytes(whole.read_bytes()[:-200])
    elif kind == "docx without its parts":
        with zipfile.ZipFile(folder / "a.docx", "w") as archive:
            archive.writestr("mimetype", "nothing")
    elif kind == "docx that is none":
        (folder / "a.docx").write_bytes(b"\xd0\xcf\x11\xe0 an encrypted document is no zip")
    elif kind == "truncated pdf":
        write_pdf(folder / "whole.pdf", [[PROSE]])
        (folder / "a.pdf").write_bytes((folder / "whole.pdf").read_bytes()[:60])
    elif kind == "pdf with a password":
        write_pdf(folder / "whole.pdf", [[PROSE]])
        writer = PdfWriter(PdfReader(folder / "whole.pdf"))
        writer.encrypt("secret", algorithm="RC4-128")
        writer.write(folder / "a.pdf")
    elif kind == "scanned pdf":
        write_pdf(folder / "a.pdf", [[], []])
    elif kind == "binary as text":
        (folder / "a.txt").write_bytes(bytes(range(256)) * 8)
    elif kind == "empty":
        (folder / "a.md").write_bytes(b" \n")
    elif kind == "web page of a hundred megabytes":
        with (folder / "a.html").open("wb") as file:
            file.truncate(100 * 2**20)
    elif kind == "program":
        (folder / "a.exe").write_bytes(b"MZ")
    else:
        (folder / "a.txt").symlink_to(folder / "nowhere")
    return next(folder.glob("a.*"))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("truncated docx", "broken file"),
        ("docx without its parts", "broken file"),
        ("docx that is none", "broken file"),
        ("truncated pdf", "broken file"),
        ("pdf with a password", "password"),
        ("scanned pdf", "no text"),
        ("binary as text", "binary"),
        ("empty", "no text"),
        ("web page of a hundred megabytes", "too large"),
        ("program", "unknown format"),
        ("link to nothing", "cannot be opened"),
    ],
)
def test_a_broken_file_has_a_reason(kind: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        read(broken(kind, tmp_path), 64 * 2**20)
    assert str(caught.value) == reason


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_docx(tmp_path / "a.docx", [("Normal", "word " * 100_000)])
    assert (tmp_path / "a.docx").stat().st_size < 100_000
    monkeypatch.setattr(readers, "MOST_UNPACKED_BYTES", 400_000)
    with pytest.raises(Unreadable, match="zip bomb"):
        read(tmp_path / "a.docx", MOST)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    write_docx(folder / "a.docx", [("Heading 1", "Title"), ("Normal", PROSE)], [["a", "b"]])
    write_pdf(folder / "a.pdf", [["Title", PROSE], ["Second page"]])
    (folder / "a.html").write_text(f"<h1>Title</h1><p>{PROSE}</p><table><tr><td>a</table>")
    return {suffix: (folder / f"a{suffix}").read_bytes() for suffix in (".docx", ".pdf", ".html")}


@given(
    suffix=st.sampled_from((".docx", ".pdf", ".html")),
    place=st.floats(0, 1),
    change=st.binary(max_size=8),
    cut=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_read_or_unreadable(
    suffix: str, place: float, change: bytes, cut: bool, whole: dict[str, bytes], tmp_path: Path
) -> None:
    content = whole[suffix]
    at = int(place * len(content))
    file = tmp_path / f"a{suffix}"
    file.write_bytes(content[:at] + change + (b"" if cut else content[at + len(change) :]))
    with suppress(Unreadable):
        assert read(file, MOST).strip()


@given(content=st.binary(max_size=300), suffix=st.sampled_from(sorted(READERS)))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore")
def test_noise_is_read_or_unreadable(content: bytes, suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"a{suffix}"
    file.write_bytes(content)
    with suppress(Unreadable):
        assert read(file, MOST).strip()


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])).filter(str.strip))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_comes_back_as_it_was(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert read(tmp_path / "a.txt", MOST) == text.removeprefix("\ufeff")
