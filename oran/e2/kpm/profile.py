"""What a node's KPM dialect is.

FlexRIC, and the nodes built on it, generate their codec from an ASN.1 whose extension markers were moved to
the end, so that what the standard codes as an extension is part of the root there: indication message format
3, action definition formats 4 and 5, five test condition types, bin ranges and UE matches per period.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeProfile:
    """A dialect of E2SM-KPM; `extensions_in_root` is FlexRIC's reading of the extension markers."""

    name: str
    extensions_in_root: bool = False


STANDARD = NodeProfile("standard")
"""E2SM-KPM v2.03 to v4 as published (OSC, srsRAN, ONOS)."""

FLEXRIC = NodeProfile("flexric", extensions_in_root=True)
"""FlexRIC, OpenAirInterface and ns-O-RAN."""

PROFILES = {profile.name: profile for profile in (STANDARD, FLEXRIC)}
"""The profiles by the names that configuration files use."""
