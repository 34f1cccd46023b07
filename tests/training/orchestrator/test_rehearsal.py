import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ranloop.cli import app
from training.orchestrator import rehearsal
from training.orchestrator.errors import OrchestratorError
from training.orchestrator.lm import Held
from training.orchestrator.memory import Weights
from training.orchestrator.pipeline import STAGES
from training.orchestrator.presets import FASTER, PRESETS, with_adapters

QWEN = PRESETS["qwen7b"]
GPUS = 8


def test_the_preset_s_shape_has_seven_billion_weights() -> None:
    assert Weights.of(rehearsal.shape(QWEN), Held()).all == 7_615_616_512


def test_batches_are_even_on_the_gpus_of_the_file() -> None:
    batches = {
        "pretraining": (QWEN.pretraining.batch, QWEN.pretraining.learning.micro_batch),
        "instruction": (QWEN.instruction.batch, QWEN.instruction.learning.micro_batch),
        "rejection": (QWEN.rejection.batch, QWEN.rejection.micro_batch),
        "rldtf": (QWEN.rldtf.tasks * QWEN.rldtf.each // QWEN.rldtf.minibatches, QWEN.rldtf.micro_batch),
    }
    for batch, micro in batches.values():
        accumulation, rest = divmod(batch, GPUS * micro)
        assert accumulation >= 1
        assert rest == 0
    assert QWEN.rldtf.tasks % GPUS == 0


@pytest.mark.parametrize("name", PRESETS)
def test_a_rehearsal_has_the_shape_and_hardly_a_step(name: str) -> None:
    config = PRESETS[name]
    found = rehearsal.rehearsed(config)
    assert found.foundation is None
    assert (found.edge.width, found.edge.inner) == (config.edge.width, config.edge.inner)
    assert found.edge.layers <= rehearsal.LAYERS
    assert found.held == config.held
    assert found.pretraining.learning.steps + found.instruction.learning.steps + found.rldtf.steps <= 6


def test_the_seven_billion_fit_eight_gpus_of_80_gb_and_one_with_adapters() -> None:
    rows = {(row.gpus, row.lora): row.memory.total for row in rehearsal.memories(QWEN)}
    assert rows[8, False] < 0.9 * 80e9 < rows[1, False]
    assert rows[1, True] < 0.9 * 80e9
    assert all(rows[gpus, True] < rows[gpus, False] for gpus, _ in rows)


def test_a_foundation_s_folder_tells_its_sizes_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    told = {"model_type": "qwen2", "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    (tmp_path / "config.json").write_text(json.dumps(told))
    cpu = PRESETS["cpu"]
    assert rehearsal.shape(replace(cpu, foundation=str(tmp_path))).num_hidden_layers == 3
    with pytest.raises(OrchestratorError, match="tells no sizes"):
        rehearsal.shape(replace(cpu, foundation=str(tmp_path / "none")))


def test_adapters_learn_faster() -> None:
    found = with_adapters(QWEN, 8)
    assert found.held.lora is not None
    assert found.held.lora.rank == 8
    assert found.rldtf.learning_rate == FASTER * QWEN.rldtf.learning_rate


def test_half_precision_without_deepspeed_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "orchestrator", "--preset", "qwen7b", "--out", str(tmp_path)])
    assert result.exit_code != 0
    assert "--lora 16" in str(result.exception)


@pytest.mark.slow
@pytest.mark.parametrize("lora", [[], ["--lora", "4"]])
def test_a_dry_run_goes_through_every_stage_and_tells_the_memory(
    lora: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = replace(QWEN, edge=replace(QWEN.edge, width=128, heads=4, key_value_heads=2, inner=256))
    monkeypatch.setattr("training.orchestrator.presets.PRESETS", {"qwen7b": narrow})
    command = ["train", "orchestrator", "--preset", "qwen7b", "--dry-run", "--json", *lora]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    told = json.loads(result.stdout.splitlines()[-1])
    assert set(told["stages"]) == set(STAGES)
    assert [(row["gpus"], row["lora"]) for row in told["memory"]] == [
        (gpus, adapted) for adapted in (False, True) for gpus in rehearsal.GPUS
    ]


def test_a_rehearsal_hands_no_server_its_few_layers() -> None:
    config = replace(PRESETS["qwen7b"], vllm="http://127.0.0.1:9#served")
    assert rehearsal.rehearsed(config).vllm is None
