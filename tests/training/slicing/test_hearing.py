"""Readers tell intents from texts, and agents go by what was heard."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from training.experiments.earned import resampled, share
from training.slicing.environment import Seen
from training.slicing.grammar import grown
from training.slicing.hearing import (
    WEIGHT,
    Bag,
    Encoder,
    Heard,
    LowRank,
    Reader,
    Reading,
    Strings,
    practice,
    unheard,
    weights_of,
)
from training.slicing.intents import NAMES, WEIGHTS, Wording, wordings
from training.slicing.networks import Actor, share_of
from xapps.slicing.state import FEATURES

HOW = Reading(steps=150, batch=64)


class Understands(Encoder):
    """Knows intents, and mixes them with much that has nothing to do with them."""

    width = 40

    def __init__(self, known: Sequence[Wording]) -> None:
        super().__init__()
        self._intent = {item.text: NAMES.index(item.intent) for item in known}
        self._noise = Strings(self.width)
        self._meaning = torch.randn(len(NAMES), self.width, generator=torch.Generator().manual_seed(0))

    def forward(self, texts: Sequence[str]) -> Tensor:
        """float32 [texts, width]"""
        return 2.0 * self._meaning[[self._intent[text] for text in texts]] + self._noise(texts)


def right(reader: Reader, found: Sequence[Wording]) -> float:
    told = reader.intents([item.text for item in found]).argmax(dim=-1).tolist()
    return float(np.mean([NAMES[place] == item.intent for place, item in zip(told, found, strict=True)]))


def test_a_reader_of_vectors_that_hold_the_intent_reads_wordings_it_never_saw() -> None:
    known, held_out = wordings("training"), wordings("heldout")
    reader = Reader(Understands([*known, *grown(20, 0), *held_out]))
    reader.fit(known, grown(20, 0), 1, HOW)
    assert right(reader, held_out) > 0.9


def test_random_vectors_tell_known_texts_apart_and_nothing_of_new_ones() -> None:
    reader = Reader(Strings())
    reader.fit(wordings("training"), grown(20, 0), 1, HOW)
    assert right(reader, wordings("training")) > 0.8
    assert right(reader, wordings("heldout")) < 0.35


def test_reading_follows_from_the_seed() -> None:
    losses = []
    for seed in (1, 1, 2):
        reader = Reader(Strings(16))
        losses.append(reader.fit(wordings("training"), grown(5, 0), seed, Reading(steps=5, batch=16)))
    assert losses[0] == losses[1] != losses[2]


def test_a_reader_that_is_less_sure_reads_the_same_and_is_nearer_to_the_mean() -> None:
    reader, texts = Reader(Strings(16)), [item.text for item in wordings("training")[:40]]
    reader.fit(wordings("training"), grown(5, 0), 1, Reading(steps=20, batch=16))
    sure = reader.intents(texts)
    reader.temperature = 3.0
    unsure = reader.intents(texts)
    assert torch.equal(sure.argmax(dim=-1), unsure.argmax(dim=-1))
    assert bool((unsure.amax(dim=-1) < sure.amax(dim=-1)).all())


def test_a_bag_counts_known_words_and_hears_no_others() -> None:
    bag = Bag()
    bag.meet(["Robots first, robots!", "Meters wait."])
    told = bag(["robots and ROBOTS", "robots robots", "unheard of"])
    assert torch.equal(told[0], told[1])
    assert told.sum(dim=1).tolist() == [2.0, 2.0, 0.0]
    assert unheard([Wording("robots dance", "urgent")], [Wording("Robots first.", "urgent")]) == 0.5


def test_who_is_unsure_hears_the_mean_of_the_weights() -> None:
    sure, unsure = torch.eye(len(NAMES))[2], torch.full((len(NAMES),), 1.0 / len(NAMES))
    told = weights_of(torch.stack((sure, unsure))).numpy()
    assert told[0] == pytest.approx(WEIGHTS[2])
    assert told[1] == pytest.approx(WEIGHTS.mean(axis=0))


def test_agents_practise_on_all_intents_and_on_silence() -> None:
    own = (0.4, 0.4, 0.2)
    orders = practice(own, 0)
    assert orders.weight[0].tolist() == pytest.approx(own)
    assert orders.weight[1 : 1 + len(NAMES)].numpy() == pytest.approx(WEIGHTS)
    assert orders.weight.sum(dim=1).numpy() == pytest.approx(np.ones(len(orders.weight)))
    assert set(orders.told(range(len(orders.weight))).tolist()) == set(range(len(orders.weight)))


def seen_by(networks: int) -> Seen:
    draw = torch.Generator().manual_seed(1)
    features = torch.rand(networks, 1, 3, len(FEATURES), generator=draw)
    levels = torch.zeros(networks, 1, 3, 2, dtype=torch.int64)
    return Seen(features, levels, torch.arange(networks)[:, None])


def test_what_is_heard_takes_the_place_of_the_weights_and_of_nothing_else() -> None:
    heard = torch.from_numpy(WEIGHTS[:4])
    representation, seen = Heard(heard), seen_by(4)
    representation.fit(seen.features)
    told = representation(seen)
    others = [place for place in range(len(FEATURES)) if place != WEIGHT]
    plain = (seen.features - representation.mean) / representation.deviation
    assert torch.equal(told[..., others], plain[..., others])
    back = told[..., WEIGHT] * representation.deviation[WEIGHT] + representation.mean[WEIGHT]
    assert back[:, 0].numpy() == pytest.approx(WEIGHTS[:4], abs=1e-6)


def test_an_agent_that_hears_treats_slices_alike_in_any_order() -> None:
    heard, seen, order = torch.from_numpy(WEIGHTS[:4]), seen_by(4), [2, 0, 1]
    torch.manual_seed(0)
    actor = Actor(len(FEATURES), 16)
    turned = Seen(seen.features[:, :, order], seen.levels, seen.said)
    there = share_of(actor.best(Heard(heard)(seen)))
    back = share_of(actor.best(Heard(heard[:, order])(turned)))
    assert back.detach().numpy() == pytest.approx(there[..., order].detach().numpy(), abs=1e-6)


def test_low_rank_matrices_begin_at_nothing_and_alone_are_trained() -> None:
    base = torch.nn.Linear(6, 5).requires_grad_(False)
    made, given = LowRank(base, 2), torch.randn(7, 6)
    assert torch.equal(made(given), base(given))
    torch.autograd.backward(made(given).square().sum())
    assert base.weight.grad is None
    assert made.up.weight.grad is not None
    assert made.up.weight.grad.abs().max() > 0


def test_shares_of_the_oracles_gain() -> None:
    draw = np.random.default_rng(1)
    blind = draw.normal(size=(5, 40, 2))
    oracle = blind + 0.5
    assert share(oracle, blind, oracle) == pytest.approx(1.0)
    assert share(blind, blind, oracle) == pytest.approx(0.0)
    half = resampled(
        lambda values: share(*values), blind + 0.25 + 0.05 * draw.normal(size=blind.shape), blind, oracle
    )
    assert half.low < 0.5 < half.high
    assert half.high - half.low < 0.1
