import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran import model_package
from oran.model_package import MANIFEST, Manifest, Metric, PackageError, load, write

PLAIN = Manifest(
    name="deeprx",
    version="1.0.0",
    kind="receiver",
    inputs={"grid": "float32 [n, c, 14, 12]"},
    outputs={"llr": "float32"},
    training={"steps": 10, "lr": 1e-3},
    commit="abc",
    twin_version="0.1.0",
    metrics={"gain_db": Metric(1.0, 0.5, 1.5)},
)
FILES = {"model.safetensors": b"\x00" * 100, "readme.txt": b"hello"}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    write(tmp_path / "p", PLAIN, FILES)
    return tmp_path / "p"


def test_a_package_comes_back(package: Path) -> None:
    manifest, files = load(package, kind="receiver")
    assert files == FILES
    assert manifest.metrics == PLAIN.metrics
    assert manifest.training == PLAIN.training
    assert set(manifest.files) == set(FILES)


def test_a_changed_missing_or_added_file_is_refused(package: Path) -> None:
    (package / "readme.txt").write_bytes(b"hellO")
    with pytest.raises(PackageError, match="SHA-256"):
        load(package)
    (package / "readme.txt").unlink()
    with pytest.raises(PackageError, match=r"readme\.txt"):
        load(package)
    (package / "readme.txt").write_bytes(b"hello")
    load(package)
    (package / "extra.py").write_text("print()")
    with pytest.raises(PackageError, match=r"extra\.py"):
        load(package)


def test_links_folders_and_large_files_are_refused(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(FILES["readme.txt"])
    (package / "readme.txt").unlink()
    (package / "readme.txt").symlink_to(target)
    with pytest.raises(PackageError, match="plain file"):
        load(package)
    (package / "readme.txt").unlink()
    (package / "readme.txt").mkdir()
    with pytest.raises(PackageError, match="plain file"):
        load(package)
    write(tmp_path / "large", PLAIN, {"a": b"\0" * 2000})
    monkeypatch.setattr(model_package, "MOST_FILE_OCTETS", 1999)
    with pytest.raises(PackageError, match="larger than 1999"):
        load(tmp_path / "large")
    with pytest.raises(PackageError, match="at most 1999"):
        write(tmp_path / "larger", PLAIN, {"a": b"\0" * 2000})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", 2),
        ("name", "../x"),
        ("kind", ""),
        ("files", {"../x": "0" * 64}),
        ("files", {"a": "short"}),
        ("files", {MANIFEST: "0" * 64}),
        ("metrics", {"a": {"value": 2.0, "low": 3.0, "high": 4.0}}),
        ("metrics", {"a": {"value": "x", "low": 3.0, "high": 4.0}}),
        ("inputs", ["x"]),
        ("version", 1),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(package: Path, field: str, value: object) -> None:
    path = package / MANIFEST
    raw = json.loads(path.read_text())
    raw[field] = value
    path.write_text(json.dumps(raw))
    with pytest.raises(PackageError):
        load(package)


def test_every_cut_of_a_manifest_and_nan_are_refused(package: Path) -> None:
    text = (package / MANIFEST).read_text().rstrip()
    for stop in range(len(text)):
        with pytest.raises(PackageError):
            Manifest.parse(text[:stop])
    with pytest.raises(PackageError):
        Manifest.parse(text.replace("1.5", "NaN"))


def test_a_package_of_another_kind_or_none_at_all_is_refused(package: Path, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="is wanted"):
        load(package, kind="actor")
    with pytest.raises(PackageError, match="cannot be read"):
        load(tmp_path / "nothing")
    with pytest.raises(PackageError, match="not empty"):
        write(package, PLAIN, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.one_of(
        st.text(),
        JSON.map(json.dumps),
        st.dictionaries(st.sampled_from(list(Manifest.__dataclass_fields__)), JSON).map(json.dumps),
    )
)
def test_any_text_is_a_manifest_or_a_clean_refusal(text: str) -> None:
    with contextlib.suppress(PackageError):
        Manifest.parse(text)
