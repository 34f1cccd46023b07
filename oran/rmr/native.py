"""The second adapter of `Transport`: librmr itself, for those who want O-RAN SC's own router in the xApp.

librmr reads its environment (RMR_SEED_RT, RMR_RTG_SVC, ...) by itself and blocks, so a thread receives and a
thread sends: `send` answers QUEUED, and what became of the message is only counted. The library shows an
application neither flags nor d1, d2 and trace; they still travel back in replies.
"""

import asyncio
import os
import queue
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from oran.logs import get_logger
from oran.rmr.calls import FIRST_CALL_ID, LAST_CALL_ID
from oran.rmr.config import RmrConfig
from oran.rmr.errors import CallError, CallTimeout, ConfigError, RmrError
from oran.rmr.inbox import Inbox
from oran.rmr.librmr import LibRmr, RmrLibrary
from oran.rmr.message import RmrMessage
from oran.rmr.transport import Counters, SendResult
from oran.rmr.types import HEALTH_CHECK_REQ, HEALTH_CHECK_RESP

log = get_logger(__name__)

_RECEIVE_TIMEOUT_MS = 100
_SEND_QUEUE_MESSAGES = 4096

_Job = Callable[[], SendResult]


class NativeEndpoint:
    """A `Transport` over librmr. Of `config` only the port, the queue bounds and the health check count.

    Raises ConfigError for port 0, which librmr cannot report back, and NativeUnavailable where librmr is not
    installed. All methods belong to the event loop that called `start`.
    """

    def __init__(self, config: RmrConfig | None = None, *, library: RmrLibrary | None = None) -> None:
        self.config = config or RmrConfig.from_env()
        if not self.config.port:
            raise ConfigError("port=0: the native transport needs the number of a port")
        self._library: RmrLibrary = library if library is not None else LibRmr()
        self._counters = Counters()
        self._inbox = self._new_inbox()
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_SEND_QUEUE_MESSAGES)
        self._call_ids = set(range(FIRST_CALL_ID, LAST_CALL_ID + 1))
        self._backlog = threading.BoundedSemaphore(self.config.receive_queue_messages)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._running = False

    @property
    def address(self) -> tuple[str, int]:
        """Host name, as librmr names itself, and data port."""
        name = os.environ.get("RMR_SRC_ID", "").partition(":")[0] or socket.gethostname().partition(".")[0]
        return name, self.config.port

    @property
    def ready(self) -> bool:
        """Whether it runs and has a route table."""
        return self._running and self._library.ready()

    @property
    def counters(self) -> Counters:
        """What was received, sent and dropped so far."""
        return self._counters

    async def start(self) -> None:
        """Listen and start collecting routes; raises OSError when the port is taken."""
        if self._running:
            raise RmrError("the endpoint is already started")
        await asyncio.to_thread(self._library.open, self.config.port, self.config.max_frame_octets)
        self._inbox = self._new_inbox()
        self._stopping.clear()
        loop = asyncio.get_running_loop()
        self._threads = [
            threading.Thread(target=self._receive_all, args=(loop,), name="rmr-receive", daemon=True),
            threading.Thread(target=self._send_all, args=(loop,), name="rmr-send", daemon=True),
        ]
        self._running = True
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Send what waits and shut down; waiting receivers are released. A second call does nothing."""
        if not self._running:
            return
        self._running = False
        self._inbox.close()
        self._stopping.set()
        await asyncio.to_thread(self._jobs.put, None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        await asyncio.to_thread(self._library.close)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def receive(self) -> RmrMessage:
        """Wait for the next message; raises TransportClosed once stopped and drained."""
        return await self._inbox.get()

    def receive_nowait(self) -> RmrMessage | None:
        """The next message if one waits."""
        return self._inbox.get_nowait()

    def send(self, message: RmrMessage) -> SendResult:
        """Hand a message to the sending thread."""
        return self._queue(lambda: self._library.send(message))

    def reply(self, request: RmrMessage, mtype: int, payload: bytes) -> SendResult:
        """Hand a reply to the sending thread."""
        return self._queue(lambda: self._library.reply(request, mtype, payload))

    async def call(self, message: RmrMessage, timeout_s: float) -> RmrMessage:
        """Send and wait for the answer; raises CallTimeout, CallError."""
        if not self._running:
            raise CallError("the RMR endpoint is not running")
        if not self._call_ids:
            raise CallError(f"{LAST_CALL_ID - FIRST_CALL_ID + 1} calls wait already")
        call_id = self._call_ids.pop()
        message = replace(message, xid=message.xid or uuid.uuid4().hex.encode())
        running = asyncio.get_running_loop().run_in_executor(
            None, self._library.call, message, call_id, round(timeout_s * 1000)
        )
        # The thread waits on even when the caller is cancelled, so the id comes back only with its end.
        running.add_done_callback(lambda _: self._call_ids.add(call_id))
        answer = await asyncio.shield(running)
        if answer is None:
            raise CallTimeout(f"no answer to type {message.mtype} within {timeout_s} s")
        if isinstance(answer, SendResult):
            raise CallError(f"the call of type {message.mtype} cannot be sent: {answer.value}")
        self._counters.received += 1
        return answer

    def _queue(self, job: _Job) -> SendResult:
        if not self._running:
            self._counters.drop("closed")
            return SendResult.CLOSED
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._counters.drop("queue_full")
            return SendResult.QUEUE_FULL
        return SendResult.QUEUED

    def _send_all(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                result = job()
            except Exception as error:  # whatever the library raises, the thread must live on
                log.error("rmr_native_send_failed", error=repr(error))
                result = SendResult.UNREACHABLE
            loop.call_soon_threadsafe(self._count, result)

    def _receive_all(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping.is_set():
            message = self._library.receive(_RECEIVE_TIMEOUT_MS)
            if message is None:
                continue
            if self._backlog.acquire(blocking=False):
                loop.call_soon_threadsafe(self._deliver, message)
            else:  # the event loop is stalled; only this thread counts under this name
                self._counters.drop("backlog_full")

    def _deliver(self, message: RmrMessage) -> None:
        self._backlog.release()
        if message.mtype == HEALTH_CHECK_REQ and self.config.answer_health_checks:
            self.reply(message, HEALTH_CHECK_RESP, b"OK\n")
        elif self._inbox.put(message):
            self._counters.received += 1
        else:
            self._counters.drop("receive_queue_full")

    def _count(self, result: SendResult) -> None:
        if result:
            self._counters.sent += 1
        else:
            self._counters.drop(result.value)

    def _new_inbox(self) -> Inbox:
        return Inbox(max_messages=self.config.receive_queue_messages, max_octets=self.config.receive_queue_octets)
