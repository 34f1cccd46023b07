"""The bodies of the subscription manager's REST interface (OSC submgr, /ric/v1/subscriptions)."""

import hashlib
import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from oran.e2.e2ap.messages import Action, ActionType, SubsequentAction
from oran.rest import JsonObject, RequestError
from oran.rmr.address import MAX_NAME_OCTETS

_WAITS = (
    *("w1ms", "w2ms", "w5ms", "w10ms", "w20ms", "w30ms", "w40ms", "w50ms", "w100ms", "w200ms", "w500ms"),
    *("w1s", "w2s", "w5s", "w10s", "w20s", "w60s"),
)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")

Octet = Annotated[int, Field(ge=0, le=255)]
Octets = Annotated[list[Octet], Field(max_length=65_535)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class _Body(BaseModel):
    """Unknown members are ignored, as submgr does; types are not converted."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class ClientEndpoint(_Body):
    """Where the xApp takes notifications (HTTP) and indications (RMR)."""

    Host: Annotated[str, Field(min_length=1, max_length=MAX_NAME_OCTETS - 6)]
    HTTPPort: Port
    RMRPort: Port

    @field_validator("Host")
    @classmethod
    def _check_host(cls, host: str) -> str:
        if not _HOST.fullmatch(host):
            raise ValueError("must be a host name or an IPv4 address")
        return host

    @property
    def rmr_address(self) -> str:
        """The RMR endpoint: the host with every "http" replaced by "rmr", as submgr names it."""
        return f"{self.Host.replace('http', 'rmr')}:{self.RMRPort}"

    @property
    def notification_url(self) -> str:
        """Where notifications go."""
        return f"http://{self.Host}:{self.HTTPPort}/ric/v1/subscriptions/response"


class Directives(_Body):
    """How the E2 procedure runs; once given, routing must be asked for."""

    E2TimeoutTimerValue: Annotated[int, Field(ge=1, le=10)]
    E2RetryCount: Annotated[int | None, Field(ge=0, le=10)] = None
    RMRRoutingNeeded: bool = False


class Subsequent(_Body):
    """What the node does after an action."""

    SubsequentActionType: Literal["continue", "wait"]
    TimeToWait: str

    @field_validator("TimeToWait")
    @classmethod
    def _check_wait(cls, wait: str) -> str:
        if wait not in _WAITS:
            raise ValueError(f"must be one of {', '.join(_WAITS)}")
        return wait

    def to_e2ap(self) -> SubsequentAction:
        """The subsequent action as E2AP carries it."""
        return SubsequentAction(self.SubsequentActionType == "wait", _WAITS.index(self.TimeToWait))


class ActionToBeSetup(_Body):
    """One action of a subscription."""

    ActionID: Octet
    ActionType: Literal["report", "insert", "policy"]
    ActionDefinition: Octets | None = None
    SubsequentAction: Subsequent | None = None

    def to_e2ap(self) -> Action:
        """The action as E2AP carries it."""
        wait = self.SubsequentAction
        return Action(
            self.ActionID,
            ActionType[self.ActionType.upper()],
            None if self.ActionDefinition is None else bytes(self.ActionDefinition),
            None if wait is None else wait.to_e2ap(),
        )


class Detail(_Body):
    """One E2 subscription."""

    XappEventInstanceId: Annotated[int, Field(ge=0, le=2**31 - 1)]
    EventTriggers: Octets
    ActionToBeSetupList: Annotated[list[ActionToBeSetup], Field(min_length=1, max_length=16)]


class SubscriptionRequest(_Body):
    """The body of POST /ric/v1/subscriptions."""

    SubscriptionId: Annotated[str, Field(max_length=64)] = ""
    ClientEndpoint: ClientEndpoint
    Meid: Annotated[str, Field(min_length=1, max_length=31)]
    RANFunctionID: Annotated[int, Field(ge=0, le=4095)]
    E2SubscriptionDirectives: Directives | None = None
    SubscriptionDetails: Annotated[list[Detail], Field(min_length=1, max_length=256)]

    @property
    def fingerprint(self) -> str:
        """What two requests share when one is a retransmission of the other."""
        same = self.model_dump_json(exclude={"SubscriptionId"})
        return hashlib.sha256(same.encode()).hexdigest()


def read_request(body: JsonObject) -> SubscriptionRequest:
    """Check a request's body; raises RequestError 400 naming what is wrong with it."""
    try:
        return SubscriptionRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RequestError(400, f"{where}: {first['msg']}") from None
