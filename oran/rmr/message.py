"""One RMR message: what a sender fills in and what a receiver reads."""

from dataclasses import dataclass, field

from oran.rmr.types import UNSET

CALL_FLAG = 0x04
"""Header flag of a message whose sender waits for the answer (librmr HFL_CALL_MSG)."""

NO_D1 = bytes(4)
"""The d1 field of a plain message: call id 0 and three octets nobody reads."""


@dataclass(frozen=True, slots=True)
class RmrMessage:
    """A message with its RMR header fields.

    `sub_id` is the E2 event instance id or the policy type id, -1 when unset. `meid` is the RAN node's name
    (at most 31 octets). `xid` is the transaction id (at most 32 octets; its trailing NULs are not shown).
    `source` and `source_ip` are the sender's "name:port" and "ip:port": an endpoint fills in its own when it
    sends. `flags`, `d1`, `d2`, `sid` and `trace` travel back unchanged in a reply; applications leave them
    alone. `received_s` is `time.perf_counter()` when the frame's last octet was read. Header text is ASCII;
    other octets are kept as Latin-1, so that nothing is lost on the way back. `connection` is a transport's
    own handle for the way back; others do not look into it.
    """

    mtype: int
    payload: bytes = b""
    sub_id: int = UNSET
    meid: str = ""
    xid: bytes = b""
    source: str = ""
    source_ip: str = ""
    flags: int = 0
    d1: bytes = NO_D1
    trace: bytes = b""
    d2: bytes = b""
    sid: bytes = b""
    received_s: float = field(default=0.0, compare=False)
    connection: object | None = field(default=None, compare=False, repr=False)

    @property
    def call_id(self) -> int:
        """The id of the caller that waits, 0 for none."""
        return self.d1[0] if self.d1 else 0

    @property
    def is_call(self) -> bool:
        """Whether the sender waits for an answer to this message."""
        return bool(self.flags & CALL_FLAG)

    @property
    def text(self) -> str:
        """The payload as text up to its first NUL, as C senders mean it."""
        return self.payload.split(b"\0", 1)[0].decode("utf-8", "replace")


def reply_to(request: RmrMessage, mtype: int, payload: bytes) -> RmrMessage:
    """The answer to `request`: all header fields kept but the type, the payload and the call flag."""
    return RmrMessage(
        mtype=mtype,
        payload=payload,
        sub_id=request.sub_id,
        meid=request.meid,
        xid=request.xid,
        flags=request.flags & ~CALL_FLAG,
        d1=request.d1,
        trace=request.trace,
        d2=request.d2,
        sid=request.sid,
    )
