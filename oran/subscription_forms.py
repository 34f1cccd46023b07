"""The JSON of the subscription manager's REST interface (submgr, base path /ric/v1), read without trust."""

from collections.abc import Iterator
from dataclasses import dataclass

from oran.e2.e2ap.messages import Action, SubsequentAction
from oran.rest import JsonObject, JsonValue

WAITS = (
    *("w1ms", "w2ms", "w5ms", "w10ms", "w20ms", "w30ms", "w40ms", "w50ms", "w100ms", "w200ms", "w500ms"),
    *("w1s", "w2s", "w5s", "w10s", "w20s", "w60s"),
)
"""RICtimeToWait by wire index."""


@dataclass(frozen=True, slots=True)
class ClientEndpoint:
    """Where the RIC reaches this xApp: HTTP for notifications, RMR for indications.

    The subscription manager routes RMR to `host` with every "http" replaced by "rmr".
    """

    host: str
    http_port: int
    rmr_port: int

    @property
    def rmr(self) -> str:
        """The RMR endpoint that the subscription manager makes of this."""
        return f"{self.host.replace('http', 'rmr')}:{self.rmr_port}"


@dataclass(frozen=True, slots=True)
class SubscriptionSpec:
    """What an xApp wants of a node: event trigger and action definitions in the service model's encoding."""

    meid: str
    function_id: int
    event_trigger: bytes
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """What became of one E2 subscription; `e2_instance_id` 0 means it failed, and `cause` says why."""

    xapp_instance_id: int
    e2_instance_id: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """A subscription as the RIC lists it.

    `subscription_id` is the REST id in the embedded RIC; the OSC subscription manager gives the E2 instance id.
    """

    subscription_id: str
    meid: str
    endpoints: tuple[str, ...]
    instance_ids: tuple[int, ...] = ()


def request_body(spec: SubscriptionSpec, endpoint: ClientEndpoint, xapp_instance_id: int) -> JsonObject:
    """The body of POST /subscriptions for one E2 subscription."""
    return {
        "SubscriptionId": "",
        "ClientEndpoint": {"Host": endpoint.host, "HTTPPort": endpoint.http_port, "RMRPort": endpoint.rmr_port},
        "Meid": spec.meid,
        "RANFunctionID": spec.function_id,
        "E2SubscriptionDirectives": {"E2TimeoutTimerValue": 2, "E2RetryCount": 2, "RMRRoutingNeeded": True},
        "SubscriptionDetails": [
            {
                "XappEventInstanceId": xapp_instance_id,
                "EventTriggers": list(spec.event_trigger),
                "ActionToBeSetupList": [_action(action) for action in spec.actions],
            }
        ],
    }


def instances(body: JsonValue) -> tuple[Instance, ...]:
    """The results in a notification or a 201 answer; entries without usable numbers are left out."""
    return tuple(_instances(body))


def listed(body: JsonValue) -> tuple[ListedSubscription, ...]:
    """The subscriptions in the answer to GET /subscriptions; ValueError when it is no list."""
    if body is None:
        return ()
    if not isinstance(body, list):
        raise ValueError("the list of subscriptions is no list")
    return tuple(
        ListedSubscription(
            subscription_id=_id(entry.get("SubscriptionId")),
            meid=_id(entry.get("Meid")),
            endpoints=tuple(_endpoints(entry.get("ClientEndpoint"))),
            instance_ids=tuple(item.e2_instance_id for item in _instances(entry)),
        )
        for entry in body
        if isinstance(entry, dict) and _id(entry.get("SubscriptionId"))
    )


def subscription_id(body: JsonValue) -> str:
    """The REST id in a 201 answer, empty when there is none."""
    return _id(body.get("SubscriptionId")) if isinstance(body, dict) else ""


def _action(action: Action) -> JsonObject:
    subsequent = action.subsequent or SubsequentAction(waits=False, time_to_wait=WAITS.index("w10ms"))
    entry: JsonObject = {
        "ActionID": action.action_id,
        "ActionType": action.type.name.lower(),
        "SubsequentAction": {
            "SubsequentActionType": "wait" if subsequent.waits else "continue",
            "TimeToWait": WAITS[subsequent.time_to_wait],
        },
    }
    if action.definition is not None:
        entry["ActionDefinition"] = list(action.definition)
    return entry


def _instances(body: JsonValue) -> Iterator[Instance]:
    entries = body.get("SubscriptionInstances") if isinstance(body, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        ours, theirs = entry.get("XappEventInstanceId"), entry.get("E2EventInstanceId")
        theirs = 0 if theirs is None else theirs
        if type(ours) is int and type(theirs) is int and theirs >= 0:
            parts = (_id(entry.get(key)) for key in ("ErrorSource", "ErrorCause", "TimeoutType"))
            yield Instance(ours, theirs, " ".join(filter(None, parts))[:300])


def _endpoints(value: JsonValue) -> Iterator[str]:
    """RMR endpoints: OSC lists `host:port` texts, others the object of the request."""
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            host, port = item.get("Host"), item.get("RMRPort")
            if isinstance(host, str) and isinstance(port, int):
                yield ClientEndpoint(host, 0, port).rmr


def _id(value: JsonValue) -> str:
    return str(value) if isinstance(value, str | int) and value is not True and value is not False else ""
