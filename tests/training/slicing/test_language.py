"""The language state: gradients end in tokens and adapters, what is kept is what the model says, nothing leaks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.training.slicing.llms import CAUSAL, ENCODER, made
from training.slicing import llm
from training.slicing.adapters import contrast, pretrain
from training.slicing.config import PRESETS, Config, ConfigError, parsed
from training.slicing.distil import distil
from training.slicing.environment import Seen
from training.slicing.language import Language, Tokens
from training.slicing.replay import Batch
from training.slicing.representation import Fused, Matched, Random, build
from training.slicing.sac import Sac
from training.slicing.train import Training
from xapps.slicing import prompt
from xapps.slicing.state import FEATURES

NAMES = ("eMBB", "URLLC")
CONFIG = replace(PRESETS["smoke"], token_every=1, token_batch=16, batch=4, hidden=16, precision="float32")
CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=[ENCODER, CAUSAL])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return made(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made(tmp_path_factory.mktemp("one"), ENCODER)


def seen(*lead: int, seed: int = 1) -> Seen:
    draw = torch.Generator().manual_seed(seed)
    rows = torch.rand(*lead, len(NAMES), len(FEATURES), generator=draw)
    return Seen.silent(rows, prompt.levels(rows))


def language(model: str, *, count: int = 4, trained: bool = True) -> Language:
    return Language(llm.load(model), NAMES, Tokens(count=count, trained=trained, seed=1))


def batch(seed: int = 1) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    share = torch.softmax(torch.rand(6, 3, 2, generator=draw), dim=-1)
    return Batch(seen(6, 3, seed=seed), share, torch.rand(6, 3, generator=draw), seen(6, 3, seed=seed + 1))


def test_a_prompt_is_read_alike_alone_and_beside_longer_ones(model: str) -> None:
    reader = llm.load(model)
    learnable = torch.randn(3, reader.width)
    texts = ["eMBB kept idle.", "eMBB failing jammed, URLLC short busy, mMTC kept idle, meters failing busy."]
    both = reader.read_all(learnable, texts)
    for row, text in zip(both, texts, strict=True):
        torch.testing.assert_close(row, reader.read_all(learnable, [text])[0], atol=1e-5, rtol=1e-4)


def test_the_tokens_change_what_is_read(model: str) -> None:
    reader = llm.load(model)
    one, two = (reader.read_all(torch.randn(3, reader.width), ["eMBB kept idle."]) for _ in range(2))
    assert float((one - two).abs().max()) > 1e-4


def test_gradients_reach_tokens_and_adapters_and_nothing_in_the_llm(model: str) -> None:
    sac = Sac(CONFIG, Fused(language(model)))
    fused = sac.representation
    assert isinstance(fused, Fused)
    read = fused.language
    assert read is not None
    before = read.llm.fingerprint()
    learnt = {"T": read.tokens, "Fc1": fused.fc1[0].weight, "Fc2": fused.fc2[0].weight}
    at_first = {name: value.detach().clone() for name, value in learnt.items()}
    fused.prepare(seen(20, 3), seed=1)
    for step in range(3):
        losses = sac.update(batch(step), torch.Generator().manual_seed(step))
        assert losses.token_gradient > 0
    for name, value in learnt.items():
        assert float((value.detach() - at_first[name]).abs().max()) > 0, name
    assert read.llm.fingerprint() == before
    assert all(part.grad is None for part in read.llm.network.parameters())
    assert not {id(part) for part in read.llm.network.parameters()} & {id(part) for part in sac.parameters()}


def test_the_gradient_of_the_tokens_is_that_of_the_whole_graph(encoder: str) -> None:
    """What gathers on kept vectors and is carried on later equals backpropagation through everything at once."""
    read = language(encoder)
    levels, weight = seen(9).levels, torch.rand(9, read.width)
    (read(levels) * weight).sum().backward()
    read.learn(torch.optim.SGD([read.tokens], lr=0.0), most=1000, clip=1e9)
    found = read.tokens.grad
    read.tokens.grad = None
    texts = [prompt.text(NAMES, places.numpy()) for places in levels]
    (read.llm.read(read.tokens, *read.llm.tokens(texts)) * weight).sum().backward()
    assert found is not None
    assert read.tokens.grad is not None
    torch.testing.assert_close(found, read.tokens.grad, atol=1e-4, rtol=1e-3)


def test_frozen_tokens_stay(encoder: str) -> None:
    sac = Sac(CONFIG, Fused(language(encoder, trained=False)))
    read = sac.representation.language
    assert read is not None
    before = read.tokens.detach().clone()
    assert sac.update(batch(), torch.Generator().manual_seed(1)).token_gradient == 0
    torch.testing.assert_close(read.tokens.detach(), before, atol=0, rtol=0)


def test_what_is_kept_is_what_the_model_says_now_once_it_is_read_anew(encoder: str) -> None:
    read = language(encoder)
    levels = seen(30).levels
    read(levels)
    with torch.no_grad():
        read.tokens += torch.randn(read.tokens.shape)
    assert float((read(levels).detach() - _anew(read, levels)).abs().max()) > 1e-3
    read.refresh()
    torch.testing.assert_close(read(levels).detach(), _anew(read, levels), atol=1e-5, rtol=1e-4)


def test_shuffling_keeps_the_vectors_and_moves_them(encoder: str) -> None:
    read = language(encoder, trained=False)
    every = torch.stack([torch.from_numpy(prompt.places_of(code, 2)) for code in range(81)])
    before = read(every)
    read.shuffle(seed=3)
    after = read(every)
    assert float((before - after).abs().max()) > 0
    torch.testing.assert_close(before.sum(dim=0), after.sum(dim=0), atol=1e-3, rtol=1e-4)


def test_adapters_learn_to_tell_which_numbers_go_with_which_prompt() -> None:
    fused = Fused(Random(2, 16, seed=1))
    many = seen(300)
    fused.prepare(many, seed=1)
    with torch.no_grad():
        one = fused.fc1(fused.numbers(many)).mean(dim=-2)
        two = fused.fc2(fused.told(many.levels))
        right = float(contrast(one, two, prompt.code(many.levels)))
        wrong = float(contrast(one, two.roll(150, dims=0), prompt.code(many.levels)))
    assert right < 0.8 * wrong


def test_pre_training_is_a_function_of_the_seed() -> None:
    one, two = Fused(Matched(2)), Fused(Matched(2))
    two.load_state_dict(one.state_dict())
    losses = pretrain(one, seen(50), 4, steps=5)
    torch.manual_seed(9)
    assert pretrain(two, seen(50), 4, steps=5) == losses


def test_a_student_says_what_the_language_model_says(encoder: str) -> None:
    fused = Fused(language(encoder, trained=False))
    fused.prepare(seen(60), seed=1)
    made = distil(fused, len(NAMES), seed=1)
    some = seen(40, seed=5)
    with torch.no_grad():
        wanted, found = fused(some), made(some)
    assert found.shape == wanted.shape == (40, 2, fused.width)
    assert float((found - wanted).square().mean()) < 0.01 * float(wanted.var())


def test_random_vectors_are_for_few_slices() -> None:
    with pytest.raises(ValueError, match="8 slices"):
        Random(8, 16, seed=1)


@pytest.mark.parametrize("arm", ["numbers", "matched", "random", "prompt", "frozen", "pa_mrl"])
def test_every_arm_is_built_and_takes_what_is_seen(encoder: str, arm: str) -> None:
    config = replace(CONFIG, arm=arm, llm=encoder, tokens=2)
    found = build(config, NAMES, CPU)
    assert found(seen(5, 3)).shape == (5, 3, 2, found.width)
    assert found.language is None or len(found.language.tokens) == (0 if arm == "prompt" else 2)


def test_a_killed_training_goes_on_to_the_bit(encoder: str, tmp_path: Path) -> None:
    config = replace(CONFIG, arm="pa_mrl", llm=encoder, tokens=2, episodes=12, envs=2, episode_steps=6)
    config = replace(config, warm_up_steps=4, evaluation_seeds=1)
    whole = Training(config, tmp_path / "whole").run()
    Training(config, tmp_path / "parts").run(stop_after=3)
    parts = Training(config, tmp_path / "parts").run()
    for one, two in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=0, rtol=0)
    assert "network" not in " ".join(whole.state_dict())


def test_models_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(llm.LlmError, match="no such language model"):
        llm.load(str(tmp_path))


def test_minilm_reads_prompts_and_tells_them_apart() -> None:
    """The default model, from its package."""
    reader = llm.load(llm.MINILM)
    assert not reader.causal
    found = reader.read_all(torch.zeros(0, reader.width), ["eMBB kept idle.", "eMBB failing jammed."])
    assert float(np.corrcoef(found.numpy())[0, 1]) < 0.99


@pytest.mark.parametrize("change", ["tokens", "tokens=x", "no_such=1", "episodes=1.5", "adapters=2"])
def test_changes_that_fit_no_field_are_refused(change: str) -> None:
    with pytest.raises(ConfigError):
        parsed([change])


def test_changes_are_read_by_their_fields_types() -> None:
    found = parsed(["tokens=10", "gamma=0", "llm=gpt2", "adapters=false"])
    assert found == {"tokens": 10, "gamma": 0.0, "llm": "gpt2", "adapters": False}
    with pytest.raises(ConfigError, match="arm"):
        Config(arm="nothing")  # type: ignore[arg-type]


def _anew(read: Language, levels: Tensor) -> Tensor:
    texts = [prompt.text(NAMES, places.numpy()) for places in levels]
    return read.llm.read_all(read.tokens, texts)
