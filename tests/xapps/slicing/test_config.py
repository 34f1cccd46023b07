import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from oran.slices import SNssai
from xapps.slicing.__main__ import parser, read_config, rmr_config
from xapps.slicing.config import DESCRIPTOR, XappConfig, controls_schema, load
from xapps.slicing.errors import SettingsError

SHIPPED: dict[str, Any] = json.loads(DESCRIPTOR.read_text())
SCHEMA: dict[str, Any] = json.loads((DESCRIPTOR.parent / "schema.json").read_text())


def controls(**changes: object) -> dict[str, Any]:
    return {**SHIPPED["controls"], **changes}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "config-file.json"
    path.write_text(json.dumps({**SHIPPED, "controls": controls(**changes)}))
    return path


def test_the_shipped_descriptor_has_what_onboarding_requires() -> None:
    name, _, version = SHIPPED["name"], SHIPPED["containers"], SHIPPED["version"]
    assert name
    assert [part.isdigit() for part in version.split(".")] == [True] * 3
    containers = {item["name"] for item in SHIPPED["containers"]}
    assert all(set(item["image"]) == {"registry", "name", "tag"} for item in SHIPPED["containers"])
    ports = {port["name"]: port for port in SHIPPED["messaging"]["ports"]}
    assert set(ports) == {"http", "rmrdata", "rmrroute"}
    for port in ports.values():
        assert port["container"] in containers
        together = {"txMessages", "rxMessages", "policies"} & set(port)
        assert together in (set(), {"txMessages", "rxMessages", "policies"})
    assert ports["rmrdata"]["policies"] == [20008]
    for probe in ("readinessProbe", "livenessProbe"):
        assert len({"exec", "httpGet"} & set(SHIPPED[probe])) == 1
        assert {"initialDelaySeconds", "periodSeconds"} <= set(SHIPPED[probe])
    assert "metrics" not in SHIPPED
    assert "rmr" not in SHIPPED


def test_the_shipped_schema_is_that_of_the_configuration() -> None:
    assert controls_schema() == SCHEMA
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert "$ref" not in json.dumps(SCHEMA)


BAD = [
    {"controller": 3},
    {"slices": []},
    {"slices": [{"slice": "1"}]},
    {"slices": [{"slice": "x", "sla": {"delay_s": 1}}]},
    {"period_ms": 0},
    {"plmn": "1"},
    {"guard": {"max_change_percent": 0}},
    {"guard": {"maximum_change": 5}},
    {"demand": {"smoothing": 2}},
    {"node_rules": [{"control": "magic"}]},
    {"ric": {"nodes_url": "ftp://x"}},
    {"colour": "blue"},
]


def test_the_schema_accepts_the_shipped_controls() -> None:
    jsonschema.validate(SHIPPED["controls"], SCHEMA, jsonschema.Draft7Validator)


@pytest.mark.parametrize("change", BAD)
def test_bad_controls_are_refused_by_schema_and_xapp_alike(change: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(controls(**change), SCHEMA, jsonschema.Draft7Validator)
    with pytest.raises(SettingsError, match=next(iter(change))):
        load(written(tmp_path, **change), {}, {})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"slices": [SHIPPED["controls"]["slices"][0]] * 2}, "comes twice"),
        ({"slices": [{"slice": "1", "sla": {}}]}, "at least one of throughput_bps"),
        ({"ue_slices": [{"slice": "9"}]}, "ue_slices"),
        ({"controller": "psychic"}, "static, hard, demand"),
        ({"node_rules": [{"profile": "acme"}]}, "3gpp, srsran, oai"),
        (
            {"slices": [{"slice": str(n), "floor_percent": 60, "sla": {"delay_s": 1}} for n in (1, 2)]},
            "floor_percent",
        ),
    ],
)
def test_what_a_schema_cannot_tell_is_refused_with_the_reason(
    change: dict[str, object], text: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=text):
        load(written(tmp_path, **change), {}, {})


def test_environment_and_command_line_override_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, controller="static", period_ms=50)
    options = parser().parse_args(["--config", str(path), "--period-ms", "20", "--ric-host", "ric", "--dry-run"])
    environ = {"RANLOOP_CONTROLLER": "hard", "RANLOOP_PERIOD_MS": "40", "RANLOOP_NODE_FILTER": '["gnbd_*"]'}
    config, descriptor = read_config(options, environ)
    assert (config.controller, config.period_ms, config.dry_run) == ("hard", 20, True)
    assert config.ric.subscriptions_url == "http://ric:8088"
    assert config.includes("gnbd_001")
    assert not config.includes("enb_001")
    held = descriptor["controls"]
    assert isinstance(held, dict)
    assert held["period_ms"] == 20
    XappConfig.model_validate(held)


def test_the_folder_of_a_descriptor_will_do(tmp_path: Path) -> None:
    written(tmp_path, controller="static")
    options = parser().parse_args([])
    assert read_config(options, {"XAPP_DESCRIPTOR_PATH": str(tmp_path)})[0].controller == "static"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"controls": []}', "\ufffd{", '{"a": NaN}'])
def test_a_file_that_is_no_descriptor_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config-file.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"config-file\.json"):
        load(path, {}, {})
    with pytest.raises(SettingsError, match="nowhere"):
        load(tmp_path / "nowhere", {}, {})


def test_a_variable_that_is_no_json_is_named() -> None:
    with pytest.raises(SettingsError, match="RANLOOP_NODE_FILTER"):
        load(DESCRIPTOR, {"RANLOOP_NODE_FILTER": "gnb"}, {})


def test_the_first_rule_that_matches_a_node_holds() -> None:
    rules = [{"match": "gnbd_*", "profile": "srsran"}, {"match": "*", "profile": "oai"}]
    config = XappConfig.model_validate(controls(node_rules=rules))
    assert config.rule("gnbd_1").profile == "srsran"
    assert config.rule("gnb_1").profile == "oai"
    assert config.snssais == (SNssai(1, 1), SNssai(2, 1), SNssai(3, 1))


def test_rmr_takes_names_and_ports_from_environment_or_configuration() -> None:
    config = XappConfig.model_validate(controls(listen_host="127.0.0.1", rmr_port=1, rmr_control_port=2))
    plain = rmr_config(config, {})
    assert (plain.port, plain.control_port, plain.bind_host, plain.source_name) == (1, 2, "127.0.0.1", "127.0.0.1")
    chart = rmr_config(config, {"RMR_RTG_SVC": "4561", "RMR_SRC_ID": "service-ricxapp-x-rmr.ricxapp"})
    assert (chart.control_port, chart.source_name) == (4561, "service-ricxapp-x-rmr.ricxapp")
