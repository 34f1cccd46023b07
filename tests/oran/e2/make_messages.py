"""Writes `messages.json`: messages of every type, made here; run `python -m tests.oran.e2.make_messages`.

The service models' messages are given as JSON, E2AP's as values; the octets are ours, and what another codec
makes of E2AP's is checked by `test_vectors`.
"""

import json
from typing import Any

from oran.e2.e2ap import asn1
from oran.e2.e2ap import messages as m
from oran.e2.e2ap.codec import encode
from oran.e2.identity import GlobalE2NodeId, NodeKind
from oran.e2.registry import codec_of, encode_from_json
from tests.oran.e2.vectors import OWN

PLMN = b"\x00\xf1\x10"
REQUEST = m.RicRequestId(123, 42)
IDS = {"request_id": REQUEST, "function_id": 3}
CAUSE = m.Cause("ricRequest", "function-resource-limit")
TNL = m.TnlInformation((0x0A000001, 32), (36_421, 16))
TNL6 = m.TnlInformation((0xFD00 << 112 | 1, 128))
DIAGNOSTICS = m.CriticalityDiagnostics(8, 0, 0, REQUEST, ((0, 30, 1), (1, 99, 0)))
NODE = GlobalE2NodeId(PLMN, 0x19B, 22, du_id=1)
NG = m.ComponentId("ng", name="amf-1")
F1 = m.ComponentId("f1", number=1)
XN = m.ComponentId("xn", node=bytes.fromhex("0000f110000000019b"))


UE = ["gNB-DU-UEID", {"gNB-CU-UE-F1AP-ID": 7}]
GNB_UE = [
    "gNB-UEID",
    {
        "amf-UE-NGAP-ID": 1_099_511_627_775,
        "guami": {
            "pLMNIdentity": {"hex": "00f110"},
            "aMFRegionID": [{"hex": "80"}, 8],
            "aMFSetID": [{"hex": "0040"}, 10],
            "aMFPointer": [{"hex": "04"}, 6],
        },
        "ran-UEID": {"hex": "0102030405060708"},
    },
]
CELL = ["nR-CGI", {"pLMNIdentity": {"hex": "00f110"}, "nRCellIdentity": [{"hex": "00066c0010"}, 36]}]
SLICE = {"sliceID": {"sST": {"hex": "01"}, "sD": {"hex": "000001"}}}
NO_LABEL = {"noLabel": "true"}


def measured(name: str, *labels: dict[str, Any]) -> dict[str, Any]:
    return {
        "measType": ["measName", name],
        "labelInfoList": [{"measLabel": label} for label in labels or (NO_LABEL,)],
    }


INFO = [measured("DRB.UEThpDl"), measured("RRU.PrbTotDl", SLICE, {"fiveQI": 9}), measured("CQI")]
RECORDS = [
    {"measRecord": [["real", 1250.75], ["integer", 0], ["integer", 300], ["noValue", None]]},
    {
        "measRecord": [["real", -0.5], ["integer", 4_294_967_295], ["integer", 70_000], ["real", 3.0]],
        "incompleteFlag": "true",
    },
]
REPORT = {"measData": RECORDS, "measInfoList": INFO, "granulPeriod": 100}
SUBSCRIBED = {"measInfoList": INFO, "granulPeriod": 100, "cellGlobalID": CELL}
CONDITION = {"testType": ["sNSSAI", "true"], "testExpr": "equal", "testValue": ["valueInt", 1]}
MATCHING = [{"matchingCondChoice": ["testCondInfo", CONDITION]}]
CONDITIONED = {"measType": ["measName", "DRB.UEThpDl"], "matchingCond": MATCHING}
KPM_FUNCTION = {
    "ranFunction-Name": {
        "ranFunction-ShortName": "ORAN-E2SM-KPM",
        "ranFunction-E2SM-OID": "1.3.6.1.4.1.53148.1.3.2.2",
        "ranFunction-Description": "KPM Monitor",
    },
    "ric-EventTriggerStyle-List": [
        {
            "ric-EventTriggerStyle-Type": 1,
            "ric-EventTriggerStyle-Name": "Periodic",
            "ric-EventTriggerFormat-Type": 1,
        }
    ],
    "ric-ReportStyle-List": [
        {
            "ric-ReportStyle-Type": 1,
            "ric-ReportStyle-Name": "E2 Node Measurement",
            "ric-ActionFormat-Type": 1,
            "measInfo-Action-List": [{"measName": "DRB.UEThpDl"}, {"measName": "CQI", "measID": 2}],
            "ric-IndicationHeaderFormat-Type": 1,
            "ric-IndicationMessageFormat-Type": 1,
        }
    ],
}


