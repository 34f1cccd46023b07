"""From the command line: a training by branching leaves a package that the xApp runs, and says how it was made."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ranloop.cli import app
from xapps.slicing.actor import Actor
from xapps.slicing.state import FEATURES

WORDS = ("train", "slicing", "--preset", "smoke", "--method", "branching", "--out")


@pytest.mark.slow
def test_a_training_by_branching_is_exported(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, [*WORDS, str(tmp_path)])
    assert made.exit_code == 0, made.output
    actor = Actor.load(tmp_path / "package", ("eMBB", "URLLC", "mMTC"))
    assert actor.manifest.training["method"] == "branching"
    assert actor.critic is None
    assert actor.reference is not None
    share = actor.share(np.random.default_rng(1).random((4, 3, len(FEATURES))))
    np.testing.assert_allclose(share.sum(axis=-1), 1.0, atol=1e-5)


def test_an_unknown_method_is_refused() -> None:
    made = CliRunner().invoke(app, ["train", "slicing", "--method", "guessing"])
    assert made.exit_code != 0
    assert "guessing" in str(made.exception)
