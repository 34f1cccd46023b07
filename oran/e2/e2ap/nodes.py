"""Who E2AP talks about: E2 nodes, their components and the base stations they name (clauses 9.2.6, 9.2.26)."""

from dataclasses import dataclass

from oran.e2.e2ap.messages import ComponentId
from oran.e2.e2ap.types import Carried, Coded, Mapped, Named, NumberBits
from oran.e2.identity import GlobalE2NodeId, NodeKind
from oran.e2.schema import Characters, Component, Integer, Octets, Record, Wrapped

PLMN = Octets(3, 3)
PART_ID = Integer(0, 0xF_FFFF_FFFF)
"""GNB-CU-UP-ID, GNB-DU-ID and NGENB-DU-ID have 36 bits."""
NAME = Characters(1, 150, extensible=True)

BitNumber = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Station:
    """A base station's global id; `node` is (alternative, (value, bits))."""

    plmn: bytes
    node: tuple[str, BitNumber]


@dataclass(frozen=True, slots=True)
class _Node:
    """An E2 node's id as it stands on the wire."""

    station: Station
    other: bytes | None = None
    cu_up_id: int | None = None
    du_id: int | None = None


@dataclass(frozen=True, slots=True)
class X2Peers:
    """E2nodeComponentInterfaceX2: who is at the other end."""

    enb: Station | None = None
    en_gnb: Station | None = None


GNB = Record(
    Station,
    Component("plmn", "plmn-id", PLMN),
    Component("node", "gnb-id", Named({"gnb-ID": NumberBits(22, 32)})),
)
EN_GNB = Record(
    Station,
    Component("plmn", "pLMN-Identity", PLMN),
    Component("node", "gNB-ID", Named({"gNB-ID": NumberBits(22, 32)})),
)
NG_ENB = Record(
    Station,
    Component("plmn", "plmn-id", PLMN),
    Component(
        "node",
        "enb-id",
        Named(
            {
                "enb-ID-macro": NumberBits(20, 20),
                "enb-ID-shortmacro": NumberBits(18, 18),
                "enb-ID-longmacro": NumberBits(21, 21),
            }
        ),
    ),
)
ENB = Record(
    Station,
    Component("plmn", "pLMN-Identity", PLMN),
    Component(
        "node",
        "eNB-ID",
        Named(
            {
                "macro-eNB-ID": NumberBits(20, 20),
                "home-eNB-ID": NumberBits(28, 28),
                "short-Macro-eNB-ID": NumberBits(18, 18),
                "long-Macro-eNB-ID": NumberBits(21, 21),
            },
            root=2,
        ),
    ),
)
X2 = Record(
    X2Peers,
    Component("enb", "global-eNB-ID", ENB, optional=True),
    Component("en_gnb", "global-en-gNB-ID", EN_GNB, optional=True),
)
NG_RAN_NODE = Named({"gNB": GNB, "ng-eNB": NG_ENB})

_KINDS = {
    "gNB": NodeKind.GNB,
    "en-gNB": NodeKind.EN_GNB,
    "ng-eNB": NodeKind.NG_ENB,
    "eNB": NodeKind.ENB,
}
_KIND_NAMES = {kind: name for name, kind in _KINDS.items()}
_NG_ENB_BITS = {20: "enb-ID-macro", 18: "enb-ID-shortmacro", 21: "enb-ID-longmacro"}
_ENB_BITS = {20: "macro-eNB-ID", 28: "home-eNB-ID", 18: "short-Macro-eNB-ID", 21: "long-Macro-eNB-ID"}


def _load_node(value: tuple[str, _Node]) -> GlobalE2NodeId:
    kind, node = value
    number, bits = node.station.node[1]
    return GlobalE2NodeId(node.station.plmn, number, bits, _KINDS[kind], node.du_id, node.cu_up_id, node.other)


