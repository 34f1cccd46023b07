"""Messages to check codecs with: our own beside this file, and those of a shared folder where there is one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWN = Path(__file__).with_name("messages.json")
SHARED = Path(__file__).parents[4] / "shared" / "vectors" / "e2_messages.json"


@dataclass(frozen=True)
class Vector:
    name: str
    type: str
    data: bytes
    decoded: Any


def load(path: Path) -> list[Vector]:
    """The messages of a file; none where it is absent."""
    if not path.exists():
        return []
    return [
        Vector(item["name"], item["type"], bytes.fromhex(item["hex"]), item["decoded"])
        for item in json.loads(path.read_text())
    ]


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal, a whole REAL and its integer being one number, but not 1 and true."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right and isinstance(left, bool) == isinstance(right, bool)
