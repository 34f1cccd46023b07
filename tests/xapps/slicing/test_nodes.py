from dataclasses import replace
from typing import Any

import pytest

from oran import kpi
from oran.e2.e2ap.messages import RanFunction
from oran.e2.functions import KPM_OID, FunctionName
from oran.e2.identity import EnbUeId, GnbDuUeId, GnbUeId, Guami, Gummei, UeId
from oran.e2.kpm.codec import (
    decode_action_definition,
    decode_event_trigger,
    encode_function_definition,
)
from oran.e2.kpm.messages import (
    ActionFormat1,
    ActionFormat4,
    FunctionDefinition,
    ReportStyle,
)
from oran.nodes import NodeInfo
from oran.sdl import MemorySdl
from tests.xapps.slicing.cells import THREE
from twin.e2node.config import NodeConfig
from twin.e2node.functions import ran_functions
from xapps.slicing.config import ControlKind, ReportKind, UeSlice, XappConfig
from xapps.slicing.errors import NodeError
from xapps.slicing.fleet import Fleet
from xapps.slicing.membership import ue_slice_map
from xapps.slicing.nodes import survey
from xapps.slicing.originals import Originals

SLICES = [{"slice": str(name), "sla": {"delay_s": 0.01}} for name in THREE]
UE_SLICES = [{"slice": "1-000001", "ids": [{"first": 0, "last": 9}]}]


def settings(**changes: Any) -> XappConfig:
    return XappConfig.model_validate({"slices": SLICES, **changes})


def node(**changes: Any) -> NodeInfo:
    made = NodeConfig(**changes)
    return NodeInfo(made.name, True, ran_functions(made))


def kpm_only(*styles: tuple[int, int, tuple[str, ...]]) -> NodeInfo:
    """A node with KPM alone: its (style, action format, measurements)."""
    offered = tuple(
        ReportStyle(style, "s", form, tuple((name, None) for name in names), 1, 1) for style, form, names in styles
    )
    definition = encode_function_definition(
        FunctionDefinition(FunctionName("ORAN-E2SM-KPM", KPM_OID, "KPM"), (), offered)
    )
    return NodeInfo("gnb_1", True, (RanFunction(147, definition, 1, KPM_OID),))


def test_a_node_with_ccc_reports_each_cell_by_slice() -> None:
    model = survey(node(), settings())
    (cell,) = model.cells
    assert cell == NodeConfig().cell
    assert model.targets[cell].kind is ControlKind.CCC
    (report,) = model.reports
    assert report.kind is ReportKind.SLICES
    assert decode_event_trigger(report.spec.event_trigger).reporting_period_ms == 100
    definition = report.spec.actions[0].definition
    assert definition is not None
    form = decode_action_definition(definition).format
    assert isinstance(form, ActionFormat1)
    assert form.cell == cell
    labelled = {item.measurement: [label.slice_id for label in item.labels] for item in form.info}
    assert labelled.pop(kpi.PRB_AVAILABLE_DL) == [None]
    assert all(slices == list(THREE) for slices in labelled.values())


@pytest.mark.parametrize(
    ("changes", "rule", "kind", "count", "control"),
    [
        ({"supports_ccc": False}, {}, ReportKind.CONDITIONS, 3, ControlKind.RC_CELL),
        ({"supports_ccc": False}, {"profile": "srsran"}, ReportKind.CONDITIONS, 3, ControlKind.RC_UE),
        ({}, {"profile": "oai"}, ReportKind.CONDITIONS, 3, ControlKind.CCC),
        ({}, {"report": "ues"}, ReportKind.UES, 1, ControlKind.CCC),
        ({}, {"control": "rc_ue", "report": "conditions"}, ReportKind.CONDITIONS, 3, ControlKind.RC_UE),
        ({}, {"dialect": "flexric"}, ReportKind.SLICES, 1, ControlKind.CCC),
    ],
)
def test_reports_and_control_follow_the_node_and_its_rule(
    changes: dict[str, Any], rule: dict[str, Any], kind: ReportKind, count: int, control: ControlKind
) -> None:
    model = survey(node(**changes), settings(node_rules=[rule]))
    assert [report.kind for report in model.reports] == [kind] * count
    assert {target.kind for target in model.targets.values()} == {control}


