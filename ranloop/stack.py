"""One closed loop as processes on this machine: the RIC, the nodes and the xApp, on loopback ports of its own."""

import socket
from dataclasses import dataclass, field
from pathlib import Path

from ranloop.processes import Process

HOST = "127.0.0.1"
RIC_PORTS = ("e2", "rmr", "subscription", "a1", "e2mgr", "appmgr")
XAPP_PORTS = ("http", "rmr", "rmr_control")


def free_ports(count: int) -> list[int]:
    """Ports that are free now; all are held until the last is found, so that they differ."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    return ports


@dataclass(slots=True)
class Stack:
    """The addresses of one loop, and its processes as they are started; logs and ready lines go to `folder`."""

    folder: Path
    ric_ports: dict[str, int] = field(init=False)
    xapp_ports: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        ports = free_ports(len(RIC_PORTS) + len(XAPP_PORTS))
        self.ric_ports = dict(zip(RIC_PORTS, ports, strict=False))
        self.xapp_ports = dict(zip(XAPP_PORTS, ports[len(RIC_PORTS) :], strict=True))

    @property
    def a1_url(self) -> str:
        """The A1 mediator."""
        return f"http://{HOST}:{self.ric_ports['a1']}/A1-P/v2"

    @property
    def subscriptions_url(self) -> str:
        """The subscription manager's REST interface."""
        return f"http://{HOST}:{self.ric_ports['subscription']}/ric/v1/subscriptions"

    @property
    def metrics_url(self) -> str:
        """The xApp's Prometheus metrics."""
        return f"http://{HOST}:{self.xapp_ports['http']}/metrics"

    @property
    def e2_address(self) -> str:
        """Where nodes connect to. TCP, since SCTP adds nothing on loopback and many kernels lack it."""
        return f"tcp://{HOST}:{self.ric_ports['e2']}"

    def ric(self) -> Process:
        """The near-RT RIC."""
        ports = [
            f"--{name.replace('_', '-')}-port={port}" for name, port in self.ric_ports.items() if name != "e2"
        ]
        return Process("ric", "oran.ric", (f"--e2-address={self.e2_address}", *ports), self.folder)

    def nodes(self, *arguments: str, name: str = "nodes") -> Process:
        """E2 nodes on the twin, with further arguments for `ranloop e2node`."""
        return Process(name, "twin.e2node", (f"--ric={self.e2_address}", *arguments), self.folder)

    def xapp(self, *arguments: str, controller: str, period_ms: int) -> Process:
        """The slicing xApp, with further arguments for `ranloop xapp`."""
        urls = {"subscriptions": "subscription", "nodes": "e2mgr", "registration": "appmgr"}
        settings = (
            f"--controller={controller}",
            f"--period-ms={period_ms}",
            f"--listen-host={HOST}",
            f"--advertised-host={HOST}",
            *(f"--{name.replace('_', '-')}-port={port}" for name, port in self.xapp_ports.items()),
            *(f"--{name}-url=http://{HOST}:{self.ric_ports[port]}" for name, port in urls.items()),
        )
        return Process("xapp", "xapps.slicing", (*settings, *arguments), self.folder)
