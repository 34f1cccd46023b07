"""Hypothesis without deadlines, since tests measure no time and machines are noisy; one thread for each worker."""

import os

from hypothesis import settings

# The tests run side by side: more threads each would only get into each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("ranloop", deadline=None)
settings.load_profile("ranloop")
