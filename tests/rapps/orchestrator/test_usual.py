"""What is usual follows from a text's words alone, whatever the text."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapps.orchestrator.prompt import usual_line
from rapps.orchestrator.reading import read
from rapps.orchestrator.usual import FIELDS, LONGEST, WITHIN, Words, pieces, shipped

SERVICES = (
    "pictures of a crane",
    "the meters of a water works",
    "a surgeon who operates from afar",
    "phone calls",
)


@given(st.text(max_size=200))
def test_any_text_has_a_usual_demand(text: str) -> None:
    usual = read(text).usual
    assert tuple(usual) == FIELDS
    assert 1e-5 < usual["max_delay_s"] < 100
    assert 1e2 < usual["min_throughput_bps"] < 1e11
    assert 1e-12 < usual["max_ber"] < 0.1


@pytest.mark.parametrize("text", ["", "42 % !?", "<>[]", "Ω 漢字"])
def test_a_text_without_a_word_gets_the_mean_of_all(text: str) -> None:
    mean = dict(zip(FIELDS, (10.0 ** shipped().base).tolist(), strict=True))
    assert shipped().usual(text) == pytest.approx(mean)


def test_quantities_and_capitals_say_nothing() -> None:
    for text in SERVICES:
        plain = read(text).usual
        assert read(text.upper()).usual == plain
        assert read(f"{text}, 20 Mbit/s, 75 ms, 1e-6").usual == plain


def test_services_differ_as_engineers_expect() -> None:
    crane, meters, surgeon, calls = (read(text).usual for text in SERVICES)
    assert crane["min_throughput_bps"] > 10 * meters["min_throughput_bps"]
    assert crane["min_throughput_bps"] > 10 * calls["min_throughput_bps"]
    assert surgeon["max_delay_s"] < meters["max_delay_s"] / 5
    assert surgeon["max_ber"] < calls["max_ber"] / 10


@given(st.text(alphabet="aeinrstx ", max_size=60), st.sets(st.text(alphabet="aeinrst", min_size=1, max_size=4)))
def test_pieces_are_the_longest_that_are_known_and_in_order(text: str, some: set[str]) -> None:
    known = some | {WITHIN + piece for piece in some}
    found = [*pieces(text, known)]
    assert set(found) <= known
    rest = text.replace(" ", "")
    for piece in (piece.removeprefix(WITHIN) for piece in found):
        assert piece in rest
        rest = rest[rest.index(piece) + len(piece) :]
    whole = [word for word in text.split() if word in known]
    assert all(word in found for word in whole)


def test_a_long_text_is_cut_in_no_time() -> None:
    assert max(map(len, shipped().rows)) <= LONGEST
    noise = "".join(random.Random(1).choices("abcdefghij", k=100_000))
    assert all(math.isfinite(value) for value in shipped().usual(noise).values())


def test_rare_words_count_more_and_many_words_do_not_add_up() -> None:
    words = Words(
        {"the": 0, "camera": 1, "slow": 2},
        np.array([1.0, 3.0, 3.0]),
        np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
        np.zeros(3),
    )
    alone, twice = words.usual("camera"), words.usual("the slow camera")
    assert alone["min_throughput_bps"] == pytest.approx(10.0)
    assert twice["min_throughput_bps"] == pytest.approx(10.0 ** (3.0 / math.sqrt(19.0)))
    assert twice["max_delay_s"] == pytest.approx(twice["min_throughput_bps"])


def test_an_operator_reads_what_is_usual() -> None:
    assert usual_line(read("phone calls")).startswith("Usual: delay ")
    assert " kbit/s, BER " in usual_line(read("phone calls"))
