"""The C library librmr through ctypes and `ricxappframe.rmr` (extra `ric`), reduced to what a transport needs.

Imported only when the native adapter is used. Signatures as in librmr's rmr.h; ricxappframe 3.2 declares most of
them, the rest (rmr_mt_call, rmr_get_srcip, rmr_set_low_latency) are declared here.
"""

import ctypes
from collections.abc import Callable
from time import perf_counter
from typing import Any, Protocol

from oran.rmr.errors import NativeUnavailable
from oran.rmr.message import RmrMessage
from oran.rmr.transport import SendResult

_XID_OCTETS = 32
_SRC_OCTETS = 64
_MAX_MEID_OCTETS = 31
_RETRIES = 5


class RmrLibrary(Protocol):
    """A router library; every call may block, and may come from any thread."""

    def open(self, port: int, max_payload_octets: int) -> None:
        """Listen on a port and start collecting routes; raises OSError."""
        ...

    def close(self) -> None:
        """Shut down."""
        ...

    def ready(self) -> bool:
        """Whether there is a route table."""
        ...

    def receive(self, timeout_ms: int) -> RmrMessage | None:
        """The next message, or None after the time; its `connection` is what `reply` needs."""
        ...

    def send(self, message: RmrMessage) -> SendResult:
        """Route and send a message."""
        ...

    def reply(self, request: RmrMessage, mtype: int, payload: bytes) -> SendResult:
        """Return a message to its sender."""
        ...

    def call(self, message: RmrMessage, call_id: int, timeout_ms: int) -> RmrMessage | SendResult | None:
        """Send and wait: the answer, or why the message was not sent, or None after the time."""
        ...


class _Buffer:
    """A received message buffer, given back to librmr when nobody can reply to it any more."""

    __slots__ = ("_free", "pointer")

    def __init__(self, pointer: Any, free: Callable[[Any], None]) -> None:
        self.pointer = pointer
        self._free = free

    def __del__(self) -> None:
        if self.pointer:
            self._free(self.pointer)


