"""The network by onnxruntime must be the one that was trained, whatever it is fed."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from oran.model_package import PackageError
from rapps.orchestrator.onnx_lm import CONFIG, FILES, GRAPH, TOKENIZER, WEIGHTS, OnnxLm
from tests.training.orchestrator.packaged import files, lm
from tests.training.orchestrator.small import texts


@pytest.fixture(scope="module")
def served() -> OnnxLm:
    return OnnxLm(files())


ROWS = st.lists(st.integers(0, 399), max_size=12)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(ROWS.filter(len), min_size=1, max_size=4),
    st.integers(1, 3),
    st.lists(st.lists(ROWS, min_size=12, max_size=12), min_size=1, max_size=4),
)
def test_logits_are_the_trained_network_s_whatever_is_fed(
    served: OnnxLm, prompts: list[list[int]], each: int, feeds: list[list[list[int]]]
) -> None:
    ours, theirs = served.begin(prompts, each), lm().begin(prompts, each)
    for rows in feeds:
        some = rows[: len(prompts) * each]
        fed = [place for place, row in enumerate(some) if row]
        found, wanted = ours.feed(some), theirs.feed(some)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found[fed], wanted[fed], atol=1e-4)


def test_an_answer_is_the_same_alone_and_beside_longer_ones(served: OnnxLm) -> None:
    short, long = served.encode("fast, please"), served.encode(texts()[0])
    alone = served.begin([short], 1).feed([served.encode("Demand: ")])
    beside = served.begin([long, short], 1).feed([served.encode(texts()[1]), served.encode("Demand: ")])
    np.testing.assert_allclose(beside[1], alone[0], atol=1e-4)


@given(st.text() | st.sampled_from(texts()))
def test_texts_become_the_tokens_that_were_trained(served: OnnxLm, text: str) -> None:
    assert served.encode(text) == lm().encode(text)
    assert served.end == lm().end


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("data", [b"", b"\x00\xff" * 40, b"null", b"[]", b"{}"])
def test_files_that_are_none_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(PackageError, match=name.replace(".", r"\.")):
        OnnxLm({**files(), name: data})


@pytest.mark.parametrize("end", [None, -1, 10_000, "<|end|>", True])
def test_the_end_must_be_a_token(end: object) -> None:
    with pytest.raises(PackageError, match="eos_token_id"):
        OnnxLm({**files(), CONFIG: json.dumps({"eos_token_id": end}).encode()})


def test_weights_must_be_those_of_the_graph_and_numbers() -> None:
    weights = load(files()[WEIGHTS])
    norm = weights["model.norm.weight"]
    for wrong in (
        {name: weight for name, weight in weights.items() if name != "model.norm.weight"},
        {**weights, "model.norm.weight": norm[:-1]},
        {**weights, "model.norm.weight": np.full_like(norm, np.nan)},
        {**weights, "model.norm.weight": np.full_like(norm, np.inf)},
    ):
        with pytest.raises(PackageError, match=GRAPH):
            OnnxLm({**files(), WEIGHTS: save(wrong)})


def test_a_tokenizer_may_know_no_token_that_the_network_does_not() -> None:
    told = json.loads(files()[TOKENIZER])
    last = max(token["id"] for token in told["added_tokens"])
    told["added_tokens"].append({**told["added_tokens"][-1], "id": last + 1, "content": "more"})
    with pytest.raises(PackageError, match=GRAPH):
        OnnxLm({**files(), TOKENIZER: json.dumps(told).encode()})
