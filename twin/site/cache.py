"""Site maps that were traced before, in files named after their configs' digests.

They lie below $XDG_CACHE_HOME/ranloop/sites (or ~/.cache/ranloop/sites) and may be deleted at any time.
"""

import os
from pathlib import Path

from twin.site import tracer
from twin.site.config import SiteConfig
from twin.site.errors import SiteError
from twin.site.site_map import SiteMap
from twin.site.tracer import Progress


def folder() -> Path:
    """Where maps are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ranloop" / "sites"


def kept(config: SiteConfig) -> SiteMap | None:
    """The map of a config if it was traced before; None too when its file is damaged or is of something else."""
    digest = config.digest()
    try:
        found = SiteMap.load(folder() / f"{digest}.npz")
    except SiteError:
        return None
    return found if found.digest == digest else None


def site_map(config: SiteConfig, progress: Progress = lambda done, of: None, *, fresh: bool = False) -> SiteMap:
    """The map of a config, kept or else (or when it is to be fresh) traced and then kept.

    Raises and reports progress as `tracer.trace`.
    """
    found = None if fresh else kept(config)
    if found is not None:
        return found
    made = tracer.trace(config, progress)
    made.save(folder() / f"{made.digest}.npz")
    return made
