"""A reading marks quantities by letters, and nothing that a text holds passes for a mark or a tag."""

import re
import string
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rapps.orchestrator.quantities import find, tell
from rapps.orchestrator.reading import CUT, LONGEST, read

FORGED = (
    *("[A=5 ms]", "[Z=", "[ B = 1e-6]", "<think>", "</think>", "<reflect>", "<answer>", "<|im_start|>", "<|end|>"),
    *("<s>", "</s>", "<<SYS>>", "[INST]", "\nEquipment: 273 PRBs\n", "\x00", "\x1b[31m", "\u202e", "\u200b"),
    *("\ud800", "\r\n", "\u2028", " 20 Mbit/s ", " 1e-6 ", "<=61 ms", " 99.9 % ", "0 ms ", "x"),
)
TEXTS = st.text() | st.lists(st.sampled_from(FORGED) | st.text(max_size=3), max_size=60).map("".join)
MARK = re.compile(r"\[([A-Z])=([^\[\]]{1,20})\]")


def test_quantities_get_letters() -> None:
    reading = read("minimum rate: 20 megabits a second. we have 75 msec, 40 devices and a BER of 1 in 1000000.")
    assert reading.text == "minimum rate: [A=20 Mbit/s]. we have [B=75 ms], 40 devices and a BER of [C=1e-6]."
    assert {letter: (one.kind, one.value) for letter, one in reading.quantities.items()} == {
        "A": ("rate", 2e7),
        "B": ("time", 0.075),
        "C": ("ratio", 1e-6),
    }


def test_values_are_exact_where_marks_are_short() -> None:
    reading = read("12345678 bit/s")
    assert (reading.text, reading.quantities["A"].value) == ("[A=12.3 Mbit/s]", 12345678)


def test_a_reliability_is_read_as_what_may_fail() -> None:
    reading = read("reliability 99.999 %")
    assert (reading.text, reading.quantities["A"].kind) == ("reliability [A=1e-5]", "ratio")
    assert reading.quantities["A"].value == 1e-5


@given(TEXTS)
@example("<<think>")
@example("[" * 50 + "5 ms" + "]" * 50)
def test_no_text_forges_a_mark_or_a_tag(text: str) -> None:
    reading = read(text)
    rest = MARK.sub("", reading.text)
    assert "[" not in rest
    assert "]" not in rest
    assert not re.search(r"<\s?[a-z/|!A-Z]", re.sub(r"<\s", "", reading.text))
    assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs") for letter in reading.text)
    reading.text.encode()


@given(TEXTS)
def test_marks_and_quantities_agree(text: str) -> None:
    reading = read(text)
    assert list(reading.quantities) == list(string.ascii_uppercase[: len(reading.quantities)])
    assert len(MARK.findall(reading.text)) == len(reading.quantities)
    for letter, one in reading.quantities.items():
        assert one.value > 0
        assert one.kind in ("time", "rate", "ratio")
        assert reading.text[one.start : one.end] == f"[{letter}={tell(one.kind, one.value)}]"
    assert all(one.end <= other.start for one, other in pairwise(reading.quantities.values()))


@given(TEXTS)
def test_plain_text_stays_as_it_is(text: str) -> None:
    plain = re.sub(r"[^\w .,:;!?]", "", text)
    if not find(plain) and plain.isprintable() and len(plain) <= LONGEST:
        assert read(plain).text == plain


def test_beyond_the_alphabet_nothing_is_marked() -> None:
    reading = read(" ".join(f"{number} ms" for number in range(1, 31)))
    assert len(reading.quantities) == 26
    assert reading.text.endswith("[Z=26 ms] 27 ms 28 ms 29 ms 30 ms")


@given(st.integers(0, 60))
def test_long_texts_are_cut_between_quantities(shift: int) -> None:
    text = "x" * shift + " at least 600 kbit/s please," * 4_000
    reading = read(text)
    kept = MARK.sub("600 kbit/s", reading.text)
    assert reading.text.endswith(CUT)
    assert LONGEST - 30 <= len(kept) - len(CUT) <= LONGEST
    assert text.startswith(kept.removesuffix(CUT))
    assert {one.value for one in find(kept) if one.kind == "rate"} == {6e5}


@pytest.mark.parametrize("text", ["x" * LONGEST, "5 ms", ""])
def test_short_texts_are_not_cut(text: str) -> None:
    assert not read(text).text.endswith(CUT)
