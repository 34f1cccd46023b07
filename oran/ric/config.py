"""Settings of the embedded near-RT RIC."""

from dataclasses import dataclass, fields

from oran.e2.identity import plmn_to_octets
from oran.ric.errors import ConfigError
from oran.rmr.address import MAX_NAME_OCTETS, is_address

POLICY_FORMS = ("text", "values")


@dataclass(frozen=True, slots=True, kw_only=True)
class RicConfig:
    """Where the RIC listens, who it is, and what peers can cost it.

    `host` is the address of all listeners but E2; port 0 takes a free one. `rmr_port` serves what OSC splits
    between E2 termination, subscription manager, A1 mediator and route manager; `rmr_name` is the host name
    xApps shall send to, by default the bind address. `plmn` is MCC and MNC in digits, `ric_id` has 20 bits.
    `redis` is "host:port" of the shared data layer, empty for memory.

    `policy_form` is how A1 policies look to xApps: "text" gives policy type id and payload as strings (the Go
    mediator), "values" as number and object (the Python mediator and the written contract).

    A subscription that names no timers waits `e2_timeout_s` for the node and repeats `e2_retries` times; its
    notification is repeated `notification_retries` times, `notification_period_s` apart. Route tables go to
    `xapp_control_port` of xApps that name no other. Raises ConfigError for a value out of range.
    """

    host: str = "127.0.0.1"
    e2_address: str = "tcp://127.0.0.1:36421"
    rmr_port: int = 4562
    rmr_name: str = ""
    subscription_port: int = 8088
    a1_port: int = 10000
    e2mgr_port: int = 3800
    appmgr_port: int = 8090
    plmn: str = "00101"
    ric_id: int = 1
    redis: str = ""
    policy_form: str = "text"
    setup_timeout_s: float = 10.0
    e2_timeout_s: float = 2.0
    e2_retries: int = 1
    notification_retries: int = 10
    notification_period_s: float = 5.0
    push_timeout_s: float = 2.0
    push_retries: int = 3
    xapp_control_port: int = 4561
    max_nodes: int = 1024
    max_subscriptions: int = 8192
    max_xapps: int = 256
    node_queue_messages: int = 1024

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_port"):
                _check(field.name, value, 0, 65535)
            elif field.name.endswith("_s"):
                _check(field.name, value, 0.001, 3600)
            elif field.name.startswith("max_") or field.name == "node_queue_messages":
                _check(field.name, value, 1, 65535)
            elif field.name.endswith("_retries"):
                _check(field.name, value, 0, 1000)
        _check("ric_id", self.ric_id, 0, (1 << 20) - 1)
        if self.policy_form not in POLICY_FORMS:
            raise ConfigError(f"policy_form={self.policy_form!r} must be one of {', '.join(POLICY_FORMS)}")
        if len(self.rmr_name or self.host) > MAX_NAME_OCTETS - 6:
            raise ConfigError(f"rmr_name={self.rmr_name!r} must have at most {MAX_NAME_OCTETS - 6} characters")
        if self.redis and not is_address(self.redis):
            raise ConfigError(f"redis={self.redis!r} must be host:port")
        self.plmn_octets  # noqa: B018  refuses a PLMN that is none

    @property
    def plmn_octets(self) -> bytes:
        """The PLMN in 3 BCD octets; raises ConfigError when the digits make none."""
        try:
            return plmn_to_octets(self.plmn[:3], self.plmn[3:])
        except ValueError as error:
            raise ConfigError(f"plmn={self.plmn!r}: {error}") from error


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name}={value} must be from {low} to {high}")
