"""Hypothesis without a clock: how long an example takes depends on the machine, not on the codec."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
