import itertools

import pytest
import torch

from tests.training.orchestrator.small import CONFIG, made
from training.orchestrator import edge
from training.orchestrator.edge import EdgeConfig
from training.orchestrator.errors import OrchestratorError


def test_every_piece_of_an_answer_is_one_token_and_read_back_as_it_was() -> None:
    lm = made()
    for piece in edge.pieces():
        ids = lm.encode(piece)
        assert len(ids) == 1, piece
        assert lm.decode(ids) == piece


@pytest.mark.parametrize(
    "text", ["20 Mbit/s in 2024, 12.55 dB", "naïve ± 日本語 🙂", "<think>", "  two  spaces\n"]
)
def test_any_text_comes_back(text: str) -> None:
    lm = made()
    assert lm.decode(lm.encode(text)) == text


def test_near_numbers_begin_alike_and_far_ones_do_not() -> None:
    lm = made()
    table = lm.network.get_input_embeddings().weight.detach()  # type: ignore[operator]

    def alike(one: int, other: int) -> float:
        rows = [table[lm.encode(str(value))[0]] for value in (one, other)]
        return float(torch.cosine_similarity(*rows, dim=0))

    near, far = ([alike(value, value + step) for value in range(50, 250)] for step in (1, 60))
    assert sum(near) / len(near) > sum(far) / len(far) + 0.2


def test_a_seed_makes_the_same_model() -> None:
    one, same, other = made(1), made(1), made(2)
    pairs = itertools.zip_longest(one.network.parameters(), same.network.parameters())
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(next(one.network.parameters()), next(other.network.parameters()))


def test_the_default_has_less_than_eight_million_weights() -> None:
    sizes = EdgeConfig()
    rows = sizes.vocabulary + len(set(edge.pieces()))
    layer = sizes.width**2 * 2 + 2 * sizes.width**2 * sizes.key_value_heads // sizes.heads
    layer += 3 * sizes.width * sizes.inner + 4 * sizes.width
    assert rows * sizes.width + sizes.layers * layer < 8e6


@pytest.mark.parametrize("change", [{"heads": 3}, {"key_value_heads": 3}, {"vocabulary": 10}])
def test_sizes_that_cannot_be_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(OrchestratorError, match="must"):
        EdgeConfig(**(vars_of(CONFIG) | change))


def vars_of(config: EdgeConfig) -> dict[str, int]:
    return {name: getattr(config, name) for name in config.__slots__}
