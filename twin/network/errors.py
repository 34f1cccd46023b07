"""Errors of the network twin.

TwinError (a ValueError)
├── RenderError     a picture that cannot be written: names the file
├── ScenarioError   a scenario that cannot be: names the field, its value and the range
└── TraceError      a trace file that cannot be read: names the file, the line and the column
"""


class TwinError(ValueError):
    """What the network twin refuses."""


class RenderError(TwinError):
    """A picture that cannot be written."""


class ScenarioError(TwinError):
    """A scenario that cannot be."""


class TraceError(TwinError):
    """A trace that cannot be read."""
