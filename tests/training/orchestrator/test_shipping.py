"""Shipping: packages tell what the training and evaluations of this very model told, and do what it does."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from oran import model_package
from oran.model_package import MANIFEST, Manifest
from rapps.orchestrator import package
from rapps.orchestrator.onnx_lm import GRAPH, WEIGHTS
from rapps.orchestrator.package import DATA_CARD, MODEL_CARD, load
from tests.training.orchestrator import packaged
from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator import graph, shipping
from training.orchestrator.cards import CHANGED
from training.orchestrator.corpus.report import Amount, Report, SourceReport
from training.orchestrator.graph import GraphError
from training.orchestrator.lm import Lm
from training.orchestrator.presets import PRESETS
from training.orchestrator.record import Record
from training.orchestrator.shipping import ShippingError, judge_anew, ship

INTERVAL = {"mean": 0.5, "low": 0.25, "high": 0.75}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few tasks, and the graph of the only network there is."""
    made_once = packaged.files()[GRAPH]
    monkeypatch.setattr(shipping, "TASKS", 3)
    monkeypatch.setattr(shipping, "graph", lambda network, names: made_once)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What a training leaves that was stopped after instruction."""
    folder = tmp_path / "run"
    figures = {"foundation": {"parameters_million": 0.1}, "pretraining": {}, "instruction": {"validated": 0.375}}
    for stage, found in figures.items():
        (folder / stage).mkdir(parents=True)
        (folder / stage / "done.json").write_text(json.dumps(found))
    made().save(folder / "instruction" / "model")
    Record.of(PRESETS["smoke"]).keep(folder)
    amount = Amount(documents=3, characters=4567)
    report = Report(
        build="0123456789abcdef",
        seed=1,
        sources={"/home/me/papers": SourceReport(kind="domain", files=4, kept=amount)},
        domain_share=0.8,
        domain_share_reached=0.75,
        mix={"domain": amount},
        general_passes=2.0,
        shards={},
    )
    (folder / "corpus").mkdir()
    (folder / "corpus" / "report.json").write_text(report.to_json())
    return folder


def evaluation(folder: Path, entry: str, **others: object) -> Path:
    """As `ranloop evaluate orchestrator --json` prints it."""
    told = {
        "entry": entry,
        "tier": "t1",
        "tasks": 12,
        "feasible": 10,
        "completion": INTERVAL,
        "mean_score": None,
        "by": {"demand": {"explicit": {"completion": INTERVAL}, "implicit": {"completion": None}}, "vertical": {}},
        "others": [{"entry": "amc:8", "completion": INTERVAL}, {"entry": "random:1", "completion": None}],
    }
    path = folder / "figures.json"
    path.write_text(json.dumps(told | others))
    return path


def test_a_package_writes_what_the_training_left_and_tells_how_it_came_about(run: Path, tmp_path: Path) -> None:
    manifest = ship(run, "instruction", (), tmp_path / "package")
    files = model_package.load(tmp_path / "package", kind=package.KIND)[1]
    writer = load(tmp_path / "package")
    assert writer.margin == manifest.training["margin"] == PRESETS["smoke"].margin
    assert manifest.training["stage"] == "instruction"
    assert manifest.training["rldtf.steps"] == PRESETS["smoke"].rldtf.steps
    assert manifest.twin_version
    assert manifest.metrics.keys() == {CHANGED}
    assert writer.write(ASKED.prompt(tasks(1)[0]), ASKED.script(tasks(1)[0]))
    model_card, data_card = files[MODEL_CARD].decode(), files[DATA_CARD].decode()
    assert "ranloop train orchestrator --preset smoke --seed 1" in model_card
    assert "| instruction | 0.375 |" in model_card
    assert "No evaluation" in model_card
    assert re.search(r"validation tasks\s+\d+\.\d\d % \(95 %: ", model_card)
    assert "| papers | domain | 4 | 3 | 4567 |" in data_card
    assert "/home/me" not in data_card


def test_a_training_goes_on_from_a_package(run: Path, tmp_path: Path) -> None:
    ship(run, "instruction", (), tmp_path / "package")
    again = Lm.load(tmp_path / "package")
    wanted = made().network.state_dict()
    for name, weight in again.network.state_dict().items():
        torch.testing.assert_close(weight, wanted[name].half().float())


def test_evaluations_of_the_model_or_of_its_package_become_metrics(run: Path, tmp_path: Path) -> None:
    ship(run, "instruction", (), tmp_path / "first")
    digest = Lm.load(run / "instruction" / "model").digest()
    for number, name in enumerate(
        (load(tmp_path / "first").name, f"model:run@{digest}", f"model:run@{digest}, proved")
    ):
        out = tmp_path / str(number)
        manifest = ship(run, "instruction", [evaluation(tmp_path, name)], out)
        prefix = "t1 proved" if name.endswith("proved") else "t1"
        assert manifest.metrics.keys() == {CHANGED, f"{prefix}.completion", f"{prefix}.explicit.completion"}
        assert manifest.metrics[f"{prefix}.completion"].low == 0.25
        card = (out / MODEL_CARD).read_text()
        assert f"`{name}` on 12 tasks at t1, 10 of them feasible" in card
        assert "| amc:8 | 0.500 (0.250..0.750) |" in card
        assert "| random:1 | - |" in card
        # The figures are no part of the model: its name stays.
        assert load(out).name == load(tmp_path / "first").name


def test_figures_that_are_of_another_model_or_none_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ShippingError, match="figures are of model:x@12345678; this model is"):
        ship(run, "instruction", [evaluation(tmp_path, "model:x@12345678")], tmp_path / "out")
    wrong = evaluation(tmp_path, "x", completion=INTERVAL | {"low": float("nan")})
    for text in ("", "[]", '{"entry": 3}', "null", "3", '{"entry": "x", "tier": "t1"}', wrong.read_text()):
        wrong.write_text(text)
        with pytest.raises(ShippingError, match=r"figures\.json holds no figures"):
            ship(run, "instruction", [wrong], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_package_is_told_new_evaluations_and_is_otherwise_as_it_was(run: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    ship(run, "instruction", (), first)
    name = load(first).name
    ship(run, "instruction", [evaluation(tmp_path, name)], tmp_path / "told")
    better = {"mean": 0.75, "low": 0.5, "high": 1.0}
    manifest = judge_anew(tmp_path / "told", [evaluation(tmp_path, f"{name}, proved", completion=better)], again)
    explicit = "t1 proved.explicit.completion"
    assert manifest.metrics.keys() == {CHANGED, "t1 proved.completion", explicit}
    assert manifest.metrics["t1 proved.completion"].value == 0.75
    old, new = (model_package.load(folder, kind=package.KIND)[1] for folder in (first, again))
    assert {key for key in old if old[key] != new[key]} == {MODEL_CARD}
    card = new[MODEL_CARD].decode()
    assert card.count("## ") == old[MODEL_CARD].decode().count("## ")
    assert "| completion | 0.750 (0.500..1.000) |" in card
    assert "No evaluation" not in card
    assert load(again).name == name


def test_a_package_is_told_no_figures_of_another_nor_none(run: Path, tmp_path: Path) -> None:
    ship(run, "instruction", (), tmp_path / "first")
    with pytest.raises(ShippingError, match="name new figures of it by --evaluation"):
        judge_anew(tmp_path / "first", (), tmp_path / "out")
    with pytest.raises(ShippingError, match="figures are of model:x@12345678"):
        judge_anew(tmp_path / "first", [evaluation(tmp_path, "model:x@12345678")], tmp_path / "out")
    weights = tmp_path / "first" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ShippingError, match=r"first: .*model\.safetensors"):
        judge_anew(tmp_path / "first", [evaluation(tmp_path, "x")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_stage_must_be_done_and_a_folder_whole(run: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ShippingError, match="no stage 'rldtf' that is done; it has foundation, pretraining, instr"
    ):
        ship(run, "rldtf", (), tmp_path / "out")
    (run / "record.json").write_text("{}")
    with pytest.raises(ShippingError, match=r"record\.json cannot be read"):
        ship(run, "instruction", (), tmp_path / "out")


def test_what_was_not_kept_is_not_told(run: Path, tmp_path: Path) -> None:
    (run / "record.json").unlink()
    (run / "corpus" / "report.json").unlink()
    manifest = ship(run, "instruction", (), tmp_path / "out")
    assert (manifest.commit, manifest.twin_version) == ("", "")
    assert "kept no record" in (tmp_path / "out" / MODEL_CARD).read_text()
    assert "no report of a corpus" in (tmp_path / "out" / DATA_CARD).read_text()


def test_a_preset_that_was_changed_is_not_said_to_make_the_model(run: Path, tmp_path: Path) -> None:
    (run / "record.json").unlink()
    Record.of(replace(PRESETS["smoke"], validation=17, own_tasks=Path("mine.jsonl"))).keep(run)
    ship(run, "instruction", (), tmp_path / "out")
    card = (tmp_path / "out" / MODEL_CARD).read_text()
    assert "$ ranloop train" not in card
    assert "Configuration `smoke`, seed 1" in card
    assert "the owner's own, of mine.jsonl" in (tmp_path / "out" / DATA_CARD).read_text()


def test_the_record_is_that_of_the_beginning(tmp_path: Path) -> None:
    first = Record.of(PRESETS["smoke"])
    first.keep(tmp_path)
    Record.of(PRESETS["cpu"]).keep(tmp_path)
    assert Record.read(tmp_path) == first
    assert Record.read(tmp_path / "nowhere") is None


def test_a_package_that_does_something_else_is_refused(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = shipping.files_of(made(1))
    monkeypatch.setattr(shipping, "files_of", lambda lm: {**packaged.files(), WEIGHTS: other[WEIGHTS]})
    with pytest.raises(ShippingError, match="logits of the package differ"):
        ship(run, "instruction", (), tmp_path / "out")


def test_half_precision_changes_few_choices() -> None:
    files = dict(packaged.files())
    manifest: Manifest = packaged.MANIFEST
    changed = shipping.changed(made(), shipping.loaded(manifest, files))
    assert 0.0 <= changed.value < 0.2
    other = shipping.changed(made(1), shipping.loaded(manifest, files))
    assert other.value > 0.5


def test_models_that_no_package_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "MOST_MILLION", 0.01)
    with pytest.raises(ShippingError, match="million weights, a package at most"):
        shipping.files_of(made())
    with pytest.raises(GraphError, match="is a Linear; only a Qwen2ForCausalLM"):
        graph.graph(torch.nn.Linear(2, 2), ())


def test_the_graph_holds_no_weights(tmp_path: Path) -> None:
    files = packaged.files()
    assert len(files[GRAPH]) < 200_000
    folder = packaged.write(tmp_path / "package")
    assert (folder / MANIFEST).exists()
    embedding = made().network.get_input_embeddings().weight.detach().half().numpy()  # type: ignore[operator]
    assert np.ascontiguousarray(embedding).tobytes() in files[WEIGHTS]
    assert embedding[5].astype(np.float32).tobytes() not in files[GRAPH]
