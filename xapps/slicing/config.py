"""The configuration of the slicing xApp: a descriptor's `controls`, the environment, the command line."""

import json
from collections.abc import Mapping
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from oran import kpi
from oran.e2.identity import plmn_to_octets
from oran.e2.kpm import profile as kpm_profile
from oran.rest import JsonObject, RequestError, parse_json
from oran.sla import SliceSla
from oran.slices import SNssai
from xapps.slicing.controllers import NAMES
from xapps.slicing.demand import DemandConfig
from xapps.slicing.errors import SettingsError
from xapps.slicing.guard import GuardConfig, GuardLimits

ENV_PREFIX = "RANLOOP_"
DESCRIPTOR = Path(__file__).parent / "descriptor" / "config-file.json"
MAX_DESCRIPTOR_OCTETS = 1 << 20

Glob = Annotated[str, Field(min_length=1, max_length=128)]
Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Url = Annotated[str, Field(pattern="^https?://.+", max_length=256)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReportKind(Enum):
    """How a node's KPIs are told apart by slice."""

    AUTO = "auto"
    SLICES = "slices"
    """By slice labels (KPM action format 1)."""
    UES = "ues"
    """Per UE, by the configured map of UEs to slices (action format 4 that all UEs meet)."""
    CONDITIONS = "conditions"
    """Per UE, one subscription per slice with an S-NSSAI condition (action format 4)."""


class ControlKind(Enum):
    """How quotas are sent to a node."""

    AUTO = "auto"
    """E2SM-CCC where the node offers it, else E2SM-RC."""
    CCC = "ccc"
    RC_CELL = "rc_cell"
    """E2SM-RC style 2 action 6, all slices in one message."""
    RC_UE = "rc_ue"
    """The same, one message per UE with its slice's quota, as srsRAN's DU applies it."""


class Role(Enum):
    """What an instance does of the whole."""

    ALL = "all"
    """Control all nodes that the filter names, and judge how it goes."""
    ACTOR = "actor"
    """Control its nodes, and tell what is in force through the shared data layer."""
    CRITIC = "critic"
    """Control nothing: see all nodes, judge what the actors do, write experience."""


class SlaConfig(_Section):
    """What a slice is promised; at least one objective."""

    throughput_bps: Positive | None = None
    delay_s: Positive | None = None
    drop_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    weight: Positive = 1.0


class SliceConfig(_Section):
    """A slice that is controlled: its S-NSSAI as `SST` or `SST-SD` (SD in 6 hexadecimal digits), and its SLA."""

    slice: Annotated[str, Field(pattern="^[0-9]{1,3}(-[0-9a-fA-F]{6})?$")]
    name: Annotated[str, Field(max_length=64)] = ""
    sla: SlaConfig
    floor_percent: Annotated[float, Field(ge=0, le=100)] = 5.0
    """The least min ratio that the guard lets through."""

    @property
    def snssai(self) -> SNssai:
        """The S-NSSAI."""
        return SNssai.parse(self.slice)

    @property
    def promise(self) -> SliceSla:
        """The SLA; raises ValueError when nothing is promised."""
        return SliceSla(
            self.snssai,
            throughput_bps=self.sla.throughput_bps,
            delay_s=self.sla.delay_s,
            drop_rate=self.sla.drop_rate,
            weight=self.sla.weight,
            name=self.name,
        )


class NodeRule(_Section):
    """What is special about the nodes whose name matches; the first rule that matches holds."""

    match: Glob = "*"
    profile: Annotated[str, Field(max_length=32)] = kpi.STANDARD.name
    """Units of the node's KPIs: 3gpp, srsran or oai."""
    dialect: Annotated[str, Field(max_length=32)] = kpm_profile.STANDARD.name
    """Encoding of its KPM messages: standard or flexric."""
    report: ReportKind = ReportKind.AUTO
    control: ControlKind = ControlKind.AUTO
    cell_prbs: Annotated[int, Field(ge=1, le=1000)] = 106
    """PRBs of a cell that does not report them."""

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, value: str) -> str:
        return _one_of(value, kpi.PROFILES)

    @field_validator("dialect")
    @classmethod
    def _known_dialect(cls, value: str) -> str:
        return _one_of(value, kpm_profile.PROFILES)


