"""Settings of an RMR endpoint: by hand for embedded use, or from the environment as librmr reads it.

Environment (others of librmr's variables have no meaning here):

RMR_SEED_RT       file with a route table, read at start (again every minute when there is no route manager)
RMR_RTG_SVC       -1: no route manager; a port: listen there for tables; host[:port]: also ask there for one
RMR_CTL_PORT      port to listen on for route tables, default 4561
RMR_RTREQ_FREQ    seconds between two requests for a table, default 5
RMR_SRC_ID        host name to give as the source of messages, default this host's name
RMR_SRC_NAMEONLY  other than 0: give the name in place of the IP address too
RMR_BIND_IF       IP address to listen on, default 0.0.0.0
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from oran.rmr.address import parse_address
from oran.rmr.errors import ConfigError
from oran.rmr.frame import DEFAULT_MAX_FRAME_OCTETS, HEADER_OCTETS, PREFIX_OCTETS

DATA_PORT = 4560
CONTROL_PORT = 4561
ROUTE_MANAGER = "routemgr"


@dataclass(frozen=True, slots=True, kw_only=True)
class RmrConfig:
    """How an endpoint listens, names itself, finds routes and bounds what peers can cost it.

    `port` 0 takes a free one. `source_name` is the host name peers reply to; empty means the bind address, or
    this host's name when bound to all interfaces. `routes` is route-table text that is in force from the
    start, `seed_path` a file with the same; without a control port it is read again every `seed_period_s`
    (every `seed_retry_s` until it makes sense). `control_port` None means no listener for the route manager's
    pushes; `route_manager` "host:port" is asked for a table every `request_period_s` until one arrives.
    A message waits at most `send_queue_s` for a connection that is being made. A frame that has begun must be
    complete after `frame_timeout_s`. A peer whose machine acknowledges nothing for `silent_peer_s` counts as
    gone. Raises ConfigError for a value out of range.
    """

    port: int = 0
    bind_host: str = "127.0.0.1"
    source_name: str = ""
    source_name_only: bool = False
    routes: str = ""
    seed_path: Path | None = None
    seed_period_s: float = 60.0
    seed_retry_s: float = 1.0
    control_port: int | None = None
    route_manager: str = ""
    request_period_s: float = 5.0
    answer_health_checks: bool = True
    max_frame_octets: int = DEFAULT_MAX_FRAME_OCTETS
    frame_timeout_s: float = 10.0
    silent_peer_s: float = 15.0
    receive_queue_messages: int = 4096
    receive_queue_octets: int = 64 << 20
    send_queue_octets: int = 4 << 20
    send_queue_s: float = 2.0
    connect_timeout_s: float = 2.0
    backoff_min_s: float = 0.1
    backoff_max_s: float = 5.0
    max_connections: int = 1024
    max_peers: int = 1024

    def __post_init__(self) -> None:
        _check("port", self.port, 0, 65535)
        if self.control_port is not None:
            _check("control_port", self.control_port, 0, 65535)
        if self.route_manager:
            parse_address(self.route_manager)
            if self.control_port is None:
                raise ConfigError("route_manager needs a control_port to push the table to")
        if len(self.source_name) > 57 or ":" in self.source_name or not self.source_name.isascii():
            raise ConfigError(f"source_name {self.source_name!r} must be a host name of at most 57 characters")
        _check("max_frame_octets", self.max_frame_octets, PREFIX_OCTETS + HEADER_OCTETS, 1 << 30)
        _check("silent_peer_s", self.silent_peer_s, 1, 86_400)
        for name in ("receive_queue_messages", "max_connections", "max_peers"):
            _check(name, getattr(self, name), 1, 1 << 24)
        for name in ("receive_queue_octets", "send_queue_octets"):
            _check(name, getattr(self, name), self.max_frame_octets, 1 << 40)
        for name in (
            "seed_period_s",
            "seed_retry_s",
            "request_period_s",
            "frame_timeout_s",
            "send_queue_s",
            "connect_timeout_s",
        ):
            _check(name, getattr(self, name), 0.001, 86_400)
        _check("backoff_min_s", self.backoff_min_s, 0.001, 3600)
        _check("backoff_max_s", self.backoff_max_s, self.backoff_min_s, 3600)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, *, port: int = DATA_PORT) -> Self:
        """Read the environment as librmr does; raises ConfigError naming the variable that makes no sense."""
        control_port, route_manager = _route_service(environ)
        seed = environ.get("RMR_SEED_RT", "")
        return cls(
            port=port,
            bind_host=environ.get("RMR_BIND_IF") or "0.0.0.0",
            source_name=environ.get("RMR_SRC_ID", "").partition(":")[0],  # librmr cuts a port off too
            source_name_only=environ.get("RMR_SRC_NAMEONLY", "0") not in ("", "0"),
            seed_path=Path(seed) if seed else None,
            control_port=control_port,
            route_manager=route_manager,
            request_period_s=float(_number(environ, "RMR_RTREQ_FREQ", 5, 1, 86_400)),
        )


def _route_service(environ: Mapping[str, str]) -> tuple[int | None, str]:
    """The control port and the route manager to ask, from RMR_RTG_SVC and RMR_CTL_PORT."""
    service = environ.get("RMR_RTG_SVC", "").strip()
    if service == "-1":
        return None, ""
    if service.isdigit():
        return _number(environ, "RMR_RTG_SVC", 0, 1, 65535), ""
    control_port = _number(environ, "RMR_CTL_PORT", CONTROL_PORT, 1, 65535)
    if service:
        manager = service if ":" in service else f"{service}:{CONTROL_PORT}"
        try:
            parse_address(manager)
        except ConfigError as error:
            raise ConfigError(f"RMR_RTG_SVC: {error}") from error
        return control_port, manager
    return control_port, f"{ROUTE_MANAGER}:{CONTROL_PORT}" if environ.get("RMR_CTL_PORT") else ""


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise ConfigError(f"{name}={text!r} must be a whole number from {low} to {high}")
    return int(text)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name}={value} must be from {low} to {high}")