def element(number: int, value: list[Any]) -> dict[str, Any]:
    return {
        "ranParameter-ID": number,
        "ranParameter-valueType": ["ranP-Choice-ElementFalse", {"ranParameter-value": value}],
    }


def structure(number: int, *parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "ranParameter-ID": number,
        "ranParameter-valueType": [
            "ranP-Choice-Structure",
            {"ranParameter-Structure": {"sequence-of-ranParameters": list(parts)}},
        ],
    }


def listed(number: int, *items: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ranParameter-ID": number,
        "ranParameter-valueType": [
            "ranP-Choice-List",
            {
                "ranParameter-List": {
                    "list-of-ranParameter": [{"sequence-of-ranParameters": item} for item in items]
                }
            },
        ],
    }


MEMBER = structure(
    6,
    element(7, ["valueOctS", {"hex": "00f110"}]),
    structure(8, element(9, ["valueOctS", {"hex": "01"}]), element(10, ["valueOctS", {"hex": "000001"}])),
)
GROUP = structure(
    2,
    structure(3, listed(5, [MEMBER])),
    *(element(number, ["valueInt", value]) for number, value in ((11, 10), (12, 60), (13, 0))),
)
RC_FUNCTION = {
    "ranFunction-Name": {
        "ranFunction-ShortName": "ORAN-E2SM-RC",
        "ranFunction-E2SM-OID": "1.3.6.1.4.1.53148.1.1.2.3",
        "ranFunction-Description": "RAN Control",
    },
    "ranFunctionDefinition-Control": {
        "ric-ControlStyle-List": [
            {
                "ric-ControlStyle-Type": 2,
                "ric-ControlStyle-Name": "Radio Resource Allocation Control",
                "ric-ControlAction-List": [
                    {"ric-ControlAction-ID": 6, "ric-ControlAction-Name": "Slice-level PRB quota"}
                ],
                "ric-ControlHeaderFormat-Type": 1,
                "ric-ControlMessageFormat-Type": 1,
                "ric-ControlOutcomeFormat-Type": 1,
            }
        ]
    },
}
CONTROL_HEADER = {"ueID": UE, "ric-Style-Type": 2, "ric-ControlAction-ID": 6}


