"""Opening E2 associations: `connect` for the node, `listen` for the RIC."""

import asyncio
import os
import socket
import stat
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from oran.e2.association.address import IPPROTO_SCTP, Address
from oran.e2.association.base import MAX_MESSAGE, Association
from oran.e2.association.packet import PacketAssociation, prepare_sctp
from oran.e2.association.stream import StreamAssociation
from oran.e2.errors import TransportError

Handler = Callable[[Association], Awaitable[None]]

MAX_ASSOCIATIONS = 1024
REFUSED = "too many associations"


async def connect(address: str, *, timeout_s: float = 5.0, max_message: int = MAX_MESSAGE) -> Association:
    """Connect to `address` (a URL); TransportError when nobody answers within `timeout_s`."""
    target = Address.parse(address)
    try:
        async with asyncio.timeout(timeout_s):
            if target.scheme == "tcp":
                return await _connect_stream(target, max_message)
            return await _connect_packet(target, max_message)
    except TimeoutError:
        raise TransportError(f"{address}: no answer within {timeout_s:g} s") from None
    except OSError as error:
        raise TransportError(f"{address}: {error}") from None


async def _connect_stream(target: Address, max_message: int) -> Association:
    loop = asyncio.get_running_loop()
    _, association = await loop.create_connection(lambda: StreamAssociation(max_message), target.host, target.port)
    return association


async def _connect_packet(target: Address, max_message: int) -> Association:
    sock, where = await _socket(target)
    try:
        await asyncio.get_running_loop().sock_connect(sock, where)
        if target.scheme == "sctp":
            prepare_sctp(sock)
        return PacketAssociation(sock, str(target), max_message)
    except BaseException:
        sock.close()
        raise


async def _socket(target: Address) -> tuple[socket.socket, str | tuple[Any, ...]]:
    """An unconnected non-blocking socket of the right kind, and the address in its form."""
    if target.scheme == "unix":
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        where: str | tuple[Any, ...] = target.path
    else:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        family, where = found[0][0], found[0][4]
        sock = socket.socket(family, socket.SOCK_STREAM, IPPROTO_SCTP)
    sock.setblocking(False)
    return sock, where


class Server:
    """Accepts associations and runs `handler` on each, in a task of its own.

    `address` is where it listens, with the port that the kernel chose for port 0; `ended` counts why
    associations ended. An association is closed when its handler returns.
    """

    def __init__(self, address: Address, handler: Handler, max_message: int) -> None:
        self.address = address
        self.ended: Counter[str] = Counter()
        self.associations: set[Association] = set()
        self._handler = handler
        self._max_message = max_message
        self._tasks: set[asyncio.Task[None]] = set()
        self._stream: asyncio.Server | None = None
        self._socket: socket.socket | None = None

    async def close(self) -> None:
        """Stop listening, close every association and wait for the handlers."""
        if self._stream is not None:
            self._stream.close()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
            if self.address.scheme == "unix":
                with suppress(FileNotFoundError):
                    os.unlink(self.address.path)
        for association in tuple(self.associations):
            association.close()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> "Server":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _open(self) -> None:
        if self.address.scheme == "tcp":
            loop = asyncio.get_running_loop()
            self._stream = await loop.create_server(
                lambda: _Accepted(self._max_message, self), self.address.host, self.address.port
            )
            port = self._stream.sockets[0].getsockname()[1]
        else:
            port = await self._open_packet()
        self.address = Address(self.address.scheme, self.address.host, port, self.address.path)

    async def _open_packet(self) -> int:
        sock, where = await _socket(self.address)
        try:
            if self.address.scheme == "unix":
                _clear_stale(self.address.path)
            sock.bind(where)
            sock.listen(128)
        except BaseException:
            sock.close()
            raise
        self._socket = sock
        asyncio.get_running_loop().add_reader(sock, self._accept_packet, sock)
        return 0 if self.address.scheme == "unix" else int(sock.getsockname()[1])

    def _accept_packet(self, listener: socket.socket) -> None:
        try:
            sock, where = listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        peer = str(self.address) if self.address.scheme == "unix" else f"{where[0]}:{where[1]}"
        try:
            if self.address.scheme == "sctp":
                prepare_sctp(sock)
            association = PacketAssociation(sock, peer, self._max_message)
        except OSError:
            sock.close()
            return
        self.take(association)

    def take(self, association: Association) -> None:
        """Begin with an accepted association, or close it when there are too many."""
        if len(self.associations) >= MAX_ASSOCIATIONS:
            association.close()
            self.ended[REFUSED] += 1
            return
        self.associations.add(association)
        association.on_close = lambda reason: self.ended.update((reason,))
        task = asyncio.get_running_loop().create_task(self._serve(association))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, association: Association) -> None:
        try:
            await self._handler(association)
        except TransportError:
            pass
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"E2 handler of {association.peer} failed", "exception": error}
            )
        finally:
            association.close()
            self.associations.discard(association)


class _Accepted(StreamAssociation):
    """A TCP association that tells its server when it is made."""

    def __init__(self, max_message: int, server: Server) -> None:
        super().__init__(max_message)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._server.take(self)


def _clear_stale(path: str) -> None:
    """Remove the socket file that a dead server left; a live one's stays, and binding fails."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)


async def listen(address: str, handler: Handler, *, max_message: int = MAX_MESSAGE) -> Server:
    """Listen on `address` (a URL; port 0 takes a free one); TransportError when that is impossible."""
    server = Server(Address.parse(address), handler, max_message)
    try:
        await server._open()
    except OSError as error:
        raise TransportError(f"{address}: {error}") from None
    return server