def _dump_node(value: GlobalE2NodeId) -> tuple[str, _Node]:
    bits = value.node_id_bits
    match value.kind:
        case NodeKind.GNB:
            name = "gnb-ID"
        case NodeKind.EN_GNB:
            name = "gNB-ID"
        case NodeKind.NG_ENB:
            name = _NG_ENB_BITS.get(bits, "")
        case NodeKind.ENB:
            name = _ENB_BITS.get(bits, "")
    if not name:
        raise ValueError(f"an {_KIND_NAMES[value.kind]} id has no form with {bits} bits")
    unfit = {
        NodeKind.GNB: None,
        NodeKind.EN_GNB: value.extra,
        NodeKind.NG_ENB: value.cu_up_id,
        NodeKind.ENB: value.cu_up_id if value.extra is None and value.du_id is None else 0,
    }[value.kind]
    if unfit is not None:
        raise ValueError(f"an {_KIND_NAMES[value.kind]} id has no such part")
    station = Station(value.plmn, (name, (value.node_id, bits)))
    return _KIND_NAMES[value.kind], _Node(station, value.extra, value.cu_up_id, value.du_id)


NODE_ID = Mapped(
    Named(
        {
            "gNB": Record(
                _Node,
                Component("station", "global-gNB-ID", GNB),
                Component("other", "global-en-gNB-ID", Carried(EN_GNB), optional=True),
                Component("cu_up_id", "gNB-CU-UP-ID", PART_ID, optional=True),
                Component("du_id", "gNB-DU-ID", PART_ID, optional=True),
            ),
            "en-gNB": Record(
                _Node,
                Component("station", "global-en-gNB-ID", EN_GNB),
                Component("cu_up_id", "en-gNB-CU-UP-ID", PART_ID, optional=True),
                Component("du_id", "en-gNB-DU-ID", PART_ID, optional=True),
            ),
            "ng-eNB": Record(
                _Node,
                Component("station", "global-ng-eNB-ID", NG_ENB),
                Component("other", "global-eNB-ID", Carried(ENB), optional=True),
                Component("du_id", "ngENB-DU-ID", PART_ID, optional=True),
            ),
            "eNB": Record(_Node, Component("station", "global-eNB-ID", ENB)),
        }
    ),
    _load_node,
    _dump_node,
)
"""GlobalE2node-ID."""

INTERFACE = Coded({name: name for name in ("ng", "xn", "e1", "f1", "w1", "s1", "x2")})
_PREFIX = "e2nodeComponentInterfaceType"
_LABELS = {"ng": "NG", "xn": "Xn", "e1": "E1", "f1": "F1", "w1": "W1", "s1": "S1", "x2": "X2"}
_INTERFACES = {_PREFIX + label: name for name, label in _LABELS.items()}


def _load_component(value: tuple[str, str | int | bytes]) -> ComponentId:
    interface, part = _INTERFACES[value[0]], value[1]
    if isinstance(part, str):
        return ComponentId(interface, name=part)
    if isinstance(part, int):
        return ComponentId(interface, number=part)
    return ComponentId(interface, node=part)


def _dump_component(value: ComponentId) -> tuple[str, str | int | bytes]:
    if value.interface not in _LABELS:
        raise ValueError(f"interface {value.interface!r} is none of {list(_LABELS)}")
    part: str | int | bytes = value.number
    if value.interface in ("ng", "s1"):
        part = value.name
    elif value.interface in ("xn", "x2"):
        part = value.node
    return _PREFIX + _LABELS[value.interface], part


COMPONENT_ID = Mapped(
    Named(
        {
            _PREFIX + "NG": Wrapped("amf-name", NAME),
            _PREFIX + "Xn": Wrapped("global-NG-RAN-Node-ID", Carried(NG_RAN_NODE)),
            _PREFIX + "E1": Wrapped("gNB-CU-UP-ID", PART_ID),
            _PREFIX + "F1": Wrapped("gNB-DU-ID", PART_ID),
            _PREFIX + "W1": Wrapped("ng-eNB-DU-ID", PART_ID),
            _PREFIX + "S1": Wrapped("mme-name", NAME),
            _PREFIX + "X2": Carried(X2),
        }
    ),
    _load_component,
    _dump_component,
)
"""E2nodeComponentID."""
