"""The E2SM-CCC messages as frozen values (O-RAN.WG3.E2SM-CCC)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from oran.e2.functions import FunctionName
from oran.e2.identity import NrCgi

POLICY_RATIO = "O-RRMPolicyRatio"
"""The configuration structure that shares a cell's PRBs among slices."""

NODE_LEVEL = 1
"""RIC style type of node configuration and control."""
CELL_LEVEL = 2
"""RIC style type of cell configuration and control."""


class Cause(StrEnum):
    """Why a configuration structure failed."""

    NOT_SUPPORTED = "NotSupported"
    NOT_AVAILABLE = "NotAvailable"
    INCOMPATIBLE_STATE = "IncompatibleState"
    JSON_ERROR = "JsonError"
    SEMANTIC_ERROR = "SemanticError"
    UNSPECIFIED = "Unspecified"


class PolicyMember(NamedTuple):
    """A slice of a PLMN that a policy holds for."""

    mcc: str
    mnc: str
    sst: int
    sd: int | None = None


@dataclass(frozen=True, slots=True)
class RrmPolicyRatioAttributes:
    """O-RRMPolicyRatio: what members get of a resource, in whole percent (TS 28.541 4.3.36).

    `resource_type` is PRB_DL, PRB_UL or another of the standard. The ratios' order is not judged here.
    """

    resource_type: str
    members: tuple[PolicyMember, ...]
    max: int = 100
    min: int = 0
    dedicated: int = 0


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A policy as it is and as it shall be; the standard wants both, nodes use the new one."""

    old: RrmPolicyRatioAttributes
    new: RrmPolicyRatioAttributes


@dataclass(frozen=True, slots=True)
class CellControl:
    """The policies to change in one cell, one per slice."""

    cell: NrCgi
    changes: tuple[PolicyChange, ...]


@dataclass(frozen=True, slots=True)
class AcceptedChange:
    """A change that the node made; `applied` is its NTP time in 8 octets."""

    old: RrmPolicyRatioAttributes
    current: RrmPolicyRatioAttributes
    applied: bytes | None = None


@dataclass(frozen=True, slots=True)
class FailedChange:
    """A change that the node did not make; `cause` is one of `Cause` or what else the node says."""

    old: RrmPolicyRatioAttributes
    requested: RrmPolicyRatioAttributes
    cause: str


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """What became of a cell's changes."""

    cell: NrCgi
    accepted: tuple[AcceptedChange, ...] = ()
    failed: tuple[FailedChange, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlOutcome:
    """What became of a control; `received` is its NTP time in 8 octets."""

    cells: tuple[CellOutcome, ...]
    received: bytes | None = None


@dataclass(frozen=True, slots=True)
class TriggerStyle:
    """An event trigger style."""

    style: int
    name: str
    format: int


@dataclass(frozen=True, slots=True)
class ReportStyle:
    """A report style and the event trigger styles that go with it."""

    style: int
    name: str
    trigger_styles: tuple[int, ...]
    action_format: int
    header_format: int
    message_format: int


@dataclass(frozen=True, slots=True)
class ControlStyle:
    """A control style."""

    style: int
    name: str
    header_format: int
    message_format: int
    outcome_format: int
    call_process_format: int | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a configuration structure and the services it can be had by."""

    name: str
    triggers: tuple[TriggerStyle, ...] = ()
    reports: tuple[ReportStyle, ...] = ()
    controls: tuple[ControlStyle, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigurationStructure:
    """A configuration structure that a node or cell has."""

    name: str
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class CellSupport:
    """A cell and its configuration structures."""

    cell: NrCgi
    structures: tuple[ConfigurationStructure, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """E2SM-CCC RAN function definition."""

    name: FunctionName
    node_structures: tuple[ConfigurationStructure, ...] = ()
    cells: tuple[CellSupport, ...] = ()

    def policy_ratio_cells(self) -> tuple[NrCgi, ...]:
        """The cells whose O-RRMPolicyRatio can be controlled."""
        return tuple(
            support.cell
            for support in self.cells
            if any(
                structure.name == POLICY_RATIO and any(attribute.controls for attribute in structure.attributes)
                for structure in support.structures
            )
        )
