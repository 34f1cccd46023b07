import contextlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oran.model_package import MANIFEST, PackageError, write
from oran.slices import MIN, valid
from tests.xapps.slicing import packages
from tests.xapps.slicing.cells import TARGETS, observation
from xapps.slicing import prompt
from xapps.slicing.actor import Actor
from xapps.slicing.controllers import create
from xapps.slicing.errors import ModelError
from xapps.slicing.guard import GuardConfig, apply
from xapps.slicing.learned import LearnedController
from xapps.slicing.observation import FIELDS
from xapps.slicing.schema import ACTOR, INPUTS, TOKENIZER, WORDS
from xapps.slicing.shares import ratios_of
from xapps.slicing.state import FEATURES, features, remember

NAMES = ("eMBB", "URLLC", "mMTC")
FORMS = ((), ("levels",), ("words",), ("tokens", "mask"), ("levels", "words", "tokens", "mask"))


def actor(*inputs: str, **options: object) -> Actor:
    return Actor(*sealed(*inputs, **options), NAMES)


def sealed(*inputs: str, **options: object) -> tuple[Any, dict[str, bytes]]:
    """A manifest with digests' names, and the files."""
    files = packages.files(*inputs, **options)
    return packages.manifest(*inputs, files=dict.fromkeys(files, "0" * 64)), files


def seen(**changes: object) -> np.ndarray:
    cell = observation(**changes)
    return features(cell, TARGETS, remember(None, cell))[None]


@given(arrays(np.float64, (4, 3), elements=st.floats(0.001, 1)))
def test_shares_are_ratios_that_the_guard_lets_through(weights: np.ndarray) -> None:
    share = weights / weights.sum(axis=-1, keepdims=True)
    ratios = ratios_of(share.astype(np.float32).astype(np.float64))
    assert valid(ratios).all()
    np.testing.assert_allclose(ratios[..., MIN], 100 * share, atol=1e-4)
    applied = apply(ratios, ratios, GuardConfig(floor_percent=(0.0,)))
    assert not applied.invalid.any()


def test_shares_are_ratios_by_torch_too() -> None:
    share = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64, requires_grad=True)
    ratios = ratios_of(share)
    np.testing.assert_allclose(ratios.detach().numpy(), ratios_of(share.detach().numpy()))
    ratios[0, 0, MIN].backward()  # type: ignore[no-untyped-call]
    assert share.grad is not None
    assert share.grad[0, 0] > 0


@pytest.mark.parametrize("inputs", FORMS, ids=lambda inputs: "+".join(("state", *inputs)))
def test_each_form_decides_one_cell_as_it_decides_it_in_a_batch(inputs: tuple[str, ...]) -> None:
    model = actor(*inputs)
    model.hear("protect the factory")
    cells = [seen(), seen(arrived_bit=[9e5, 1e5, 2e4]), seen(delay_s=[0.02, 0.4, 0.05])]
    batch = model.share(np.concatenate(cells))
    np.testing.assert_allclose(batch.sum(axis=-1), 1.0, atol=1e-6)
    for row, cell in zip(batch, cells, strict=True):
        np.testing.assert_allclose(model.share(cell)[0], row, atol=1e-6)


def test_the_controller_decides_what_the_model_says_of_the_state() -> None:
    controller = create("learned", agent=actor(gain=8.0))
    assert controller.name == "learned"
    quiet = controller.decide(observation(), TARGETS)
    loaded = controller.decide(observation(arrived_bit=[9e6, 1e5, 2e4]), TARGETS)
    assert valid(quiet)
    assert loaded[0, MIN] > quiet[0, MIN]


def test_a_batch_of_cells_is_decided_as_the_cells_alone() -> None:
    model = actor()
    both, lone = LearnedController(model), [LearnedController(model), LearnedController(model)]
    for load in (1e5, 9e5, 2e5):
        cells = [observation(arrived_bit=[2e5, times * load, 2e4]) for times in (1, 3)]
        alone = [loop.decide(cell, TARGETS) for loop, cell in zip(lone, cells, strict=True)]
        stacked = {name: np.stack([getattr(cell.kpis, name) for cell in cells]) for name in FIELDS}
        pair = replace(observation(**stacked), ratios=np.stack([cell.ratios for cell in cells]))
        pair = replace(pair, backlog_bit=np.zeros((2, 3)), prb_available=np.full(2, 100.0))
        np.testing.assert_allclose(both.decide(pair, TARGETS), np.stack(alone), rtol=1e-5)


@pytest.mark.parametrize("inputs", [("words",), ("tokens", "mask")], ids=str)
def test_the_operators_words_change_what_is_decided(inputs: tuple[str, ...]) -> None:
    model = actor(*inputs)
    before = model.share(seen())
    model.hear("  protect\nthe   factory ")
    assert model.words == "protect the factory"
    assert model.share(seen())[0, 0] > before[0, 0]
    model.hear("")
    np.testing.assert_array_equal(model.share(seen()), before)


def test_words_are_embedded_when_they_change_and_never_in_a_decision() -> None:
    model = actor("words")
    embedded: list[object] = []
    embed = model._embed
    assert embed is not None

    def counted(feeds: dict[str, np.ndarray]) -> np.ndarray:
        embedded.append(feeds)
        return embed(feeds)

    model._embed = counted  # type: ignore[assignment]
    model.hear("protect the factory")
    for _ in range(5):
        model.share(seen())
    assert len(embedded) == 1


