"""What an E2 node offers this xApp: which KPM reports to subscribe to, and how its cells are controlled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from oran import kpi
from oran.e2.ccc.function import decode_function_definition as decode_ccc
from oran.e2.e2ap.messages import Action, ActionType, RanFunction
from oran.e2.errors import DecodeError
from oran.e2.functions import ServiceModel, find
from oran.e2.identity import CellGlobalId
from oran.e2.kpm import profile as kpm_profile
from oran.e2.kpm.codec import decode_function_definition, encode_action_definition, encode_event_trigger
from oran.e2.kpm.messages import (
    NO_LABEL,
    ActionDefinition,
    ActionFormat1,
    ActionFormat4,
    EventTrigger,
    Label,
    MatchingCondition,
    MeasurementInfo,
    ReportStyle,
    TestCondition,
    TestExpression,
    TestType,
    TestValue,
)
from oran.e2.rc.function import FUNCTION_DEFINITION as RC_DEFINITION
from oran.e2.rc.slice_quota import ACTION, STYLE
from oran.logs import get_logger
from oran.nodes import NodeInfo
from oran.slices import SNssai
from oran.subscription_forms import SubscriptionSpec
from xapps.slicing.config import ControlKind, NodeRule, ReportKind, XappConfig
from xapps.slicing.control import ControlTarget
from xapps.slicing.errors import NodeError
from xapps.slicing.observation import FIELDS

_log = get_logger(__name__)

ACTION_ID = 1
_SLICE_STYLE, _UE_STYLE = 1, 4
"""KPM report styles: node measurement, and measurement of the UEs that meet a condition; each has its format."""

ANY_UE = MatchingCondition(TestCondition(TestType.UL_RSRP, TestExpression.LESS_THAN, TestValue("valueInt", 1000)))
"""A condition that every UE meets, in the form that real nodes take."""


@dataclass(frozen=True, slots=True)
class Report:
    """One subscription of a node: of which cell, in which form, and of which slice where it speaks of one only."""

    spec: SubscriptionSpec
    cell: CellGlobalId | None
    kind: ReportKind
    slice: int | None = None


@dataclass(frozen=True, slots=True)
class NodeModel:
    """A node as this xApp uses it; `targets` has the cells that can be controlled, `names` measurements by id."""

    name: str
    rule: NodeRule
    names: Mapping[int, str]
    cells: tuple[CellGlobalId | None, ...]
    reports: tuple[Report, ...]
    targets: Mapping[CellGlobalId | None, ControlTarget]


def survey(info: NodeInfo, config: XappConfig) -> NodeModel:
    """Work out how to use a node; raises NodeError when it offers no KPM report that helps."""
    rule = config.rule(info.name)
    function = find(info.functions, ServiceModel.KPM)
    if function is None:
        raise NodeError(f"{info.name} has no E2SM-KPM among its {len(info.functions)} RAN functions")
    styles = _styles(info.name, function)
    cells, targets = _targets(info, rule, config)
    kind = _report_kind(info.name, rule, styles, config, needs_ues=_name_ues(targets.values()))
    names = {number: name for style in styles for name, number in style.measurements if number is not None}
    reports = tuple(
        report for cell in cells for report in _reports(info.name, function, cell, kind, styles, config)
    )
    return NodeModel(info.name, rule, names, cells, reports, targets)


def _styles(node: str, function: RanFunction) -> tuple[ReportStyle, ...]:
    """The node's report styles; none where it does not tell them in a readable way."""
    try:
        return decode_function_definition(function.definition).report_styles
    except DecodeError as error:
        _log.warning("kpm_definition_unreadable", node=node, reason=str(error))
        return ()


def _name_ues(targets: Iterable[ControlTarget]) -> bool:
    """Whether controls name UEs, as E2SM-RC's do, so that reports must tell which are there."""
    return any(target.kind in (ControlKind.RC_CELL, ControlKind.RC_UE) for target in targets)


def _report_kind(
    node: str, rule: NodeRule, styles: tuple[ReportStyle, ...], config: XappConfig, *, needs_ues: bool
) -> ReportKind:
    """The rule's way to report, or the best the node offers; a node that tells no styles is taken at the rule."""
    per_ue = ReportKind.UES if config.ue_slices else ReportKind.CONDITIONS
    if rule.report is not ReportKind.AUTO:
        return rule.report
    formats = {style.action_format for style in styles}
    labelled = rule.profile == kpi.STANDARD.name and not needs_ues
    if not styles:
        return ReportKind.SLICES if labelled else per_ue
    if labelled and _SLICE_STYLE in formats:
        return ReportKind.SLICES
    if _UE_STYLE in formats:
        return per_ue
    if _SLICE_STYLE in formats:
        return ReportKind.SLICES
    raise NodeError(f"{node} offers KPM action formats {sorted(formats)}; 1 or 4 is needed")


