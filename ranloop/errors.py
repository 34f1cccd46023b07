"""The exceptions of the front door.

RanloopError            shown to the user without a traceback
  ProcessError          a part of the loop did not start or keeps dying
  RecordingError        a recording cannot be made, read or played back
  TwinCommandError      the twin cannot answer what it was asked
"""


class RanloopError(Exception):
    """Something the user can act on; the message says what."""


class ProcessError(RanloopError):
    """A child process failed."""


class RecordingError(RanloopError):
    """A recording cannot be made, read or played back."""


class TwinCommandError(RanloopError):
    """The twin cannot answer what it was asked."""
