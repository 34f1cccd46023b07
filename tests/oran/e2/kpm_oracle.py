"""A second opinion on the wire: the structure of KPM's messages in our own words, for asn1tools to compile.

It holds only what has to be laid out alike; type names are ours, component names those of the JSON projection.
`extensions_in_root` lays the messages out as FlexRIC does.
"""

from functools import cache
from typing import Any

import asn1tools

_SCHEMA = """
Oracle DEFINITIONS AUTOMATIC TAGS ::= BEGIN

Trigger ::= SEQUENCE {
  eventDefinition-formats CHOICE {
    eventDefinition-Format1 SEQUENCE { reportingPeriod Period, ... }, ... }, ... }

Action ::= SEQUENCE {
  ric-Style-Type INTEGER,
  actionDefinition-formats CHOICE {
    actionDefinition-Format1 Wanted,
    actionDefinition-Format2 SEQUENCE { ueID Ue, subscriptInfo Wanted, ... },
    actionDefinition-Format3 SEQUENCE {
      measCondList SEQUENCE (SIZE(1..65535)) OF SEQUENCE {
        measType Which, matchingCond Conditions, @ binRangeDef Bins OPTIONAL @ },
      granulPeriod Period, cellGlobalID Cell OPTIONAL, ... }, #
    actionDefinition-Format4 SEQUENCE {
      matchingUeCondList SEQUENCE (SIZE(1..32768)) OF SEQUENCE {
        testCondInfo Test, ..., logicalOR Yes OPTIONAL },
      subscriptionInfo Wanted, ... },
    actionDefinition-Format5 SEQUENCE {
      matchingUEidList SEQUENCE (SIZE(2..65535)) OF SEQUENCE { ueID Ue, ... },
      subscriptionInfo Wanted, ... } # }, ... }

Header8 ::= SEQUENCE {
  indicationHeader-formats CHOICE {
    indicationHeader-Format1 SEQUENCE { colletStartTime OCTET STRING (SIZE(8)), &Origin }, ... }, ... }
Header4 ::= SEQUENCE {
  indicationHeader-formats CHOICE {
    indicationHeader-Format1 SEQUENCE { colletStartTime OCTET STRING (SIZE(4)), &Origin }, ... }, ... }

Message ::= SEQUENCE {
  indicationMessage-formats CHOICE {
    indicationMessage-Format1 Report,
    indicationMessage-Format2 SEQUENCE {
      measData Data,
      measCondUEidList SEQUENCE (SIZE(1..65535)) OF SEQUENCE {
        measType Which, matchingCond Conditions,
        matchingUEidList SEQUENCE (SIZE(1..65535)) OF SEQUENCE { ueID Ue, ... } OPTIONAL, @
        matchingUEidPerGP SEQUENCE (SIZE(1..65535)) OF SEQUENCE {
          matchedPerGP CHOICE {
            noUEmatched Yes,
            oneOrMoreUEmatched SEQUENCE (SIZE(1..65535)) OF SEQUENCE { ueID Ue, ... }, ... }, ... } OPTIONAL @ },
      granulPeriod Period OPTIONAL, ... }, #
    indicationMessage-Format3 SEQUENCE {
      ueMeasReportList SEQUENCE (SIZE(1..65535)) OF SEQUENCE { ueID Ue, measReport Report, ... }, ... } # }, ... }

Function ::= SEQUENCE {
  ranFunction-Name SEQUENCE {
    ranFunction-ShortName Name, ranFunction-E2SM-OID PrintableString (SIZE(1..1000, ...)),
    ranFunction-Description Name, ranFunction-Instance INTEGER OPTIONAL, ... },
  ric-EventTriggerStyle-List SEQUENCE (SIZE(1..63)) OF SEQUENCE {
    ric-EventTriggerStyle-Type INTEGER, ric-EventTriggerStyle-Name Name,
    ric-EventTriggerFormat-Type INTEGER, ... } OPTIONAL,
  ric-ReportStyle-List SEQUENCE (SIZE(1..63)) OF SEQUENCE {
    ric-ReportStyle-Type INTEGER, ric-ReportStyle-Name Name, ric-ActionFormat-Type INTEGER,
    measInfo-Action-List SEQUENCE (SIZE(1..65535)) OF SEQUENCE {
      measName Name, measID INTEGER (1..65536, ...) OPTIONAL, ..., binRangeDef Bins OPTIONAL },
    ric-IndicationHeaderFormat-Type INTEGER, ric-IndicationMessageFormat-Type INTEGER, ... } OPTIONAL, ... }

Wanted ::= SEQUENCE {
  measInfoList Infos, granulPeriod Period, cellGlobalID Cell OPTIONAL, @
  distMeasBinRangeInfo SEQUENCE (SIZE(1..65535)) OF SEQUENCE {
    measType Which, binRangeDef Bins, ... } OPTIONAL @ }

Report ::= SEQUENCE {
  measData Data, measInfoList Infos OPTIONAL, granulPeriod Period OPTIONAL, ... }

Data ::= SEQUENCE (SIZE(1..65535)) OF SEQUENCE {
  measRecord SEQUENCE (SIZE(1..2147483647)) OF CHOICE {
    integer INTEGER (0..4294967295), real REAL, noValue NULL, ..., notSatisfied NULL },
  incompleteFlag Yes OPTIONAL, ... }

Infos ::= SEQUENCE (SIZE(1..65535)) OF SEQUENCE {
  measType Which,
  labelInfoList SEQUENCE (SIZE(1..2147483647)) OF SEQUENCE { measLabel Label, ... },
  ...,
  matchCondReportList SEQUENCE (SIZE(1..32768)) OF SEQUENCE {
    measValueReportCond SEQUENCE { testExpr Comparison, testValue Operand, ... },
    logicalOR Yes OPTIONAL, ... } OPTIONAL }

Label ::= SEQUENCE {
  noLabel Yes OPTIONAL, plmnID OCTET STRING (SIZE(3)) OPTIONAL,
  sliceID SEQUENCE { sST OCTET STRING (SIZE(1)), sD OCTET STRING (SIZE(3)) OPTIONAL, ... } OPTIONAL,
  fiveQI INTEGER (0..255, ...) OPTIONAL, qFI INTEGER (0..63, ...) OPTIONAL,
  qCI Octet OPTIONAL, qCImax Octet OPTIONAL, qCImin Octet OPTIONAL,
  aRPmax INTEGER (1..15, ...) OPTIONAL, aRPmin INTEGER (1..15, ...) OPTIONAL,
  bitrateRange Count OPTIONAL, layerMU-MIMO Count OPTIONAL, sUM Yes OPTIONAL,
  distBinX Count OPTIONAL, distBinY Count OPTIONAL, distBinZ Count OPTIONAL,
  preLabelOverride Yes OPTIONAL, startEndInd ENUMERATED { start, end, ... } OPTIONAL,
  min Yes OPTIONAL, max Yes OPTIONAL, avg Yes OPTIONAL,
  ...,
  ssbIndex Count OPTIONAL, nonGoB-BFmode-Index Count OPTIONAL,
  mIMO-mode-Index INTEGER (1..2, ...) OPTIONAL, cellGlobalID Cell OPTIONAL,
  beamID CHOICE { nR-Beam-ID INTEGER (0..63), ... } OPTIONAL }

Conditions ::= SEQUENCE (SIZE(1..32768)) OF SEQUENCE {
  matchingCondChoice CHOICE { measLabel Label, testCondInfo Test, ... }, logicalOR Yes OPTIONAL, ... }

Test ::= SEQUENCE {
  testType CHOICE {
    gBR Yes, aMBR Yes, isStat Yes, isCatM Yes, rSRP Yes, rSRQ Yes, #
    ul-rSRP Yes, cQI Yes, fiveQI Yes, qCI Yes, sNSSAI Yes # },
  testExpr Comparison OPTIONAL, testValue Operand OPTIONAL, ... }

Comparison ::= ENUMERATED { equal, greaterthan, lessthan, contains, present, ... }

Operand ::= CHOICE {
  valueInt INTEGER, valueEnum INTEGER, valueBool BOOLEAN, valueBitS BIT STRING,
  valueOctS OCTET STRING, valuePrtS PrintableString, ..., valueReal REAL }

Bins ::= SEQUENCE { binRangeListX Axis, binRangeListY Axis OPTIONAL, binRangeListZ Axis OPTIONAL, ... }
Axis ::= SEQUENCE (SIZE(1..65535)) OF SEQUENCE { binIndex Count, startValue Edge, endValue Edge, ... }
Edge ::= CHOICE { valueInt INTEGER, valueReal REAL, ... }

Which ::= CHOICE { measName Name, measID INTEGER (1..65536, ...), ... }
Name ::= PrintableString (SIZE(1..150, ...))
Yes ::= ENUMERATED { true, ... }
Octet ::= INTEGER (0..255)
Count ::= INTEGER (1..65535, ...)
Period ::= INTEGER (1..4294967295)

Cell ::= CHOICE {
  nR-CGI SEQUENCE {
    pLMNIdentity OCTET STRING (SIZE(3)), nRCellIdentity BIT STRING (SIZE(36)), ... },
  eUTRA-CGI SEQUENCE {
    pLMNIdentity OCTET STRING (SIZE(3)), eUTRACellIdentity BIT STRING (SIZE(28)), ... }, ... }

Ue ::= CHOICE {
  gNB-UEID SEQUENCE {
    amf-UE-NGAP-ID INTEGER (0..1099511627775),
    guami SEQUENCE {
      pLMNIdentity OCTET STRING (SIZE(3)), aMFRegionID BIT STRING (SIZE(8)),
      aMFSetID BIT STRING (SIZE(10)), aMFPointer BIT STRING (SIZE(6)), ... },
    gNB-CU-UE-F1AP-ID-List SEQUENCE (SIZE(1..4)) OF SEQUENCE {
      gNB-CU-UE-F1AP-ID INTEGER (0..4294967295), ... } OPTIONAL,
    gNB-CU-CP-UE-E1AP-ID-List SEQUENCE (SIZE(1..65535)) OF SEQUENCE {
      gNB-CU-CP-UE-E1AP-ID INTEGER (0..4294967295), ... } OPTIONAL,
    ran-UEID OCTET STRING (SIZE(8)) OPTIONAL,
    m-NG-RAN-UE-XnAP-ID INTEGER (0..4294967295) OPTIONAL,
    never NULL OPTIONAL, ... },
  gNB-DU-UEID SEQUENCE {
    gNB-CU-UE-F1AP-ID INTEGER (0..4294967295), ran-UEID OCTET STRING (SIZE(8)) OPTIONAL, ... },
  gNB-CU-UP-UEID SEQUENCE {
    gNB-CU-CP-UE-E1AP-ID INTEGER (0..4294967295), ran-UEID OCTET STRING (SIZE(8)) OPTIONAL, ... },
  ng-eNB-UEID NULL,
  ng-eNB-DU-UEID SEQUENCE { ng-eNB-CU-UE-W1AP-ID INTEGER (0..4294967295), ... },
  en-gNB-UEID NULL,
  eNB-UEID NULL,
  ... }

END
"""

