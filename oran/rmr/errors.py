"""The exceptions of the RMR endpoint.

RmrError
  FrameError          bytes that are no RMR frame, or a message that fits in none
  RouteTableError     a route table that is refused as a whole
  ConfigError         a setting out of its range (also a ValueError)
  CallError           a call that got no answer
    CallTimeout       ... in the time given (also a TimeoutError)
  TransportClosed     the endpoint is not running (any more)
  NativeUnavailable   ricxappframe or librmr is not installed here
"""


class RmrError(Exception):
    """Anything that goes wrong in RMR messaging."""


class FrameError(RmrError):
    """Bytes are no RMR frame, or a message does not fit in one; `reason` is a short word for a counter."""

    def __init__(self, message: str, *, reason: str = "bad_frame") -> None:
        super().__init__(message)
        self.reason = reason


class RouteTableError(RmrError):
    """A route table is refused as a whole; the one in use stays."""


class ConfigError(RmrError, ValueError):
    """A setting is out of its range; the message names the setting, the value and the range."""


class CallError(RmrError):
    """A call could not be sent, or was cut short by the endpoint's stop."""


class CallTimeout(CallError, TimeoutError):
    """A call got no answer in time."""


class TransportClosed(RmrError):
    """The endpoint is not running."""


class NativeUnavailable(RmrError, ImportError):
    """The native adapter needs ricxappframe and librmr, and one of them is missing."""
