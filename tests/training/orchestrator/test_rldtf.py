import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.lm import Lm
from training.orchestrator.rldtf import BEST, Rldtf, RldtfConfig
from training.orchestrator.sensitivity import Weighting
from training.orchestrator.supervised import Row

SMALL = {"steps": 3, "tasks": 2, "each": 4, "minibatches": 2, "bf16": False, "validate_every": 1}


def config(**change: object) -> RldtfConfig:
    return RldtfConfig(**(SMALL | change))  # type: ignore[arg-type]


def training(lm: Lm, folder: Path, **change: object) -> Rldtf:
    return Rldtf(lm, config(**change), ASKED, lambda step: tasks(2, 10 * step), folder, seed=1)


def constant(lm: Lm) -> Row:
    return {"validated": 0.5}


def killed(validate: Callable[[Lm], Row]) -> Callable[[Lm], Row]:
    """A validation at whose fourth call the run is killed: in the third step, for the first call is before all."""
    calls = itertools.count(1)

    def called(lm: Lm) -> Row:
        if next(calls) == 4:
            raise KeyboardInterrupt
        return validate(lm)

    return called


def weights(lm: Lm) -> torch.Tensor:
    return torch.cat([item.detach().flatten() for item in lm.network.parameters()])


@pytest.mark.parametrize("advantage", ["critic", "group", "twin"])
@pytest.mark.parametrize("weighting", [None, Weighting(answers=2, perturbations=1)])
def test_every_arm_reinforces_and_leaves_its_curve(
    advantage: Literal["critic", "group", "twin"], weighting: Weighting | None, tmp_path: Path
) -> None:
    lm = made()
    before = weights(lm).clone()
    curve = training(lm, tmp_path, advantage=advantage, weighting=weighting, critic_warm_up=0).run(constant)
    assert len(curve) == 3
    assert not torch.equal(weights(lm), before)
    assert all(np.isfinite(list(row.values())).all() for row in curve)
    assert ("S value" in curve[0]) == (weighting is not None)
    assert (tmp_path / BEST / "model.safetensors").exists()


def test_a_critic_that_warms_up_leaves_the_policy_alone(tmp_path: Path) -> None:
    lm = made()
    before = weights(lm).clone()
    training(lm, tmp_path, advantage="critic", critic_warm_up=3).run(constant)
    assert torch.equal(weights(lm), before)


def test_the_reference_is_the_policy_again_after_it_is_synchronised(tmp_path: Path) -> None:
    own = training(made(), tmp_path, resync_every=1, learning_rate=1e-2, steps=2)
    rollout = own.rollout(0)
    np.testing.assert_allclose(rollout.old[0].exp(), rollout.reference[0].exp(), atol=1e-6)
    own.run(constant)
    after = own.rollout(5)
    assert not np.allclose(after.old[0].exp(), after.reference[0].exp(), atol=1e-4)
    own.models.resynchronise()
    again = own.rollout(5)
    np.testing.assert_allclose(again.old[0].exp(), again.reference[0].exp(), atol=1e-6)


def test_a_run_that_was_killed_goes_on_to_the_bit(tmp_path: Path) -> None:
    whole, cut = made(), made()
    expected = training(whole, tmp_path / "whole", checkpoint_every=1).run(constant)
    with pytest.raises(KeyboardInterrupt):
        training(cut, tmp_path / "cut", checkpoint_every=1).run(killed(constant))
    again = made(9)
    found = training(again, tmp_path / "cut", checkpoint_every=1).run(constant)
    assert torch.equal(weights(again), weights(whole))
    assert [row["reward"] for row in found] == [row["reward"] for row in expected]


def test_a_run_that_goes_on_keeps_what_it_began_with_while_nothing_is_better(tmp_path: Path) -> None:
    began = weights(made()).clone()
    numbers = itertools.count(1)

    def growing(lm: Lm) -> Row:
        return {"validated": 1.0 if torch.equal(weights(lm), began) else next(numbers) / 100}

    with pytest.raises(KeyboardInterrupt):
        training(made(), tmp_path, checkpoint_every=1).run(killed(growing))
    training(made(9), tmp_path, checkpoint_every=1).run(growing)
    assert torch.equal(weights(Lm.load(tmp_path / BEST)), began)


@pytest.mark.slow
def test_the_twin_s_advantages_raise_the_reward(tmp_path: Path) -> None:
    """On four tasks over and over, which even the smallest model can learn by heart."""
    lm = made()
    own = Rldtf(
        lm,
        config(steps=45, tasks=4, each=8, learning_rate=3e-3, kl_weight=0.0, validate_every=45),
        ASKED,
        lambda step: tasks(4),
        tmp_path,
        seed=1,
    )
    curve = own.run(constant)
    first, last = (np.mean([row["reward"] for row in part]) for part in (curve[:5], curve[-5:]))
    assert last > first + 0.2


def test_learning_rates_fall_evenly(tmp_path: Path) -> None:
    own = training(made(), tmp_path, steps=4, last_rate=0.2, learning_rate=1e-3)
    rates = []
    for step in range(4):
        own._step(step)
        rates.append(own.optimiser.param_groups[0]["lr"])
    np.testing.assert_allclose(rates, [1e-3, 8e-4, 6e-4, 4e-4])


@pytest.mark.parametrize(
    "change", [{"each": 1}, {"last_rate": 0.0}, {"steps": 0}, {"clip": 2.0}, {"temperature": 0.0}]
)
def test_a_config_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(OrchestratorError, match=r"must|at least"):
        config(**change)
