"""Site maps that were traced before, in files named after their configs' digests.

They lie below $XDG_CACHE_HOME/ranloop/sites (or ~/.cache/ranloop/sites) and may be deleted at any time.
"""

import os
from collections.abc import Callable
from pathlib import Path

from twin.site.config import SiteConfig
from twin.site.errors import SiteError
from twin.site.site_map import SiteMap


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


def forget(config: SiteConfig) -> None:
    """Delete the kept map of a config, if there is one."""
    (folder() / f"{config.digest()}.npz").unlink(missing_ok=True)


def site_map(config: SiteConfig, progress: Callable[[int, int], None] = lambda done, of: None) -> SiteMap:
    """The map of a config, kept or else traced and kept; raises and reports progress as `tracer.trace`."""
    found = kept(config)
    if found is not None:
        return found
    from twin.site.tracer import trace

    made = trace(config, progress)
    made.save(folder() / f"{made.digest}.npz")
    return made
