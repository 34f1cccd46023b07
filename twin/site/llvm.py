"""The LLVM that the ray tracer compiles its kernels with on a CPU: found and checked before anything loads it.

Dr.Jit takes the first libLLVM that it meets, and some versions end the process instead of raising. So we choose.
"""

import ctypes
import ctypes.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

from twin.site.errors import SiteError

VARIABLE = "DRJIT_LIBLLVM_PATH"
"""What tells Dr.Jit which library to load."""
LEAST_VERSION = 17
_PREFERRED = 19
_FOLDERS = (
    "/usr/lib/*-linux-gnu",
    "/usr/lib/llvm-*/lib",
    "/usr/lib64",
    "/usr/lib64/llvm*/lib",
    "/usr/lib",
    "/usr/local/lib",
    "/opt/homebrew/opt/llvm*/lib",
    "/usr/local/opt/llvm*/lib",
)
_ADVICE = "install version 19 (Debian, Ubuntu: apt install libllvm19)"


def choose() -> Path:
    """The libLLVM to use, with the variable set to it; SiteError, saying what to install, when there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        found = version(Path(named))
        if found is None or found < LEAST_VERSION:
            what = "cannot be loaded" if found is None else f"is version {found}"
            raise SiteError(
                f"{VARIABLE} is {named}, which {what}; the ray tracer needs LLVM {LEAST_VERSION} or newer: "
                f"{_ADVICE}, then name its libLLVM or unset the variable"
            )
        return Path(named)
    versions = {path: found for path in _candidates() if (found := version(path)) and found >= LEAST_VERSION}
    if not versions:
        raise SiteError(
            f"no libLLVM of version {LEAST_VERSION} or newer was found, which the ray tracer needs on a CPU; "
            f"{_ADVICE}, or set {VARIABLE} to the library"
        )
    # The version that is known to work, else the newest.
    chosen = max(versions, key=lambda path: (versions[path] == _PREFERRED, versions[path]))
    os.environ[VARIABLE] = str(chosen)
    return chosen


def version(path: Path) -> int | None:
    """The major version of a libLLVM, by its name or else by asking it; None for what is no LLVM."""
    if not path.is_file():
        return None
    for name in (path.name, path.resolve().name):
        match = re.search(r"LLVM(?:\.so\.|-|\.)(\d+)", name)
        if match:
            return int(match.group(1))
    try:
        ask = ctypes.CDLL(str(path)).LLVMGetVersion
    except (OSError, AttributeError):  # what cannot tell is older than 16
        return None
    numbers = [ctypes.c_uint() for _ in range(3)]
    ask(*map(ctypes.byref, numbers))
    return numbers[0].value


def _candidates() -> Iterator[Path]:
    folders = list(_FOLDERS)
    if "CONDA_PREFIX" in os.environ:
        folders.insert(0, f"{os.environ['CONDA_PREFIX']}/lib")
    for folder in folders:
        for place in sorted(Path("/").glob(folder.lstrip("/"))):
            yield from sorted(place.glob("libLLVM*.so*"))
            yield from sorted(place.glob("libLLVM*.dylib"))
    for name in (f"LLVM-{_PREFERRED}", "LLVM"):
        found = ctypes.util.find_library(name)
        if found and Path(found).is_absolute():
            yield Path(found)
