"""Hypothesis without deadlines, since tests measure no time and machines are noisy; one thread for each worker."""

import os

import pytest
from hypothesis import settings

# The tests run side by side: more threads each would only get into each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("ranloop", deadline=None)
settings.load_profile("ranloop")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no worker is left with one when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
