"""Sharding: documents of a gathering copied into shards."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from training.orchestrator.corpus.document import SHARD, SHARDS
from training.orchestrator.corpus.gathering import Place


def write(folder: Path, gathered: Path, places: Iterable[Place], shard_bytes: int) -> dict[str, str]:
    """Write documents in their order; a shard ends before it exceeds `shard_bytes`. Gives the SHA-256 by name.

    Shards that were there are removed.
    """
    for old in folder.glob(SHARDS):
        old.unlink()
    digests: dict[str, str] = {}
    shard: list[bytes] = []
    size = 0
    with gathered.open("rb") as lines:
        for place in places:
            lines.seek(place.offset)
            line = lines.readline()
            if shard and size + len(line) > shard_bytes:
                _close(folder, shard, digests)
                shard, size = [], 0
            shard.append(line)
            size += len(line)
    if shard:
        _close(folder, shard, digests)
    return digests


def _close(folder: Path, shard: list[bytes], digests: dict[str, str]) -> None:
    name, content = SHARD.format(len(digests)), b"".join(shard)
    (folder / name).write_bytes(content)
    digests[name] = hashlib.sha256(content).hexdigest()