def e2ap_messages() -> list[m.E2apMessage]:
    """One or more of each E2AP message."""
    action = m.Action(1, m.ActionType.REPORT, b"definition", m.SubsequentAction(True, 8), 3)
    functions = (m.RanFunction(2, b"kpm" * 50, 1, "1.3.6.1.4.1.53148.1.2.2.2"), m.RanFunction(3, b"", 0, "1.3"))
    configs = (m.ComponentConfig(NG, b"request", b"response"), m.ComponentConfig(F1), m.ComponentConfig(XN, b"r"))
    acks = (m.ComponentConfigAck(NG), m.ComponentConfigAck(F1, m.Cause("e2Node", "e2node-component-unknown")))
    wait = {"cause": CAUSE, "time_to_wait": m.TimeToWait.V5S, "diagnostics": DIAGNOSTICS}
    return [
        m.E2SetupRequest(1, NODE, functions, configs),
        m.E2SetupRequest(2, GlobalE2NodeId(PLMN, 5, 20, NodeKind.ENB), functions[:1], configs[:1]),
        m.E2SetupRequest(3, GlobalE2NodeId(PLMN, 5, 28, NodeKind.EN_GNB, 1, 2), functions[:1], configs[:1]),
        m.E2SetupRequest(4, GlobalE2NodeId(PLMN, 5, 18, NodeKind.NG_ENB, 1), functions[:1], configs[:1]),
        m.E2SetupResponse(1, m.GlobalRicId(PLMN, 25), (m.FunctionRef(2, 1),), (m.FunctionCause(3, CAUSE),), acks),
        m.E2SetupFailure(1, m.Cause("transport", "unspecified"), m.TimeToWait.V60S, DIAGNOSTICS, TNL),
        m.RicSubscriptionRequest(REQUEST, 2, b"trigger", (action, m.Action(2, m.ActionType.POLICY))),
        m.RicSubscriptionRequest(REQUEST, 2, b"", (action,), bytes(8), b"\xff" * 8),
        m.RicSubscriptionResponse(REQUEST, 2, (1, 2), (m.NotAdmittedAction(255, CAUSE),)),
        m.RicSubscriptionFailure(**IDS, cause=CAUSE, diagnostics=DIAGNOSTICS),
        m.RicSubscriptionDeleteRequest(**IDS),
        m.RicSubscriptionDeleteResponse(**IDS),
        m.RicSubscriptionDeleteFailure(**IDS, cause=m.Cause("ricRequest", "request-id-unknown")),
        m.RicSubscriptionDeleteRequired((m.SubscriptionWithCause(REQUEST, 2, CAUSE),) * 2),
        m.RicIndication(REQUEST, 2, 1, b"header", b"message" * 40, 65_535),
        m.RicIndication(REQUEST, 4095, 255, b"", b"", None, m.IndicationType.INSERT, b"process"),
        m.RicControlRequest(REQUEST, 3, b"header", b"message" * 40, m.ControlAckRequest.ACK),
        m.RicControlRequest(REQUEST, 3, b"", b"", m.ControlAckRequest.NO_ACK, b"process"),
        m.RicControlAcknowledge(REQUEST, 3, b"outcome"),
        m.RicControlFailure(REQUEST, 3, CAUSE, b"outcome", b"process", DIAGNOSTICS),
        m.ErrorIndication(5, REQUEST, 3, m.Cause("protocol", "semantic-error"), DIAGNOSTICS),
        m.ErrorIndication(),
        m.RicServiceUpdate(255, functions[:1], functions[1:], (m.FunctionRef(9, 1),)),
        m.RicServiceUpdateAcknowledge(6, (m.FunctionRef(2, 1),), (m.FunctionCause(3, CAUSE),)),
        m.RicServiceUpdateFailure(7, **wait),
        m.RicServiceQuery(8, (m.FunctionRef(2, 1), m.FunctionRef(3, 4095))),
        m.E2NodeConfigurationUpdate(9, NODE, configs[:1], configs[1:], (F1, XN), ((TNL, TNL6),)),
        m.E2NodeConfigurationUpdateAcknowledge(10, acks[:1], acks[1:], acks),
        m.E2NodeConfigurationUpdateFailure(11, **wait),
        m.E2ConnectionUpdate(
            12, (m.Connection(TNL, m.TnlUsage.BOTH),), (TNL6,), (m.Connection(TNL6, m.TnlUsage.RIC_SERVICE),)
        ),
        m.E2ConnectionUpdateAcknowledge(13, (m.Connection(TNL, m.TnlUsage.SUPPORT_FUNCTION),), ((TNL6, CAUSE),)),
        m.E2ConnectionUpdateFailure(14, **wait),
        m.ResetRequest(15, m.Cause("misc", "om-intervention")),
        m.ResetResponse(15, DIAGNOSTICS),
        m.E2RemovalRequest(16),
        m.E2RemovalResponse(16),
        m.E2RemovalFailure(16, m.Cause("misc", "control-processing-overload")),
    ]


