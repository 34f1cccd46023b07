"""Shipping: a trained orchestrator becomes a model package, checked against the network that it came from.

Weights are stored in half precision and computed with in float32. What that changes is measured and told in the
manifest, beside the figures of evaluations; nothing is told that was not measured.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from oran import model_package
from oran.model_package import Manifest, Metric, PackageError
from rapps.orchestrator import package
from rapps.orchestrator.budget import USUAL_MARGIN
from rapps.orchestrator.decoding import Model, sample
from rapps.orchestrator.grammar import FORM
from rapps.orchestrator.onnx_lm import GRAPH, INPUTS, OUTPUTS, TOKENIZER, WEIGHTS
from rapps.orchestrator.package import DATA_CARD, KIND, MODEL_CARD, ModelWriter
from training.orchestrator import cards
from training.orchestrator.asking import Asked
from training.orchestrator.corpus.report import Report
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.graph import graph
from training.orchestrator.lm import Lm
from training.orchestrator.pipeline import DONE, MODEL, STAGES
from training.orchestrator.proved_entry import PROVED
from training.orchestrator.record import Record, Value
from training.orchestrator.tasks.generator import draw
from training.orchestrator.validation import FIRST_SEED
from training.slicing.score import Interval

NAME, VERSION = "ranloop-6g-edge", "1.0.0"
TASKS = 100
"""Those on which the package is compared with the network."""
MOST_DIFFERENCE = 1e-3
"""Greatest difference of a logit between the package and the network with the same weights."""
MOST_MILLION = 60.0
"""Weights beyond this make a file that no package may hold."""


class ShippingError(OrchestratorError):
    """A training that cannot be shipped; says what is missing or does not fit."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a training's folder tells of it, up to a stage."""

    stages: Mapping[str, Mapping[str, float]]
    """The figures of each stage's end."""
    record: Record | None
    corpus: Report | None

    @classmethod
    def read(cls, folder: Path, stage: str) -> Run:
        """ShippingError where the stage is not done, or what there is cannot be read."""
        done = [name for name in STAGES if (folder / name / DONE).exists()]
        if stage not in done:
            raise ShippingError(
                f"{folder} has no stage {stage!r} that is done; it has {', '.join(done) or 'none'}"
            )
        report = folder / "corpus" / "report.json"
        try:
            return cls(
                {name: json.loads((folder / name / DONE).read_text()) for name in done[: done.index(stage) + 1]},
                Record.read(folder),
                Report.of_json(report.read_text()) if report.exists() else None,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ShippingError(f"{folder} cannot be read: {error}") from error


def ship(
    folder: Path,
    stage: str,
    evaluations: Sequence[Path],
    out: Path,
    tell: Callable[[str], None] = lambda text: None,
) -> Manifest:
    """Write the package of a training's stage; evaluations are JSON of `ranloop evaluate`.

    ShippingError where something is missing or was said of another model, or where the package does not give what
    the network gives.
    """
    run, read = Run.read(folder, stage), [_evaluation(path) for path in evaluations]
    lm = Lm.load(folder / stage / MODEL)
    lm.network.eval()
    tell("writing the network's graph")
    files = files_of(lm)
    manifest = _manifest(run, stage, lm)
    served = loaded(manifest, files)
    tell("comparing the package with the network")
    require_same(served.model, rounded(lm))
    metrics = {cards.CHANGED: changed(lm, served)}
    for told in read:
        _require_of(told, (served.name, lm.digest()))
        metrics |= metrics_of(told)
    manifest = replace(manifest, metrics=metrics)
    config = lm.network.config
    texts = {
        MODEL_CARD: cards.model_card(manifest, config, run.stages, run.record, read),  # type: ignore[arg-type]
        DATA_CARD: cards.data_card(manifest, run.record, run.corpus),
    }
    try:
        return model_package.write(out, manifest, files | {name: text.encode() for name, text in texts.items()})
    except (PackageError, OSError) as error:
        raise ShippingError(str(error)) from error


def judge_anew(folder: Path, evaluations: Sequence[Path], out: Path) -> Manifest:
    """Write a package once more, with figures of these evaluations instead of its own: the twin may have changed.

    ShippingError where there are none, or they were said of another model, or the package is not to be had.
    """
    if not evaluations:
        raise ShippingError(f"{folder} is a package already; name new figures of it by --evaluation")
    read = [_evaluation(path) for path in evaluations]
    try:
        served = package.load(folder)
        manifest, files = model_package.load(folder, kind=KIND)
        metrics = {name: item for name, item in manifest.metrics.items() if name == cards.CHANGED}
        for told in read:
            _require_of(told, (served.name,))
            metrics |= metrics_of(told)
        manifest = replace(manifest, metrics=metrics)
        if MODEL_CARD in files:
            files[MODEL_CARD] = cards.judged_anew(files[MODEL_CARD].decode(), manifest, read).encode()
        return model_package.write(out, manifest, files)
    except (PackageError, OSError, ValueError) as error:
        raise ShippingError(f"{folder}: {error}") from error


def files_of(lm: Lm) -> dict[str, bytes]:
    """A model as `transformers` reads it, in half precision, and its graph; ShippingError if it is too large."""
    from safetensors.numpy import load

    if (million := lm.parameters_million()) > MOST_MILLION:
        raise ShippingError(
            f"the model has {million:.0f} million weights, a package at most {MOST_MILLION:.0f}; "
            "serve its folder by an OpenAI-compatible server"
        )
    half = Lm(lm.tokenizer, copy.deepcopy(lm.network).half())
    with tempfile.TemporaryDirectory() as name:
        half.save(Path(name))
        files = {item.name: item.read_bytes() for item in Path(name).iterdir()}
    vocabulary: int = lm.network.config.vocab_size  # type: ignore[union-attr, assignment]
    return files | {
        TOKENIZER: _known(files[TOKENIZER], vocabulary),
        GRAPH: graph(half.network.float(), load(files[WEIGHTS]).keys()),
    }


def _known(tokenizer: bytes, vocabulary: int) -> bytes:
    """A tokenizer with the network's tokens alone: `transformers` adds one of its own when it loads one."""
    told = json.loads(tokenizer)
    told["added_tokens"] = [token for token in told["added_tokens"] if token["id"] < vocabulary]
    return json.dumps(told, ensure_ascii=False).encode()


def rounded(lm: Lm) -> Lm:
    """The same with weights as a package stores them."""
    return Lm(lm.tokenizer, copy.deepcopy(lm.network).half().float())


def loaded(manifest: Manifest, files: Mapping[str, bytes]) -> ModelWriter:
    """The package as the rApp would load it; ShippingError where it refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            model_package.write(Path(folder), manifest, files)
            return package.load(Path(folder))
        except PackageError as error:
            raise ShippingError(f"the rApp does not take the package: {error}") from error


def require_same(served: Model, lm: Lm) -> None:
    """Refuse a package whose logits are not those of a network with the same weights; raises ShippingError."""
    prompts = [lm.encode(Asked().prompt(draw(FIRST_SEED + place))) for place in range(3)]
    sessions = [model.begin(prompts, 2) for model in (served, lm)]
    off = 0.0
    # Answers of unequal lengths, and one that waits.
    for rows in ([prompts[0][:5], (lm.end,)] * 3, [(), prompts[1][:9]] * 3, [(lm.end,)] * 6):
        ours, theirs = (session.feed(rows) for session in sessions)
        fed = [place for place, row in enumerate(rows) if row]
        off = max(off, float(np.abs(ours[fed] - theirs[fed]).max()))
    if not off <= MOST_DIFFERENCE:
        raise ShippingError(f"logits of the package differ from the network's by up to {off:.2g}")


def changed(lm: Lm, served: ModelWriter) -> Metric:
    """Share of the likeliest choices that the package takes otherwise than the network, on TASKS tasks."""
    asked = Asked(margin=served.margin)
    tasks = [draw(FIRST_SEED + place) for place in range(TASKS)]
    prompts = [asked.prompt(task) for task in tasks]
    models: tuple[Model, ...] = (lm, served.model)
    ours, theirs = (
        sample(model, prompts, [asked.script(task) for task in tasks], temperature=0.0) for model in models
    )
    shares = [
        np.mean([one.option != other.option for one, other in zip(mine.choices, its.choices, strict=True)])
        for mine, its in zip(ours, theirs, strict=True)
    ]
    found = Interval.of(np.array(shares))
    return Metric(found.mean, found.low, found.high)


def metrics_of(told: Mapping[str, object]) -> dict[str, Metric]:
    """The intervals of an evaluation by their names, after `cards.prefix_of`; completion by kind of demand too."""
    prefix, by = cards.prefix_of(told), told.get("by")
    groups = by.get("demand", {}) if isinstance(by, Mapping) else {}
    found = {f"{prefix}{name}": value for name, value in told.items()}
    found |= {f"{prefix}{name}.completion": figures.get("completion") for name, figures in groups.items()}
    return {
        name: Metric(*(float(value[end]) for end in ("mean", "low", "high")))
        for name, value in found.items()
        if isinstance(value, Mapping) and {"mean", "low", "high"} == value.keys()
    }


def _evaluation(path: Path) -> dict[str, object]:
    """The figures of an evaluation; ShippingError where a file holds none."""
    try:
        told = json.loads(path.read_text())
        metrics_of(told)
        if missing := {"tasks", "feasible"} - told.keys():
            raise KeyError(*missing)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ShippingError(f"{path} holds no figures of an evaluation: {error!r:.200}") from error
    assert isinstance(told, dict)
    return told


def _require_of(told: Mapping[str, object], names: tuple[str, ...]) -> None:
    """Refuse figures of another model; what entries are called ends with the digest of their weights."""
    entry = str(told.get("entry")).removesuffix(PROVED)
    if not entry.endswith(tuple(name.rpartition("@")[2] for name in names)):
        raise ShippingError(f"the figures are of {entry}; this model is {' or '.join(names)}")


def _manifest(run: Run, stage: str, lm: Lm) -> Manifest:
    record = run.record
    training: dict[str, Value] = {
        "stage": stage,
        "form": FORM,
        "margin": USUAL_MARGIN,
        "parameters_million": round(lm.parameters_million(), 3),
    }
    if record is not None:
        training |= {**record.config, "twin_tables": record.twin_tables}
    return Manifest(
        name=NAME,
        version=VERSION,
        kind=KIND,
        inputs=INPUTS,
        outputs=OUTPUTS,
        training=training,
        commit="" if record is None else record.commit,
        twin_version="" if record is None else record.twin_version,
    )