def test_the_prompt_is_that_of_training() -> None:
    model = actor("tokens", "mask")
    read: list[str] = []
    tokenise = model._tokenizer
    assert tokenise is not None

    def noted(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        read.extend(texts)
        return tokenise(texts)

    model._tokenizer = noted  # type: ignore[assignment]
    model.hear("protect the factory")
    for _ in range(3):
        model.share(seen())
    assert read == [prompt.text(NAMES, prompt.levels(seen())[0], "protect the factory")]


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"scale": math.nan}, "not finite"), ({"scale": 0.5}, "sum to 0.5"), ({"scale": -1.0}, "below zero")],
)
def test_a_model_that_gives_no_distribution_is_refused(options: dict[str, float], reason: str) -> None:
    with pytest.raises(PackageError, match=reason):
        actor(**options)


def test_a_model_that_goes_wrong_later_raises() -> None:
    model = actor()
    with pytest.raises(ModelError, match="not finite"):
        model.share(np.full((1, 3, len(FEATURES)), np.nan))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: replace(m, inputs={"state": INPUTS["state"].replace("need", "want", 1)}), "input state is"),
        (lambda m: replace(m, inputs={}), "nothing of the cell"),
        (lambda m: replace(m, inputs={"weather": "sunny"} | dict(m.inputs)), "'weather' is none of"),
        (lambda m: replace(m, inputs=dict(m.inputs) | {"levels": INPUTS["levels"]}), "takes"),
        (lambda m: replace(m, inputs=dict(m.inputs) | {"words": INPUTS["words"]}), f"lacks {TOKENIZER}, {WORDS}"),
        (lambda m: replace(m, inputs=dict(m.inputs) | {"mask": INPUTS["mask"]}), "go together"),
        (lambda m: replace(m, outputs={"share": "what it likes"}), "outputs are"),
        (lambda m: replace(m, training={}), "number of cells trained on"),
        (lambda m: replace(m, twin_version=""), "twin_version"),
        (lambda m: replace(m, files={}), f"lacks {ACTOR}"),
        (lambda m: replace(m, files=dict(m.files) | {"run.sh": "0" * 64}), r"run\.sh is no file"),
    ],
)
def test_a_package_of_another_schema_is_refused(change: Callable[[Any], Any], reason: str) -> None:
    manifest, files = sealed()
    with pytest.raises(PackageError, match=reason):
        Actor(change(manifest), files, NAMES)


def test_a_model_of_another_number_of_slices_is_refused() -> None:
    manifest, files = sealed("words")
    with pytest.raises(PackageError, match="does not serve 2 slices"):
        Actor(manifest, files, NAMES[:2])


@given(st.binary(max_size=200))
def test_any_bytes_in_a_package_give_an_error(noise: bytes) -> None:
    for name in (ACTOR, WORDS, TOKENIZER):
        manifest, files = sealed("words")
        with pytest.raises(PackageError):
            Actor(manifest, files | {name: noise}, NAMES)


@settings(max_examples=300)
@given(st.sampled_from([ACTOR, WORDS, TOKENIZER]), st.data())
def test_a_damaged_file_gives_an_error_or_a_model_that_decides(name: str, data: st.DataObject) -> None:
    manifest, files = sealed("words")
    damaged = bytearray(files[name])
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    for octets in (bytes(damaged), bytes(damaged[:cut])):
        with contextlib.suppress(PackageError):
            model = Actor(manifest, files | {name: octets}, NAMES)
            assert model.share(seen()).sum() == pytest.approx(1, abs=2e-3)


def test_a_package_is_loaded_from_its_folder_and_none_that_was_changed(tmp_path: Path) -> None:
    folder = packages.package(tmp_path / "model", "levels", version="1.2.3")
    assert str(Actor.load(folder, NAMES)) == "test-actor 1.2.3"
    (folder / ACTOR).write_bytes(packages.actor("levels", gain=1.0))
    with pytest.raises(PackageError, match="SHA-256"):
        Actor.load(folder, NAMES)
    with pytest.raises(PackageError, match="cannot be read"):
        Actor.load(tmp_path / "nowhere", NAMES)
    write(tmp_path / "other", replace(packages.manifest(), kind="receiver"), packages.files())
    with pytest.raises(PackageError, match="holds a receiver"):
        Actor.load(tmp_path / "other", NAMES)


numbers = st.floats(allow_nan=False) | st.integers() | st.just(10**400)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
places = st.sampled_from(
    [
        *((field,) for field in ("name", "version", "kind", "inputs", "outputs", "files", "training", "metrics")),
        *(("training", field) for field in ("cells", "gamma", "satisfaction_weight")),
        ("inputs", "state"),
        ("twin_version",),
        ("schema",),
    ]
)


@given(places, json_values)
def test_any_manifest_gives_an_error_or_a_model_that_decides(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, ...], value: object
) -> None:
    folder = packages.package(tmp_path_factory.mktemp("any") / "model", judge=True)
    raw = json.loads((folder / MANIFEST).read_text())
    holder = raw[place[0]] if len(place) == 2 else raw
    holder[place[-1]] = value
    (folder / MANIFEST).write_text(json.dumps(raw))
    with contextlib.suppress(PackageError):
        assert Actor.load(folder, NAMES).share(seen()).sum() == pytest.approx(1)
