"""Kept: what was found out once, as JSON objects in a file, one a line, so that it need not be found again."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def read(path: Path) -> Iterator[dict[str, object]]:
    """The objects of a file, if there is one; a line that was cut off by a crash is skipped."""
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            yield told


def append(path: Path, told: Mapping[str, object]) -> None:
    """Add an object; processes may share the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A line of its own even after one that was cut off; one write, so that lines of processes do not mix.
    line = f"\n{json.dumps(told)}\n".encode()
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line)
    finally:
        os.close(file)
