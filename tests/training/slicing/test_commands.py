"""From the command line: what is trained is exported, is what the xApp runs, and is compared on equal seeds."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ranloop.cli import app
from ranloop.errors import RanloopError
from training.slicing import arms
from training.slicing.comparison import compare
from training.slicing.pipeline import table
from twin.network.scenario import Scenario
from xapps.slicing.actor import Actor

NAMES = ("eMBB", "URLLC", "mMTC")
SMALL = Scenario(cells=2, ues=60, load_factor=3.0)


@pytest.mark.slow
def test_a_trained_agent_is_exported_and_compared(tmp_path: Path) -> None:
    runner = CliRunner()
    made = runner.invoke(app, ["train", "slicing", "--preset", "smoke", "--out", str(tmp_path)])
    assert made.exit_code == 0, made.output
    package = tmp_path / "package"
    actor = Actor.load(package, NAMES)
    assert actor.critic is not None
    manifest = json.loads((package / "manifest.json").read_text())
    assert manifest["training"]["cells"] == 6
    assert {"return", "satisfaction", "return_lost", "share_difference"} <= set(manifest["metrics"])
    shares = actor.share(np.random.default_rng(1).random((4, 3, 22)))
    np.testing.assert_allclose(shares.sum(-1), 1.0, atol=1e-5)

    words = [
        "evaluate",
        "slicing",
        "--model",
        str(package),
        "--seeds",
        "2",
        "--seconds",
        "1",
        "--no-bound",
        "--json",
    ]
    found = json.loads(runner.invoke(app, words).output.splitlines()[-1])
    assert found["seeds"] == [1, 2]
    assert {"hard", "static", "demand", "pa-mrl-numbers 1.0.0"} <= set(found)
    assert set(found["demand"]) == {
        "return",
        "satisfaction",
        "kept",
        "qos",
        "embb_improvement_percent",
        "headroom",
    }


def test_arms_are_compared_on_the_same_seeds_and_with_the_bound() -> None:
    policies = {"static": lambda: arms.static(3), "again": lambda: arms.static(3), "demand": arms.demand}
    found = compare(SMALL, policies, range(3), 6)
    np.testing.assert_array_equal(found.scores["static"].reward, found.scores["again"].reward)
    assert found.gain("again", "static", "reward").mean == 0.0
    assert found.embb_percent("again", "static").mean == 0.0
    for name, figure in (("clairvoyant", "satisfaction"), ("clairvoyant for return", "reward")):
        room = found.headroom(name, figure)
        assert room is not None
        assert room.mean == pytest.approx(1.0)
    text = table(found)
    assert "clairvoyant" in text
    assert "mMTC" in text
    json.dumps(found.figures())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train", "slicing", "--preset", "huge"], "smoke, cpu, gpu, paper"),
        (["train", "slicing", "--scenario", "nowhere"], "pa_mrl"),
        (["evaluate", "slicing", "--scenario", "nowhere"], "pa_mrl"),
        (["evaluate", "slicing", "--model", "/nonexistent"], "/nonexistent"),
    ],
)
def test_what_cannot_be_done_is_told(words: list[str], told: str, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path)] if words[0] == "train" else []
    found = CliRunner().invoke(app, [*words, *out])
    assert found.exit_code != 0
    assert isinstance(found.exception, RanloopError)
    assert told in str(found.exception)
