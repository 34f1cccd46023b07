"""Hypothesis strategies for every E2AP message."""

from hypothesis import strategies as st

from oran.e2.e2ap import messages as m
from oran.e2.e2ap import nodes
from oran.e2.e2ap.causes import GROUPS
from oran.e2.identity import GlobalE2NodeId, NodeKind

transaction = st.integers(0, 255)
function_id = st.integers(0, 4095)
action_id = st.integers(0, 255)
octets = st.binary(max_size=200) | st.integers(120, 300).map(bytes)
plmn = st.binary(min_size=3, max_size=3)
part_id = st.integers(0, 2**36 - 1)
PRINTABLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?"


def text(high: int) -> st.SearchStrategy[str]:
    return st.text(PRINTABLE, min_size=1, max_size=high)


def some(item: st.SearchStrategy, low: int = 0, high: int = 3) -> st.SearchStrategy:
    return st.lists(item, min_size=low, max_size=high).map(tuple)


def maybe(item: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | item


def bits(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(low, high).flatmap(lambda count: st.tuples(st.integers(0, 2**count - 1), st.just(count)))


cause = st.sampled_from([m.Cause(group, value) for group, root, additions in GROUPS for value in root + additions])
request_id = st.builds(m.RicRequestId, st.integers(0, 65_535), st.integers(0, 65_535))
diagnostics = st.builds(
    m.CriticalityDiagnostics,
    procedure_code=maybe(st.integers(0, 255)),
    triggering_message=maybe(st.integers(0, 2)),
    procedure_criticality=maybe(st.integers(0, 2)),
    request_id=maybe(request_id),
    items=some(st.tuples(st.integers(0, 2), st.integers(0, 65_535), st.integers(0, 1))),
)
function = st.builds(m.RanFunction, function_id, octets, st.integers(0, 4095), text(60))
function_ref = st.builds(m.FunctionRef, function_id, st.integers(0, 4095))
function_cause = st.builds(m.FunctionCause, function_id, cause)


def station(record, names: dict[str, tuple[int, int]]) -> st.SearchStrategy[bytes]:
    """The encoding of a base station's id, as `extra` and `ComponentId.node` hold it."""
    node = st.sampled_from(sorted(names)).flatmap(lambda name: st.tuples(st.just(name), bits(*names[name])))
    return st.tuples(plmn, node).map(lambda value: nodes.Station(*value)).map(record.encode)


GNB = {"gnb-ID": (22, 32)}
EN_GNB = {"gNB-ID": (22, 32)}
NG_ENB = {"enb-ID-macro": (20, 20), "enb-ID-shortmacro": (18, 18), "enb-ID-longmacro": (21, 21)}
ENB = {
    "macro-eNB-ID": (20, 20),
    "home-eNB-ID": (28, 28),
    "short-Macro-eNB-ID": (18, 18),
    "long-Macro-eNB-ID": (21, 21),
}


@st.composite
def node_ids(draw: st.DrawFn) -> GlobalE2NodeId:
    kind = draw(st.sampled_from(NodeKind))
    choices = {NodeKind.NG_ENB: (18, 20, 21), NodeKind.ENB: (18, 20, 21, 28)}.get(kind, tuple(range(22, 33)))
    count = draw(st.sampled_from(choices))
    has_parts = kind is not NodeKind.ENB
    extra = {NodeKind.GNB: station(nodes.EN_GNB, EN_GNB), NodeKind.NG_ENB: station(nodes.ENB, ENB)}
    return GlobalE2NodeId(
        draw(plmn),
        draw(st.integers(0, 2**count - 1)),
        count,
        kind,
        du_id=draw(maybe(part_id)) if has_parts else None,
        cu_up_id=draw(maybe(part_id)) if kind in (NodeKind.GNB, NodeKind.EN_GNB) else None,
        extra=draw(maybe(extra[kind])) if kind in extra else None,
    )


x2_peer = st.tuples(maybe(station(nodes.ENB, ENB)), maybe(station(nodes.EN_GNB, EN_GNB))).map(
    lambda peers: nodes.X2.encode(
        nodes.X2Peers(
            peers[0] and nodes.ENB.decode(peers[0]),
            peers[1] and nodes.EN_GNB.decode(peers[1]),
        )
    )
)
xn_peer = station(nodes.GNB, GNB).map(lambda peer: nodes.NG_RAN_NODE.encode(("gNB", nodes.GNB.decode(peer))))
xn_peer |= station(nodes.NG_ENB, NG_ENB).map(
    lambda peer: nodes.NG_RAN_NODE.encode(("ng-eNB", nodes.NG_ENB.decode(peer)))
)
component_id = (
    st.builds(m.ComponentId, st.sampled_from(["ng", "s1"]), name=text(150))
    | st.builds(m.ComponentId, st.sampled_from(["e1", "f1", "w1"]), number=part_id)
    | st.builds(m.ComponentId, st.just("xn"), node=xn_peer)
    | st.builds(m.ComponentId, st.just("x2"), node=x2_peer)
)
config = st.builds(m.ComponentConfig, component_id, octets, octets)
ack = st.builds(m.ComponentConfigAck, component_id, maybe(cause))
wait = maybe(st.sampled_from(m.TimeToWait))
tnl = st.builds(m.TnlInformation, bits(1, 160), maybe(bits(16, 16)))
connection = st.builds(m.Connection, tnl, st.sampled_from(m.TnlUsage))
subsequent = st.builds(m.SubsequentAction, st.booleans(), st.integers(0, 16))
action = st.builds(
    m.Action,
    action_id,
    st.sampled_from(m.ActionType),
    maybe(octets),
    maybe(subsequent),
    maybe(st.integers(0, 255)),
)
ids = {"request_id": request_id, "function_id": function_id}
failure = {"cause": cause, "diagnostics": maybe(diagnostics)}
waiting = {"transaction_id": transaction, **failure, "time_to_wait": wait}
time = maybe(st.binary(min_size=8, max_size=8))

FIELDS: dict[type, dict[str, st.SearchStrategy]] = {
    m.E2SetupRequest: {
        "transaction_id": transaction,
        "node_id": node_ids(),
        "functions": some(function, 1),
        "components": some(config, 1),
    },
    m.E2SetupResponse: {
        "transaction_id": transaction,
        "ric_id": st.builds(m.GlobalRicId, plmn, st.integers(0, 2**20 - 1)),
        "accepted": some(function_ref),
        "rejected": some(function_cause),
        "components": some(ack, 1),
    },
    m.E2SetupFailure: {**waiting, "tnl": maybe(tnl)},
    m.RicSubscriptionRequest: {
        **ids,
        "event_trigger": octets,
        "actions": some(action, 1, 16),
        "start_time": time,
        "end_time": time,
    },
    m.RicSubscriptionResponse: {
        **ids,
        "admitted": some(action_id, 1, 16),
        "not_admitted": some(st.builds(m.NotAdmittedAction, action_id, cause)),
    },
    m.RicSubscriptionFailure: {**ids, **failure},
    m.RicSubscriptionDeleteRequest: ids,
    m.RicSubscriptionDeleteResponse: ids,
    m.RicSubscriptionDeleteFailure: {**ids, **failure},
    m.RicSubscriptionDeleteRequired: {
        "subscriptions": some(st.builds(m.SubscriptionWithCause, request_id, function_id, cause), 1)
    },
    m.RicIndication: {
        **ids,
        "action_id": action_id,
        "header": octets,
        "message": octets,
        "sn": maybe(st.integers(0, 65_535)),
        "type": st.sampled_from(m.IndicationType),
        "call_process_id": maybe(octets),
    },
    m.RicControlRequest: {
        **ids,
        "header": octets,
        "message": octets,
        "ack_request": maybe(st.sampled_from(m.ControlAckRequest)),
        "call_process_id": maybe(octets),
    },
    m.RicControlAcknowledge: {**ids, "outcome": maybe(octets), "call_process_id": maybe(octets)},
    m.RicControlFailure: {**ids, **failure, "outcome": maybe(octets), "call_process_id": maybe(octets)},
    m.ErrorIndication: {
        "transaction_id": maybe(transaction),
        "request_id": maybe(request_id),
        "function_id": maybe(function_id),
        "cause": maybe(cause),
        "diagnostics": maybe(diagnostics),
    },
    m.RicServiceUpdate: {
        "transaction_id": transaction,
        "added": some(function),
        "modified": some(function),
        "deleted": some(function_ref),
    },
    m.RicServiceUpdateAcknowledge: {
        "transaction_id": transaction,
        "accepted": some(function_ref),
        "rejected": some(function_cause),
    },
    m.RicServiceUpdateFailure: waiting,
    m.RicServiceQuery: {"transaction_id": transaction, "accepted": some(function_ref)},
    m.E2NodeConfigurationUpdate: {
        "transaction_id": transaction,
        "node_id": maybe(node_ids()),
        "added": some(config),
        "updated": some(config),
        "removed": some(component_id),
        "tnl_removed": some(st.tuples(tnl, tnl)),
    },
    m.E2NodeConfigurationUpdateAcknowledge: {
        "transaction_id": transaction,
        "added": some(ack),
        "updated": some(ack),
        "removed": some(ack),
    },
    m.E2NodeConfigurationUpdateFailure: waiting,
    m.E2ConnectionUpdate: {
        "transaction_id": transaction,
        "added": some(connection),
        "removed": some(tnl),
        "modified": some(connection),
    },
    m.E2ConnectionUpdateAcknowledge: {
        "transaction_id": transaction,
        "setup": some(connection),
        "failed": some(st.tuples(tnl, cause)),
    },
    m.E2ConnectionUpdateFailure: {**waiting, "cause": maybe(cause)},
    m.ResetRequest: {"transaction_id": transaction, "cause": cause},
    m.ResetResponse: {"transaction_id": transaction, "diagnostics": maybe(diagnostics)},
    m.E2RemovalRequest: {"transaction_id": transaction},
    m.E2RemovalResponse: {"transaction_id": transaction, "diagnostics": maybe(diagnostics)},
    m.E2RemovalFailure: {"transaction_id": transaction, **failure},
}
"""The fields of each message."""

BY_CLASS = {kind: st.builds(kind, **fields) for kind, fields in FIELDS.items()}
messages = st.one_of(list(BY_CLASS.values()))
