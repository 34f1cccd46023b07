"""Cards: what a package's reader is told of its model and its data, from what training and evaluations know."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from oran.model_package import Manifest, Metric
from training.orchestrator.corpus.report import Report
from training.orchestrator.presets import PRESETS
from training.orchestrator.proved_entry import PROVED
from training.orchestrator.record import Record
from training.orchestrator.tasks.catalogue import services
from training.orchestrator.validation import FIRST_SEED

if TYPE_CHECKING:
    from transformers import PretrainedConfig

CHANGED = "changed_by_half_precision"
"""The metric of what half precision costs: the share of choices that come out otherwise than as trained."""
WIDTH = 100
_EVALUATION, _AFTER = "## Evaluation", "## Precision"
_STAGE_FIGURES = ("validated", "validated explicit", "validated score", "validated reward", "understood")
_USE = """
The model only chooses: it is held to the grammar of `rapps.orchestrator.grammar`, while tools read quantities and
compute the budget, with a planning margin of {margin:g}. It answers nothing else, holds no conversation and reads
English. Its plans are checked by the link twin, not by a live link: what the twin does not know of a site, a plan
does not know either.
"""
_VALIDATED = """
What the stages came to on validation tasks: the likeliest answers, judged at T0 without a margin. This package
holds the stage `{stage}`.
"""
_PRECISION = """
Weights are stored in half precision and computed with in float32. Of the likeliest choices on validation tasks
{changed} come out otherwise than with the weights as they were trained.
"""
_TASKS = """
Tasks are drawn from `training/orchestrator/tasks`: {services} services in {verticals} verticals, each with the
ranges of its demand and their source, in wordings written for this project. Questions with reasoning come from
`training/orchestrator/instructions`. A seed gives one task; trainings draw seeds below {first:,}, validation from
there on. What plans are worth is said by the link twin; no plan of its oracle is learnt from.
"""
_LEFT_OUT = """
The held-out services, wordings and equipment states (`heldout.yaml`) are written by hand, frozen and in no
training. The sources `primers`, `toolkit`, `facts`, `plans` and `general` and all tasks were written for this
project or by its programs and hold nothing of persons. Other sources in the table are those of whoever trained.
"""


def model_card(
    manifest: Manifest,
    config: PretrainedConfig,
    stages: Mapping[str, Mapping[str, float]],
    record: Record | None,
    evaluations: Sequence[Mapping[str, object]],
) -> str:
    """What the model is, how it was made, how good it is and what it is not for."""
    about = (
        "Reads in plain language what a service needs of a 6G link, and chooses the link chain that delivers it "
        f"on the equipment at hand. A decoder as Qwen2's of {manifest.training['parameters_million']} million "
        f"weights: {config.num_hidden_layers} layers of width {config.hidden_size}, {config.num_attention_heads} "
        f"heads, {config.vocab_size} tokens. Licence: Apache-2.0."
    )
    lines = [f"# {manifest.name} {manifest.version}", "", _prose(about), "", "## Use", "```"]
    lines += ['$ ranloop ask "video from the ambulance, 20 Mbit/s within 75 ms, ber 1e-6"', "```"]
    lines += [_prose(_USE, margin=manifest.training["margin"]), "", "## Training", *_made(manifest, record), ""]
    lines += [*_table(("stage", *_STAGE_FIGURES), _stage_rows(stages)), ""]
    lines += [_prose(_VALIDATED, stage=manifest.training["stage"]), "", *_all_evaluated(evaluations, manifest)]
    lines += [_AFTER, _prose(_PRECISION, changed=_percent(manifest.metrics[CHANGED]))]
    return "\n".join(lines) + "\n"


def judged_anew(card: str, manifest: Manifest, evaluations: Sequence[Mapping[str, object]]) -> str:
    """A model card with other evaluations; ValueError where it has no place for them."""
    begin, end = card.index(f"{_EVALUATION}\n"), card.index(f"{_AFTER}\n")
    return card[:begin] + "\n".join(_all_evaluated(evaluations, manifest)) + "\n" + card[end:]


def data_card(manifest: Manifest, record: Record | None, corpus: Report | None) -> str:
    """What the model learnt from, and what it did not."""
    verticals = len({service.vertical for service in services()})
    lines = [f"# Data of {manifest.name} {manifest.version}", "", "## Corpus"]
    lines += _corpus(corpus) if corpus else ["The training's folder held no report of a corpus."]
    given = {} if record is None else record.config
    if given.get("foundation"):
        lines += ["", f"The weights to begin with were those of {given['foundation']}; see its own card."]
    if given.get("own_tasks"):
        lines += ["", f"Of the tasks a share of {given['own_share']} is the owner's own, of {given['own_tasks']}."]
    lines += ["", "## Tasks and questions"]
    lines += [_prose(_TASKS, services=len(services()), verticals=verticals, first=FIRST_SEED)]
    lines += ["", "## What is not in it", _prose(_LEFT_OUT)]
    return "\n".join(lines) + "\n"


def _made(manifest: Manifest, record: Record | None) -> Iterator[str]:
    """The commands, where a preset was trained as it is, and the code and the twin that it was trained with."""
    if record is None:
        yield "The training kept no record of its configuration."
        return
    name, seed = record.config.get("name"), record.config.get("seed")
    if _is_preset(record):
        yield "```"
        yield f"$ ranloop train orchestrator --preset {name} --seed {seed} --out RUN"
        yield f"$ ranloop export orchestrator RUN --stage {manifest.training['stage']} --out PACKAGE"
        yield "```"
    yield _prose(
        f"Configuration `{name}`, seed {seed}, all of whose values are in `manifest.json`; commit "
        f"{record.commit or 'unknown'}, twin {record.twin_version or 'unknown'}, its tables "
        f"{record.twin_tables[:12]}."
    )


def _is_preset(record: Record) -> bool:
    """Whether naming the preset trains the same again; how many processes ask the twin does not matter."""
    preset, seed = PRESETS.get(str(record.config.get("name"))), record.config.get("seed")
    if preset is None or not isinstance(seed, int):
        return False
    now = Record.of(replace(preset, seed=seed)).config
    return all(now.get(key) == value for key, value in record.config.items() if key != "twin_workers")


def _stage_rows(stages: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str, ...]]:
    for stage, figures in stages.items():
        told = (figures.get(name) for name in _STAGE_FIGURES)
        yield (stage, *("-" if value is None else f"{value:.3f}" for value in told))


def prefix_of(told: Mapping[str, object]) -> str:
    """What the names of an evaluation's figures begin with: its tier, and whether plans were proved."""
    proved = " proved" if str(told["entry"]).endswith(PROVED) else ""
    return f"{told['tier']}{proved}."


