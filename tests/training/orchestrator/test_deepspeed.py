"""The files for eight GPUs, as far as they can be read without one."""

import json
from pathlib import Path

import pytest
import yaml
from accelerate import DeepSpeedPlugin
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.state import PartialState

from training.orchestrator import ranks

FOLDER = Path(ranks.__file__).parent / "deepspeed"


def test_accelerate_reads_the_launcher_s_file() -> None:
    config = load_config_from_file(str(FOLDER / "zero3.yaml"))
    assert config.distributed_type == "DEEPSPEED"
    assert config.num_processes == 8
    told = yaml.safe_load((FOLDER / "zero3.yaml").read_text())["deepspeed_config"]
    assert Path(told["deepspeed_config_file"]).resolve() == (FOLDER / "zero3.json").resolve()
    assert told["zero3_init_flag"] is False


def test_the_plugin_takes_deepspeed_s_file_and_a_stage_s_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = DeepSpeedPlugin(hf_ds_config=str(FOLDER / "zero3.json"), zero3_init_flag=False)
    assert plugin.zero_stage == 3
    assert plugin.deepspeed_config["bf16"]["enabled"]

    class Accelerator:
        state = type("State", (), {"deepspeed_plugin": plugin})

    monkeypatch.setattr(ranks, "Accelerator", Accelerator)
    monkeypatch.setattr(ranks, "sharded", lambda: True)
    monkeypatch.setattr(ranks, "count", lambda: 8)
    ranks.accelerator(4, 0.5)
    told = plugin.deepspeed_config
    product = told["train_micro_batch_size_per_gpu"] * told["gradient_accumulation_steps"] * 8
    assert told["train_batch_size"] == product == 32
    assert told["gradient_clipping"] == 0.5
    assert "auto" not in json.dumps(told)
    assert PartialState().num_processes == 1
