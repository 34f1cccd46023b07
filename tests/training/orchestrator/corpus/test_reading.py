"""Files are read in processes: one that hangs, dies or fills the memory costs one file."""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training.orchestrator.corpus.samples import PROSE, paragraph
from training.orchestrator.corpus.errors import CorpusError
from training.orchestrator.corpus.preparing import Preparation, of_file
from training.orchestrator.corpus.reading import Reading, prepared


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / "good.txt").write_text(PROSE)
    return tmp_path / "good.txt"


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    """Who opens a pipe waits for somebody who writes into it."""
    os.mkfifo(tmp_path / "pipe.txt")
    return tmp_path / "pipe.txt"


def test_files_come_in_their_order(tmp_path: Path) -> None:
    files = []
    for number in range(9):
        files.append(tmp_path / f"{number}.txt")
        files[-1].write_text(paragraph(number))
    how = Reading(workers=3)
    assert list(prepared(files, how)) == [of_file(file, how.preparation) for file in files]


def test_a_file_that_hangs_costs_one_file(good: Path, hanging: Path) -> None:
    found = list(prepared([good, hanging, good], Reading(timeout_s=1.0)))
    assert [one.dropped for one in found] == [{}, {"too slow": (1, 0)}, {}]
    assert found[2].texts == (PROSE,)


def test_a_reader_that_dies_costs_one_file(good: Path, hanging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def recorded(*arguments: object, **options: object) -> "subprocess.Popen[bytes]":
        started.append(popen(*arguments, **options))  # type: ignore[call-overload]
        return started[-1]

    def files() -> Iterator[Path]:
        yield good
        yield hanging
        threading.Timer(1.0, started[0].kill).start()
        yield good

    monkeypatch.setattr(subprocess, "Popen", recorded)
    found = list(prepared(files(), Reading()))
    assert [one.dropped for one in found] == [{}, {"reader died": (1, 0)}, {}]
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)


def test_a_file_that_fills_the_memory_costs_one_file(good: Path, tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(240 * 2**20)
    how = Reading(memory_byte=2**28, preparation=Preparation(most_bytes=2**30))
    found = list(prepared([tmp_path / "huge.txt", good], how))
    assert [one.dropped for one in found] == [{"too much memory": (1, 0)}, {}]


def test_who_stops_asking_leaves_no_process(good: Path, hanging: Path) -> None:
    # Other tests of this process may have left threads of libraries.
    before = threading.active_count()
    asked = prepared([good, hanging, hanging], Reading(workers=2))
    assert next(asked).texts == (PROSE,)
    asked.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"timeout_s": 0.0}, {"memory_byte": 1}])
def test_values_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(CorpusError, match=next(iter(wrong))):
        Reading(**wrong)  # type: ignore[arg-type]
