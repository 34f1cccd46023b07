"""Endpoint names "host:port" as route tables and message headers carry them."""

import socket

from oran.rmr.errors import ConfigError

MAX_NAME_OCTETS = 63


def parse_address(text: str) -> tuple[str, int]:
    """Split "host:port" (IPv6 hosts in brackets); raises ConfigError unless both parts are usable."""
    host, separator, port_text = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    usable = separator and host and len(text) <= MAX_NAME_OCTETS and host.isascii() and host.isprintable()
    if not usable or any(character in host for character in " ,;|") or not _is_port(port_text):
        raise ConfigError(f"{text[:80]!r} is not host:port with a port from 1 to 65535")
    return host, int(port_text)


def is_address(text: str) -> bool:
    """Whether `parse_address` takes this text."""
    try:
        parse_address(text)
    except ConfigError:
        return False
    return True


def join_address(host: str, port: int) -> str:
    """Write "host:port", with brackets round an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_unspecified(host: str) -> bool:
    """Whether a bind address stands for all interfaces."""
    return host in ("", "0.0.0.0", "::")


def outward_ip() -> str:
    """The address this machine shows to others: that of its default route, else loopback. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536
