"""Hypothesis without deadlines: tests measure no time, and machines are noisy."""

from hypothesis import settings

settings.register_profile("ranloop", deadline=None)
settings.load_profile("ranloop")