def service_model_messages() -> list[tuple[str, dict[str, Any]]]:
    """One or more of each message of E2SM-KPM and E2SM-RC, as JSON."""
    kpm, rc = "E2SM-KPM-", "E2SM-RC-"
    actions = [
        ["actionDefinition-Format1", SUBSCRIBED],
        ["actionDefinition-Format2", {"ueID": UE, "subscriptInfo": SUBSCRIBED}],
        ["actionDefinition-Format3", {"measCondList": [CONDITIONED], "granulPeriod": 100}],
        [
            "actionDefinition-Format4",
            {"matchingUeCondList": [{"testCondInfo": CONDITION}], "subscriptionInfo": SUBSCRIBED},
        ],
        [
            "actionDefinition-Format5",
            {"matchingUEidList": [{"ueID": UE}, {"ueID": GNB_UE}], "subscriptionInfo": SUBSCRIBED},
        ],
    ]
    reports = [
        ["indicationMessage-Format1", REPORT],
        [
            "indicationMessage-Format2",
            {"measData": RECORDS, "measCondUEidList": [{**CONDITIONED, "matchingUEidList": [{"ueID": UE}]}]},
        ],
        [
            "indicationMessage-Format3",
            {"ueMeasReportList": [{"ueID": UE, "measReport": REPORT}, {"ueID": GNB_UE, "measReport": REPORT}]},
        ],
    ]
    times = [
        {"colletStartTime": {"hex": "ea93e1c1"}},
        {"colletStartTime": {"hex": "ea93e1c180000000"}, "vendorName": "V"},
    ]
    return [
        (
            kpm + "EventTriggerDefinition",
            {"eventDefinition-formats": ["eventDefinition-Format1", {"reportingPeriod": 1000}]},
        ),
        *(
            (kpm + "ActionDefinition", {"ric-Style-Type": style, "actionDefinition-formats": action})
            for style, action in enumerate(actions, 1)
        ),
        *(
            (kpm + "IndicationHeader", {"indicationHeader-formats": ["indicationHeader-Format1", time]})
            for time in times
        ),
        *((kpm + "IndicationMessage", {"indicationMessage-formats": report}) for report in reports),
        (kpm + "RANfunction-Description", KPM_FUNCTION),
        (
            rc + "EventTrigger",
            {
                "ric-eventTrigger-formats": [
                    "eventTrigger-Format1",
                    {
                        "message-List": [
                            {
                                "ric-eventTriggerCondition-ID": 5,
                                "messageType": [
                                    "messageType-Choice-RRC",
                                    {"rRC-Message": {"rrcType": ["lTE", "bCCH-BCH"], "messageID": 9}},
                                ],
                                "messageDirection": "incoming",
                            }
                        ]
                    },
                ]
            },
        ),
        (
            rc + "ActionDefinition",
            {
                "ric-Style-Type": 1,
                "ric-actionDefinition-formats": [
                    "actionDefinition-Format1",
                    {"ranP-ToBeReported-List": [{"ranParameter-ID": 21_503}, {"ranParameter-ID": 1}]},
                ],
            },
        ),
        (
            rc + "IndicationHeader",
            {"ric-indicationHeader-formats": ["indicationHeader-Format1", {"ric-eventTriggerCondition-ID": 5}]},
        ),
        (
            rc + "IndicationMessage",
            {
                "ric-indicationMessage-formats": [
                    "indicationMessage-Format2",
                    {"ueParameter-List": [{"ueID": ue, "ranP-List": [MEMBER]} for ue in (UE, GNB_UE)]},
                ]
            },
        ),
        (rc + "RANFunctionDefinition", RC_FUNCTION),
        (rc + "ControlHeader", {"ric-controlHeader-formats": ["controlHeader-Format1", CONTROL_HEADER]}),
        (
            rc + "ControlMessage",
            {
                "ric-controlMessage-formats": [
                    "controlMessage-Format1",
                    {"ranP-List": [listed(1, [GROUP], [GROUP])]},
                ]
            },
        ),
        (
            rc + "ControlOutcome",
            {
                "ric-controlOutcome-formats": [
                    "controlOutcome-Format1",
                    {"ranP-List": [{"ranParameter-ID": 1, "ranParameter-value": ["valueInt", 1]}]},
                ]
            },
        ),
    ]


def build() -> list[dict[str, Any]]:
    """Every message with its name, type, octets and decoded value."""
    built = []
    for message in e2ap_messages():
        built.append(("E2AP-PDU", type(message).__name__, encode(message), asn1.to_asn1(message)))
    for kind, value in service_model_messages():
        data = encode_from_json(kind, value)
        codec = codec_of(kind)
        built.append((kind, kind, data, codec.to_asn1(codec.decode(data))))
    return [
        {"name": f"{index:02d} {name}", "type": kind, "hex": data.hex(), "decoded": value}
        for index, (kind, name, data, value) in enumerate(built)
    ]


if __name__ == "__main__":
    OWN.write_text("[\n" + ",\n".join(json.dumps(item) for item in build()) + "\n]\n")
