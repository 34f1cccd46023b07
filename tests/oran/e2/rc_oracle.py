"""A second E2SM-RC codec to check ours against: asn1tools over a small schema of our own wording.

Component and type names are ours, since they never reach the wire; the structure follows the standard.

`schema()` compiles it once. `encode_quota_message(quotas)` encodes the slice PRB quota message of style 2,
action 6 (for benchmarks too: `quota_value(quotas)` is the value it starts from), `encode_parameters(tree)` and
`decode_parameters(data)` a control message format 1, `encode_ue_id(ue)` a UEID.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import asn1tools

from oran.e2.identity import (
    CellRnti,
    EnbUeId,
    EnGnbUeId,
    EutraCgi,
    GlobalNodeRef,
    GnbCuUpUeId,
    GnbDuUeId,
    GnbUeId,
    Guami,
    Gummei,
    NgEnbDuUeId,
    NgEnbUeId,
    NodeKind,
    NrCgi,
    UeId,
)
from oran.e2.rc.parameters import Element, KeyElement, Parameter, ParameterList, ParameterValue, Structure
from oran.e2.rc.slice_quota import SlicePrbQuota, slice_prb_quota_message

SCHEMA = """
Oracle DEFINITIONS AUTOMATIC TAGS ::= BEGIN
Message ::= SEQUENCE { formats CHOICE { one Plain, ... }, ... }
Plain ::= SEQUENCE { parameters SEQUENCE (SIZE (0..65535)) OF Item, ... }
Item ::= SEQUENCE { id INTEGER (1..4294967295, ...), value Tree, ... }
Tree ::= CHOICE { key Key, element Leaf, structure Inner, list Row, ... }
Key ::= SEQUENCE { value Scalar, ... }
Leaf ::= SEQUENCE { value Scalar OPTIONAL, ... }
Inner ::= SEQUENCE { structure Group, ... }
Row ::= SEQUENCE { list Groups, ... }
Group ::= SEQUENCE { items SEQUENCE (SIZE (1..65535)) OF Item OPTIONAL, ... }
Groups ::= SEQUENCE { groups SEQUENCE (SIZE (1..65535)) OF Group, ... }
Scalar ::= CHOICE { flag BOOLEAN, number INTEGER, real REAL, bits BIT STRING, octets OCTET STRING,
  text PrintableString, ... }
Header ::= SEQUENCE { formats CHOICE { one SEQUENCE { ue Ue, style INTEGER, action INTEGER (1..65535, ...),
  decision ENUMERATED { accept, reject, ... } OPTIONAL, ... }, ... }, ... }
Ue ::= CHOICE { gnb UeGnb, du UeDu, up UeUp, ngEnb UeNgEnb, ngEnbDu UeNgEnbDu, enGnb UeEnGnb, enb UeEnb, ... }
U32 ::= INTEGER (0..4294967295)
Plmn ::= OCTET STRING (SIZE (3))
Ran ::= OCTET STRING (SIZE (8))
F1 ::= SEQUENCE { id U32, ... }
E1 ::= SEQUENCE { id U32, ... }
E1s ::= SEQUENCE (SIZE (1..65535)) OF E1
X2 ::= INTEGER (0..4095)
X2e ::= INTEGER (0..4095, ...)
UeGnb ::= SEQUENCE { amf INTEGER (0..1099511627775), guami Guami, f1 SEQUENCE (SIZE (1..4)) OF F1 OPTIONAL,
  e1 E1s OPTIONAL, ran Ran OPTIONAL, xn U32 OPTIONAL, gnb Gnb OPTIONAL, ..., node Node OPTIONAL,
  rnti Rnti OPTIONAL }
UeDu ::= SEQUENCE { f1 U32, ran Ran OPTIONAL, ..., rnti Rnti OPTIONAL }
UeUp ::= SEQUENCE { e1 U32, ran Ran OPTIONAL, ... }
UeNgEnb ::= SEQUENCE { amf INTEGER (0..1099511627775), guami Guami, w1 U32 OPTIONAL, xn U32 OPTIONAL,
  ngEnb NgEnb OPTIONAL, ..., node Node OPTIONAL, rnti Rnti OPTIONAL }
UeNgEnbDu ::= SEQUENCE { w1 U32, ..., rnti Rnti OPTIONAL }
UeEnGnb ::= SEQUENCE { x2 X2, x2e X2e OPTIONAL, enb Enb, f1 U32 OPTIONAL, e1 E1s OPTIONAL, ran Ran OPTIONAL, ...,
  rnti Rnti OPTIONAL }
