"""What operators want, how they say so, and that nothing but the words tells of it."""

import hashlib
from collections import Counter

import numpy as np
import pytest
import torch

from oran import sla
from oran.sla import SlaTargets
from training.slicing.environment import Environment, Orders, Outcome
from training.slicing.grammar import grown
from training.slicing.hearing import words
from training.slicing.intents import AUTHORS, FOLDER, KINDS, NAMES, WEIGHTS, weights, wordings, written
from twin.network import library
from twin.network.scenario import Scenario
from xapps.slicing.state import KINDS as FEATURES

HELD_OUT = {
    "heldout": "c328e6b6e9a12a186ba09ab2ac01bd8225c0e52a386b37eaa706f53c24ca290c",
    "fresh": "bd35c50a5efaa523e307d1727aca3251cdf7349ac8193d5c52d91601c1aef0c7",
    "novel": "f85ac4a7fa2b3d1126af021de094fb8bc0d36105166e0d861c95793611f5da06",
    "languages": "fc2e0ae79ffadfbbb49fb440b58eb08419fed9e54b90ab2a66ae3d9d93876ae2",
}
"""What was committed before anything was trained."""


def plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def test_held_out_wordings_are_those_committed_before_training() -> None:
    for name, digest in HELD_OUT.items():
        assert hashlib.sha256((FOLDER / f"{name}.yaml").read_bytes()).hexdigest() == digest


def test_no_training_text_is_held_out() -> None:
    known = {plain(item.text) for item in (*written(), *grown(250, 0))}
    for which in HELD_OUT:
        assert not known & {plain(item.text) for item in wordings(which)}


def test_every_intent_is_worded_often_enough() -> None:
    assert len(NAMES) >= 6
    least = dict.fromkeys(AUTHORS, 12) | {"heldout": 8, "fresh": 20, "novel": 27, "languages": 6}
    for which, fewest in least.items():
        found = wordings(which)
        assert len({item.text for item in found}) == len(found)
        assert min(Counter(item.intent for item in found).values()) >= fewest


def test_new_services_are_told_of_in_words_that_no_training_text_has() -> None:
    known = {word for item in (*written(), *grown(3000, 0)) for word in words(item.text)}
    for item in wordings("novel"):
        assert set(words(item.text)) - known


def test_no_text_for_training_stands_for_two_intents() -> None:
    meant: dict[str, set[str]] = {}
    for item in written():
        meant.setdefault(plain(item.text), set()).add(item.intent)
    assert not {text: intents for text, intents in meant.items() if len(intents) > 1}


def test_intents_differ_in_what_counts() -> None:
    assert WEIGHTS.shape == (len(NAMES), len(KINDS))
    assert WEIGHTS.sum(axis=1) == pytest.approx(np.ones(len(NAMES)))
    assert len({tuple(row) for row in WEIGHTS.tolist()}) == len(NAMES)


def test_grown_wordings_are_whole_sentences_that_name_what_counts() -> None:
    found = grown(50, 3)
    assert Counter(item.intent for item in found) == dict.fromkeys(NAMES, 50)
    assert not [item for item in found if set(item.text) & set("{}")]
    assert len({item.text for item in found}) == len(found)
    assert grown(50, 4) != found
    names = {item.text for item in found if item.intent == "urgent" and "URLLC first" in item.text}
    assert not {item.text for item in found if item.intent == "video"} & names


def small() -> Scenario:
    return library.load("pa_mrl")


def run(orders: Orders | None, unreported: tuple[str, ...] = ()) -> list[Outcome]:
    environment = Environment(small(), 2, orders=orders, unreported=unreported)
    environment.reset((6, 7))
    share = torch.full((2, 6, 3), 1.0 / 3.0)
    return [environment.step(share) for _ in range(3)]


def test_orders_change_what_is_earned_and_nothing_that_is_seen_as_numbers() -> None:
    weight = torch.tensor([[0.4, 0.4, 0.2], [0.05, 0.9, 0.05], [0.9, 0.05, 0.05]], dtype=torch.float64)
    orders = Orders(weight, torch.tensor([1, 2]))
    for free, ordered in zip(run(None), run(orders), strict=True):
        assert torch.equal(free.seen.features, ordered.seen.features)
        assert torch.equal(free.qos_ratio, ordered.qos_ratio)
        assert ordered.seen.said.tolist() == [[1] * 6, [2] * 6]
        for network, said in enumerate((1, 2)):
            row = weight[said].numpy()
            targets = SlaTargets(row, row, row, row)
            wanted = sla.reward(targets, ordered.qos_ratio[network])
            assert ordered.reward[network].tolist() == pytest.approx(wanted.tolist(), abs=1e-6)


def test_where_nothing_is_said_the_scenarios_own_weights_count() -> None:
    own = SlaTargets.of(small().slas).weight
    orders = Orders(torch.from_numpy(own[None]), torch.tensor([0]))
    for free, ordered in zip(run(None), run(orders), strict=True):
        assert torch.equal(free.reward, ordered.reward)
        assert not ordered.seen.said.any()


def test_a_kpi_that_is_not_reported_is_not_seen_but_the_reward_is_as_ever() -> None:
    lacking, whole = run(None, ("active_ues",))[-1], run(None)[-1]
    assert torch.equal(lacking.reward, whole.reward)
    for name in ("density", "promised_rate"):
        place = FEATURES.index(name)
        assert not lacking.seen.features[..., place].any()
        assert whole.seen.features[..., place].any()
    assert torch.isfinite(lacking.seen.features).all()


def test_weights_of_wordings_are_those_of_their_intents() -> None:
    found = wordings("heldout")
    assert weights(found)[-1].tolist() == WEIGHTS[NAMES.index(found[-1].intent)].tolist()