class LibRmr:
    """`RmrLibrary` over the real librmr; raises NativeUnavailable where it is not installed."""

    def __init__(self) -> None:
        try:
            from ricxappframe.rmr import exceptions, rmr
            from ricxappframe.rmr.rmrclib import rmrclib
        except (ImportError, OSError) as error:  # OSError: ctypes found no librmr_si.so
            raise NativeUnavailable(f"the native RMR transport needs ricxappframe and librmr: {error}") from error
        self._rmr = rmr
        self._exceptions = exceptions
        buffer = ctypes.POINTER(rmr.rmr_mbuf_t)
        library = rmrclib.rmr_c_lib
        self._mt_call = library.rmr_mt_call
        self._mt_call.argtypes = [ctypes.c_void_p, buffer, ctypes.c_int, ctypes.c_int]
        self._mt_call.restype = buffer
        self._get_srcip = library.rmr_get_srcip
        self._get_srcip.argtypes = [buffer, ctypes.c_char_p]
        self._get_srcip.restype = ctypes.c_void_p
        self._set_low_latency = library.rmr_set_low_latency
        self._set_low_latency.argtypes = [ctypes.c_void_p]
        self._set_low_latency.restype = None
        self._context: int | None = None

    def open(self, port: int, max_payload_octets: int) -> None:
        """Listen on a port and start collecting routes; raises OSError."""
        try:
            self._context = self._rmr.rmr_init(str(port).encode(), max_payload_octets, self._rmr.RMRFL_MTCALL)
        except self._exceptions.InitFailed as error:  # not derived from Exception
            raise OSError(f"librmr cannot listen on port {port}") from error
        self._set_low_latency(self._context)

    def close(self) -> None:
        """Shut down. librmr keeps its listening socket and threads until the process ends."""
        self._rmr.rmr_close(self._context)

    def ready(self) -> bool:
        """Whether there is a route table."""
        return bool(self._rmr.rmr_ready(self._context))

    def receive(self, timeout_ms: int) -> RmrMessage | None:
        """The next message, or None after the time."""
        pointer = self._rmr.rmr_torcv_msg(self._context, None, timeout_ms)
        if not pointer:
            return None
        if pointer.contents.state != self._rmr.RMR_OK:
            self._rmr.rmr_free_msg(pointer)
            return None
        return self._read(pointer)

    def send(self, message: RmrMessage) -> SendResult:
        """Route and send a message."""
        pointer = self._write(message)
        if pointer is None:
            return SendResult.DOES_NOT_FIT
        for _ in range(_RETRIES):
            pointer = self._rmr.rmr_send_msg(self._context, pointer)
            if not pointer:
                return SendResult.UNREACHABLE
            state = pointer.contents.state
            if state != self._rmr.RMR_ERR_RETRY:
                break
        self._rmr.rmr_free_msg(pointer)
        return self._result(state)

    def reply(self, request: RmrMessage, mtype: int, payload: bytes) -> SendResult:
        """Return a message to its sender; librmr keeps the sender in the buffer, so it can be done again."""
        kept = request.connection
        if not isinstance(kept, _Buffer) or not kept.pointer:
            return SendResult.UNREACHABLE
        if self._rmr.rmr_payload_size(kept.pointer) < len(payload):
            kept.pointer = self._rmr.rmr_realloc_payload(kept.pointer, len(payload), False, False)
            if not kept.pointer:
                return SendResult.UNREACHABLE
        ctypes.memmove(kept.pointer.contents.payload, payload, len(payload))
        for _ in range(_RETRIES):
            contents = kept.pointer.contents
            contents.len, contents.mtype = len(payload), mtype
            kept.pointer = self._rmr.rmr_rts_msg(self._context, kept.pointer)
            if not kept.pointer:
                return SendResult.UNREACHABLE
            if kept.pointer.contents.state != self._rmr.RMR_ERR_RETRY:
                break
        return self._result(kept.pointer.contents.state)

    def call(self, message: RmrMessage, call_id: int, timeout_ms: int) -> RmrMessage | SendResult | None:
        """Send and wait: the answer, or why the message was not sent, or None after the time."""
        pointer = self._write(message)
        if pointer is None:
            return SendResult.DOES_NOT_FIT
        pointer = self._mt_call(self._context, pointer, call_id, max(1, timeout_ms))
        if not pointer:
            return None
        state = pointer.contents.state
        if state == self._rmr.RMR_OK:
            return self._read(pointer)
        self._rmr.rmr_free_msg(pointer)
        return None if state == self._rmr.RMR_ERR_TIMEOUT else self._result(state)

    def _result(self, state: int) -> SendResult:
        if state == self._rmr.RMR_OK:
            return SendResult.SENT
        return SendResult.NO_ROUTE if state == self._rmr.RMR_ERR_NOENDPT else SendResult.UNREACHABLE

    def _write(self, message: RmrMessage) -> Any:
        meid = message.meid.encode("latin-1", "replace")
        if len(meid) > _MAX_MEID_OCTETS or len(message.xid) > _XID_OCTETS:
            return None
        payload = message.payload
        try:
            pointer = self._rmr.rmr_alloc_msg(self._context, max(1, len(payload)))
        except self._exceptions.BadBufferAllocation:  # not derived from Exception
            return None
        contents = pointer.contents
        contents.mtype, contents.sub_id, contents.len = message.mtype, message.sub_id, len(payload)
        ctypes.memmove(contents.payload, payload, len(payload))
        ctypes.memmove(contents.xaction, message.xid.ljust(_XID_OCTETS, b"\0"), _XID_OCTETS)
        if meid:
            self._rmr.rmr_set_meid(pointer, meid)
        return pointer

    def _read(self, pointer: Any) -> RmrMessage:
        received_s = perf_counter()
        contents = pointer.contents
        source = ctypes.create_string_buffer(_SRC_OCTETS)
        source_ip = ctypes.create_string_buffer(_SRC_OCTETS)
        self._rmr.rmr_get_src(pointer, source)
        self._get_srcip(pointer, source_ip)
        return RmrMessage(
            mtype=contents.mtype,
            payload=ctypes.string_at(contents.payload, contents.len),
            sub_id=contents.sub_id,
            meid=self._rmr.rmr_get_meid(pointer).decode("latin-1"),
            xid=ctypes.string_at(contents.xaction, _XID_OCTETS).rstrip(b"\0"),
            source=source.value.decode("latin-1"),
            source_ip=source_ip.value.decode("latin-1"),
            received_s=received_s,
            connection=_Buffer(pointer, self._rmr.rmr_free_msg),
        )
