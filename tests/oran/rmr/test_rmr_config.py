"""Settings: ranges are checked and the environment is read as librmr reads it."""

from pathlib import Path

import pytest

from oran.rmr import ConfigError, RmrConfig


def test_embedded_defaults_stay_on_loopback() -> None:
    config = RmrConfig()
    assert (config.bind_host, config.port, config.control_port, config.route_manager) == ("127.0.0.1", 0, None, "")


def test_environment_without_variables() -> None:
    config = RmrConfig.from_env({})
    assert (config.bind_host, config.port, config.control_port, config.route_manager) == (
        "0.0.0.0",
        4560,
        4561,
        "",
    )


@pytest.mark.parametrize(
    ("environ", "control_port", "route_manager"),
    [
        ({"RMR_RTG_SVC": "-1"}, None, ""),
        ({"RMR_RTG_SVC": "4590"}, 4590, ""),
        ({"RMR_RTG_SVC": "4590", "RMR_CTL_PORT": "4600"}, 4590, ""),
        ({"RMR_RTG_SVC": "rtmgr.ricplt:4500"}, 4561, "rtmgr.ricplt:4500"),
        ({"RMR_RTG_SVC": "rtmgr", "RMR_CTL_PORT": "4600"}, 4600, "rtmgr:4561"),
        ({"RMR_CTL_PORT": "4600"}, 4600, "routemgr:4561"),
    ],
)
def test_route_service(environ: dict[str, str], control_port: int | None, route_manager: str) -> None:
    config = RmrConfig.from_env(environ)
    assert (config.control_port, config.route_manager) == (control_port, route_manager)


def test_the_other_variables() -> None:
    config = RmrConfig.from_env(
        {
            "RMR_SEED_RT": "/opt/routes.rt",
            "RMR_SRC_ID": "service-ricxapp-x-rmr.ricxapp:4560",
            "RMR_BIND_IF": "192.0.2.7",
            "RMR_RTREQ_FREQ": "30",
            "RMR_SRC_NAMEONLY": "1",
        },
        port=4999,
    )
    assert config.seed_path == Path("/opt/routes.rt")
    assert config.source_name == "service-ricxapp-x-rmr.ricxapp"
    assert (config.bind_host, config.port, config.request_period_s) == ("192.0.2.7", 4999, 30.0)
    assert config.source_name_only


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"RMR_RTG_SVC": "99999"}, "RMR_RTG_SVC"),
        ({"RMR_RTG_SVC": "host:port"}, "RMR_RTG_SVC"),
        ({"RMR_CTL_PORT": "x"}, "RMR_CTL_PORT"),
        ({"RMR_RTREQ_FREQ": "0"}, "RMR_RTREQ_FREQ"),
        ({"RMR_SRC_ID": "n" * 60}, "source_name"),
    ],
)
def test_senseless_variables_are_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        RmrConfig.from_env(environ)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"port": 65536}, "port"),
        ({"control_port": -1}, "control_port"),
        ({"route_manager": "nowhere", "control_port": 0}, "nowhere"),
        ({"route_manager": "a:1"}, "route_manager"),
        ({"max_frame_octets": 329}, "max_frame_octets"),
        ({"receive_queue_messages": 0}, "receive_queue_messages"),
        ({"send_queue_octets": 1000}, "send_queue_octets"),
        ({"frame_timeout_s": 0.0}, "frame_timeout_s"),
        ({"send_queue_s": float("nan")}, "send_queue_s"),
        ({"backoff_min_s": 2.0, "backoff_max_s": 1.0}, "backoff_max_s"),
        ({"source_name": "é"}, "source_name"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        RmrConfig(**settings)  # type: ignore[arg-type]
