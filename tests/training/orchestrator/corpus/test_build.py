"""A build counts every file once, gives the same shards again, and goes on where it was cut off."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.training.orchestrator.corpus.samples import PROSE, paragraph, write_docx, write_pdf
from training.orchestrator.corpus.build import GATHERED, REPORT, CorpusConfig, build
from training.orchestrator.corpus.document import read
from training.orchestrator.corpus.errors import CorpusError
from training.orchestrator.corpus.report import Report


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of the domain and general ones, good and bad."""
    folder = tmp_path_factory.mktemp("library")
    for name in ("domain/deep", "general", "domain/.hidden"):
        (folder / name).mkdir(parents=True)
    write_docx(folder / "domain" / "a.docx", [("Heading 1", "Scope"), ("Normal", paragraph(1))])
    write_pdf(folder / "domain" / "b.pdf", [[paragraph(2)]])
    (folder / "domain" / "deep" / "c.html").write_text(f"<p>{paragraph(3)}</p>")
    (folder / "domain" / "copy.md").write_text(f"{paragraph(3)}\n")
    (folder / "domain" / "cut.docx").write_bytes((folder / "domain" / "a.docx").read_bytes()[:-99])
    (folder / "domain" / "short.txt").write_text("Too little.")
    (folder / "domain" / ".hidden" / "d.txt").write_text(PROSE)
    for number in range(6):
        (folder / "general" / f"{number}.txt").write_text(paragraph(100 + number))
    return folder


def config(library: Path, out: Path, **more: object) -> CorpusConfig:
    return CorpusConfig(
        out=out,
        domain=(library / "domain",),
        general=(library / "general",),
        own=False,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def built(library: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    out = tmp_path_factory.mktemp("built") / "corpus"
    return out, build(config(library, out, domain_share=0.5, shard_bytes=1_500))


def test_every_file_is_counted_once(library: Path, built: tuple[Path, Report]) -> None:
    domain, general = built[1].sources.values()
    assert (domain.files, domain.kept.documents) == (6, 3)
    assert {reason: amount.documents for reason, amount in domain.dropped.items()} == {
        "duplicate": 1,
        "broken file": 1,
        "short": 1,
    }
    assert (general.files, general.kept.documents, general.dropped) == (6, 6, {})
    assert domain.characters_read >= domain.kept.characters > 0


def test_shards_hold_what_the_report_says(library: Path, built: tuple[Path, Report]) -> None:
    out, report = built
    documents = list(read(out))
    assert len(report.shards) > 1
    for name, digest in report.shards.items():
        content = (out / name).read_bytes()
        assert sha256(content).hexdigest() == digest
        assert len(content) <= 1_500
    for kind, amount in report.mix.items():
        texts = [document.text for document in documents if document.kind == kind]
        assert (amount.documents, amount.characters) == (len(texts), sum(map(len, texts)))
    assert report.domain_share_reached == pytest.approx(0.5, abs=0.1)
    assert {document.source.rpartition("/")[2] for document in documents} >= {"a.docx", "b.pdf", "copy.md"}
    assert Report.of_json((out / REPORT).read_text()) == report
    assert all(name in report.table() for name in ("general", "50.0% asked"))


def test_the_same_again_is_the_same(library: Path, built: tuple[Path, Report], tmp_path: Path) -> None:
    asked = config(library, tmp_path, domain_share=0.5, shard_bytes=1_500)
    assert build(asked) == built[1]
    for name in built[1].shards:
        assert (tmp_path / name).read_bytes() == (built[0] / name).read_bytes()


def test_a_build_that_is_done_is_not_done_again(
    library: Path, built: tuple[Path, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.orchestrator.corpus.build.gather", None)
    assert build(config(library, built[0], domain_share=0.5, shard_bytes=1_500)) == built[1]


def test_damaged_shards_are_written_again(library: Path, built: tuple[Path, Report]) -> None:
    first = built[0] / next(iter(built[1].shards))
    content = first.read_bytes()
    first.write_bytes(content[:-5])
    assert build(config(library, built[0], domain_share=0.5, shard_bytes=1_500)) == built[1]
    assert first.read_bytes() == content


@given(at=st.floats(0, 1))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_build_that_was_cut_off_anywhere_goes_on(
    at: float, library: Path, built: tuple[Path, Report], tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("cut")
    content = (built[0] / GATHERED).read_bytes()
    header = content.index(b"\n") + 1
    (out / GATHERED).write_bytes(content[: header + round(at * (len(content) - header))])
    assert build(config(library, out, domain_share=0.5, shard_bytes=1_500)) == built[1]
    assert (out / GATHERED).read_bytes() == content


def test_an_interrupted_build_does_not_read_files_again(library: Path, tmp_path: Path) -> None:
    told: list[int] = []

    def interrupt(source: str, done: int, total: int) -> None:
        told.append(done)
        if len(told) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(config(library, tmp_path), interrupt)
    told.clear()
    told.extend([0] * 4)
    build(config(library, tmp_path), interrupt)
    assert told[4] == 3


def test_a_folder_of_another_build_is_refused(library: Path, built: tuple[Path, Report]) -> None:
    with pytest.raises(CorpusError, match="another folder"):
        build(config(library, built[0], seed=2))


def test_an_empty_corpus_has_a_report(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    empty = (tmp_path / "nothing",)
    report = build(CorpusConfig(out=tmp_path / "out", domain=empty, general=empty[:0], own=False, most_passes=0.0))
    assert report.mix["domain"].documents == 0


@pytest.mark.parametrize(
    "wrong",
    [{"domain_share": 0.0}, {"domain_share": 1.1}, {"most_passes": -1.0}, {"similarity": 0.2}, {"facts": -1}],
)
def test_values_that_cannot_be_are_refused(wrong: dict[str, float], library: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=next(iter(wrong))):
        config(library, tmp_path, **wrong)


def test_a_source_must_be_there_and_be_given_once(library: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is not there"):
        build(CorpusConfig(out=tmp_path, domain=(tmp_path / "nowhere",), own=False))
    with pytest.raises(CorpusError, match="twice"):
        build(CorpusConfig(out=tmp_path, domain=(library,), general=(library,), own=False))


@pytest.mark.slow
def test_our_own_texts_pass_our_own_filters(tmp_path: Path) -> None:
    report = build(CorpusConfig(out=tmp_path, facts=80))
    assert list(report.sources) == ["primers", "toolkit", "facts", "plans", "general"]
    for source in report.sources.values():
        assert source.kept.documents >= 8
        assert source.dropped == {}
    assert json.loads((tmp_path / REPORT).read_text())["domain_share_reached"] > 0.6
