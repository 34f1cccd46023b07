"""The bodies of the subscription manager's REST interface (OSC submgr, /ric/v1/subscriptions)."""

import re
from dataclasses import dataclass, replace

from oran.e2.e2ap.messages import Action, ActionType, SubsequentAction
from oran.rest import JsonObject
from oran.ric.fields import Fields
from oran.rmr.address import MAX_NAME_OCTETS

MAX_DETAILS = 256
MAX_ACTIONS = 16
MAX_OCTETS = 65_535
MAX_EVENT_ID = 2**31 - 1

_ACTION_TYPES = {"report": ActionType.REPORT, "insert": ActionType.INSERT, "policy": ActionType.POLICY}
_WAIT_NAMES = (
    *("w1ms", "w2ms", "w5ms", "w10ms", "w20ms", "w30ms", "w40ms", "w50ms", "w100ms", "w200ms", "w500ms"),
    *("w1s", "w2s", "w5s", "w10s", "w20s", "w60s"),
)
_WAITS = {name: index for index, name in enumerate(_WAIT_NAMES)}
"""TimeToWait by its place on the wire."""
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")


@dataclass(frozen=True, slots=True)
class ClientEndpoint:
    """Where the xApp takes notifications (HTTP) and indications (RMR)."""

    host: str
    http_port: int
    rmr_port: int

    @property
    def rmr_address(self) -> str:
        """The RMR endpoint: the host with every "http" replaced by "rmr", as submgr names it."""
        return f"{self.host.replace('http', 'rmr')}:{self.rmr_port}"

    @property
    def notification_url(self) -> str:
        """Where notifications go."""
        return f"http://{self.host}:{self.http_port}/ric/v1/subscriptions/response"


@dataclass(frozen=True, slots=True)
class Directives:
    """How the E2 procedure runs; once they are given, routes must be asked for."""

    timeout_s: int
    retries: int | None
    routed: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """One E2 subscription; `event_id` is the xApp's own number for it."""

    event_id: int
    event_trigger: bytes
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """The body of POST /ric/v1/subscriptions."""

    subscription_id: str
    client: ClientEndpoint
    meid: str
    function_id: int
    directives: Directives | None
    details: tuple[Detail, ...]

    @property
    def contents(self) -> "SubscriptionRequest":
        """What two requests share when one is a retransmission of the other."""
        return replace(self, subscription_id="")


def read_request(body: JsonObject) -> SubscriptionRequest:
    """Check a request's body; raises RequestError 400 naming what is wrong with it."""
    fields = Fields(body)
    directives = fields.optional_child("E2SubscriptionDirectives")
    return SubscriptionRequest(
        fields.text("SubscriptionId", longest=64, default=""),
        _read_client(fields.child("ClientEndpoint")),
        fields.text("Meid", shortest=1, longest=31),
        fields.integer("RANFunctionID", 0, 4095),
        None if directives is None else _read_directives(directives),
        tuple(_read_detail(detail) for detail in fields.children("SubscriptionDetails", MAX_DETAILS)),
    )


def _read_client(fields: Fields) -> ClientEndpoint:
    host = fields.text("Host", shortest=1, longest=MAX_NAME_OCTETS - 6)
    if not _HOST.fullmatch(host):
        raise fields.fault("Host", "must be a host name or an IPv4 address")
    return ClientEndpoint(host, fields.integer("HTTPPort", 1, 65_535), fields.integer("RMRPort", 1, 65_535))


def _read_directives(fields: Fields) -> Directives:
    return Directives(
        fields.integer("E2TimeoutTimerValue", 1, 10),
        fields.optional_integer("E2RetryCount", 0, 10),
        fields.boolean("RMRRoutingNeeded"),
    )


def _read_detail(fields: Fields) -> Detail:
    return Detail(
        fields.integer("XappEventInstanceId", 0, MAX_EVENT_ID),
        fields.octets("EventTriggers", MAX_OCTETS) or b"",
        tuple(_read_action(action) for action in fields.children("ActionToBeSetupList", MAX_ACTIONS)),
    )


def _read_action(fields: Fields) -> Action:
    subsequent = fields.optional_child("SubsequentAction")
    return Action(
        fields.integer("ActionID", 0, 255),
        fields.choice("ActionType", _ACTION_TYPES),
        fields.octets("ActionDefinition", MAX_OCTETS),
        None
        if subsequent is None
        else SubsequentAction(
            subsequent.choice("SubsequentActionType", {"continue": False, "wait": True}),
            subsequent.choice("TimeToWait", _WAITS),
        ),
    )
