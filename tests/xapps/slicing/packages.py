"""Small model packages for the tests: an agent of one weight per feature, and one that reads words."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from oran.model_package import Manifest, Metric, write
from xapps.slicing.drift import reference_of
from xapps.slicing.schema import ACTOR, CRITIC, INPUTS, KIND, OUTPUTS, REFERENCE, TOKENIZER, WORDS
from xapps.slicing.state import FEATURES, KINDS

VOCABULARY = ("[PAD]", "[UNK]", "protect", "the", "factory", "failing", "jammed", "urllc")
WIDTH = 4
TEXT = {"tokens": ("int64", ("n", "length")), "mask": ("int64", ("n", "length"))}
SHAPES: Mapping[str, tuple[str, tuple[str | int, ...]]] = {
    "state": ("float", ("n", "slices", len(FEATURES))),
    "levels": ("int64", ("n", "slices", 2)),
    "words": ("float", ("n", WIDTH)),
    **TEXT,
}


class Uniform:
    """An agent that treats all slices alike."""

    def share(self, seen: np.ndarray) -> np.ndarray:
        return np.full(seen.shape[:-1], 1.0 / seen.shape[-2])


def network(
    nodes: list[tuple[str, list[str], str, dict[str, object]]],
    constants: Mapping[str, np.ndarray],
    inputs: Mapping[str, tuple[str, tuple[str | int, ...]]],
    output: tuple[str, tuple[str | int, ...]],
) -> bytes:
    """An ONNX network of nodes (operator, inputs, output, attributes)."""
    kinds = {"float": TensorProto.FLOAT, "int64": TensorProto.INT64}
    graph = helper.make_graph(
        [helper.make_node(kind, ins, [out], **attributes) for kind, ins, out, attributes in nodes],
        "test",
        [helper.make_tensor_value_info(name, kinds[kind], shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


def actor(*inputs: str, feature: str = "need", gain: float = 4.0, scale: float = 1.0) -> bytes:
    """An agent that shares by one feature: softmax(gain x feature) x scale.

    It heeds `words` and `tokens` by adding a twentieth of their sum to the first slice's logit, and levels by
    adding theirs to each slice's.
    """
    weight = np.zeros((len(FEATURES), 1), dtype=np.float32)
    weight[KINDS.index(feature)] = gain
    first = np.array([[0.05, 0.0, 0.0]], dtype=np.float32)
    last = np.array([-1], dtype=np.int64)
    nodes: list[tuple[str, list[str], str, dict[str, object]]] = [
        ("MatMul", ["state", "weight"], "columns", {}),
        ("Squeeze", ["columns", "last"], "logit", {}),
    ]
    logit = "logit"
    for name, source in (("words", "words"), ("tokens", "counted")):
        if name in inputs:
            if name == "tokens":
                nodes += [("Mul", ["tokens", "mask"], "kept", {}), ("Cast", ["kept"], "counted", {"to": 1})]
            nodes += [
                ("ReduceSum", [source, "last"], f"{name}_sum", {"keepdims": 1}),
                ("Mul", [f"{name}_sum", "first"], f"{name}_part", {}),
                ("Add", [logit, f"{name}_part"], f"{name}_logit", {}),
            ]
            logit = f"{name}_logit"
    if "levels" in inputs:
        nodes += [
            ("Cast", ["levels"], "levels_f", {"to": 1}),
            ("ReduceSum", ["levels_f", "last"], "levels_sum", {"keepdims": 0}),
            ("Add", [logit, "levels_sum"], "levels_logit", {}),
        ]
        logit = "levels_logit"
    nodes += [("Softmax", [logit], "soft", {"axis": -1}), ("Mul", ["soft", "scale"], "share", {})]
    constants = {"weight": weight, "last": last, "first": first, "scale": np.array(scale, dtype=np.float32)}
    taken = {name: SHAPES[name] for name in ("state", *inputs)}
    return network(nodes, constants, taken, ("share", ("n", "slices")))


def words() -> bytes:
    """An embedding: the sum of each word's vector, which is its place in the vocabulary in the first element."""
    table = np.zeros((len(VOCABULARY), WIDTH), dtype=np.float32)
    table[:, 0] = np.arange(len(VOCABULARY))
    nodes: list[tuple[str, list[str], str, dict[str, object]]] = [
        ("Gather", ["table", "tokens"], "vectors", {}),
        ("Cast", ["mask"], "mask_f", {"to": 1}),
        ("Unsqueeze", ["mask_f", "last"], "mask_3", {}),
        ("Mul", ["vectors", "mask_3"], "kept", {}),
        ("ReduceSum", ["kept", "axis"], "words", {"keepdims": 0}),
    ]
    constants = {"table": table, "last": np.array([-1], dtype=np.int64), "axis": np.array([1], dtype=np.int64)}
    return network(nodes, constants, TEXT, ("words", ("n", WIDTH)))


def critic() -> bytes:
    """A value of two parts: the cell's sum of features, and the mean over cells of the first slice's share."""
    nodes: list[tuple[str, list[str], str, dict[str, object]]] = [
        ("ReduceSum", ["state", "inner"], "own", {"keepdims": 0}),
        ("Gather", ["share", "first"], "shares", {"axis": 2}),
        ("ReduceMean", ["shares"], "all", {"axes": [1], "keepdims": 1}),
        ("Add", ["own", "all"], "value", {}),
    ]
    constants = {"inner": np.array([2, 3], dtype=np.int64), "first": np.array(0, dtype=np.int64)}
    inputs: Mapping[str, tuple[str, tuple[str | int, ...]]] = {
        "state": ("float", (1, "cells", "slices", len(FEATURES))),
        "share": ("float", (1, "cells", "slices")),
    }
    return network(nodes, constants, inputs, ("value", (1, "cells")))


def tokenizer() -> bytes:
    """Whole words of a small vocabulary, whatever their case."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made.to_str().encode()


def manifest(*inputs: str, version: str = "1.0.0", **changes: object) -> Manifest:
    """A manifest of the schema in force; `changes` replace its fields."""
    plain = Manifest(
        name="test-actor",
        version=version,
        kind=KIND,
        inputs={name: INPUTS[name] for name in ("state", *inputs)},
        outputs=OUTPUTS,
        training={"cells": 6, "gamma": 0.9},
        twin_version="0.1.0",
        metrics={"return": Metric(0.9, 0.89, 0.91)},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def files(*inputs: str, judge: bool = False, **options: object) -> dict[str, bytes]:
    """The files of a package whose actor takes the state and `inputs`; with `judge` a critic and a reference."""
    made = {ACTOR: actor(*inputs, **options)}  # type: ignore[arg-type]
    if judge:
        made[CRITIC] = critic()
        made[REFERENCE] = reference_of(np.random.default_rng(1).random((500, 3, len(FEATURES))))
    if {"words", "tokens"} & set(inputs):
        made[TOKENIZER] = tokenizer()
    if "words" in inputs:
        made[WORDS] = words()
    return made


def package(folder: Path, *inputs: str, version: str = "1.0.0", **options: object) -> Path:
    """Write a package whose actor takes the state and `inputs`; `options` are those of `actor`."""
    write(folder, manifest(*inputs, version=version), files(*inputs, **options))  # type: ignore[arg-type]
    return folder
