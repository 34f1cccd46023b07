"""What operators want, and how they say so."""

import hashlib
from pathlib import Path

import training.slicing

WORDINGS = Path(training.slicing.__file__).parent / "wordings"
HELD_OUT = {
    "heldout": "c328e6b6e9a12a186ba09ab2ac01bd8225c0e52a386b37eaa706f53c24ca290c",
    "languages": "fc2e0ae79ffadfbbb49fb440b58eb08419fed9e54b90ab2a66ae3d9d93876ae2",
}
"""What was committed before anything was trained."""


def test_held_out_wordings_are_those_committed_before_training() -> None:
    for name, digest in HELD_OUT.items():
        assert hashlib.sha256((WORDINGS / f"{name}.yaml").read_bytes()).hexdigest() == digest
