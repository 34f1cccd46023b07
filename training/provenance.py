"""Provenance: what a trained model was made with."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def commit() -> str:
    """The commit of the code that runs; empty outside a checkout."""
    here = Path(__file__).parent
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
    return head.stdout.strip()


def twin_version() -> str:
    """The version of the twin; empty where Ranloop is not installed."""
    try:
        return version("ranloop")
    except PackageNotFoundError:
        return ""
