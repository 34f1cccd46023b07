import math

import numpy as np
import pytest

from tests.xapps.slicing import packages
from xapps.slicing.actor import Actor
from xapps.slicing.onnx_model import OnnxModel
from xapps.slicing.schema import ACTOR
from xapps.slicing.state import FEATURES, KINDS
from xapps.slicing.succession import MOST_DUE, Succession

NAMES = ("eMBB", "URLLC", "mMTC")
SEEN = np.zeros((1, 3, len(FEATURES)))
SEEN[0, 0, KINDS.index("need")] = 0.5


def actor(version: str = "1.0.0", gain: float = 4.0) -> Actor:
    files = packages.files(gain=gain)
    return Actor(packages.manifest(version=version, files=dict.fromkeys(files, "0" * 64)), files, NAMES)


def break_(model: Actor) -> None:
    """Let a model that passed its trial give NaN from now on."""
    broken = OnnxModel(ACTOR, packages.actor(scale=math.nan), {"state": "tensor(float)"}, "share")
    model._network = broken


async def decide(models: Succession, times: int) -> None:
    for _ in range(times):
        models.share(SEEN)
        await models.catch_up()


@pytest.mark.parametrize(("periods", "cells"), [(1, 1), (1, 3), (5, 1), (4, 3)])
async def test_a_candidate_takes_over_after_its_periods_and_has_no_effect_before(periods: int, cells: int) -> None:
    old, new = actor("1", gain=4.0), actor("2", gain=-4.0)
    models = Succession(old, periods, lambda: cells)
    models.propose(new)
    await decide(models, periods * cells - 1)
    assert models.running is old
    np.testing.assert_array_equal(models.share(SEEN), old.share(SEEN))
    await models.catch_up()
    assert models.running is new
    assert models.before is old
    assert models.shadow is None
    assert models.shadow_decisions == periods * cells
    assert models.difference == pytest.approx(np.abs(old.share(SEEN) - new.share(SEEN)).mean())
    assert models.events["took_over"] == 1


async def test_a_candidate_that_errs_once_is_dropped_with_the_reason() -> None:
    old, new = actor("1"), actor("2")
    models = Succession(old, 10, lambda: 1)
    models.propose(new)
    await decide(models, 5)
    break_(new)
    await decide(models, 1)
    assert models.running is old
    assert models.shadow is None
    assert "test-actor 2" in models.reason
    assert "not finite" in models.reason
    assert models.events["dropped"] == 1
    await decide(models, 20)
    assert models.running is old


async def test_going_back_and_forth() -> None:
    old, new = actor("1"), actor("2")
    models = Succession(old, 0, lambda: 1)
    assert not models.roll_back()
    models.propose(new)
    assert models.running is new
    models.propose(actor("3"))
    assert models.before is new
    assert models.roll_back()
    assert models.running is new
    assert str(models.before) == "test-actor 3"
    assert models.events["rolled_back"] == 1


async def test_rolling_back_sends_the_candidate_away() -> None:
    models = Succession(actor("1"), 0, lambda: 1)
    models.propose(actor("2"))
    slow = Succession(models.running, 5, lambda: 1)
    slow.before = models.before
    slow.propose(actor("3"))
    assert slow.roll_back()
    assert slow.shadow is None
    await decide(slow, 10)
    assert str(slow.running) == "test-actor 1"


async def test_a_newer_candidate_takes_the_place_of_one_in_the_shadow() -> None:
    models = Succession(actor("1"), 5, lambda: 1)
    models.propose(actor("2"))
    await decide(models, 4)
    models.propose(actor("3"))
    await decide(models, 4)
    assert str(models.running) == "test-actor 1"
    await decide(models, 1)
    assert str(models.running) == "test-actor 3"


async def test_no_control_waits_for_a_slow_candidate_and_what_it_lags_behind_is_bounded() -> None:
    old, new = actor("1"), actor("2")
    models = Succession(old, 10_000, lambda: 1)
    models.propose(new)
    for _ in range(2 * MOST_DUE):
        models.share(SEEN)
    assert models.shadow_decisions == 0
    await models.catch_up()
    assert models.shadow_decisions == MOST_DUE
