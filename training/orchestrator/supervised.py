"""Supervised: learning to write given texts, for pre-training, instructions and what rejection sampling kept.

The run is made of steps, each on a batch that its number alone decides, so a run that was cut off goes on from its
last checkpoint as if nothing had happened. `accelerate` places it on whatever there is: one core, or eight GPUs by
DeepSpeed's ZeRO-3 (docs/scale_llm.md).
"""

import json
import math
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from training.orchestrator import ranks
from training.orchestrator.errors import OrchestratorError, StageError
from training.orchestrator.lm import KEEP_OUT, Batch, Lm

CHECKPOINT, CURVE = "checkpoint", "curve.jsonl"


@dataclass(frozen=True, slots=True)
class Example:
    """A text in tokens, and its labels: KEEP_OUT where nothing is to be learnt."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]


Draw = Callable[[int], Sequence[Example]]
"""The batch of a step, the same whenever it is asked for."""
Row = dict[str, float]
Tell = Callable[[Row], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisedConfig:
    """How to learn; OrchestratorError for values that cannot be."""

    steps: int
    learning_rate: float = 1.5e-3
    warm_up: float = 0.03
    """Share of the steps in which the learning rate rises."""
    last_rate: float = 0.05
    """Share of the learning rate that is left at the end of its cosine."""
    weight_decay: float = 0.01
    clip: float = 1.0
    micro_batch: int = 64
    """Texts in a process's forward pass; a step's batch is done in as many as it takes."""
    bf16: bool = True
    checkpoint_every: int = 200
    log_every: int = 10

    def __post_init__(self) -> None:
        for name in ("steps", "learning_rate", "clip", "micro_batch", "checkpoint_every", "log_every"):
            if not getattr(self, name) > 0:
                raise OrchestratorError(f"{name} is {getattr(self, name)}; it must be above 0")
        if not (0.0 <= self.warm_up < 1.0 and 0.0 <= self.last_rate <= 1.0):
            raise OrchestratorError("warm_up and last_rate must lie in 0..1")

    def rate(self, step: int) -> float:
        """The learning rate of a step: a linear rise, then a cosine."""
        rise = max(1.0, self.warm_up * self.steps)
        if step < rise:
            return self.learning_rate * (step + 1) / rise
        share = (step - rise) / max(1.0, self.steps - rise)
        falling = 0.5 * (1.0 + math.cos(math.pi * min(1.0, share)))
        return self.learning_rate * (self.last_rate + (1.0 - self.last_rate) * falling)


def fit(lm: Lm, draw: Draw, config: SupervisedConfig, folder: Path, tell: Tell | None = None) -> list[Row]:
    """Train the network in place and give the curve; goes on from the folder's checkpoint, if there is one."""
    accelerator = ranks.accelerator(config.micro_batch, config.clip)
    network = ranks.to_learn(lm.network)
    learning = [item for item in network.parameters() if item.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=config.learning_rate, weight_decay=config.weight_decay)
    learner, optimiser = accelerator.prepare(Learner(network), optimiser)
    begin, curve = resume(accelerator, folder, config.steps)
    learner.train()
    for step in range(begin, config.steps):
        for group in optimiser.param_groups:
            group["lr"] = config.rate(step)
        row = _step(accelerator, learner, optimiser, lm, draw(step), config)
        if (step + 1) % config.log_every == 0 or step + 1 == config.steps:
            curve.append({"step": step + 1, "rate": config.rate(step), **row})
            if tell:
                tell(curve[-1])
        if (step + 1) % config.checkpoint_every == 0 and step + 1 < config.steps:
            keep(accelerator, folder, step + 1, curve)
    learner.eval()
    ranks.refresh(lm.network, network)
    write_rows(folder / CURVE, curve)
    accelerator.free_memory()
    return curve