def _all_evaluated(evaluations: Sequence[Mapping[str, object]], manifest: Manifest) -> Iterator[str]:
    yield _EVALUATION
    for told in evaluations:
        yield from _evaluated(told, manifest)
        yield ""
    if not evaluations:
        yield from ("No evaluation was told when the package was made.", "")


def _evaluated(told: Mapping[str, object], manifest: Manifest) -> Iterator[str]:
    tier = told["tier"]
    yield f"`{told['entry']}` on {told['tasks']} tasks at {tier}, {told['feasible']} of them feasible:"
    yield ""
    prefix = prefix_of(told)
    mine = {name.removeprefix(prefix): item for name, item in manifest.metrics.items() if name.startswith(prefix)}
    yield from _table(("figure", "value (95 % interval)"), ((name, _said(item)) for name, item in mine.items()))
    others = told.get("others")
    if isinstance(others, Sequence) and others:
        yield ""
        rows = ((str(other["entry"]), _completion(other["completion"])) for other in others)
        yield from _table(("others on the same tasks", "completion"), rows)


def _corpus(report: Report) -> Iterator[str]:
    rows = (
        (
            PurePath(name).name,
            source.kind,
            str(source.files),
            str(source.kept.documents),
            str(source.kept.characters),
        )
        for name, source in report.sources.items()
    )
    yield from _table(("source", "kind", "files", "documents kept", "characters kept"), rows)
    yield ""
    yield _prose(
        f"{report.domain_share_reached:.0%} of the characters in the mix are of the domain; general text is in it "
        f"{report.general_passes:.3g} times. Build {report.build}, seed {report.seed}."
    )


def _completion(interval: object) -> str:
    return (
        "-"
        if not isinstance(interval, Mapping)
        else _said(Metric(*(interval[k] for k in ("mean", "low", "high"))))
    )


def _prose(text: str, **told: object) -> str:
    """A paragraph in lines of WIDTH."""
    return textwrap.fill(" ".join(text.format(**told).split()), WIDTH)


def _percent(metric: Metric) -> str:
    value, low, high = (f"{100 * item:.2f}" for item in (metric.value, metric.low, metric.high))
    return f"{value} % (95 %: {low}..{high})"


def _said(metric: Metric) -> str:
    return f"{metric.value:.3f} ({metric.low:.3f}..{metric.high:.3f})"


def _table(columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
