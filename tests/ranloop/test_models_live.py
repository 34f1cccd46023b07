"""Models change under a running loop: bad ones change nothing, good ones take over, and the former comes back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oran.model_package import MANIFEST
from ranloop.stack import HOST
from tests.ranloop.loop import Loop, a_loop
from tests.xapps.slicing.packages import package
from xapps.slicing import operate
from xapps.slicing.actor import SHIPPED
from xapps.slicing.schema import ACTOR

pytestmark = pytest.mark.slow


def corrupt(folder: Path) -> None:
    (folder / MANIFEST).write_text("{" + (folder / MANIFEST).read_text())


def other_digest(folder: Path) -> None:
    data = bytearray((folder / ACTOR).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / ACTOR).write_bytes(data)


def other_schema(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["inputs"]["state"] = manifest["inputs"]["state"].replace("qos, density", "density, qos")
    (folder / MANIFEST).write_text(json.dumps(manifest))


BAD: tuple[tuple[Callable[[Path], None], str], ...] = (
    (corrupt, "cannot be read"),
    (other_digest, ACTOR),
    (other_schema, "input state is"),
)


def test_models_change_while_the_loop_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with a_loop(tmp_path, controller="learned") as loop:
        shipped = json.loads((SHIPPED / MANIFEST).read_text())["name"]
        assert running(loop) == shipped
        for number, (spoil, reason) in enumerate(BAD, 1):
            folder = tmp_path / spoil.__name__
            shutil.copytree(SHIPPED, folder)
            spoil(folder)
            assert ask(loop, "load", str(folder)) == 1
            assert reason in capsys.readouterr().err
            assert running(loop) == shipped
            assert loop.metrics()("ranloop_model_events_total", event="refused") == number
            loop.goes_on()

        assert ask(loop, "load", str(package(tmp_path / "good"))) == 0
        assert running(loop) == shipped
        loop.until(lambda: running(loop) == "test-actor", "the new model takes over")
        loop.goes_on(*loop.nodes)
        assert ask(loop, "rollback") == 0
        assert running(loop) == shipped
        loop.goes_on(*loop.nodes)
        assert loop.metrics()("ranloop_controller_errors_total") == 0
        loop.check_quotas()


def url(loop: Loop) -> str:
    return f"http://{HOST}:{loop.stack.xapp_ports['http']}"


def ask(loop: Loop, *words: str) -> int:
    """What an operator types."""
    return operate.main([*words, "--url", url(loop)])


def running(loop: Loop) -> str:
    return str(loop.get(f"{url(loop)}/model").json()["running"]["name"])
