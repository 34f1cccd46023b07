from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator import adapters
from training.orchestrator.adapters import Lora
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.examples import of_question
from training.orchestrator.lm import Held, Lm
from training.orchestrator.rldtf import BEST, Rldtf, RldtfConfig
from training.orchestrator.supervised import Example, Row, SupervisedConfig, fit

HELD = Held(lora=Lora(rank=4))
CONFIG = SupervisedConfig(steps=12, learning_rate=1e-2, checkpoint_every=5, log_every=1, bf16=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A foundation that has learnt something: the head of one that has not can say little."""
    folder = tmp_path_factory.mktemp("adapters")
    lm = made()
    config = SupervisedConfig(steps=60, learning_rate=1e-2, bf16=False)
    fit(lm, lambda step: batch_of(lm, 300), config, folder / "run")
    lm.save(folder / "foundation")
    return folder / "foundation"


def batch_of(lm: Lm, first: int = 12) -> list[Example]:
    return [
        of_question(lm, "What is a PRB?", "It has 12 subcarriers.", f"{number} subcarriers")
        for number in (first, first + 1)
    ]


def foundation(lm: Lm) -> dict[str, torch.Tensor]:
    """The weights that adapters were given to, as those of a network without."""
    told = {}
    for name, item in lm.network.state_dict().items():
        if "lora_" not in name:
            told[name.removeprefix("base_model.model.").replace(".base_layer", "")] = item.clone()
    return told


def learnt(lm: Lm) -> torch.Tensor:
    return torch.cat([item.detach().flatten() for item in adapters.weights(lm.network, adapters.LEARNT)])


def reinforced(lm: Lm, folder: Path, advantage: Literal["critic", "group", "twin"], **change: float) -> Rldtf:
    config = RldtfConfig(
        steps=2,
        tasks=2,
        each=4,
        minibatches=2,
        bf16=False,
        learning_rate=1e-2,
        advantage=advantage,
        **({"critic_warm_up": 0} | change),  # type: ignore[arg-type]
    )
    return Rldtf(lm, config, ASKED, lambda step: tasks(2, 10 * step), folder, seed=1)


def constant(lm: Lm) -> Row:
    return {"validated": 0.5}


def test_only_adapters_learn_and_they_do(folder: Path, tmp_path: Path) -> None:
    lm, before = Lm.load(folder, HELD), Lm.load(folder).network.state_dict()
    config = SupervisedConfig(steps=60, learning_rate=1e-2, log_every=1, bf16=False)
    curve = fit(lm, lambda step: batch_of(lm), config, tmp_path)
    assert curve[-1]["loss"] < 0.8 * curve[0]["loss"]
    after = foundation(lm)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_adapters_that_learnt_nothing_change_no_answer(folder: Path) -> None:
    lm = Lm.load(folder, HELD)
    plain, adapted = (ASKED.sample(own, tasks(2), 1, 0.0, seed=0) for own in (Lm.load(folder), lm))
    assert [item.ids for item in plain] == [item.ids for item in adapted]


def test_a_run_that_was_killed_goes_on_to_the_bit(folder: Path, tmp_path: Path) -> None:
    whole, cut, again = (Lm.load(folder, HELD) for _ in range(3))
    fit(whole, lambda step: batch_of(whole), CONFIG, tmp_path / "whole")

    def killed(step: int) -> list[Example]:
        if step == 8:
            raise KeyboardInterrupt
        return batch_of(cut)

    with pytest.raises(KeyboardInterrupt):
        fit(cut, killed, CONFIG, tmp_path / "cut")
    fit(again, lambda step: batch_of(again), CONFIG, tmp_path / "cut")
    assert torch.equal(learnt(again), learnt(whole))


def test_saved_alone_or_merged_they_answer_alike(folder: Path, tmp_path: Path) -> None:
    lm = Lm.load(folder, HELD)
    fit(lm, lambda step: batch_of(lm), CONFIG, tmp_path / "run")
    lm.save(tmp_path / "alone")
    alone = Lm.load(tmp_path / "alone", HELD)
    assert torch.equal(learnt(alone), learnt(lm))
    assert not (tmp_path / "alone" / "model.safetensors").exists()
    Lm(lm.tokenizer, adapters.merged(lm.network)).save(tmp_path / "merged")
    merged = Lm.load(tmp_path / "merged")
    assert not adapters.there(merged.network)
    asked = tasks(3)
    one, other = (ASKED.sample(own, asked, 1, 0.0, seed=0) for own in (alone, merged))
    assert [item.ids for item in one] == [item.ids for item in other]


@pytest.mark.parametrize("advantage", ["critic", "group", "twin"])
def test_rldtf_holds_one_network_and_leaves_it_as_it_was(
    advantage: Literal["critic", "group", "twin"], folder: Path, tmp_path: Path
) -> None:
    lm = Lm.load(folder, HELD)
    before, size = foundation(lm), sum(item.numel() for item in lm.network.parameters())
    first = learnt(lm)
    own = reinforced(lm, tmp_path, advantage)
    held = sum(item.numel() for item in own.models.parameters())
    assert held <= size + len(first) + 100
    own.run(constant)
    after = foundation(lm)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not torch.equal(learnt(lm), first)
    assert adapters.base(tmp_path / BEST) == str(folder)


def test_the_reference_stays_until_it_is_synchronised(folder: Path, tmp_path: Path) -> None:
    lm = Lm.load(folder, HELD)
    own = reinforced(lm, tmp_path, "twin")
    own.run(constant)
    apart = own.rollout(5)
    assert not np.allclose(apart.old[0].exp(), apart.reference[0].exp(), atol=1e-5)
    own.models.resynchronise()
    again = own.rollout(5)
    np.testing.assert_allclose(again.old[0].exp(), again.reference[0].exp(), atol=1e-6)


def test_a_critic_that_warms_up_leaves_the_adapters_alone(folder: Path, tmp_path: Path) -> None:
    lm = Lm.load(folder, HELD)
    first = learnt(lm)
    own = reinforced(lm, tmp_path, "critic", critic_warm_up=2)
    assert own.models.critic is not None
    value = own.models.critic.value.weight.clone()
    own.run(constant)
    assert torch.equal(learnt(lm), first)
    assert not torch.equal(own.models.critic.value.weight, value)


def test_recomputed_activations_give_the_same_gradients(folder: Path, tmp_path: Path) -> None:
    curves = []
    for recompute in (False, True):
        lm = Lm.load(folder, Held(recompute=recompute, lora=Lora(rank=4)))
        assert lm.network.is_activation_checkpointing == recompute
        curves.append(fit(lm, lambda step, lm=lm: batch_of(lm), CONFIG, tmp_path / str(recompute)))  # type: ignore[misc]
    assert [row["gradient"] for row in curves[0]] == pytest.approx(
        [row["gradient"] for row in curves[1]], rel=1e-4
    )


def test_bfloat16_holds_the_weights_in_half_and_adapters_whole(folder: Path) -> None:
    lm = Lm.load(folder, Held(dtype="bfloat16", lora=Lora(rank=4)))
    assert {item.dtype for item in adapters.weights(lm.network, adapters.LEARNT)} == {torch.float32}
    assert {item.dtype for item in lm.network.parameters() if not item.requires_grad} == {torch.bfloat16}


@pytest.mark.parametrize("change", [{"rank": 0}, {"alpha": 0}])
def test_sizes_that_cannot_be_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(OrchestratorError, match="at least 1"):
        Lora(**change)
