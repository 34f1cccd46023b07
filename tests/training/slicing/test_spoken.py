"""The package of an agent that hears: the xApp's own loader says a text, and the shares follow it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from oran.sla import SlaTargets
from tests.training.slicing.tiny import tiny
from training.slicing.config import Config
from training.slicing.export import ExportError
from training.slicing.hearing import WEIGHT, Heard, LowRank, Reader, Reading, Sentences, merged
from training.slicing.intents import KINDS, WEIGHTS, wordings
from training.slicing.networks import share_of
from training.slicing.sac import Sac
from training.slicing.spoken import package
from twin.network import library
from xapps.slicing.actor import Actor
from xapps.slicing.state import FEATURES


def obedient() -> Sac:
    """An agent that shares a cell by the weights it hears."""
    torch.manual_seed(0)
    sac = Sac(Config(hidden=32), Heard(torch.from_numpy(WEIGHTS)))
    heard = sac.representation
    assert isinstance(heard, Heard)
    heard.fit(torch.rand(100, len(FEATURES)))
    optimiser = torch.optim.Adam(sac.actor.parameters(), 3e-3)
    draw = np.random.default_rng(0)
    for _ in range(300):
        weight = torch.from_numpy(draw.dirichlet(np.ones(3), 64)).float()
        told = share_of(sac.actor.best(heard.with_weights(torch.rand(64, 3, len(FEATURES)), weight)))
        optimiser.zero_grad()
        torch.autograd.backward((told - weight).square().mean())
        optimiser.step()
    return sac


@pytest.fixture(scope="module")
def reader() -> Reader:
    """One that was trained."""
    made = Reader(Sentences(tiny(), rank=4))
    known = [item for item in wordings("training") if item.intent in ("video", "urgent", "sensors")]
    how = Reading(steps=240, batch=64, dropout=0.1, learning_rate=1e-2, encoder_learning_rate=1e-2)
    made.fit(known, known, 1, how)
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, reader: Reader) -> Path:
    """A package."""
    folder = tmp_path_factory.mktemp("spoken") / "package"
    package(obedient(), [reader], library.load("pa_mrl"), folder, small=False)
    return folder


def shares(actor: Actor, words: str) -> list[float]:
    actor.hear(words)
    state = np.full((2, 3, len(FEATURES)), 0.5)
    found: list[float] = actor.share(state)[0].tolist()
    return found


def test_shares_follow_what_the_xapp_hears(made: Path) -> None:
    actor = Actor.load(made, KINDS)
    first = ("Video comes first.", "Protect URLLC above everything else.", "The sensors must not starve.")
    assert [int(np.argmax(shares(actor, text))) for text in first] == [0, 1, 2]
    assert json.loads((made / "manifest.json").read_text())["name"] == "pa-mrl-words"


def test_where_nothing_is_said_the_scenarios_weights_count_whatever_was_said_before(made: Path) -> None:
    actor = Actor.load(made, KINDS)
    silent = shares(actor, "")
    shares(actor, "Video comes first.")
    assert shares(actor, "  ") == silent
    assert silent == pytest.approx(SlaTargets.of(library.load("pa_mrl").slas).weight, abs=0.12)


def test_the_weights_that_the_state_shows_are_not_gone_by(made: Path) -> None:
    actor = Actor.load(made, KINDS)
    actor.hear("Video comes first.")
    state = np.full((2, 3, len(FEATURES)), 0.5)
    state[1, :, WEIGHT] = (0.0, 1.0, 0.0)
    one, other = actor.share(state)
    assert one.tolist() == other.tolist()


def test_training_a_reader_leaves_the_language_model_as_it_is(reader: Reader) -> None:
    encoder, fresh = reader.encoder, Sentences(tiny(), rank=4)
    assert isinstance(encoder, Sentences)
    before, after = (dict(item.llm.network.named_parameters()) for item in (fresh, encoder))
    own = [name for name in after if ".down." not in name and ".up." not in name]
    assert len(own) < len(after)
    assert all(torch.equal(before[name], after[name]) for name in own)
    assert any(bool(after[name].abs().max() > 0) for name in after if ".up." in name)


def test_what_was_trained_beside_a_map_can_be_part_of_it(reader: Reader) -> None:
    encoder = reader.encoder
    assert isinstance(encoder, Sentences)
    whole = merged(encoder.llm.network)
    assert not [part for part in whole.modules() if isinstance(part, LowRank)]
    assert [part for part in encoder.llm.network.modules() if isinstance(part, LowRank)]
    texts = [item.text for item in wordings("training")[::20]]
    alike = replace(encoder.llm, network=whole).read_all(torch.zeros(0, encoder.width), texts)
    assert torch.allclose(alike, encoder.llm.read_all(torch.zeros(0, encoder.width), texts), atol=1e-4)


def test_a_reader_that_is_kept_reads_as_it_did(reader: Reader) -> None:
    texts = [item.text for item in wordings("training")[::20]]
    back = Reader(Sentences(tiny(), rank=4)).take(reader.learnt())
    assert torch.equal(back.intents(texts), reader.intents(texts))


def test_slices_that_no_intent_speaks_of_are_refused(tmp_path: Path) -> None:
    scenario = library.load("pa_mrl")
    turned = replace(scenario, slices=scenario.slices[::-1])
    with pytest.raises(ExportError, match="intents speak of"):
        package(obedient(), [], turned, tmp_path / "package")
