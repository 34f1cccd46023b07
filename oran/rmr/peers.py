"""Outbound connections, one for each "host:port", opened at the first message and again when lost."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from oran.logs import get_logger
from oran.rmr.address import parse_address
from oran.rmr.errors import ConfigError
from oran.rmr.link import Link, LinkContext
from oran.rmr.transport import SendResult

log = get_logger(__name__)

_STABLE_S = 1.0
"""A connection lost sooner than this counts as a failed attempt, so that reconnecting backs off."""

WayBack = Callable[[bytes], SendResult]
"""Writes a reply some other way than to its sender's own address."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    frame: bytes
    expires_s: float
    way_back: WayBack | None


class Peer:
    """One destination. While a connection is being made messages wait, bounded in octets and time.

    Attempts that fail are repeated after `backoff_min_s`, doubling to `backoff_max_s`, as long as messages
    wait. Replies that have another way back take it after the first failed attempt.
    """

    def __init__(self, name: str, context: LinkContext) -> None:
        self._host, self._port = parse_address(name)
        self._name = name
        self._context = context
        self._link: Link | None = None
        self._connector: asyncio.Task[None] | None = None
        self._waiting: deque[_Waiting] = deque()
        self._waiting_octets = 0
        self._backoff_s = 0.0
        self._not_before_s = 0.0
        self._connected_s = 0.0
        self._closed = False

    @property
    def backoff_s(self) -> float:
        """The pause after the last failed attempt, 0 when there was none."""
        return self._backoff_s

    @property
    def idle(self) -> bool:
        """Whether nothing is connected or waiting."""
        return self._connector is None and (self._link is None or not self._link.open)

    def send(self, frame: bytes, way_back: WayBack | None = None) -> SendResult:
        """Write a frame now when connected, else queue it and connect."""
        if self._link is not None and self._link.open:
            return self._link.write(frame)
        now_s = asyncio.get_running_loop().time()
        if way_back is not None and now_s < self._not_before_s:
            result = way_back(frame)
            if result is not SendResult.UNREACHABLE:
                return result
        config = self._context.config
        self._drop_expired(now_s)
        if self._waiting_octets + len(frame) > config.send_queue_octets:
            self._context.counters.drop("queue_full")
            return SendResult.QUEUE_FULL
        self._waiting.append(_Waiting(frame, now_s + config.send_queue_s, way_back))
        self._waiting_octets += len(frame)
        if self._connector is None:
            self._connector = asyncio.create_task(self._connect(), name=f"rmr-connect-{self._name}")
        return SendResult.QUEUED

    async def close(self) -> None:
        """Stop connecting and close."""
        self._closed = True
        if self._connector is not None:
            self._connector.cancel()
            await asyncio.gather(self._connector, return_exceptions=True)
            self._connector = None
        while self._waiting:
            self._take()
            self._context.counters.drop("closed")
        if self._link is not None:
            self._link.abort()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await asyncio.sleep(max(0.0, self._not_before_s - loop.time()))
                self._drop_expired(loop.time())
                if not self._waiting:
                    return
                try:
                    async with asyncio.timeout(self._context.config.connect_timeout_s):
                        _, self._link = await loop.create_connection(self._make_link, self._host, self._port)
                except (OSError, ValueError) as error:  # ValueError: a host name that IDNA cannot encode
                    self._back_off(str(error) or type(error).__name__)
                    self._turn_back()
                    continue
                self._connected_s = loop.time()
                self._flush(self._link)
        finally:
            self._connector = None

    def _make_link(self) -> Link:
        return Link(self._context, inbound=False, on_lost=self._lost)

    def _lost(self) -> None:
        if self._closed:
            return
        if asyncio.get_running_loop().time() - self._connected_s < _STABLE_S:
            self._back_off("connection closed by the peer")
        else:
            self._backoff_s = 0.0

    def _back_off(self, reason: str) -> None:
        config = self._context.config
        if not self._backoff_s:
            log.warning("rmr_peer_unreachable", peer=self._name, reason=reason)
        self._backoff_s = min(max(2 * self._backoff_s, config.backoff_min_s), config.backoff_max_s)
        self._not_before_s = asyncio.get_running_loop().time() + self._backoff_s

    def _flush(self, link: Link) -> None:
        self._drop_expired(asyncio.get_running_loop().time())
        while self._waiting:
            if link.write(self._take().frame) is SendResult.UNREACHABLE:
                self._context.counters.drop("unreachable")

    def _turn_back(self) -> None:
        """Send the replies that wait here another way."""
        for _ in range(len(self._waiting)):
            waiting = self._take()
            if waiting.way_back is None:
                self._waiting.append(waiting)
                self._waiting_octets += len(waiting.frame)
            elif waiting.way_back(waiting.frame) is SendResult.UNREACHABLE:
                self._context.counters.drop("unreachable")

    def _drop_expired(self, now_s: float) -> None:
        while self._waiting and self._waiting[0].expires_s < now_s:
            self._take()
            self._context.counters.drop("expired")

    def _take(self) -> _Waiting:
        waiting = self._waiting.popleft()
        self._waiting_octets -= len(waiting.frame)
        return waiting


class PeerPool:
    """The peers of one endpoint, at most `max_peers`; idle ones make room for new ones."""

    def __init__(self, context: LinkContext) -> None:
        self._context = context
        self._peers: dict[str, Peer] = {}

    def __len__(self) -> int:
        return len(self._peers)

    def get(self, name: str) -> Peer | None:
        """The peer "host:port"; None when the name is no address or all places are taken."""
        peer = self._peers.get(name)
        if peer is not None:
            return peer
        if len(self._peers) >= self._context.config.max_peers and not self._make_room():
            self._context.counters.drop("peer_limit")
            return None
        try:
            peer = Peer(name, self._context)
        except ConfigError:
            return None
        self._peers[name] = peer
        return peer

    async def close(self) -> None:
        """Close all connections."""
        peers = list(self._peers.values())
        self._peers.clear()
        await asyncio.gather(*(peer.close() for peer in peers))

    def _make_room(self) -> bool:
        idle = next((name for name, peer in self._peers.items() if peer.idle), None)
        if idle is not None:
            del self._peers[idle]
        return idle is not None
