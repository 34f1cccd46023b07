"""Experiment 6: what its page says follows from what arms earned."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from typer.testing import CliRunner

from ranloop.cli import app
from ranloop.errors import RanloopError
from tests.training.slicing.tiny import tiny
from training.experiments import words
from training.experiments.earned import (
    ADAPTED,
    BLIND,
    FROZEN,
    HEARD,
    HELD_OUT,
    ORACLE,
    PAIR,
    PARTS,
    SCENARIO,
    TRAINED_BLIND,
    Earned,
    tell,
    texts_of,
)
from training.experiments.experiment import Findings
from training.experiments.run import RESULT
from training.experiments.words import WORDS, earn
from training.slicing.config import Config
from training.slicing.hearing import Heard, Reading, Sentences
from training.slicing.intents import KINDS, NAMES, WEIGHTS, weights, wordings
from training.slicing.sac import Sac
from xapps.slicing.actor import Actor
from xapps.slicing.state import FEATURES

SHARES = {BLIND: 0.0, TRAINED_BLIND: -0.1, "bag of words": 0.3, FROZEN: 0.6, ADAPTED: 0.7, PAIR: 0.9, ORACLE: 1.0}


def findings(folder: Path) -> Findings:
    """Runs whose arms earn these shares of a gain of 0.2."""
    draw = np.random.default_rng(0)
    runs = WORDS.plan(folder, seeds=3)
    for run in runs:
        parts = {}
        for part in PARTS if run.arm.name in SHARES else ():
            noise = 0.001 * draw.normal(size=(len(texts_of(part)), 1))
            parts[part] = (0.1 + 0.2 * SHARES[run.arm.name] + noise).tolist()
        read = {part: [item.intent for item in texts_of(part)] for part in HEARD}
        run.task.folder.mkdir(parents=True)
        result = {
            "episodes": run.task.episodes,
            "parts": parts,
            "reading": read if "MiniLM" in run.arm.name else {},
        }
        (run.task.folder / RESULT).write_text(json.dumps(result))
    return Findings(WORDS, runs)


def test_the_page_tells_shares_of_the_oracles_gain_and_whether_the_goal_is_met(tmp_path: Path) -> None:
    found = findings(tmp_path)
    earned = Earned.of(found.done)
    assert earned.reference("held out") == BLIND
    for name, share in SHARES.items():
        told = earned.share(name, "held out")
        assert told.low - 0.01 <= share <= told.high + 0.01
    apart = [earned.share(PAIR, part).mean for part in HELD_OUT]
    assert min(apart) <= earned.share(PAIR, *HELD_OUT).mean <= max(apart)
    text = "\n".join(tell(found).body)
    assert text.count("**met**") == 4
    assert "100%" in text
    assert all(f"| {intent} |" in text for intent in NAMES)


def test_a_page_of_some_runs_says_what_is_not_judged_yet(tmp_path: Path) -> None:
    found = findings(tmp_path)
    for done in ({PAIR}, {PAIR, FROZEN, ORACLE}, {PAIR, ORACLE, BLIND}):
        some = Findings(WORDS, tuple(run for run in found.planned if run.arm.name in done))
        page = tell(some)
        page.draw(Figure())
        assert ("not judged yet" in "\n".join(page.body)) == (BLIND not in done)
        assert {row["arm"] for row in page.rows} == done
    assert tell(Findings(WORDS, ())).rows == ()


def test_a_seen_text_is_one_of_training_and_a_held_out_one_is_not() -> None:
    seen, held = ({item.text for item in texts_of(part)} for part in ("seen", "held out"))
    assert not seen & held
    assert len(seen) == 8 * len(NAMES)


def test_hearing_the_weights_meant_changes_what_an_agent_does() -> None:
    torch.manual_seed(0)
    sac = Sac(Config(hidden=16), Heard(torch.from_numpy(WEIGHTS)))
    held = texts_of("held out")[::8]
    deaf = torch.full((len(held), 3), 1.0 / 3.0)
    meant = earn(sac, held, torch.from_numpy(weights(held)))
    assert meant.shape == (len(held), 1)
    assert not np.array_equal(meant, earn(sac, held, deaf))
    assert np.array_equal(meant, earn(sac, held, torch.from_numpy(weights(held))))


def test_what_is_shipped_follows_words_by_the_xapps_own_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Config(envs=2, episode_steps=5, warm_up_steps=5, hidden=16, evaluate_every=1, evaluation_seeds=2)
    monkeypatch.setattr(words, "CONFIG", replace(small, scenario=SCENARIO))
    monkeypatch.setattr(words, "READING_ADAPTED", Reading(steps=60, batch=32, encoder_learning_rate=1e-2))
    monkeypatch.setattr(words, "minilm_adapted", lambda: Sentences(tiny(), rank=4))
    monkeypatch.setattr(words, "written", lambda: wordings("training"))
    monkeypatch.setattr(words, "WORDS", replace(WORDS, episodes=2))
    command = ("export", "words", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "package"))
    told = CliRunner().invoke(app, command, catch_exceptions=False)
    assert "ranloop xapp --controller learned" in told.output
    agent = Actor.load(tmp_path / "package", KINDS)
    state = np.full((1, 3, len(FEATURES)), 0.5)
    shares = []
    for text in ("Protect URLLC above everything else.", "Video comes first."):
        agent.hear(text)
        shares.append(agent.share(state)[0].tolist())
    assert shares[0] != shares[1]
    assert len(list((tmp_path / "runs" / "words" / "reader").glob("*/reader.pt"))) == 2
    with pytest.raises(RanloopError, match="is there already"):
        CliRunner().invoke(app, command, catch_exceptions=False)
    with pytest.raises(RanloopError, match=r"1\.\.5"):
        CliRunner().invoke(app, (*command[:-1], f"{command[-1]}2", "--seed", "6"), catch_exceptions=False)
