"""`ranloop corpus build` makes a corpus of one's own documents and says what became of them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ranloop.cli import app
from ranloop.errors import RanloopError
from tests.training.orchestrator.corpus.samples import paragraph
from training.orchestrator.corpus.document import read


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "good.txt").write_text(paragraph(1))
    (tmp_path / "documents" / "bad.pdf").write_bytes(b"%PDF-1.4 and nothing else")
    return tmp_path / "documents"


def built(*arguments: str) -> str:
    return CliRunner().invoke(app, ["corpus", "build", *arguments], catch_exceptions=False).stdout


def test_json_is_the_report_in_one_line(documents: Path, tmp_path: Path) -> None:
    asked = ("--domain", str(documents), "--no-own", "--out", str(tmp_path / "out"))
    printed = built(*asked, "--json")
    assert printed.count("\n") == 1
    found = json.loads(printed)
    assert found["sources"][str(documents)]["dropped"] == {"broken file": {"documents": 1, "characters": 0}}
    assert found["mix"]["domain"]["documents"] == 1
    assert paragraph(1) in {document.text for document in read(tmp_path / "out")}
    assert "1 broken file" in built(*asked)


def test_what_cannot_be_built_is_said(documents: Path, tmp_path: Path) -> None:
    with pytest.raises(RanloopError, match="is not there"):
        built("--domain", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out"))
    with pytest.raises(RanloopError, match="domain_share"):
        built("--domain-share", "0", "--out", str(tmp_path / "out"))
