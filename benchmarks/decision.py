"""How long a decision takes, for each form of agent and for 1, 6 and 60 cells, on one core.

A decision is what the xApp does from KPIs to a guarded policy: observation, state and prompt, inference, guard. As
in the xApp, cells are decided one after another, with one inference each; "all cells" is the time from the first
one's KPIs to the last one's policy. CPU time stands beside the clock's, which other work on the machine lengthens.

Packages named by --model are measured as they are, else the shipped one. Where there is none, stand-ins of an
agent's size with random weights are: they decide nothing sensible, and take as long.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from oran.model_package import Manifest, write
from oran.sla import SlaTargets
from xapps.slicing.actor import SHIPPED, Actor
from xapps.slicing.cell import CellLoop
from xapps.slicing.config import DESCRIPTOR, XappConfig
from xapps.slicing.controllers import create
from xapps.slicing.observation import SliceKpis
from xapps.slicing.schema import ACTOR, INPUTS, KIND, OUTPUTS, TOKENIZER, WORDS
from xapps.slicing.state import FEATURES

CELLS = (1, 6, 60)
HIDDEN, WIDTH = 256, 384
WORDS_SAID = "Protect the factory's robots, video may wait."

Figures = dict[str, float | str]
Axis = str | int


def stand_in(folder: Path, words: bool) -> Actor:
    """An agent of three layers on each slice's state, with the operator's words beside it if wanted."""
    draw = np.random.default_rng(1)
    taken = len(FEATURES) + (WIDTH if words else 0)
    sizes = (taken, HIDDEN, HIDDEN, 1)
    constants: dict[str, np.ndarray] = {
        f"w{layer}": draw.normal(0, before**-0.5, (before, after)).astype(np.float32)
        for layer, (before, after) in enumerate(pairwise(sizes))
    }
    constants |= {"last": np.array([-1], dtype=np.int64), "one": np.array([1], dtype=np.int64)}
    inputs: dict[str, tuple[str, list[Axis]]] = {"state": ("float", ["n", "slices", len(FEATURES)])}
    nodes = []
    if words:
        constants["width"] = np.array([WIDTH], dtype=np.int64)
        inputs["words"] = ("float", ["n", WIDTH])
        nodes += [
            helper.make_node("Unsqueeze", ["words", "one"], ["said"]),
            helper.make_node("Shape", ["state"], ["shape"], start=0, end=2),
            helper.make_node("Concat", ["shape", "width"], ["wide"], axis=0),
            helper.make_node("Expand", ["said", "wide"], ["spread"]),
            helper.make_node("Concat", ["state", "spread"], ["h0"], axis=-1),
        ]
    else:
        nodes += [helper.make_node("Identity", ["state"], ["h0"])]
    for layer in range(3):
        nodes.append(helper.make_node("MatMul", [f"h{layer}", f"w{layer}"], [f"m{layer}"]))
        nodes.append(helper.make_node("Identity" if layer == 2 else "Relu", [f"m{layer}"], [f"h{layer + 1}"]))
    nodes += [
        helper.make_node("Squeeze", ["h3", "last"], ["claim"]),
        helper.make_node("Softmax", ["claim"], ["share"], axis=-1),
    ]
    files = {ACTOR: _onnx(nodes, constants, inputs, ("share", ["n", "slices"]))}
    if words:
        files |= {WORDS: _embedding(draw), TOKENIZER: _tokenizer()}
    manifest = Manifest(
        name="stand-in",
        version="0",
        kind=KIND,
        inputs={name: INPUTS[name] for name in inputs},
        outputs=OUTPUTS,
        training={"cells": 6},
        twin_version="none",
    )
    write(folder, manifest, files)
    return Actor.load(folder, ("eMBB", "URLLC", "mMTC"))


def _embedding(draw: np.random.Generator) -> bytes:
    constants: dict[str, np.ndarray] = {
        "table": draw.normal(size=(len(_vocabulary()), WIDTH)).astype(np.float32),
        "axis": np.array([1], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["vectors"]),
        helper.make_node("ReduceSum", ["vectors", "axis"], ["words"], keepdims=0),
    ]
    inputs: dict[str, tuple[str, list[Axis]]] = {name: ("int64", ["n", "length"]) for name in ("tokens", "mask")}
    return _onnx(nodes, constants, inputs, ("words", ["n", WIDTH]))


def _vocabulary() -> list[str]:
    return ["[UNK]", *sorted(set(WORDS_SAID.lower().split()))]


def _tokenizer() -> bytes:
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(_vocabulary())}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return bytes(made.to_str().encode())


def _onnx(
    nodes: list[NodeProto],
    constants: Mapping[str, np.ndarray],
    inputs: Mapping[str, tuple[str, list[Axis]]],
    output: tuple[str, list[Axis]],
) -> bytes:
    kinds = {"float": TensorProto.FLOAT, "int64": TensorProto.INT64}
    graph = helper.make_graph(
        nodes,
        "stand-in",
        [helper.make_tensor_value_info(name, kinds[kind], shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def reports(rng: np.random.Generator, count: int) -> list[SliceKpis]:
    """Plausible KPIs of a cell of 106 PRBs, three slices, 100 ms."""
    made = []
    for _ in range(count):
        load = rng.uniform(1e4, 1e6, 3)
        values = {
            "throughput_bps": load * 10,
            "delay_s": rng.uniform(1e-3, 0.2, 3),
            "drop_rate": rng.uniform(0, 0.1, 3),
            "arrived_bit": load,
            "delivered_bit": load * rng.uniform(0.5, 1, 3),
            "prb_used": rng.uniform(1, 30, 3),
            "active_ues": rng.uniform(0, 10, 3),
        }
        made.append(SliceKpis(**values, prb_available=106.0, period_s=0.1))
    return made


def measure(name: str, agent: Actor | None, cells: int, rounds: int) -> Figures:
    """Decide for some cells over and over: quantiles of one decision, and of all cells' one after another."""
    config = XappConfig.model_validate(json.loads(DESCRIPTOR.read_text())["controls"])
    targets = SlaTargets.of(config.promises)
    loops = [
        CellLoop(
            f"du{number}",
            None,
            config.snssais,
            controller=create(name if agent is None else "learned", agent=agent),
            guard=config.guard_config(),
            period_s=0.1,
            cell_prbs=106,
        )
        for number in range(cells)
    ]
    kpis = reports(np.random.default_rng(2), 64)
    each, whole, computed = [], [], []
    for turn in range(rounds):
        begun_cpu = time.thread_time()
        begun = before = time.perf_counter()
        for number, loop in enumerate(loops):
            loop.took_over(loop.on_report(kpis[(turn + number) % 64], targets, now_s=turn / 10, time_s=0.0).policy)
            now = time.perf_counter()
            each.append(now - before)
            before = now
        whole.append(before - begun)
        computed.append(time.thread_time() - begun_cpu)
        if any(loop.error for loop in loops):
            raise RuntimeError(next(loop.error for loop in loops if loop.error))
    warm = rounds // 10
    one, everyone = np.array(each[warm * cells :]), np.array(whole[warm:])
    return {
        "form": name,
        "cells": cells,
        "decision_p50_ms": _ms(one, 50),
        "decision_p99_ms": _ms(one, 99),
        "all_cells_p50_ms": _ms(everyone, 50),
        "all_cells_p99_ms": _ms(everyone, 99),
        "all_cells_cpu_p99_ms": _ms(np.array(computed[warm:]), 99),
    }


