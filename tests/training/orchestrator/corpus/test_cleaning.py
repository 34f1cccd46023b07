"""Cleaning drops what pages and bookkeeping add, keeps the words, and is done once."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tests.training.orchestrator.corpus.samples import PROSE, paragraph
from training.orchestrator.corpus.cleaning import clean

UNICODE = st.text(st.characters(codec="utf-8"))


@given(UNICODE)
def test_a_clean_text_is_in_nfc_without_control_characters(text: str) -> None:
    cleaned = clean(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\ufeff]|  |\n\n\n", cleaned)
    assert cleaned == cleaned.strip()


@given(st.lists(st.from_regex(r"[A-Z][a-z]{1,9}( [a-z]{1,9}){2,12}\.", fullmatch=True), min_size=1))
def test_paragraphs_stay_as_they_are(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    assert clean(text) == text


def test_headers_footers_and_page_numbers_go() -> None:
    bodies = [[f"Line {page} of the body number {line}." for line in range(9)] for page in range(6)]
    pages = ["\n".join(["3GPP TS 38.211", *body, f"Page {page} of 6"]) for page, body in enumerate(bodies)]
    cleaned = clean("\f".join(pages))
    assert "3GPP" not in cleaned
    assert "Page" not in cleaned
    assert all(line in cleaned for body in bodies for line in body[3:-3])


def test_contents_go() -> None:
    text = "Contents\n1 Scope ........... 5\n2 References . . . . . . 6\n\n# 1 Scope\n\nThis is about links."
    assert clean(text) == "# 1 Scope\n\nThis is about links."


def test_a_change_history_at_the_end_goes_up_to_the_next_heading() -> None:
    history = "# Annex D (informative): Change history\n\n2024-01 | RAN#99 | 0001 | new | 18.0.0"
    assert clean(f"# 1 Scope\n\n{PROSE}\n\n{history}") == f"# 1 Scope\n\n{PROSE}"
    assert clean(f"# 1 Scope\n\n{PROSE}\n\n{history}\n\n# Index\n\nMore.").endswith("# Index\n\nMore.")


def test_what_is_said_of_a_change_history_early_stays() -> None:
    text = f"Change history is told in an annex.\n\n{PROSE}"
    assert clean(text) == text


def test_broken_words_are_joined_and_hyphens_kept_where_they_belong() -> None:
    assert clean("The trans-\nmitter has a low-\nlatency link. A low-latency link is quick.") == (
        "The transmitter has a low-latency link. A low-latency link is quick."
    )


def test_wrapped_lines_become_one_and_lists_stay() -> None:
    wrapped = (
        "A line of a paragraph that is long enough to be\nwrapped by whoever set it.\n- an item\n- another item"
    )
    assert clean(wrapped) == wrapped.replace("be\nwrapped", "be wrapped")


def test_ligatures_are_letters_and_powers_stay() -> None:
    assert clean("The e\ufb03cient \ufb01lter has an error rate of 10\u207b\u2076.") == (
        "The efficient filter has an error rate of 10\u207b\u2076."
    )


def test_cleaning_a_clean_text_changes_nothing() -> None:
    text = "\n\n".join(map(paragraph, range(8)))
    assert clean(clean(text)) == clean(text)
