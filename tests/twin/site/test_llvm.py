"""Which libLLVM is taken: never one that would end the process, and a clear word when there is none."""

import os
from pathlib import Path

import pytest

from twin.site import llvm
from twin.site.errors import SiteError


@pytest.fixture(autouse=True)
def _no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(llvm.VARIABLE, "")  # so that it is put back
    monkeypatch.delenv("CONDA_PREFIX", raising=False)


def libraries(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("libLLVM-15.so.1", 15),
        ("libLLVM-19.so", 19),
        ("libLLVM.so.19.1", 19),
        ("libLLVM.so.20", 20),
        ("libLLVM.so", None),
    ],
)
def test_versions_are_told_by_name(tmp_path: Path, name: str, version: int | None) -> None:
    assert llvm.version(libraries(tmp_path, name) / name) == version
    assert llvm.version(tmp_path / "missing.so") is None


def test_a_links_target_tells_its_version(tmp_path: Path) -> None:
    libraries(tmp_path, "libLLVM.so.18.1")
    (tmp_path / "libLLVM.so").symlink_to("libLLVM.so.18.1")
    assert llvm.version(tmp_path / "libLLVM.so") == 18


def test_the_known_version_comes_first_and_old_ones_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = libraries(tmp_path / "lib", "libLLVM-15.so.1", "libLLVM-20.so", "libLLVM-19.so", "libLLVM-17.so")
    monkeypatch.setattr(llvm, "_FOLDERS", (str(folder),))
    monkeypatch.setattr(llvm.ctypes.util, "find_library", lambda name: None)
    for expected in ("libLLVM-19.so", "libLLVM-20.so", "libLLVM-17.so"):
        monkeypatch.setenv(llvm.VARIABLE, "")
        assert llvm.choose().name == expected
        assert os.environ[llvm.VARIABLE] == str(folder / expected)
        assert llvm.choose().name == expected, "what was chosen stays"
        (folder / expected).unlink()
    monkeypatch.setenv(llvm.VARIABLE, "")
    with pytest.raises(SiteError, match="apt install libllvm19"):
        llvm.choose()


@pytest.mark.parametrize(
    ("name", "reason"), [("libLLVM-15.so", "is version 15"), ("other.so", "cannot be loaded")]
)
def test_a_wrong_variable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    monkeypatch.setenv(llvm.VARIABLE, str(libraries(tmp_path, name) / name))
    with pytest.raises(SiteError, match=f"{reason}.*unset the variable"):
        llvm.choose()
