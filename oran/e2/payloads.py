"""The service model's messages inside E2AP PDUs, shown beside the octets that carry them.

A RAN function's service model is known by the OID of the E2 setup or service update that announced it, when
that was seen; else the models are tried, and one is believed where all of a PDU's payloads decode by it and
encode to the same octets again.
"""

import json
from typing import Any

from oran.e2.asn1_value import JsonValue
from oran.e2.e2ap import asn1
from oran.e2.e2ap.messages import E2apMessage, E2SetupRequest, RanFunction, RicServiceUpdate
from oran.e2.errors import CodecError
from oran.e2.functions import ServiceModel, match
from oran.e2.registry import MessageCodec, codecs

MAX_FUNCTIONS = 65_536
"""RAN functions remembered; a longer trace forgets the oldest."""

_TYPES: dict[ServiceModel, dict[str, str]] = {
    ServiceModel.KPM: {
        "function": "E2SM-KPM-RANfunction-Description",
        "trigger": "E2SM-KPM-EventTriggerDefinition",
        "action": "E2SM-KPM-ActionDefinition",
        "indication header": "E2SM-KPM-IndicationHeader",
        "indication message": "E2SM-KPM-IndicationMessage",
    },
    ServiceModel.RC: {
        "function": "E2SM-RC-RANFunctionDefinition",
        "trigger": "E2SM-RC-EventTrigger",
        "action": "E2SM-RC-ActionDefinition",
        "indication header": "E2SM-RC-IndicationHeader",
        "indication message": "E2SM-RC-IndicationMessage",
        "control header": "E2SM-RC-ControlHeader",
        "control message": "E2SM-RC-ControlMessage",
        "control outcome": "E2SM-RC-ControlOutcome",
    },
}
_CCC = "E2SM-CCC"
_ROLES = {
    22: "control header",
    23: "control message",
    25: "indication header",
    26: "indication message",
    32: "control outcome",
}
_FUNCTIONS, _FUNCTIONS_MODIFIED, _DETAILS = 10, 12, 30

Node = dict[str, Any]
"""The `{"hex": ...}` of an octet string in the JSON of a PDU."""


class PayloadReader:
    """Adds what payloads hold to the JSON of PDUs, learning RAN functions as it goes."""

    def __init__(self, profile: str = "standard") -> None:
        self._profile = profile
        self._models: dict[tuple[str, int], ServiceModel] = {}

    def show(self, pdu: asn1.Pdu, link: str = "") -> JsonValue:
        """The JSON of a PDU with its payloads' contents; `link` tells apart the nodes of one trace."""
        shown: Any = asn1.to_asn1(pdu)
        message = pdu.message
        self._learn(message, link)
        elements = {element["id"]: element["value"] for element in shown[1]["value"][1]["protocolIEs"]}
        for ie_id in (_FUNCTIONS, _FUNCTIONS_MODIFIED):
            for item in elements[ie_id][1] if ie_id in elements else ():
                self._show_function(item["value"][1])
        payloads = _payloads(elements)
        if payloads:
            function_id: int = getattr(message, "function_id", -1)
            self._show_payloads(payloads, self._models.get((link, function_id)))
        result: JsonValue = shown
        return result

    def _learn(self, message: E2apMessage, link: str) -> None:
        functions: tuple[RanFunction, ...] = ()
        if isinstance(message, E2SetupRequest):
            functions = message.functions
        elif isinstance(message, RicServiceUpdate):
            functions = message.added + message.modified
        for function in functions:
            matched = match(function.oid)
            if matched is not None:
                self._models[link, function.function_id] = matched[0]
        while len(self._models) > MAX_FUNCTIONS:
            del self._models[next(iter(self._models))]

    def _show_function(self, function: dict[str, Any]) -> None:
        matched = match(function["ranFunctionOID"])
        if matched is not None:
            self._show_payloads([("function", function["ranFunctionDefinition"])], matched[0])

    def _show_payloads(self, payloads: list[tuple[str, Node]], model: ServiceModel | None) -> None:
        if model is None:
            found = self._tried(payloads)
        else:
            found = [self._read(model, role, bytes.fromhex(node["hex"])) for role, node in payloads]
        for (_, node), content in zip(payloads, found, strict=True):
            node.update(content)

    def _tried(self, payloads: list[tuple[str, Node]]) -> list[Node]:
        """What the first model that fits all payloads makes of them; nothing where none fits."""
        octets = [(role, bytes.fromhex(node["hex"])) for role, node in payloads]
        for model in ServiceModel:
            found = [self._read(model, role, data, strictly=True) for role, data in octets]
            if all(content and "error" not in content for content in found):
                return found
        return [{} for _ in payloads]

    def _read(self, model: ServiceModel, role: str, data: bytes, *, strictly: bool = False) -> Node:
        """What a payload holds, by its type's name; `error` says why it does not decode."""
        if model is ServiceModel.CCC:
            return _read_document(data)
        name = _TYPES[model].get(role)
        if name is None:
            return {}
        codec: MessageCodec = codecs(self._profile)[name]
        try:
            value = codec.decode(data)
            if strictly and codec.encode(value) != data:
                return {}
            return {name: codec.to_asn1(value)}
        except CodecError as error:
            return {"error": f"{name}: {error}"}


def _payloads(elements: dict[int, Any]) -> list[tuple[str, Node]]:
    """The octet strings of a PDU that belong to a service model, with their roles."""
    found = [(role, elements[ie_id][1]) for ie_id, role in _ROLES.items() if ie_id in elements]
    if _DETAILS in elements:
        details = elements[_DETAILS][1]
        found.append(("trigger", details["ricEventTriggerDefinition"]))
        for item in details["ricAction-ToBeSetup-List"]:
            if "ricActionDefinition" in item["value"][1]:
                found.append(("action", item["value"][1]["ricActionDefinition"]))
    return found


def _read_document(data: bytes) -> Node:
    """E2SM-CCC is JSON."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        return {"error": f"{_CCC}: {error}"}
    return {_CCC: value} if isinstance(value, dict) else {"error": f"{_CCC}: expected an object"}
