"""Errors of ray-traced sites.

SiteError (a ValueError)   a site that cannot be read or traced: says what is wrong and what to do about it
"""


class SiteError(ValueError):
    """A site that cannot be read or traced."""
