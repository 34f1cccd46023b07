"""Documents come back from JSON as they were, and an error names file and line."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.orchestrator.corpus.document import KINDS, Document, parse, read
from training.orchestrator.corpus.errors import CorpusError

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: bool(text.strip()))
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.builds(Document, text=TEXTS, source=TEXTS, kind=st.sampled_from(KINDS)))
def test_a_document_comes_back(document: Document) -> None:
    assert parse(document.to_json()) == document
    assert "\n" not in document.to_json()


@given(JSON)
def test_whatever_is_read_is_a_document_or_an_error(told: object) -> None:
    for line in (json.dumps(told), json.dumps({"text": told, "source": "a", "kind": told})):
        with suppress(CorpusError):
            assert isinstance(parse(line), Document)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[]", "no document"),
        ('{"text": "a"}', "text, source and kind"),
        ('{"text": " ", "source": "a", "kind": "domain"}', "text is missing or empty"),
        ('{"text": "a", "source": 3, "kind": "domain"}', "source is missing or empty"),
        ('{"text": "\\ud800", "source": "a", "kind": "domain"}', "half a surrogate"),
        ('{"text": "a", "source": "a", "kind": "other"}', "kind is 'other'"),
    ],
)
def test_an_error_names_file_line_and_field(line: str, message: str, tmp_path: Path) -> None:
    good = Document(text="a", source="b", kind="domain").to_json()
    (tmp_path / "shard-00000.jsonl").write_text(f"{good}\n{line}\n")
    with pytest.raises(CorpusError, match=r"shard-00000\.jsonl, line 2: ") as caught:
        list(read(tmp_path))
    assert message in str(caught.value)


def test_a_folder_without_a_corpus_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="corpus build"):
        list(read(tmp_path))