class IdRange(_Section):
    """Whole numbers from first to last."""

    first: Annotated[int, Field(ge=0, lt=1 << 40)]
    last: Annotated[int, Field(ge=0, lt=1 << 40)]


class UeSlice(_Section):
    """UEs that belong to a slice where a node does not say so, at the nodes whose name matches.

    A UE is named by its gNB-CU-UE-F1AP id (or E1AP, or AMF-UE-NGAP id), or by its RAN UE id in hexadecimal.
    """

    slice: Annotated[str, Field(pattern="^[0-9]{1,3}(-[0-9a-fA-F]{6})?$")]
    node: Glob = "*"
    ids: tuple[IdRange, ...] = ()
    ran_ue_ids: tuple[Annotated[str, Field(pattern="^[0-9a-fA-F]{16}$")], ...] = ()


class PlatformUrls(_Section):
    """Where the RIC platform's REST interfaces are."""

    subscriptions_url: Url = "http://service-ricplt-submgr-http.ricplt:8088"
    nodes_url: Url = "http://service-ricplt-e2mgr-http.ricplt:3800"
    registration_url: Url = "http://service-ricplt-appmgr-http.ricplt:8080"


class XappConfig(_Section):
    """Everything that can be set. Raises ValidationError naming the field."""

    slices: Annotated[tuple[SliceConfig, ...], Field(min_length=1, max_length=16)]
    plmn: Annotated[str, Field(pattern="^[0-9]{5,6}$")] = "00101"
    """MCC and MNC that the slices belong to."""
    role: Role = Role.ALL
    controller: Annotated[str, Field(max_length=32)] = "demand"
    model: Annotated[str, Field(max_length=1024)] = ""
    """Folder of the model package that `learned` decides by; empty for the one that comes with the xApp."""
    model_check_s: Positive = 2.0
    """How often that folder is looked at for a new package."""
    shadow_periods: Annotated[int, Field(ge=0, le=1_000_000)] = 50
    """Periods that a new model decides beside the running one before it takes over."""
    demand: DemandConfig = DemandConfig()
    period_ms: Annotated[int, Field(ge=1, le=60_000)] = 100
    """Reporting period, and so control interval."""
    guard: GuardLimits = GuardLimits()
    node_filter: Annotated[tuple[Glob, ...], Field(min_length=1)] = ("*",)
    """Names of the nodes to subscribe to; `*` stands for anything."""
    node_rules: tuple[NodeRule, ...] = ()
    ue_slices: tuple[UeSlice, ...] = ()
    dry_run: bool = False
    """Observe and decide, but send no control."""
    reassert_s: Positive = 30.0
    """Quotas that have not changed are sent again after this time."""
    control_timeout_s: Positive = 1.0
    experience: str = ""
    """File to append the decisions to, one JSON record per line; empty for none."""
    instance: Annotated[str, Field(max_length=128)] = ""
    """This instance's name at the application manager; empty for the xApp's name and host."""
    listen_host: Annotated[str, Field(max_length=128)] = "0.0.0.0"
    http_port: Port = 8080
    rmr_port: Port = 4560
    rmr_control_port: Port = 4561
    """The port for route tables, where RMR_RTG_SVC does not say otherwise."""
    advertised_host: Annotated[str, Field(max_length=63)] = ""
    """Host by which the RIC reaches this xApp; empty for RMR_SRC_ID's HTTP service, else this host's name."""
    ric: PlatformUrls = PlatformUrls()

    @field_validator("controller")
    @classmethod
    def _known_controller(cls, value: str) -> str:
        return _one_of(value, NAMES)

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = self.snssais
        if len(set(names)) != len(names):
            raise ValueError("slices: an S-NSSAI comes twice")
        if not all(rule.snssai in names for rule in map(_SliceName, self.ue_slices)):
            raise ValueError(f"ue_slices: every slice must be one of {', '.join(map(str, names))}")
        plmn_to_octets(self.plmn[:3], self.plmn[3:])
        self.promises  # noqa: B018  refuses a slice without a promise
        self.guard_config()
        return self

    @property
    def snssais(self) -> tuple[SNssai, ...]:
        """The slices, in the order of all arrays."""
        return tuple(item.snssai for item in self.slices)

    @property
    def slice_names(self) -> tuple[str, ...]:
        """What the slices are called, by their S-NSSAI where they have no name."""
        return tuple(item.name or item.slice for item in self.slices)

    @property
    def promises(self) -> tuple[SliceSla, ...]:
        """The SLAs before any A1 policy."""
        return tuple(item.promise for item in self.slices)

    @property
    def sends(self) -> bool:
        """Whether quotas are sent to nodes."""
        return not self.dry_run and self.role is not Role.CRITIC

    @property
    def period_s(self) -> float:
        """The control interval."""
        return self.period_ms / 1e3

    @property
    def plmn_digits(self) -> tuple[str, str]:
        """MCC and MNC."""
        return self.plmn[:3], self.plmn[3:]

    def guard_config(self) -> GuardConfig:
        """The guard's limits with each slice's floor."""
        floors = tuple(item.floor_percent for item in self.slices)
        return GuardConfig(floor_percent=floors, **self.guard.model_dump())

    def includes(self, node: str) -> bool:
        """Whether a node is to be controlled."""
        return any(fnmatchcase(node, pattern) for pattern in self.node_filter)

    def rule(self, node: str) -> NodeRule:
        """What is special about a node."""
        return next((rule for rule in self.node_rules if fnmatchcase(node, rule.match)), NodeRule())


