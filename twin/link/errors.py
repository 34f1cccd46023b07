"""Errors of the link twin.

LinkError (a ValueError)
├── PlanError        a plan that is invalid, contradictory or beyond the equipment: names step, field and range
├── EquipmentError   an equipment state that cannot be: names the field, its value and the range
├── CalibrationError a calibration that cannot be read or applied: names the channel and the range
├── DemandError      a demand that cannot be: names the field, its value and the range
├── QosError         a measured QoS that is none (NaN, negative): names the field and its value
├── CodeError        a code that TS 38.212 does not have, or blocks that are not of the code
├── RewardError      reward weights that would break the order of rewards
└── SandboxRefusal   a program that is not run to its end: names the line and the reason
"""


class LinkError(ValueError):
    """What the link twin refuses."""


class PlanError(LinkError):
    """A plan that is invalid, contradictory or beyond the equipment.

    `step` is the step of the catalogue (`grid`, `detect`, ...) and `field` the parameter at fault.
    """

    def __init__(self, step: str, field: str, reason: str) -> None:
        super().__init__(f"step {step}: {reason}")
        self.step = step
        self.field = field
        self.reason = reason


class EquipmentError(LinkError):
    """An equipment state that cannot be."""


class CalibrationError(LinkError):
    """A calibration that cannot be."""


class DemandError(LinkError):
    """A demand that cannot be."""


class QosError(LinkError):
    """A measured QoS that is none."""


class CodeError(LinkError):
    """A code that cannot be, or blocks that are not of the code."""


class RewardError(LinkError):
    """Reward weights that would break the order of rewards."""


class SandboxRefusal(LinkError):
    """A program that is not run to its end; `line` is 0 where no line can be blamed."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason
