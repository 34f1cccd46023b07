"""Quantities are found in what strangers write, in SI units, whatever else a text holds and however long it is."""

import re
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from rapps.orchestrator.quantities import Kind, find, tell
from training.orchestrator.tasks.generator import draws
from training.orchestrator.tasks.quantities import in_words

CASES: dict[str, dict[Kind, list[float | str]]] = yaml.safe_load(
    Path(__file__).with_name("quantities.yaml").read_text(encoding="utf-8")
)
PIECES = (
    *("9", "1,", "1,000", "1 000 ", "1.", "1.1", ".5", "10^", "10⁻", "10-", "e-6", "1e-6", "0x", "½", "1/", "1:"),
    *("one ", "a ", "half ", "hundred ", "one hundred and ", "a million ", "million billion ", "one point ", "𝟗"),
    *("1 in ", "1 in 10 ", "5 wrong bit wrong bit ", "in a million bits, one ", "within a ", " a second", "5 to "),
    *("5 k bit ", "5 Mbit per ", "%", "(a", "[_ms", "(ms) ", "in ms: ", "x", "µ", "\n", "  ", " - ", "(", "5 ms "),
    *("ten to the ", "2 x 10 -", "5 (ms", "\ud800", "İ"),
)  # fmt: skip
PLAIN_TEXTS = st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def by_kind(text: str) -> dict[str, list[float]]:
    found = defaultdict(list)
    for one in find(text):
        found[one.kind].append(one.value)
    return found


@pytest.mark.parametrize("text", CASES)
def test_what_strangers_write(text: str) -> None:
    told = {kind: [float(value) for value in values] for kind, values in CASES[text].items()}
    found = by_kind(text)
    if "number" not in told:
        found.pop("number", None)
    assert dict(found) == {kind: pytest.approx(values, rel=1e-9) for kind, values in told.items() if values}


@given(PLAIN_TEXTS)
@example("1e99 trillion weeks")
@example("1e-99%")
@example("10^99 x 10^99 TiB/s")
@example("9" * 5_000 + " ms")
@example("5 ms/0 s 1/0 s 0/0 of a second 1:0")
def test_any_text_has_quantities_in_order_that_do_not_overlap(text: str) -> None:
    found = find(text)
    assert all(one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    for one in found:
        assert one.value >= 0
        if one.kind in ("ratio", "reliability"):
            assert one.value < 0.9 if one.kind == "ratio" else 0.9 <= one.value <= 1


@given(
    st.text(max_size=20).filter(lambda noise: not find(noise)),
    st.sampled_from([text for text, told in CASES.items() if sum(map(len, told.values())) == 1]),
)
def test_a_sentence_of_its_own_is_understood_anywhere(noise: str, text: str) -> None:
    (kind,) = CASES[text]
    assert float(CASES[text][kind][0]) == pytest.approx(by_kind(f"{noise}. | {text} | ok")[kind][0], rel=1e-9)


def calls(text: str) -> int:
    """How many functions are called to read a text."""
    count = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        find(text)
    finally:
        sys.setprofile(before)
    return count


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join))
def test_twice_the_text_is_at_most_twice_the_work(piece: str) -> None:
    once = piece * (1_500 // len(piece) + 1)
    assert calls(once + once) <= 2.3 * calls(once) + 200


@pytest.mark.slow
@pytest.mark.parametrize("piece", PIECES)
def test_a_hundred_thousand_letters_are_read(piece: str) -> None:
    # A pattern that backtracks over all of them would take hours.
    assert len(find(piece * (100_000 // len(piece)))) <= 100_000


positive = st.floats(min_value=1e-12, max_value=1e15)


@given(
    st.tuples(st.sampled_from(("time", "rate")), positive)
    | st.tuples(st.just("ratio"), st.floats(min_value=1e-12, max_value=0.89))
    | st.tuples(st.just("reliability"), st.floats(min_value=0.9, max_value=1 - 1e-9))
    | st.tuples(st.just("number"), st.floats(min_value=1.01, max_value=1e15))
)
@example(("time", 0.9996))
@example(("rate", 999_999.0))
def test_what_is_told_is_found_again(quantity: tuple[Kind, float]) -> None:
    kind, value = quantity
    text = tell(kind, value)
    (found,) = find(text)
    assert (found.start, found.end, found.kind) == (0, len(text), kind)
    if kind == "reliability":
        assert 1 - found.value == pytest.approx(1 - value, rel=0.006)
    else:
        assert found.value == pytest.approx(value, rel=0.0051)
        assert len(re.sub(r"\D", "", text.split("e")[0]).strip("0")) <= 3


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("time", 0.075, "75 ms"),
        ("time", 1.5, "1.5 s"),
        ("time", 2.5e-4, "250 us"),
        ("rate", 2e7, "20 Mbit/s"),
        ("rate", 999_999.0, "1 Mbit/s"),
        ("rate", 0.0, "0 bit/s"),
        ("ratio", 1e-6, "1e-6"),
        ("ratio", 0.00012345, "1.23e-4"),
        ("reliability", 0.99999, "99.999 %"),
        ("number", 40.0, "40"),
    ],
)
def test_the_short_form(kind: Kind, value: float, text: str) -> None:
    assert tell(kind, value) == text


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_nothing_is_told_of_a_value_that_is_none(value: float) -> None:
    with pytest.raises(ValueError, match="it must be finite and at least 0"):
        tell("time", value)


@pytest.mark.parametrize("number", [*range(2, 130), 200, 217, 999])
def test_numbers_in_words(number: int) -> None:
    assert by_kind(in_words(number))["number"] == [number]
    assert by_kind(f"{in_words(number)} thousand bits per second")["rate"] == [1000 * number]


def test_demands_of_generated_tasks_are_found() -> None:
    tasks = [task for task in draws(range(9_000)) if task.explicit]
    missed = []
    for task in tasks:
        found, demand = by_kind(task.text), task.demand
        told = (("time", demand.max_delay_s), ("rate", demand.min_throughput_bps), ("ratio", demand.max_ber))
        missed += [
            task.text for kind, value in told if not any(one == pytest.approx(value) for one in found[kind])
        ]
    assert len(tasks) > 5_000
    assert len(missed) <= len(tasks) / 1_000, missed


def test_it_needs_no_torch() -> None:
    code = "import sys, rapps.orchestrator.reading; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