def _step(
    accelerator: Accelerator,
    learner: nn.Module,
    optimiser: torch.optim.Optimizer,
    lm: Lm,
    examples: Sequence[Example],
    config: SupervisedConfig,
) -> Row:
    """One update from one batch; the loss is the mean over its labelled tokens."""
    # Alike lengths together, so that little is padding.
    ordered = sorted(examples, key=lambda example: len(example.ids))
    labelled = sum(label != KEEP_OUT for example in ordered for label in example.labels[1:])
    own = 0.0
    for part in ranks.micro_batches(ordered, config.micro_batch):
        batch = lm.batch([example.ids for example in part.rows], [example.labels for example in part.rows])
        with ranks.accumulating(accelerator, learner, part.last):
            with autocast(accelerator, config.bf16):
                loss = learner(batch) * part.weight / max(1, labelled)
            accelerator.backward(loss)
        own += float(loss.detach())
    (total,) = ranks.mean(own)
    norm = accelerator.clip_grad_norm_(learner.parameters(), config.clip)
    if not math.isfinite(total):
        raise StageError("the loss is no number; take a smaller learning rate, or float32 (bf16: false)")
    optimiser.step()
    optimiser.zero_grad()
    return {"loss": total, "gradient": float(norm), "tokens": float(labelled)}


def autocast(accelerator: Accelerator, bf16: bool) -> torch.autocast:
    """Half precision where it is wanted; not by the accelerator, whose precision is one for a whole process.

    A CPU that has no instructions for it would take four times as long as in full precision, which it keeps.
    """
    kind = accelerator.device.type
    return torch.autocast(kind, torch.bfloat16, enabled=bf16 and (kind != "cpu" or _computes_bf16()))


@cache
def _computes_bf16() -> bool:
    has = torch.cpu.get_capabilities()
    return any(has.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))


class Learner(nn.Module):
    """A network and its loss in one module, as whatever spreads it over devices wants it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> Tensor:
        """Sum over labelled tokens of minus the logarithm of their likelihood."""
        hidden = hidden_states(self.network, batch.ids, batch.mask)[:, :-1]
        wanted = batch.labels[:, 1:]
        rows = wanted != KEEP_OUT
        # The vocabulary is wide: logits only where they count.
        logits = head(self.network)(hidden[rows]).float()
        return nn.functional.cross_entropy(logits, wanted[rows], reduction="sum")


def hidden_states(network: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """What the network's backbone makes of tokens [rows, length]: [rows, length, width]."""
    out: Tensor = network.get_decoder()(input_ids=ids, attention_mask=mask, use_cache=False)[0]  # type: ignore[operator]
    return out


def head(network: nn.Module) -> nn.Module:
    """What makes logits of hidden states."""
    found: nn.Module = network.get_output_embeddings()  # type: ignore[operator]
    return found


def keep(accelerator: Accelerator, folder: Path, step: int, curve: Sequence[Row]) -> None:
    """Write a checkpoint in the place of the last, at once or not at all."""
    new, old = folder / f"{CHECKPOINT}.new", folder / CHECKPOINT
    if accelerator.is_main_process:
        shutil.rmtree(new, ignore_errors=True)
    accelerator.wait_for_everyone()
    accelerator.save_state(str(new))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        (new / "progress.json").write_text(json.dumps({"step": step, "curve": list(curve)}))
        gone = folder / f"{CHECKPOINT}.old"
        shutil.rmtree(gone, ignore_errors=True)
        if old.exists():
            old.rename(gone)
        new.rename(old)
        shutil.rmtree(gone, ignore_errors=True)
    accelerator.wait_for_everyone()


def resume(accelerator: Accelerator, folder: Path, steps: int) -> tuple[int, list[Row]]:
    """The step to begin with and the curve so far, from the last checkpoint, if there is one."""
    found = next((path for name in ("", ".old") if (path := folder / f"{CHECKPOINT}{name}").exists()), None)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        return 0, []
    progress = json.loads((found / "progress.json").read_text())
    if progress["step"] > steps:
        raise StageError(f"{found} is of step {progress['step']}, beyond the {steps} asked for; remove it")
    accelerator.load_state(str(found))
    return progress["step"], progress["curve"]


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Rows as JSONL, at once or not at all; by the first rank alone."""
    if ranks.number() != 0:
        return
    partial = path.with_name(f"{path.name}.new")
    partial.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    os.replace(partial, path)


def read_rows(path: Path) -> list[Row]:
    """Rows as they were written; none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
