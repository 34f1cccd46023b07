"""The E2 nodes the RIC knows, connected or not, and what the E2 manager tells about them."""

from dataclasses import dataclass, field

from oran.e2.e2ap.messages import RanFunction
from oran.e2.identity import GlobalE2NodeId, NodeKind
from oran.rest import JsonObject, JsonValue
from oran.ric.node_link import NodeLink


@dataclass(slots=True)
class Node:
    """One E2 node under its RAN name; `link` is its association while it is connected."""

    name: str
    node_id: GlobalE2NodeId
    functions: dict[int, RanFunction] = field(default_factory=dict)
    link: NodeLink | None = None

    @property
    def connected(self) -> bool:
        """Whether messages can be sent to it."""
        return self.link is not None

    def send(self, pdu: bytes) -> bool:
        """Queue an E2AP PDU for the node; false when it is gone or does not keep up."""
        return self.link is not None and self.link.send(pdu)


class NodeRegistry:
    """Nodes by RAN name, at most `max_nodes`; disconnected ones stay listed until their place is needed."""

    def __init__(self, max_nodes: int) -> None:
        self._max_nodes = max_nodes
        self._nodes: dict[str, Node] = {}

    def get(self, name: str) -> Node | None:
        """The node of that name, connected or not."""
        return self._nodes.get(name)

    def all(self) -> list[Node]:
        """Every node known, sorted by name."""
        return [self._nodes[name] for name in sorted(self._nodes)]

    def connected(self) -> list[Node]:
        """The nodes that are connected now, sorted by name."""
        return [node for node in self.all() if node.connected]

    def add(self, node: Node) -> bool:
        """List a node, replacing one of the same name; false when all places are taken by connected nodes."""
        if node.name not in self._nodes and len(self._nodes) >= self._max_nodes:
            gone = next((name for name, known in self._nodes.items() if not known.connected), None)
            if gone is None:
                return False
            del self._nodes[gone]
        self._nodes[node.name] = node
        return True


def node_summary(node: Node) -> JsonObject:
    """One entry of the E2 manager's list of nodes (GET /v1/nodeb/states)."""
    return {
        "inventoryName": node.name,
        "globalNbId": _global_id(node.node_id),
        "connectionStatus": _status(node),
    }


def node_details(node: Node, termination_address: str) -> JsonObject:
    """What the E2 manager tells about one node (GET /v1/nodeb/NAME)."""
    functions: list[JsonValue] = [
        {
            "ranFunctionId": function.function_id,
            "ranFunctionDefinition": function.definition.hex().upper(),
            "ranFunctionRevision": function.revision,
            "ranFunctionOid": function.oid,
        }
        for _, function in sorted(node.functions.items())
    ]
    kind = "GNB" if node.node_id.kind in (NodeKind.GNB, NodeKind.EN_GNB) else "ENB"
    details: JsonObject = {
        "ranName": node.name,
        "connectionStatus": _status(node),
        "globalNbId": _global_id(node.node_id),
        "nodeType": kind,
        kind.lower(): {"ranFunctions": functions},
        "setupFromNetwork": True,
    }
    if node.connected:
        details["associatedE2tInstanceAddress"] = termination_address
    return details


def _status(node: Node) -> str:
    return "CONNECTED" if node.connected else "DISCONNECTED"


def _global_id(node_id: GlobalE2NodeId) -> JsonObject:
    """PLMN octets in hexadecimal and the base station id in binary digits, as the E2 manager writes them."""
    return {"plmnId": node_id.plmn.hex().upper(), "nbId": f"{node_id.node_id:0{node_id.node_id_bits}b}"}
