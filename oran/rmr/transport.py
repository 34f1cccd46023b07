"""What an application needs of RMR: the `Transport` protocol and the results and counts it speaks of."""

import enum
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from oran.rmr.message import RmrMessage


class SendResult(enum.Enum):
    """What became of a message given to `send` or `reply`; true unless the message is lost.

    A message that goes to several groups has the best result of its copies.
    """

    SENT = "sent"
    """Its octets went to the kernel before `send` returned."""
    QUEUED = "queued"
    """It waits for a connection, or behind earlier octets of a slow peer."""
    NO_ROUTE = "no_route"
    QUEUE_FULL = "queue_full"
    UNREACHABLE = "unreachable"
    DOES_NOT_FIT = "does_not_fit"
    """A header field is too long, or the frame is larger than the limit."""
    CLOSED = "closed"

    def __bool__(self) -> bool:
        return self in (SendResult.SENT, SendResult.QUEUED)


@dataclass(slots=True)
class Counters:
    """Messages received (given to the application or a caller), sent, and dropped by reason."""

    received: int = 0
    sent: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def drop(self, reason: str, count: int = 1) -> None:
        """Count messages lost for a reason, which is a short snake_case word fit for a metric label."""
        self.dropped[reason] += count


class Transport(Protocol):
    """Sends and receives RMR messages. `send`, `reply` and `receive_nowait` never block."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and data port other endpoints reach this one at, known once started."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it runs and has a route table."""
        ...

    @property
    def counters(self) -> Counters:
        """What was received, sent and dropped so far."""
        ...

    async def start(self) -> None:
        """Listen and read the route table; raises OSError when a port is taken."""
        ...

    async def stop(self) -> None:
        """Close everything; waiting receivers and callers are released. A second call does nothing."""
        ...

    async def receive(self) -> RmrMessage:
        """Wait for the next message; raises TransportClosed once stopped and drained."""
        ...

    def receive_nowait(self) -> RmrMessage | None:
        """The next message if one waits."""
        ...

    def send(self, message: RmrMessage) -> SendResult:
        """Route a message by (mtype, sub_id) and write it to the socket at once where that is connected."""
        ...

    def reply(self, request: RmrMessage, mtype: int, payload: bytes) -> SendResult:
        """Return to sender: answer `request`, keeping its header, to where it came from."""
        ...

    async def call(self, message: RmrMessage, timeout_s: float) -> RmrMessage:
        """Send and wait for the answer; raises CallTimeout, CallError."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
