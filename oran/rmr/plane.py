"""A listening port with the connections of both directions that belong to it."""

import asyncio
from collections.abc import Callable

from oran.rmr.address import join_address
from oran.rmr.config import RmrConfig
from oran.rmr.errors import FrameError
from oran.rmr.frame import encode_frame
from oran.rmr.link import Link, LinkContext
from oran.rmr.message import RmrMessage, reply_to
from oran.rmr.peers import PeerPool, WayBack
from oran.rmr.transport import Counters, SendResult


class Plane:
    """The data or the control side of an endpoint: listens, sends to named peers and answers senders.

    `name` and `ip` are what peers shall know this machine by. `deliver` gets every message read.
    """

    def __init__(
        self, config: RmrConfig, counters: Counters, deliver: Callable[[RmrMessage], None], *, name: str, ip: str
    ) -> None:
        self._config = config
        self._counters = counters
        self._context = LinkContext(config, counters, deliver)
        self._peers = PeerPool(self._context)
        self._server: asyncio.Server | None = None
        self._name = name
        self._ip = ip
        self.port = 0
        self.source = ""
        self.source_ip = ""

    @property
    def peer_count(self) -> int:
        """Destinations that are connected or remembered."""
        return len(self._peers)

    async def listen(self, port: int) -> None:
        """Listen on a port, 0 for any free one; raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Link(self._context, inbound=True), self._config.bind_host, port
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self.source = join_address(self._name, self.port)
        self.source_ip = join_address(self._ip, self.port)

    async def close(self) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._peers.close()
        for link in list(self._context.links):
            link.abort()
        await asyncio.sleep(0)  # lets the aborted transports run their connection_lost

    def send(self, targets: tuple[str, ...], message: RmrMessage) -> SendResult:
        """Send one message to each target; the best result of all."""
        frame = self._encode(message)
        if frame is None:
            return SendResult.DOES_NOT_FIT
        best = SendResult.UNREACHABLE
        for target in targets:
            peer = self._peers.get(target)
            if peer is None:
                self._counters.drop("unreachable")
                continue
            result = peer.send(frame)
            if result is SendResult.SENT or not best:
                best = result
        return best

    def reply(self, request: RmrMessage, mtype: int, payload: bytes) -> SendResult:
        """Answer a message as librmr does: to its source, else on its connection, else to its source IP."""
        frame = self._encode(reply_to(request, mtype, payload))
        if frame is None:
            return SendResult.DOES_NOT_FIT
        peer = self._peers.get(request.source) if request.source else None
        way_back = self._way_back(request)
        result = way_back(frame) if peer is None else peer.send(frame, way_back)
        if result is SendResult.UNREACHABLE:
            self._counters.drop("unreachable")
        return result

    def _way_back(self, request: RmrMessage) -> WayBack:
        def write(frame: bytes) -> SendResult:
            link = request.connection
            if isinstance(link, Link) and link.open:
                return link.write(frame)
            if request.source_ip in ("", request.source):
                return SendResult.UNREACHABLE
            peer = self._peers.get(request.source_ip)
            return SendResult.UNREACHABLE if peer is None else peer.send(frame)

        return write

    def _encode(self, message: RmrMessage) -> bytes | None:
        try:
            frame = encode_frame(message, source=self.source, source_ip=self.source_ip)
        except FrameError:
            self._counters.drop("does_not_fit")
            return None
        if len(frame) > self._config.max_frame_octets:
            self._counters.drop("too_large")
            return None
        return frame