def _targets(
    info: NodeInfo, rule: NodeRule, config: XappConfig
) -> tuple[tuple[CellGlobalId | None, ...], dict[CellGlobalId | None, ControlTarget]]:
    """The node's cells (None where it names none), and how those that can be are controlled."""
    cells = _ccc_cells(info)
    ccc, rc = find(info.functions, ServiceModel.CCC), find(info.functions, ServiceModel.RC)
    if ccc is not None and cells and rule.control in (ControlKind.AUTO, ControlKind.CCC):
        targets = {
            cell: ControlTarget(info.name, cell, ControlKind.CCC, ccc.function_id, config.plmn_digits)
            for cell in cells
        }
        return cells, dict(targets)
    asked = rule.control
    if rc is None or asked is ControlKind.CCC or not (asked is not ControlKind.AUTO or _rc_quota(info.name, rc)):
        return cells or (None,), {}
    kind = asked
    if kind is ControlKind.AUTO:
        kind = ControlKind.RC_UE if rule.profile == kpi.SRSRAN.name else ControlKind.RC_CELL
    # RC names no cell, so the node is controlled, and reports, as one.
    return (None,), {None: ControlTarget(info.name, None, kind, rc.function_id, config.plmn_digits)}


def _ccc_cells(info: NodeInfo) -> tuple[CellGlobalId | None, ...]:
    function = find(info.functions, ServiceModel.CCC)
    if function is None:
        return ()
    try:
        return decode_ccc(function.definition).policy_ratio_cells()
    except DecodeError as error:
        _log.warning("ccc_definition_unreadable", node=info.name, reason=str(error))
        return ()


def _rc_quota(node: str, function: RanFunction) -> bool:
    """Whether the node offers the slice-level PRB quota."""
    try:
        return RC_DEFINITION.decode(function.definition).supports(STYLE, ACTION)
    except DecodeError as error:
        _log.warning("rc_definition_unreadable", node=node, reason=str(error))
        return False


def _reports(
    node: str,
    function: RanFunction,
    cell: CellGlobalId | None,
    kind: ReportKind,
    styles: tuple[ReportStyle, ...],
    config: XappConfig,
) -> list[Report]:
    wanted = _SLICE_STYLE if kind is ReportKind.SLICES else _UE_STYLE
    style = next((style for style in styles if style.action_format == wanted), None)
    number = wanted if style is None else style.style
    offered = None if style is None else {name for name, _ in style.measurements}
    names = [name for name in (*FIELDS.values(), kpi.PRB_AVAILABLE_DL) if not offered or name in offered]
    dialect = kpm_profile.PROFILES[config.rule(node).dialect]
    trigger = encode_event_trigger(EventTrigger(config.period_ms))

    def report(definition: ActionDefinition, index: int | None = None) -> Report:
        action = Action(ACTION_ID, ActionType.REPORT, encode_action_definition(definition, dialect))
        return Report(SubscriptionSpec(node, function.function_id, trigger, (action,)), cell, kind, index)

    if kind is ReportKind.SLICES:
        labels = tuple(Label(slice_id=snssai) for snssai in config.snssais)
        info = tuple(
            MeasurementInfo(name, (NO_LABEL,) if name == kpi.PRB_AVAILABLE_DL else labels) for name in names
        )
        return [report(ActionDefinition(number, ActionFormat1(info, config.period_ms, cell)))]
    plain = ActionFormat1(tuple(map(MeasurementInfo, names)), config.period_ms, cell)
    if kind is ReportKind.UES:
        return [report(ActionDefinition(number, ActionFormat4((ANY_UE,), plain)))]
    return [
        report(ActionDefinition(number, ActionFormat4((_of_slice(snssai),), plain)), index)
        for index, snssai in enumerate(config.snssais)
    ]


def _of_slice(snssai: SNssai) -> MatchingCondition:
    octets = bytes((snssai.sst,)) + (b"" if snssai.sd is None else snssai.sd.to_bytes(3, "big"))
    return MatchingCondition(TestCondition(TestType.SNSSAI, TestExpression.EQUAL, TestValue("valueOctS", octets)))
