"""The exceptions of the E2 nodes.

E2NodeError
  NodeConfigError   a setting is out of its range (also a ValueError)
  Refused           the node refuses what the RIC asks; carries the E2AP cause
    PolicyRefused   ... RRM policy ratios that cannot be put in force; carries the reason per slice
"""

from oran.e2.ccc.messages import Cause as CccCause
from oran.e2.e2ap.messages import Cause
from oran.slices import SNssai


class E2NodeError(Exception):
    """Anything that goes wrong in an E2 node of the twin."""


class NodeConfigError(E2NodeError, ValueError):
    """A setting is out of its range; the message names it, its value and the range."""


class Refused(E2NodeError):
    """The node refuses what the RIC asks."""

    def __init__(self, reason: str, cause: Cause) -> None:
        super().__init__(reason)
        self.cause = cause


class PolicyRefused(Refused):
    """RRM policy ratios cannot be put in force; `causes` tells for each slice why, as E2SM-CCC names it."""

    def __init__(self, reason: str, causes: dict[SNssai, CccCause]) -> None:
        super().__init__(reason, Cause("ricRequest", "control-failed-to-execute"))
        self.causes = causes