class _SliceName:
    """The slice that a rule for UEs names."""

    def __init__(self, rule: UeSlice) -> None:
        self.snssai = SNssai.parse(rule.slice)


def load(path: Path, environ: Mapping[str, str], overrides: Mapping[str, object]) -> tuple[XappConfig, JsonObject]:
    """Read a descriptor's `controls`; top-level fields may be set by RANLOOP_<FIELD> and by overrides.

    Returns the configuration and the descriptor, whose `controls` are those in force. Raises SettingsError that
    names the file, or the field and what is wrong with it.
    """
    file = path / DESCRIPTOR.name if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            descriptor = parse_json(stream.read(MAX_DESCRIPTOR_OCTETS))
    except (OSError, RequestError) as error:
        raise SettingsError(f"{file}: {error}") from error
    controls = descriptor.get("controls") if isinstance(descriptor, dict) else None
    if not isinstance(descriptor, dict) or not isinstance(controls, dict):
        raise SettingsError(f"{file}: it must be a JSON object that holds an object `controls`")
    merged: dict[str, object] = {**controls, **_from_env(environ)}
    for key, value in overrides.items():
        nested = merged.get(key)
        merged[key] = {**nested, **value} if isinstance(nested, dict) and isinstance(value, dict) else value
    try:
        config = XappConfig.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(describe(error)) from None
    return config, {**descriptor, "controls": json.loads(config.model_dump_json())}


def describe(error: ValidationError) -> str:
    """Every field that is wrong, its value and why, in one line."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'controls'}={str(item['input'])[:80]!r}: {item['msg']}"
        for item in error.errors(include_url=False)
    )


def controls_schema() -> JsonObject:
    """The JSON schema of `controls` as onboarding wants it: draft 7, and no reference to other parts."""
    schema = XappConfig.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inline(value: object) -> object:
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str):
                value = {
                    **definitions[reference.rsplit("/", 1)[1]],
                    **{k: v for k, v in value.items() if k != "$ref"},
                }
            return {key: inline(item) for key, item in value.items()}
        return [inline(item) for item in value] if isinstance(value, list) else value

    head: JsonObject = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "#/controls"}
    body = json.loads(json.dumps(inline(schema)))
    return {**head, **body}


def _from_env(environ: Mapping[str, str]) -> dict[str, object]:
    """The top-level fields set in the environment; structured ones are JSON."""
    found: dict[str, object] = {}
    for name, field in XappConfig.model_fields.items():
        text = environ.get(ENV_PREFIX + name.upper())
        if text is None:
            continue
        simple = field.annotation in (str, int, float, bool)
        try:
            found[name] = text if simple else json.loads(text)
        except ValueError:
            raise SettingsError(f"{ENV_PREFIX}{name.upper()}={text[:80]!r} is not JSON") from None
    return found


def _one_of(value: str, allowed: object) -> str:
    names = tuple(allowed)  # type: ignore[arg-type, var-annotated]
    if value not in names:
        raise ValueError(f"must be one of {', '.join(names)}")
    return value
