"""The exceptions of the slicing xApp.

SlicingError
  SettingsError       a configuration field is out of range; names the field
  ReportError         an indication cannot be used (`reason` is the metric label)
  NodeError           an E2 node offers nothing that this xApp can use
  ControlError        a control message cannot be made for a node, or its outcome not read
  ModelError          a model fails, or what it gives cannot be used
"""


class SlicingError(Exception):
    """Anything that goes wrong inside the slicing xApp."""


class SettingsError(SlicingError):
    """A configuration cannot be used; the text names the field, the value and the range."""


class ReportError(SlicingError):
    """An indication cannot be used; `reason` is a short snake_case word fit for a metric label."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class NodeError(SlicingError):
    """An E2 node offers nothing that this xApp can use."""


class ControlError(SlicingError):
    """A control message cannot be made for a node, or its outcome cannot be read."""


class ModelError(SlicingError):
    """A model fails, or what it gives cannot be used."""