def _ms(seconds: np.ndarray, percent: float) -> float:
    return round(float(np.percentile(seconds, percent)) * 1e3, 4)


def forms(models: list[Path], folder: Path) -> dict[str, Actor | None]:
    """What is measured, by name; the heuristic stands beside the agents."""
    found: dict[str, Actor | None] = {"demand": None}
    named = models or ([SHIPPED] if SHIPPED.is_dir() else [])
    for model in named:
        agent = Actor.load(model, ("eMBB", "URLLC", "mMTC"))
        found[f"{agent} ({', '.join(agent.manifest.inputs)})"] = agent
    if not named:
        found["stand-in (state)"] = stand_in(folder / "state", words=False)
        found["stand-in (state, words)"] = stand_in(folder / "words", words=True)
    for told in found.values():
        if told is not None:
            told.hear(WORDS_SAID)
    return found


def main() -> None:
    """Print a table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, nargs="*", default=[], help="model packages to measure")
    parser.add_argument("--decisions", type=int, default=6000, help="decisions of each row")
    options = parser.parse_args()
    load_before = os.getloadavg()[0]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            measure(name, agent, cells, max(20, options.decisions // cells))
            for name, agent in forms(options.model, Path(folder)).items()
            for cells in CELLS
        ]
    head = f"{'decision p50':>13} {'p99':>8} {'all cells p50':>14} {'p99':>8} {'CPU p99':>8}  (ms)"
    print(f"{'form':<44} {'cells':>5} {head}")
    for row in rows:
        print(
            f"{row['form']:<44} {row['cells']:>5} {row['decision_p50_ms']:>13.3f} {row['decision_p99_ms']:>8.3f}"
            f" {row['all_cells_p50_ms']:>14.3f} {row['all_cells_p99_ms']:>8.3f}"
            f" {row['all_cells_cpu_p99_ms']:>8.3f}"
        )
    print(json.dumps({"rows": rows, "load_before": load_before, "machine": platform.machine()}))


if __name__ == "__main__":
    main()
