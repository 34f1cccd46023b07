"""Words say what services need that they are not of, and what is shipped is what the catalogue says."""

import numpy as np
import pytest

from rapps.orchestrator.reading import read
from rapps.orchestrator.usual import shipped
from training.orchestrator.tasks import heldout
from training.orchestrator.tasks.catalogue import AXES, services
from training.orchestrator.tasks.generator import draw
from training.orchestrator.tasks.likeness import FOLDS, crossed, of_all, reading


def needs() -> np.ndarray:
    """Decimal logarithms of what services need [services, AXES]."""
    return np.log10([[service.range(axis).middle for axis in AXES] for service in services()])


def guesses(crosswise: bool) -> np.ndarray:
    """What the names of services say they need [services, AXES]."""
    fold, words = crossed()
    own = [words[fold[service.key]] if crosswise else shipped() for service in services()]
    return np.log10(
        [[*one.usual(service.names[0]).values()] for one, service in zip(own, services(), strict=True)]
    )


def test_what_is_shipped_is_what_the_catalogue_says() -> None:
    ours, learnt = shipped(), of_all()
    assert [*ours.rows] == [*learnt.rows]
    for one, other in ((ours.base, learnt.base), (ours.weight, learnt.weight), (ours.said, learnt.said)):
        np.testing.assert_allclose(one, other, atol=0.0051)


def test_words_say_something_of_services_that_they_were_not_learnt_from() -> None:
    spread = needs().std(axis=0)
    error = np.sqrt(((guesses(True) - needs()) ** 2).mean(axis=0))
    assert (error < 0.9 * spread).all(), (error, spread)


def test_a_service_is_read_by_words_that_do_not_know_it() -> None:
    """Those that do say what it needs far better, which no service to come could be."""
    known, unknown = (((guesses(crosswise) - needs()) ** 2).mean(axis=0) for crosswise in (False, True))
    assert (known < 0.7 * unknown).all()
    fold, words = crossed()
    assert len(words) == FOLDS
    for task in map(draw, range(20)):
        assert reading(task) == read(task.text, words[fold[task.service]])
        assert reading(task).text == read(task.text).text


def test_held_out_tasks_are_read_as_an_operator_s() -> None:
    for task in heldout.tasks(1)[:10]:
        assert reading(task).usual == pytest.approx(read(task.text).usual)
