from pathlib import Path

import pytest
import torch

from tests.training.orchestrator.small import made
from training.orchestrator.errors import OrchestratorError, StageError
from training.orchestrator.examples import of_documents, of_question
from training.orchestrator.lm import KEEP_OUT, Lm
from training.orchestrator.supervised import CHECKPOINT, Example, SupervisedConfig, fit

CONFIG = SupervisedConfig(steps=12, learning_rate=3e-3, checkpoint_every=5, log_every=1, bf16=False)


def batch_of(lm: Lm) -> list[Example]:
    return [
        of_question(lm, "What is a PRB?", "It has 12 subcarriers.", f"{number} subcarriers") for number in (12, 13)
    ]


def weights(lm: Lm) -> torch.Tensor:
    return torch.cat([item.detach().flatten() for item in lm.network.parameters()])


def test_what_is_shown_is_learnt(tmp_path: Path) -> None:
    lm = made()
    config = SupervisedConfig(steps=60, learning_rate=1e-2, bf16=False)
    curve = fit(lm, lambda step: batch_of(lm), config, tmp_path)
    assert curve[-1]["loss"] < 0.5 * curve[0]["loss"]


def test_a_run_that_was_killed_goes_on_to_the_bit(tmp_path: Path) -> None:
    whole, cut = made(), made()
    expected = fit(whole, lambda step: batch_of(whole), CONFIG, tmp_path / "whole")

    def killed(step: int) -> list[Example]:
        if step == 8:
            raise KeyboardInterrupt
        return batch_of(cut)

    with pytest.raises(KeyboardInterrupt):
        fit(cut, killed, CONFIG, tmp_path / "cut")
    again = made()
    steps: list[int] = []

    def counted(step: int) -> list[Example]:
        steps.append(step)
        return batch_of(again)

    found = fit(again, counted, CONFIG, tmp_path / "cut")
    assert steps == list(range(5, 12))
    assert torch.equal(weights(again), weights(whole))
    assert found == expected


def test_a_checkpoint_that_was_cut_off_is_not_taken(tmp_path: Path) -> None:
    lm = made()
    (tmp_path / f"{CHECKPOINT}.new").mkdir()
    (tmp_path / f"{CHECKPOINT}.new" / "model.safetensors").write_bytes(b"half")
    assert len(fit(lm, lambda step: batch_of(lm), CONFIG, tmp_path)) == 12


def test_a_checkpoint_beyond_the_steps_is_told(tmp_path: Path) -> None:
    lm = made()
    fit(lm, lambda step: batch_of(lm), CONFIG, tmp_path)
    with pytest.raises(StageError, match="beyond the 3 asked for"):
        fit(lm, lambda step: batch_of(lm), SupervisedConfig(steps=3, bf16=False), tmp_path)


def test_tokens_that_are_kept_out_teach_nothing(tmp_path: Path) -> None:
    lm = made()
    silent = Example((5, 6, 7), (KEEP_OUT,) * 3)
    before = weights(lm).clone()
    curve = fit(lm, lambda step: [silent], SupervisedConfig(steps=1, weight_decay=0.0, bf16=False), tmp_path)
    assert curve[0]["loss"] == 0.0
    assert torch.equal(weights(lm), before)


def test_documents_are_cut_into_pieces_that_lose_nothing() -> None:
    lm = made()
    texts = ["A PRB has 12 subcarriers.", "A slot has 14 symbols."]
    ids = [token for piece in of_documents(lm, texts, 5) for token in piece.ids]
    assert lm.decode(ids) == "".join(texts)
    assert ids.count(lm.end) == 2


def test_the_rate_rises_then_falls() -> None:
    config = SupervisedConfig(steps=100, learning_rate=1.0, warm_up=0.1, last_rate=0.1)
    rates = [config.rate(step) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("change", [{"steps": 0}, {"learning_rate": -1.0}, {"warm_up": 1.0}])
def test_a_config_that_cannot_be_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(OrchestratorError, match="must"):
        SupervisedConfig(**({"steps": 5} | change))  # type: ignore[arg-type]
