"""Decoding and what a policy thinks of it: both must see the same model."""

import numpy as np
import pytest
import torch

from rapps.orchestrator.answer import well_formed
from rapps.orchestrator.decoding import Sample
from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator.lm import Lm
from training.orchestrator.policy import Decided, Policy, entropy


@pytest.fixture(scope="module")
def lm() -> Lm:
    return made()


@pytest.fixture(scope="module")
def samples(lm: Lm) -> list[Sample]:
    return ASKED.sample(lm, tasks(3), each=4, temperature=1.0, seed=5)


def likely(lm: Lm, samples: list[Sample]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = Policy(lm.network)(Decided.of(lm, samples))
    return found


def test_every_answer_is_in_the_format_in_text_and_in_tokens(lm: Lm, samples: list[Sample]) -> None:
    for sample in samples:
        assert well_formed(sample.script.text)
        assert lm.decode(sample.ids) == sample.script.text
        assert sample.ids[-1] == lm.end


def test_a_seed_gives_the_same_answers(lm: Lm, samples: list[Sample]) -> None:
    again = ASKED.sample(lm, tasks(3), each=4, temperature=1.0, seed=5)
    assert [item.ids for item in again] == [item.ids for item in samples]
    assert [item.ids for item in ASKED.sample(lm, tasks(3), 4, 1.0, seed=6)] != [item.ids for item in samples]


def test_the_options_of_an_answer_make_its_tokens_again(lm: Lm, samples: list[Sample]) -> None:
    for place, sample in enumerate(samples):
        task = tasks(3)[place // 4]
        again = ASKED.written(lm, task, [choice.option for choice in sample.choices])
        assert again.ids == sample.ids
        assert again.decisions == sample.decisions


def test_the_likeliest_answer_is_the_one_that_the_policy_finds_likeliest(lm: Lm) -> None:
    greedy = ASKED.sample(lm, tasks(4), each=1, temperature=0.0, seed=0)
    decided = Decided.of(lm, greedy)
    found = likely(lm, greedy)
    # A cache and padding on the left in sampling, neither here: the same up to rounding.
    chosen = found.gather(1, decided.picked[:, None]).squeeze(1)
    assert torch.all(chosen >= found.max(dim=1).values - 1e-4)


def test_samples_come_as_often_as_the_policy_says(lm: Lm) -> None:
    many = ASKED.sample(lm, tasks(1), each=400, temperature=1.0, seed=1)
    first = many[0].decisions[0]
    shares = likely(lm, many[:1])[0, : len(first.allowed)].exp().numpy()
    seen = np.bincount([first.allowed.index(item.ids[first.place]) for item in many], minlength=len(first.allowed))
    assert np.abs(seen / 400 - shares).max() < 0.1


def test_likelihoods_sum_to_one_over_what_the_grammar_allows(lm: Lm, samples: list[Sample]) -> None:
    found = likely(lm, samples)
    assert torch.allclose(found.exp().sum(dim=1), torch.ones(len(found)), atol=1e-5)
    most = torch.tensor([len(item.allowed) for sample in samples for item in sample.decisions]).log()
    assert torch.all(entropy(found) <= most + 1e-4)


def test_padding_beside_longer_answers_changes_nothing(lm: Lm, samples: list[Sample]) -> None:
    alone = likely(lm, samples[:1])
    together = likely(lm, samples)[: len(alone), : alone.shape[1]]
    assert torch.allclose(alone.exp(), together.exp(), atol=1e-5)
