"""Temporal-difference error, reward and values by hand-made reports; the critic's checks."""

from dataclasses import replace

import numpy as np
import pytest

from oran.model_package import PackageError
from oran.slices import to_policy
from tests.xapps.slicing import packages
from tests.xapps.slicing.cells import TARGETS, THREE, observation
from xapps.slicing.actor import Actor
from xapps.slicing.cell import Decision
from xapps.slicing.critique import Critique
from xapps.slicing.schema import CRITIC
from xapps.slicing.shares import ratios_of
from xapps.slicing.succession import Succession

NAMES = ("eMBB", "URLLC", "mMTC")
TRAINING = {"cells": 6, "gamma": 0.5, "satisfaction_weight": 3.0}


def judge(**training: float) -> Actor:
    files = packages.files(judge=True)
    digests = dict.fromkeys(files, "0" * 64)
    return Actor(packages.manifest(files=digests, training={**TRAINING, **training}), files, NAMES)


def report(node: str, first: float, load: float = 2e5) -> Decision:
    """What a cell reports whose first slice has had such a share."""
    ratios = ratios_of(np.array([first, 0.5 * (1 - first), 0.5 * (1 - first)]))
    seen = replace(observation(arrived_bit=[load, 1e5, 2e4]), node=node, ratios=ratios)
    return Decision(to_policy(THREE, ratios), ratios, (), seen, TARGETS)


def test_the_error_is_that_of_successive_rounds() -> None:
    model = judge()
    critique = Critique(lambda: 2, Succession(model, 0, lambda: 2))
    rounds = [(0.2, 1e5), (0.3, 4e5), (0.6, 9e5), (0.5, 1e5)]
    reports, values = [], []
    for first, load in rounds:
        for node, share in (("one", first), ("two", 1 - first)):
            critique.note(report(node, share, load))
        reports.append(dict(critique.reports))
        values.append({place[0]: value for place, value in critique.values.items()})
    assert critique.rounds == 4
    assert values[0] == {}
    for k in (1, 2, 3):
        for place, before in reports[k - 1].items():
            # What was decided then shows in the next report: the mean of both cells' first shares is 1/2.
            assert values[k][place[0]] == pytest.approx(before.seen.sum() + 0.5, rel=1e-5)
    for place, error in critique.errors.items():
        before = reports[2][place]
        earned = before.reward + 3.0 * before.satisfaction
        wanted = earned + 0.5 * values[3][place[0]] - values[2][place[0]]
        assert error == pytest.approx(wanted, rel=1e-6)
    assert len(critique.errors) == 2
    assert critique.mean_error > 0


def test_a_silent_cell_does_not_hold_the_others_up_and_begins_anew() -> None:
    critique = Critique(lambda: 2, Succession(judge(), 0, lambda: 2))
    for _ in range(3):
        critique.note(report("one", 0.3))
        critique.note(report("two", 0.3))
    assert len(critique.errors) == 2
    for _ in range(3):
        critique.note(report("one", 0.3))
    assert [place[0] for place in critique.errors] == ["one"]
    assert critique.rounds == 5
    critique.note(report("two", 0.3))
    assert [place[0] for place in critique.errors] == ["one"]


def test_another_model_begins_anew() -> None:
    models = Succession(judge(), 0, lambda: 1)
    critique = Critique(lambda: 1, models)
    for _ in range(3):
        critique.note(report("one", 0.3))
    assert critique.errors
    models.propose(judge(gamma=0.1))
    critique.note(report("one", 0.3))
    assert critique.errors == {}


def test_without_a_critic_there_are_rewards() -> None:
    critique = Critique(lambda: 1, None)
    for _ in range(3):
        critique.note(report("one", 0.3))
    assert critique.errors == critique.values == {}
    assert critique.drift is None
    (last,) = critique.reports.values()
    assert -1 < last.reward < 1


def test_kpis_that_cannot_be_used_are_passed_over() -> None:
    critique = Critique(lambda: 1, None)
    critique.note(replace(report("one", 0.3), observation=None))
    assert critique.rounds == 0


@pytest.mark.parametrize(
    ("training", "data", "reason"),
    [
        ({"gamma": 1.0}, None, "0 <= gamma < 1"),
        ({"satisfaction_weight": float("inf")}, None, r"number of at most 1e\+06"),
        ({}, packages.actor(), "critic.onnx takes"),
        ({}, b"", "no network"),
    ],
)
def test_a_critic_that_cannot_judge_is_refused(
    training: dict[str, float], data: bytes | None, reason: str
) -> None:
    files = packages.files(judge=True)
    if data is not None:
        files[CRITIC] = data
    manifest = packages.manifest(files=dict.fromkeys(files, "0" * 64), training={**TRAINING, **training})
    with pytest.raises(PackageError, match=reason):
        Actor(manifest, files, NAMES)
