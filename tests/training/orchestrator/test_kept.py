"""What is appended is read again, whatever a crash left between."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from training.orchestrator import kept

OBJECTS = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text())


@given(told=st.lists(OBJECTS, max_size=5), rest=st.binary(max_size=30))
def test_objects_come_back_after_any_rest(told: list[dict[str, object]], rest: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "new" / "kept.jsonl"
        assert list(kept.read(path)) == []
        for each in told[:2]:
            kept.append(path, each)
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as stream:
            # The beginning of a line that was cut off, not a whole one.
            stream.write(b'{"cut": "' + rest.replace(b"\n", b"").replace(b'"', b""))
        for each in told[2:]:
            kept.append(path, each)
        assert list(kept.read(path)) == told


def test_what_is_no_object_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_bytes(b'3\n"a"\n[1]\n\n{"a": 1}\n\xff\n')
    assert list(kept.read(path)) == [{"a": 1}]
