"""Packages: what is whole writes as it was trained, and nothing else is taken."""

import contextlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oran import model_package
from oran.model_package import MANIFEST, PackageError
from rapps.orchestrator import package
from rapps.orchestrator.answer import well_formed
from rapps.orchestrator.decoding import sample
from rapps.orchestrator.grammar import FORM
from rapps.orchestrator.orchestrator import ask
from rapps.orchestrator.package import SHIPPED, load
from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from tests.training.orchestrator import packaged
from tests.training.orchestrator.small import ASKED, tasks
from twin.link.evaluate import evaluate

MOST_OCTETS = 16 * 2**20


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged.write(tmp_path_factory.mktemp("packages") / "whole")


def test_it_writes_what_the_trained_model_writes(whole: Path) -> None:
    writer = load(whole)
    assert writer.margin == 0.2
    for task in tasks(8):
        script, same = ASKED.script(task), ASKED.script(task)
        text = writer.write(ASKED.prompt(task), script)
        assert well_formed(text)
        sample(packaged.lm(), [ASKED.prompt(task)], [same], temperature=0.0)
        # Where the trained network is undecided rounding decides: few of 18 choices.
        assert np.mean([a != b for a, b in zip(text, same.text, strict=False)]) < 0.5


def test_an_operator_gets_an_outcome(whole: Path) -> None:
    outcome = ask("5 Mbit/s within 50 ms, ber 1e-5", USUAL, load(whole), margin=0.2)
    assert outcome.plan is not None
    assert outcome.result == evaluate(outcome.plan, USUAL)
    assert outcome.feasible == (outcome.refusal_reason is None)


def test_another_model_or_margin_has_another_name(whole: Path, tmp_path: Path) -> None:
    wider = packaged.write(tmp_path / "wider", replace(packaged.MANIFEST, training={"form": FORM, "margin": 0.3}))
    names = {load(folder).name for folder in (whole, wider)}
    assert len(names) == 2
    assert all(name.startswith("tiny-0.1.0@") for name in names)
    assert load(whole).name in names


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_one_octet_changed_in_any_file_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "flipped"
    if not folder.exists():
        packaged.write(folder)
    file = data.draw(st.sampled_from(sorted(packaged.files())))
    octets = bytearray((folder / file).read_bytes())
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    (folder / file).write_bytes(octets)
    try:
        with pytest.raises(PackageError, match="not what was shipped"):
            load(folder)
    finally:
        octets[:] = packaged.files()[file]
        (folder / file).write_bytes(octets)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_manifest_that_was_changed_is_refused_or_says_the_same_of_the_model(
    whole: Path, tmp_path: Path, data: st.DataObject
) -> None:
    folder = tmp_path / "changed"
    if not folder.exists():
        packaged.write(folder)
    octets = bytearray((whole / MANIFEST).read_bytes())
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    (folder / MANIFEST).write_bytes(octets)
    with contextlib.suppress(PackageError):
        assert 0.0 <= load(folder).margin <= package.MOST_MARGIN


def test_files_missing_or_hidden_are_refused(tmp_path: Path) -> None:
    for number, name in enumerate(packaged.files()):
        folder = packaged.write(tmp_path / str(number))
        (folder / name).unlink()
        with pytest.raises(PackageError, match=name.replace(".", r"\.")):
            load(folder)
    (folder / name).write_bytes(packaged.files()[name])
    (folder / "more.py").write_text("")
    with pytest.raises(PackageError, match=r"more\.py"):
        load(folder)
    with pytest.raises(PackageError, match="cannot be read"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "slicing-actor"}, "holds a slicing-actor; a orchestrator is wanted"),
        ({"inputs": {}}, "is wanted"),
        ({"outputs": {"logits": "float32"}}, "is wanted"),
        ({"training": {"margin": 0.1}}, "form None; form 2 is wanted"),
        ({"training": {"form": FORM}}, "training.margin is None"),
        ({"training": {"form": FORM, "margin": -0.1}}, "training.margin is -0.1"),
        ({"training": {"form": FORM, "margin": True}}, "training.margin is True"),
        ({"training": {"form": FORM, "margin": "0.1"}}, "training.margin is '0.1'"),
        ({"training": {"form": FORM, "margin": 1e9}}, "training.margin is 1000000000.0"),
    ],
)
def test_a_manifest_for_something_else_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    folder = packaged.write(tmp_path / "other", replace(packaged.MANIFEST, **change))  # type: ignore[arg-type]
    with pytest.raises(PackageError, match=message):
        load(folder)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "null", "[]", "1e999"])
def test_a_manifest_without_numbers_is_refused(tmp_path: Path, number: str) -> None:
    folder = packaged.write(tmp_path / "other")
    path = folder / MANIFEST
    path.write_text(path.read_text().replace('"margin": 0.2', f'"margin": {number}'))
    with pytest.raises(PackageError):
        load(folder)


def test_files_that_are_of_no_orchestrator_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "more"
    model_package.write(folder, packaged.MANIFEST, {**packaged.files(), "pickle.bin": b"x"})
    with pytest.raises(PackageError, match=r"pickle\.bin is no file of an orchestrator"):
        load(folder)
    less = {name: data for name, data in packaged.files().items() if name != "network.onnx"}
    model_package.write(tmp_path / "less", packaged.MANIFEST, less)
    with pytest.raises(PackageError, match=r"lacks network\.onnx"):
        load(tmp_path / "less")


def test_a_package_is_asked_without_torch_and_imported_without_anything_heavy(whole: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rapps.orchestrator.package import load;"
        "heavy = {'torch', 'transformers', 'onnxruntime', 'tokenizers', 'safetensors'};"
        "print(sorted(heavy & set(sys.modules)));"
        "from rapps.orchestrator.orchestrator import ask; from rapps.orchestrator.task import USUAL_EQUIPMENT;"
        f"ask('5 Mbit/s in 50 ms, ber 1e-5', USUAL_EQUIPMENT, load(Path({str(whole)!r})));"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    early, late = run.stdout.splitlines()
    assert early == "[]"
    assert late == "['onnxruntime', 'safetensors', 'tokenizers']"


def test_the_shipped_package_is_small_and_tells_how_it_was_made_and_how_good_it_is() -> None:
    manifest, files = model_package.load(SHIPPED, kind=package.KIND)
    assert max(map(len, files.values())) < MOST_OCTETS
    assert manifest.training["parameters_million"] <= 8
    assert len(manifest.commit) == 40
    assert manifest.twin_version
    assert any(name.endswith(".completion") for name in manifest.metrics)
    assert {package.MODEL_CARD, package.DATA_CARD} <= files.keys()


def test_the_shipped_model_understands_and_plans_what_is_plainly_said() -> None:
    writer = load()
    outcome = ask("at least 5 Mbit/s within 50 ms, ber 1e-5", USUAL, writer, margin=writer.margin)
    demand = outcome.demand
    assert (demand.min_throughput_bps, demand.max_delay_s, demand.max_ber) == (5e6, 50e-3, 1e-5)
    assert outcome.feasible
    assert json.dumps(outcome.plan.model_dump(mode="json") if outcome.plan else None)
