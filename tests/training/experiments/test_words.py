"""Experiment 6: what its page says follows from what arms earned."""

import json
from pathlib import Path

import numpy as np
import torch

from training.experiments.earned import (
    ADAPTED,
    BLIND,
    FROZEN,
    HEARD,
    ORACLE,
    PAIR,
    PARTS,
    TRAINED_BLIND,
    Earned,
    tell,
    texts_of,
)
from training.experiments.experiment import Findings
from training.experiments.run import RESULT
from training.experiments.words import WORDS, earn
from training.slicing.config import Config
from training.slicing.hearing import Heard
from training.slicing.intents import NAMES, WEIGHTS, weights
from training.slicing.sac import Sac

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
        told = earned.share("held out", name)
        assert told.low - 0.01 <= share <= told.high + 0.01
    text = "\n".join(tell(found).body)
    assert text.count("**met**") == 2
    assert "100%" in text
    assert all(f"| {intent} |" in text for intent in NAMES)


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
