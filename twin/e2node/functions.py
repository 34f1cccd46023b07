"""The RAN functions a node offers: KPM reports, RC slice quotas, CCC policy ratios."""

from oran import kpi
from oran.e2.ccc.function import encode_function_definition as encode_ccc
from oran.e2.ccc.messages import (
    CELL_LEVEL,
    POLICY_RATIO,
    Attribute,
    CellSupport,
    ConfigurationStructure,
    ControlStyle,
)
from oran.e2.ccc.messages import FunctionDefinition as CccDefinition
from oran.e2.e2ap.messages import RanFunction
from oran.e2.functions import CCC_OID, KPM_OID, RC_OID, FunctionName
from oran.e2.kpm.codec import encode_function_definition as encode_kpm
from oran.e2.kpm.messages import FunctionDefinition as KpmDefinition
from oran.e2.kpm.messages import ReportStyle, TriggerStyle
from oran.e2.rc import slice_quota as quota
from oran.e2.rc.function import (
    FUNCTION_DEFINITION,
    ControlAction,
    ListShape,
    NamedParameter,
    StructureShape,
)
from oran.e2.rc.function import ControlStyle as RcControlStyle
from oran.e2.rc.function import FunctionDefinition as RcDefinition
from twin.e2node.config import NodeConfig

CELL_MEASUREMENTS = (
    kpi.UE_THROUGHPUT_DL,
    kpi.SDU_DELAY_DL,
    kpi.DROP_RATE_DL,
    kpi.PDCP_VOLUME_DL,
    kpi.RLC_VOLUME_DL,
    kpi.PRB_USED_DL,
    kpi.PRB_AVAILABLE_DL,
    kpi.PRB_TOTAL_DL,
    kpi.ACTIVE_UES_DL,
)
UE_MEASUREMENTS = (*CELL_MEASUREMENTS[:-1], kpi.CQI)
IDS = {name: number for number, name in enumerate((*CELL_MEASUREMENTS, kpi.CQI), 1)}
"""The measurement ids of the RAN function definition."""

NODE_STYLE, CONDITION_STYLE, UE_LIST_STYLE = 1, 4, 5
STYLES = {
    NODE_STYLE: ("E2 Node Measurement", 1, CELL_MEASUREMENTS, 1),
    CONDITION_STYLE: ("Common Condition-based, UE-level Measurement", 4, UE_MEASUREMENTS, 3),
    UE_LIST_STYLE: ("E2 Node Measurement for multiple UEs", 5, UE_MEASUREMENTS, 3),
}
"""Report styles by number: name, action definition format, measurements, indication message format."""

_RATIO_ATTRIBUTES = (
    *("resourceType", "rRMPolicyMemberList", "rRMPolicyMaxRatio", "rRMPolicyMinRatio"),
    "rRMPolicyDedicatedRatio",
)


def ran_functions(config: NodeConfig) -> tuple[RanFunction, ...]:
    """The functions with their definitions, as the setup request carries them."""
    kpm = RanFunction(config.kpm_id, encode_kpm(_kpm()), 1, KPM_OID)
    rc = RanFunction(config.rc_id, FUNCTION_DEFINITION.encode(_rc()), 1, RC_OID)
    if not config.supports_ccc:
        return kpm, rc
    return kpm, rc, RanFunction(config.ccc_id, encode_ccc(_ccc(config)), 1, CCC_OID)


def _kpm() -> KpmDefinition:
    return KpmDefinition(
        FunctionName("ORAN-E2SM-KPM", KPM_OID, "KPM Monitor"),
        (TriggerStyle(1, "Periodic report", 1),),
        tuple(
            ReportStyle(style, name, action, tuple((item, IDS[item]) for item in measurements), 1, message)
            for style, (name, action, measurements, message) in STYLES.items()
        ),
    )


def _rc() -> RcDefinition:
    slice_id = StructureShape((NamedParameter(quota.SST, "SST"), NamedParameter(quota.SD, "SD")))
    member = StructureShape(
        (
            NamedParameter(quota.PLMN_IDENTITY, "PLMN Identity"),
            NamedParameter(quota.S_NSSAI, "S-NSSAI", slice_id),
        )
    )
    members = ListShape((NamedParameter(quota.MEMBER, "RRM Policy Member", member),))
    policy = StructureShape((NamedParameter(quota.MEMBER_LIST, "RRM Policy Member List", members),))
    group = StructureShape(
        (
            NamedParameter(quota.POLICY, "RRM Policy", policy),
            NamedParameter(quota.MIN_RATIO, "Min PRB Policy Ratio"),
            NamedParameter(quota.MAX_RATIO, "Max PRB Policy Ratio"),
            NamedParameter(quota.DEDICATED_RATIO, "Dedicated PRB Policy Ratio"),
        )
    )
    ratios = ListShape((NamedParameter(quota.RATIO_GROUP, "RRM Policy Ratio Group", group),))
    action = ControlAction(
        quota.ACTION,
        "Slice-level PRB quota",
        (NamedParameter(quota.RATIO_LIST, "RRM Policy Ratio List", ratios),),
    )
    style = RcControlStyle(quota.STYLE, "Radio Resource Allocation Control", 1, 1, 1, (action,))
    return RcDefinition(FunctionName("ORAN-E2SM-RC", RC_OID, "RAN Control"), controls=(style,))


def _ccc(config: NodeConfig) -> CccDefinition:
    control = ControlStyle(CELL_LEVEL, "Cell Configuration and Control", 1, 2, 2)
    attributes = tuple(Attribute(name, controls=(control,)) for name in _RATIO_ATTRIBUTES)
    structure = ConfigurationStructure(POLICY_RATIO, attributes)
    return CccDefinition(
        FunctionName("ORAN-E2SM-CCC", CCC_OID, "Cell Configuration and Control"),
        cells=(CellSupport(config.cell, (structure,)),),
    )
