"""Addresses of E2 endpoints, as URLs."""

import socket
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from oran.e2.errors import TransportError

IPPROTO_SCTP = 132
E2_PORT = 36_421
"""The port that IANA gave E2 (O-RAN.WG3.E2GAP)."""


@dataclass(frozen=True, slots=True)
class Address:
    """`sctp://host:port`, `tcp://host:port` or `unix:///path`."""

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read a URL; TransportError says what is wrong with it. The port defaults to 36421."""
        try:
            parts = urlsplit(url)
            port = E2_PORT if parts.port is None else parts.port
        except ValueError as error:
            raise TransportError(f"address {url!r}: {error}") from None
        if parts.scheme == "unix":
            if parts.netloc or not parts.path:
                raise TransportError(f"address {url!r}: expected unix:///path")
            return cls("unix", path=parts.path)
        if parts.scheme not in ("sctp", "tcp"):
            raise TransportError(f"address {url!r}: the scheme is sctp, tcp or unix")
        if not parts.hostname or parts.path not in ("", "/"):
            raise TransportError(f"address {url!r}: expected {parts.scheme}://host:port")
        return cls(parts.scheme, parts.hostname, port)

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@cache
def sctp_available() -> bool:
    """Whether this kernel has SCTP sockets."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP).close()
    except OSError:
        return False
    return True


def best_address(host: str, port: int = E2_PORT) -> str:
    """The URL to use for a host: SCTP where this kernel has it, else framed TCP."""
    return str(Address("sctp" if sctp_available() else "tcp", host, port))
