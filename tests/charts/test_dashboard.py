"""The Grafana dashboard: as its code makes it, and every query answered by a real Prometheus."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ranloop.stack import HOST, free_ports
from tests.ranloop.loop import Loop, a_loop
from tests.xapps.slicing import packages

pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk is not installed")
from charts.grafana import dashboard

RATE_INTERVAL = "15s"
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: xapp
    static_configs: [{{targets: ["{target}"]}}]
"""


def board() -> dict[str, Any]:
    return dict(json.loads(dashboard.dashboard()))


def panels() -> list[dict[str, Any]]:
    """Every panel with queries, those inside rows too."""
    found = [panel for item in board()["panels"] for panel in (item, *item.get("panels", ()))]
    return [panel for panel in found if panel.get("targets")]


def queries() -> list[str]:
    """Every PromQL query, with the variables as Grafana fills them in when all nodes are chosen."""
    texts = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [text.replace("$node", ".*").replace("$__rate_interval", RATE_INTERVAL) for text in texts]


def label_values() -> list[tuple[str, str]]:
    """Metric and label of every variable that is asked of Prometheus."""
    asked = [item["query"] for item in board()["templating"]["list"] if item["type"] == "query"]
    texts = [item["query"] if isinstance(item, dict) else item for item in asked]
    return [pair for text in texts for pair in re.findall(r"^label_values\((\w+), (\w+)\)$", text)]


def test_the_dashboard_in_the_repository_is_the_one_its_code_makes() -> None:
    assert dashboard.PATH.read_text() == dashboard.dashboard()


def test_panels_say_what_they_show() -> None:
    charts = panels()
    assert len(charts) >= 10
    assert all(panel["title"] and panel["description"] for panel in charts)
    assert len({panel["title"] for panel in charts}) == len(charts)
    assert all(target["legendFormat"] for panel in charts for target in panel["targets"])
    assert not any("$" in query for query in queries())


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    model = packages.package(tmp_path_factory.mktemp("models") / "model", judge=True)
    xapp = (f"--model={model}",)
    with a_loop(tmp_path_factory.mktemp("loop"), nodes=1, ues=40, xapp=xapp, controller="learned") as loop:
        yield loop


@pytest.fixture
def prometheus(loop: Loop, tmp_path: Path) -> Iterator[str]:
    """A Prometheus of our own that scrapes the xApp every second."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed")
    (port,) = free_ports(1)
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(target=f"{HOST}:{loop.stack.xapp_ports['http']}"))
    command = [program, f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    command += [f"--web.listen-address={HOST}:{port}", "--log.level=warn"]
    with (
        (tmp_path / "prometheus.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path) as server,
    ):
        try:
            yield f"http://{HOST}:{port}/api/v1"
        finally:
            server.terminate()


@pytest.mark.slow
def test_every_query_returns_data(loop: Loop, prometheus: str) -> None:
    waiting: dict[str, object] = dict.fromkeys(queries(), "not asked yet")
    assert len(waiting) >= 20

    def answered() -> bool:
        for query in list(waiting):
            answer = loop.client.get(f"{prometheus}/query", params={"query": query})
            # A query that is wrong in itself gets no better with time.
            assert answer.status_code != 400, answer.text
            waiting[query] = answer.json() if answer.status_code == 200 else answer.status_code
            if answer.status_code == 200 and has_numbers(answer.json()):
                del waiting[query]
        return not waiting

    loop.until(answered, waiting)
    assert label_values()
    for metric, label in label_values():
        found = loop.client.get(f"{prometheus}/label/{label}/values", params={"match[]": metric}).json()
        assert found["data"] == [node.name for node in loop.nodes]


def has_numbers(answer: dict[str, Any]) -> bool:
    """Whether an instant query gave samples, none of them NaN."""
    result = answer["data"]["result"]
    return bool(result) and all(sample["value"][1] != "NaN" for sample in result)


@pytest.mark.slow
def test_metrics_pass_promtools_lint(loop: Loop) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")
    text = loop.get(loop.stack.metrics_url).text
    assert "ranloop_quota_percent{" in text
    checked = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
