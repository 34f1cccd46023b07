"""Generated tasks say what they stand for, in many ways, and nothing of what is held out."""

import re
from collections import Counter
from functools import lru_cache

from training.orchestrator.tasks import heldout
from training.orchestrator.tasks.catalogue import AXES, services
from training.orchestrator.tasks.generator import draw, left_open
from training.orchestrator.tasks.phrasing import bank
from training.orchestrator.tasks.quantities import shares, ways
from training.orchestrator.tasks.task import Task

RUN = 6
QUANTITIES = {
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred",
    "thousand", "million", "billion", "half", "quarter", "fifth", "tenth", "twentieth", "fiftieth",
    "hundredth", "thousandth", "a", "an", "of", "in", "per", "bit", "bits", "s", "sec", "second", "seconds",
    "ms", "msec", "milliseconds", "bps", "kbps", "mbps", "kb", "mb", "kilobit", "kilobits", "megabit",
    "megabits", "kilobytes", "megabytes",
}  # fmt: skip
"""Words of quantities: both sides say the same numbers."""


@lru_cache
def many() -> tuple[Task, ...]:
    return tuple(map(draw, range(9_000)))


def runs(text: str) -> set[tuple[str, ...]]:
    """Every run of six words that are no quantities."""
    words = [word for word in re.findall(r"[\w']+", text.lower()) if word.isalpha() and word not in QUANTITIES]
    return {tuple(words[place : place + RUN]) for place in range(len(words) - RUN + 1)}


def values(task: Task) -> dict[str, float]:
    demand = task.demand
    return dict(zip(AXES, (demand.max_delay_s, demand.min_throughput_bps, demand.max_ber), strict=True))


def test_a_seed_gives_one_task() -> None:
    assert [draw(seed) for seed in range(50)] == [draw(seed) for seed in range(50)]
    assert len({task.text for task in many()}) > 0.99 * len(many())


def test_nothing_held_out_is_said_in_training() -> None:
    held = {run for wording in heldout.wordings() for run in runs(wording.text)}
    parts = [text for service in services() for text in (*service.names, *service.about, *service.cues)]
    assert held
    assert not held & {run for text in (*parts, *(task.text for task in many())) for run in runs(text)}
    names = {name.lower() for service in services() for name in service.names}
    assert not names & {wording.text.lower() for wording in heldout.wordings()}
    assert not {service.key for service in services()} & {wording.service for wording in heldout.wordings()}


def test_an_explicit_text_states_every_number_of_its_demand() -> None:
    for task in many():
        told = values(task)
        said = {
            axis: any(way.lower() in task.text.lower() for way in (*ways(axis, told[axis]), *extra))
            for axis in AXES
            for extra in [shares(told[axis]) if axis == "ber" else ()]
        }
        if task.explicit:
            assert all(said.values()), (task.text, told)


def test_a_demand_lies_in_the_range_of_its_service() -> None:
    by_key = {service.key: service for service in services()}
    for task in many():
        for axis, value in values(task).items():
            within = by_key[task.service].range(axis)
            assert within.low <= value <= within.high, (task.service, axis, value)


def test_what_a_text_leaves_open_follows_from_its_words() -> None:
    for service in services():
        for axis in AXES:
            strict, usual, easy = (left_open(service, axis, shade) for shade in ("strict", None, "easy"))
            assert (strict > usual > easy) if axis == "throughput" else (strict < usual < easy)


def test_texts_are_varied() -> None:
    assert len({task.service for task in many()}) == len(services())
    explicit = sum(task.explicit for task in many()) / len(many())
    assert 0.5 < explicit < 0.7
    openings = Counter(task.text.split()[0].lower() for task in many())
    assert openings.most_common(1)[0][1] < len(many()) / 8
    units = ("ms", "millisec", "kbit", "mbps", "mb/s", "per second", "one bit in", "e-", "10^-", "ppm", "%")
    assert all(sum(unit in task.text.lower() for task in many()) > 20 for unit in units)
    assert any(task.text.islower() for task in many())
    assert not any(mark in task.text for task in many() for mark in "{}")


def test_every_phrase_has_the_slots_of_its_use() -> None:
    phrases = bank()
    assert all("{s}" in text for text in (*phrases.openings, *phrases.joined, *phrases.listed))
    assert all(f"{{{slot}}}" in text for text in (*phrases.joined, *phrases.listed) for slot in "abc")
    for group in (phrases.noun, phrases.sentence, phrases.terse):
        for axis in AXES:
            for text in group[axis]:
                assert re.findall(r"\{(\w+)\}", text) in (["q"], *([["share"]] if axis == "ber" else []))