UeEnb ::= SEQUENCE { mme U32, gummei Gummei, x2 X2 OPTIONAL, x2e X2e OPTIONAL, enb Enb OPTIONAL, ...,
  rnti Rnti OPTIONAL }
Guami ::= SEQUENCE { plmn Plmn, region BIT STRING (SIZE (8)), set BIT STRING (SIZE (10)),
  pointer BIT STRING (SIZE (6)), ... }
Gummei ::= SEQUENCE { plmn Plmn, group OCTET STRING (SIZE (2)), code OCTET STRING (SIZE (1)), ... }
Gnb ::= SEQUENCE { plmn Plmn, id CHOICE { gnb BIT STRING (SIZE (22..32)), ... }, ... }
NgEnb ::= SEQUENCE { plmn Plmn, id CHOICE { b20 BIT STRING (SIZE (20)), b18 BIT STRING (SIZE (18)),
  b21 BIT STRING (SIZE (21)), ... }, ... }
Enb ::= SEQUENCE { plmn Plmn, id CHOICE { b20 BIT STRING (SIZE (20)), b28 BIT STRING (SIZE (28)), ...,
  b18 BIT STRING (SIZE (18)), b21 BIT STRING (SIZE (21)) }, ... }
Node ::= CHOICE { gnb Gnb, ngEnb NgEnb, ... }
Rnti ::= SEQUENCE { rnti INTEGER (0..65535), cell Cell, ... }
Cell ::= CHOICE { nr SEQUENCE { plmn Plmn, id BIT STRING (SIZE (36)), ... },
  eutra SEQUENCE { plmn Plmn, id BIT STRING (SIZE (28)), ... }, ... }
END
"""


@cache
def schema() -> Any:
    """The compiled schema (`asn1tools` calls aligned PER "per")."""
    return asn1tools.compile_string(SCHEMA, "per")


def quota_value(quotas: Sequence[SlicePrbQuota]) -> dict[str, Any]:
    """The slice PRB quota message as a value of the schema's `Message`."""
    return _message(slice_prb_quota_message(quotas).parameters)


def encode_quota_message(quotas: Sequence[SlicePrbQuota]) -> bytes:
    """Encode the slice PRB quota message."""
    return bytes(schema().encode("Message", quota_value(quotas)))


def encode_parameters(parameters: Sequence[Parameter]) -> bytes:
    """Encode a control message format 1."""
    return bytes(schema().encode("Message", _message(parameters)))


def decode_parameters(data: bytes) -> tuple[Parameter, ...]:
    """Decode a control message format 1."""
    return _parameters(schema().decode("Message", data)["formats"][1]["parameters"])


def encode_header(ue: UeId, style: int, action: int) -> bytes:
    """Encode a control header format 1."""
    body = {"ue": ue_value(ue), "style": style, "action": action}
    return bytes(schema().encode("Header", {"formats": ("one", body)}))


def encode_ue_id(ue: UeId) -> bytes:
    """Encode a UEID."""
    return bytes(schema().encode("Ue", ue_value(ue)))


def _message(parameters: Sequence[Parameter]) -> dict[str, Any]:
    return {"formats": ("one", {"parameters": [_item(parameter) for parameter in parameters]})}


def _item(parameter: Parameter) -> dict[str, Any]:
    return {"id": parameter.id, "value": _tree(parameter.value)}


def _tree(value: ParameterValue) -> tuple[str, dict[str, Any]]:
    match value:
        case KeyElement(scalar):
            return "key", {"value": _scalar(scalar)}
        case Element(None):
            return "element", {}
        case Element(scalar):
            return "element", {"value": _scalar(scalar)}
        case Structure():
            return "structure", {"structure": _group(value)}
        case ParameterList(items):
            return "list", {"list": {"groups": [_group(item) for item in items]}}


def _group(structure: Structure) -> dict[str, Any]:
    return {"items": [_item(item) for item in structure.parameters]} if structure.parameters else {}


def _scalar(value: Any) -> tuple[str, Any]:
    names = {bool: "flag", int: "number", float: "real", tuple: "bits", bytes: "octets", str: "text"}
    return names[type(value)], _bits(*value) if isinstance(value, tuple) else value


def _parameters(items: list[dict[str, Any]]) -> tuple[Parameter, ...]:
    return tuple(Parameter(item["id"], _value(*item["value"])) for item in items)


