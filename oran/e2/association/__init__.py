"""The E2 transport behind one interface: SCTP where the kernel has it, SEQPACKET or framed TCP where not."""

from oran.e2.association.address import Address, best_address, sctp_available
from oran.e2.association.base import MAX_MESSAGE, Association
from oran.e2.association.endpoint import Server, connect, listen

__all__ = [
    "MAX_MESSAGE",
    "Address",
    "Association",
    "Server",
    "best_address",
    "connect",
    "listen",
    "sctp_available",
]
