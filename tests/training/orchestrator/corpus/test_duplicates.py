"""Near-duplicates are found, other texts are not, and signatures say how much texts have in common."""

import random

import numpy as np
import pytest

from tests.training.orchestrator.corpus.samples import paragraph
from training.orchestrator.corpus.duplicates import Seen, signature
from training.orchestrator.corpus.errors import CorpusError

WORDS = [f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst"]


def text(draw: random.Random, length: int = 400) -> list[str]:
    return draw.choices(WORDS, k=length)


def runs(words: list[str]) -> set[tuple[str, ...]]:
    return set(zip(*(words[start:] for start in range(5)), strict=False))


def test_a_signature_says_what_texts_have_in_common() -> None:
    draw = random.Random(1)
    for kept in (0, 100, 200, 300, 360, 400):
        one = text(draw)
        other = one[:kept] + text(draw, 400 - kept)
        common = len(runs(one) & runs(other)) / len(runs(one) | runs(other))
        agreed = float(np.mean(signature(" ".join(one)) == signature(" ".join(other))))
        assert agreed == pytest.approx(common, abs=0.16)


def test_a_changed_copy_is_found_and_a_new_text_is_not() -> None:
    draw = random.Random(2)
    seen = Seen(0.8)
    originals = [text(draw) for _ in range(60)]
    assert all(seen.add(" ".join(words)) for words in originals)
    copies = [[*words[:20], "changed", *words[21:]] for words in originals]
    found = sum(not seen.add(" ".join(words).upper()) for words in copies)
    assert found >= 55


def test_half_a_text_is_a_new_one() -> None:
    draw = random.Random(3)
    seen = Seen(0.8)
    words = text(draw)
    assert seen.add(" ".join(words))
    assert seen.add(" ".join(words[:200] + text(draw, 200)))


def test_short_and_wordless_texts_have_signatures() -> None:
    assert (signature("") == signature("...")).all()
    assert (signature("one two") != signature("one three")).mean() > 0.9


def test_the_same_text_twice_is_one() -> None:
    seen = Seen(1.0)
    assert [seen.add(paragraph(number)) for number in (0, 1, 0, 1, 2)] == [True, True, False, False, True]


def test_a_similarity_that_bands_do_not_find_is_refused() -> None:
    with pytest.raises(CorpusError, match="similarity"):
        Seen(0.3)