def _value(name: str, content: dict[str, Any]) -> ParameterValue:
    if name == "list":
        return ParameterList(tuple(_structure(group) for group in content["list"]["groups"]))
    if name == "structure":
        return _structure(content["structure"])
    scalar = content.get("value")
    bare = None if scalar is None else scalar[1]
    if scalar is not None and scalar[0] == "bits":
        octets, count = bare
        bare = (int.from_bytes(octets, "big") >> (len(octets) * 8 - count), count)
    return KeyElement(bare) if name == "key" else Element(bare)


def _structure(group: dict[str, Any]) -> Structure:
    return Structure(_parameters(group.get("items", [])))


def _bits(value: int, count: int) -> tuple[bytes, int]:
    size = (count + 7) // 8
    return (value << (size * 8 - count)).to_bytes(size, "big"), count


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def ue_value(ue: UeId) -> tuple[str, dict[str, Any]]:
    """A UEID as a value of the schema's `Ue`."""
    match ue:
        case GnbUeId():
            return "gnb", _present(
                amf=ue.amf_ue_ngap_id,
                guami=_guami(ue.guami),
                f1=[{"id": item} for item in ue.f1ap_ids] or None,
                e1=[{"id": item} for item in ue.e1ap_ids] or None,
                ran=ue.ran_ue_id,
                xn=ue.xnap_id,
                gnb=_node(ue.global_gnb_id),
                node=_any_node(ue.global_node_id),
                rnti=_rnti(ue.cell_rnti),
            )
        case GnbDuUeId():
            return "du", _present(f1=ue.f1ap_id, ran=ue.ran_ue_id, rnti=_rnti(ue.cell_rnti))
        case GnbCuUpUeId():
            return "up", _present(e1=ue.e1ap_id, ran=ue.ran_ue_id)
        case NgEnbUeId():
            return "ngEnb", _present(
                amf=ue.amf_ue_ngap_id,
                guami=_guami(ue.guami),
                w1=ue.w1ap_id,
                xn=ue.xnap_id,
                ngEnb=_node(ue.global_ng_enb_id),
                node=_any_node(ue.global_node_id),
                rnti=_rnti(ue.cell_rnti),
            )
        case NgEnbDuUeId():
            return "ngEnbDu", _present(w1=ue.w1ap_id, rnti=_rnti(ue.cell_rnti))
        case EnGnbUeId():
            return "enGnb", _present(
                x2=ue.menb_x2ap_id,
                x2e=ue.menb_x2ap_id_extension,
                enb=_node(ue.global_enb_id),
                f1=ue.f1ap_id,
                e1=[{"id": item} for item in ue.e1ap_ids] or None,
                ran=ue.ran_ue_id,
                rnti=_rnti(ue.cell_rnti),
            )
        case EnbUeId():
            return "enb", _present(
                mme=ue.mme_ue_s1ap_id,
                gummei=_gummei(ue.gummei),
                x2=ue.menb_x2ap_id,
                x2e=ue.menb_x2ap_id_extension,
                enb=_node(ue.global_enb_id),
                rnti=_rnti(ue.cell_rnti),
            )


def _guami(guami: Guami) -> dict[str, Any]:
    return {
        "plmn": guami.plmn,
        "region": _bits(guami.amf_region_id, 8),
        "set": _bits(guami.amf_set_id, 10),
        "pointer": _bits(guami.amf_pointer, 6),
    }


def _gummei(gummei: Gummei) -> dict[str, Any]:
    group, code = gummei.mme_group_id.to_bytes(2, "big"), gummei.mme_code.to_bytes(1, "big")
    return {"plmn": gummei.plmn, "group": group, "code": code}


def _node(node: GlobalNodeRef | None) -> dict[str, Any] | None:
    if node is None:
        return None
    name = "gnb" if node.kind is NodeKind.GNB else f"b{node.node_id_bits}"
    return {"plmn": node.plmn, "id": (name, _bits(*node.identity))}


def _any_node(node: GlobalNodeRef | None) -> tuple[str, dict[str, Any] | None] | None:
    if node is None:
        return None
    return "gnb" if node.kind is NodeKind.GNB else "ngEnb", _node(node)


def _rnti(rnti: CellRnti | None) -> dict[str, Any] | None:
    match rnti:
        case CellRnti(number, NrCgi(plmn, cell)):
            return {"rnti": number, "cell": ("nr", {"plmn": plmn, "id": _bits(cell, 36)})}
        case CellRnti(number, EutraCgi(plmn, cell)):
            return {"rnti": number, "cell": ("eutra", {"plmn": plmn, "id": _bits(cell, 28)})}
    return None
