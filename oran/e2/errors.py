"""The exceptions of the E2 codecs.

E2Error
  CodecError          names the field and the bit offset
    DecodeError       the bytes are no such message
    EncodeError       the value does not fit the message
  TransportError      the E2 association is down or misused
"""


class E2Error(Exception):
    """Anything that goes wrong on the E2 interface."""


class CodecError(E2Error):
    """A message could not be coded; `field` is a dotted path, `bit_offset` counts from the first bit."""

    def __init__(self, reason: str, *, field: str = "", bit_offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.bit_offset = bit_offset

    def within(self, field: str) -> "CodecError":
        """Prefix the path with an outer field and return self, so that callers can `raise e.within("x")`."""
        self.field = f"{field}.{self.field}" if self.field else field
        return self

    def __str__(self) -> str:
        where = f"{self.field} at bit {self.bit_offset}" if self.field else f"bit {self.bit_offset}"
        return f"{where}: {self.reason}"


class DecodeError(CodecError):
    """The bytes are no valid encoding."""


class EncodeError(CodecError):
    """The value has no encoding."""


class TransportError(E2Error):
    """The E2 association failed."""
