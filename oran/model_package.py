"""Model package: what a shipped model is, and the check that it is still what was shipped.

A folder with `manifest.json` and the files that it names (ONNX or safetensors). The manifest says what the model
takes and gives, how it was made and how good it is; the digests of all files stand in it, and a folder that
departs from them in any way is refused. Nothing in a package is ever executed by reading it.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
SCHEMA = 1
MOST_MANIFEST_OCTETS = 1 << 20
MOST_FILE_OCTETS = 256 * 2**20
"""Larger files are not loaded: an LLM of 64 M parameters in float32 fits."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

Config = Mapping[str, str | int | float | bool | None]


class PackageError(ValueError):
    """A model package that is not to be used; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of merit and its 95 % interval."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if (
            not all(map(math.isfinite, (self.value, self.low, self.high)))
            or not self.low <= self.value <= self.high
        ):
            raise PackageError(f"metric {self.value} with interval {self.low}..{self.high} is none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a package says of itself; `inputs` and `outputs` tell shapes and units in words."""

    name: str
    version: str
    kind: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by file name, in hexadecimal."""
    training: Config = field(default_factory=dict)
    """Configuration of the training, as flat values."""
    commit: str = ""
    """The commit that it was trained at."""
    twin_version: str = ""
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise PackageError(f"manifest schema {self.schema} is not known; {SCHEMA} is")
        for name in ("name", "kind"):
            if not _NAME.fullmatch(getattr(self, name)):
                raise PackageError(f"{name} is {getattr(self, name)!r:.60}; letters, digits, '.', '_' and '-' fit")
        for file, digest in self.files.items():
            if not _NAME.fullmatch(file) or file == MANIFEST:
                raise PackageError(f"file {file!r:.60} is no name of a file in the package's own folder")
            if not _DIGEST.fullmatch(digest):
                raise PackageError(f"digest of {file} is no SHA-256")

    @classmethod
    def parse(cls, text: str) -> "Manifest":
        """Read a manifest's JSON text; PackageError says what is wrong with it."""
        try:
            raw: dict[str, Any] = json.loads(text, parse_constant=_refuse)
            metrics = {
                str(name): Metric(**{k: float(v) for k, v in item.items()})
                for name, item in raw["metrics"].items()
            }
            return cls(
                name=_text(raw["name"]),
                version=_text(raw["version"]),
                kind=_text(raw["kind"]),
                inputs=_texts(raw["inputs"]),
                outputs=_texts(raw["outputs"]),
                files=_texts(raw["files"]),
                training=dict(raw["training"]),
                commit=_text(raw["commit"]),
                twin_version=_text(raw["twin_version"]),
                metrics=metrics,
                schema=int(raw["schema"]),
            )
        except PackageError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            raise PackageError(f"the manifest cannot be read: {error!r:.200}") from None


def write(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
    """Write a package into a folder, which is made or must be empty; the manifest with its digests."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise PackageError(f"{folder} is not empty")
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    complete = Manifest(**{**_fields(manifest), "files": digests})
    for name, data in files.items():
        if len(data) > MOST_FILE_OCTETS:
            raise PackageError(f"{name} has {len(data)} octets; a package's file has at most {MOST_FILE_OCTETS}")
        (folder / name).write_bytes(data)
    (folder / MANIFEST).write_text(
        json.dumps(asdict(complete), indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    return complete


def load(folder: Path, *, kind: str | None = None) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and the files of a package, verified; PackageError where it is not what was shipped.

    Files that the manifest does not name, links and folders are refused too: nothing may hide in a package.
    """
    try:
        path = folder / MANIFEST
        if path.is_symlink() or path.stat().st_size > MOST_MANIFEST_OCTETS:
            raise PackageError(f"{path} is a link or larger than {MOST_MANIFEST_OCTETS} octets")
        manifest = Manifest.parse(path.read_text(encoding="utf-8"))
        if kind is not None and manifest.kind != kind:
            raise PackageError(f"{folder} holds a {manifest.kind}; a {kind} is wanted")
        found = {item.name for item in folder.iterdir()} - {MANIFEST}
        if found != set(manifest.files):
            odd = ", ".join(sorted(found ^ set(manifest.files)))
            raise PackageError(f"{folder} and its manifest differ in: {odd:.200}")
        files = {name: _verified(folder / name, digest) for name, digest in manifest.files.items()}
    except (OSError, UnicodeDecodeError) as error:
        raise PackageError(f"{folder} cannot be read: {error}") from error
    return manifest, files


def _verified(path: Path, digest: str) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise PackageError(f"{path} is not a plain file")
    if path.stat().st_size > MOST_FILE_OCTETS:
        raise PackageError(f"{path} is larger than {MOST_FILE_OCTETS} octets")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise PackageError(f"{path} is not what was shipped: its SHA-256 differs from the manifest's")
    return data


def _fields(manifest: Manifest) -> dict[str, Any]:
    return {name: getattr(manifest, name) for name in Manifest.__dataclass_fields__}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise PackageError(f"{value!r:.60} is no text")
    return value


def _texts(value: Mapping[str, object]) -> dict[str, str]:
    return {_text(name): _text(item) for name, item in value.items()}


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