_ORIGIN = """
  fileFormatversion PrintableString (SIZE(0..15, ...)) OPTIONAL,
  senderName PrintableString (SIZE(0..400, ...)) OPTIONAL,
  senderType PrintableString (SIZE(0..8, ...)) OPTIONAL,
  vendorName PrintableString (SIZE(0..32, ...)) OPTIONAL, ...
"""


def schema(*, extensions_in_root: bool = False) -> str:
    """The schema's text. `@...@` and `#...#` enclose what a dialect has before or behind the marker."""
    text = _SCHEMA.replace("&Origin", _ORIGIN)
    parts = text.replace("@", "#").split("#")
    opening, closing = (" ", ", ...") if extensions_in_root else (" ..., ", "")
    fixed = parts[0]
    for index, part in enumerate(parts[1:]):
        fixed += (closing if index % 2 else opening) + part
    return fixed


@cache
def oracle(*, extensions_in_root: bool = False) -> Any:
    """The compiled schema."""
    return asn1tools.compile_string(schema(extensions_in_root=extensions_in_root), "per")


def to_json(value: Any) -> Any:
    """asn1tools' values in the form of the JSON projection."""
    if isinstance(value, tuple):
        if isinstance(value[0], bytes):
            return [{"hex": value[0].hex()}, value[1]]
        return [value[0], to_json(value[1])]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def from_json(value: Any) -> Any:
    """The JSON projection's values in the form that asn1tools takes."""
    if isinstance(value, dict):
        if set(value) == {"hex"}:
            return bytes.fromhex(value["hex"])
        return {key: from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        if len(value) == 2 and isinstance(value[0], str):
            return value[0], from_json(value[1])
        if len(value) == 2 and isinstance(value[1], int) and not isinstance(value[0], int):
            return from_json(value[0]), value[1]
        return [from_json(item) for item in value]
    return value
