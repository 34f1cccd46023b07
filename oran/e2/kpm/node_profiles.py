"""Which dialect each node speaks: as configured, or as its indications show.

No dialect says its name: FlexRIC's nodes offer the same short name, OID and description as srsRAN's. But a report
that is read in the wrong dialect does not end where its octets end, so the first report that only one dialect
takes in tells. A subscription is sent before the first report, hence a node's dialect is best configured.
"""

from collections.abc import Mapping

from oran.e2.errors import DecodeError
from oran.e2.kpm.codec import decode_indication_message
from oran.e2.kpm.messages import IndicationMessage
from oran.e2.kpm.profile import PROFILES, STANDARD, NodeProfile


def recognise(data: bytes) -> NodeProfile | None:
    """The one dialect in which `data` is an indication message; None when none or several take it in."""
    fitting = [profile for profile in PROFILES.values() if _decodes(data, profile)]
    return fitting[0] if len(fitting) == 1 else None


def _decodes(data: bytes, profile: NodeProfile) -> bool:
    try:
        decode_indication_message(data, profile)
    except DecodeError:
        return False
    return True


class NodeProfiles:
    """The dialects of nodes by the nodes' names; what is configured is never overruled."""

    def __init__(self, configured: Mapping[str, NodeProfile] | None = None) -> None:
        self.configured = dict(configured or {})
        self.learnt: dict[str, NodeProfile] = {}

    def of(self, node: str) -> NodeProfile:
        """The dialect of a node; the standard while nothing is known."""
        return self.configured.get(node) or self.learnt.get(node, STANDARD)

    def forget(self, node: str) -> None:
        """Drop what was learnt of a node, as when it sets up anew."""
        self.learnt.pop(node, None)

    def decode_indication_message(self, node: str, data: bytes) -> IndicationMessage:
        """Decode a node's indication message, learning its dialect; DecodeError when no dialect fits.

        A node keeps its dialect until a message comes that only another one takes in.
        """
        profile = self.of(node)
        if node in self.configured:
            return decode_indication_message(data, profile)
        if node in self.learnt:
            try:
                return decode_indication_message(data, profile)
            except DecodeError:
                pass
        fitting = recognise(data)
        if fitting is not None:
            self.learnt[node] = profile = fitting
        return decode_indication_message(data, profile)
