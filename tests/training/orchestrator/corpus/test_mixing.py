"""The mix has the ratio that was asked for where there is text enough, and keeps the domain whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.orchestrator.corpus.document import Kind
from training.orchestrator.corpus.gathering import Place
from training.orchestrator.corpus.mixing import mixed

SIZES = st.lists(st.integers(1, 1_000), max_size=30)


def places(kind: Kind, sizes: list[int]) -> list[Place]:
    return [Place(kind=kind, offset=offset, characters=size) for offset, size in enumerate(sizes)]


@given(SIZES, SIZES, st.floats(0.05, 1.0), st.floats(0.0, 5.0), st.integers(0, 9))
def test_the_domain_is_whole_and_general_text_even(
    domain: list[int], general: list[int], share: float, passes: float, seed: int
) -> None:
    inside, outside = places("domain", domain), places("general", general)
    mix = mixed(inside + outside, share, passes, seed)
    assert sorted(p.offset for p in mix.places if p.kind == "domain") == list(range(len(domain)))
    times = [mix.places.count(place) for place in outside]
    assert max(times, default=0) - min(times, default=0) <= 1
    assert mix.general_passes <= max(passes, 1.0 if not domain else 0.0) + (
        max(general, default=0) / max(1, sum(general))
    )
    assert mix == mixed(inside + outside, share, passes, seed)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_the_ratio_is_reached(share: float) -> None:
    everything = places("domain", [100] * 200) + places("general", [100] * 100)
    assert mixed(everything, share, 4.0, 1).domain_share == pytest.approx(share, abs=0.01)


def test_what_cannot_be_reached_is_told() -> None:
    mix = mixed(places("domain", [100] * 90) + places("general", [100] * 10), 0.5, 2.0, 1)
    assert mix.domain_share == pytest.approx(90 / 110)
    assert mix.general_passes == 2.0


def test_another_seed_is_another_order() -> None:
    everything = places("domain", [10] * 50)
    assert mixed(everything, 0.8, 1.0, 1).places != mixed(everything, 0.8, 1.0, 2).places


def test_without_a_domain_general_text_comes_once() -> None:
    mix = mixed(places("general", [10] * 5), 0.8, 4.0, 1)
    assert (len(mix.places), mix.domain_share, mix.general_passes) == (5, 0.0, 1.0)