def test_a_ue_map_spares_the_conditions() -> None:
    model = survey(node(supports_ccc=False), settings(ue_slices=UE_SLICES))
    (report,) = model.reports
    assert report.kind is ReportKind.UES
    definition = report.spec.actions[0].definition
    assert definition is not None
    assert isinstance(decode_action_definition(definition).format, ActionFormat4)


def test_only_measurements_that_are_offered_are_asked_for() -> None:
    model = survey(kpm_only((1, 1, (kpi.PRB_USED_DL, "Vendor.Thing"))), settings())
    definition = model.reports[0].spec.actions[0].definition
    assert definition is not None
    form = decode_action_definition(definition).format
    assert isinstance(form, ActionFormat1)
    assert [item.measurement for item in form.info] == [kpi.PRB_USED_DL]
    assert model.cells == (None,)
    assert model.targets == {}


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (NodeInfo("gnb_1", True, ()), "no E2SM-KPM"),
        (kpm_only((2, 2, (kpi.PRB_USED_DL,))), r"action formats \[2\]"),
    ],
)
def test_a_node_that_offers_nothing_is_refused(info: NodeInfo, reason: str) -> None:
    with pytest.raises(NodeError, match=reason):
        survey(info, settings())


def test_definitions_that_cannot_be_read_are_taken_for_the_usual() -> None:
    info = node()
    broken = replace(info, functions=tuple(replace(item, definition=b"\xff\xff") for item in info.functions))
    model = survey(broken, settings())
    assert [report.kind for report in model.reports] == [ReportKind.SLICES]
    assert model.targets == {}


def test_ues_are_mapped_by_number_range_and_name() -> None:
    rules = (
        UeSlice.model_validate({"slice": "1-000001", "ids": [{"first": 0, "last": 9}], "node": "gnbd_*"}),
        UeSlice.model_validate({"slice": "2-000001", "ran_ue_ids": ["00000000000000FF"]}),
    )
    guami = Guami(bytes(3), 0, 0, 0)
    here = ue_slice_map("gnbd_1", rules, THREE)
    cases: list[tuple[UeId, int | None]] = [
        (GnbDuUeId(9), 0),
        (GnbDuUeId(10), None),
        (GnbDuUeId(10, bytes(7) + b"\xff"), 1),
        (GnbUeId(5, guami), 0),
        (GnbUeId(99, guami, f1ap_ids=(3,)), 0),
        (EnbUeId(1, Gummei(bytes(3), 0, 0)), None),
    ]
    for ue, index in cases:
        assert here(ue) == index
        assert here(ue) == index
    assert ue_slice_map("gnb_1", rules, THREE)(GnbDuUeId(9)) is None


async def test_the_fleet_follows_nodes_and_its_filter() -> None:
    config = settings(node_filter=["gnbd_*_1", "gnb_*"])
    fleet = Fleet(config, Originals(MemorySdl(), THREE))
    one, two, bad = node(du=1), node(du=2), NodeInfo("gnb_9", True, ())

    async def details(name: str) -> NodeInfo:
        return next(info for info in (one, two, bad) if info.name == name)

    assert await fleet.update([one, two, bad], details) == ()
    assert fleet.connected == {one.name}
    assert len(fleet.cells()) == len(fleet.wanted()) == 1
    kept = fleet.cells()[0]
    await fleet.update([one], details)
    assert fleet.cells() == [kept]
    assert await fleet.update([replace(one, connected=False)], details) == (one.name,)
    assert fleet.cells() == []
    assert fleet.wanted() == []
