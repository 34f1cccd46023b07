"""Ranks: the processes that share a training's batches and rollouts, the first of which writes.

One process is the usual case, for which nothing here does anything. `accelerate launch` starts more
(docs/scale_llm.md). Each then has the whole network, or, by DeepSpeed's ZeRO-3, what learns is cut among them; a
whole copy stays beside it there, to sample from and to be saved.
"""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import broadcast_object_list, gather_object, reduce
from torch import Tensor, nn

from training.orchestrator.errors import StageError

Item = TypeVar("Item")
Made = TypeVar("Made")
PATIENCE = timedelta(hours=6)
"""How long ranks wait for each other, for one of them may fetch a foundation or read a corpus alone."""


@dataclass(frozen=True, slots=True)
class MicroBatch(Generic[Item]):
    """A rank's part of a batch."""

    rows: Sequence[Item]
    weight: float
    """How many ranks gradients are averaged over; 0 where a rank only goes along, for no row was left for it."""
    last: bool


def count() -> int:
    """How many there are."""
    return int(_state().num_processes)


def number() -> int:
    """Which one this is."""
    return int(_state().process_index)


def device() -> torch.device:
    """Where this one's networks lie."""
    found: torch.device = _state().device
    return found


def wait() -> None:
    """Until all are here."""
    _state().wait_for_everyone()


def part() -> None:
    """At the end, when all are here: a process that ends while it still listens for others may abort."""
    if count() > 1:
        wait()
        _state().destroy_process_group()


def from_first(make: Callable[[], Item]) -> Item:
    """What the first rank makes, in all of them."""
    if count() == 1:
        return make()
    told: list[Item | None] = [make() if number() == 0 else None]
    broadcast_object_list(told)
    return told[0]  # type: ignore[return-value]


def shared(rows: Sequence[Item], do: Callable[[Sequence[Item]], list[Made]]) -> list[Made]:
    """What ranks make of rows, each of its own part of them, one after the other."""
    if count() == 1:
        return do(rows)
    if len(rows) < count():
        raise StageError(f"{len(rows)} tasks cannot be shared by {count()} processes; give each at least one")
    cuts = [len(rows) * rank // count() for rank in range(count() + 1)]
    found: list[Made] = gather_object(do(rows[cuts[number()] : cuts[number() + 1]]))
    return found


def mean(*values: float) -> tuple[float, ...]:
    """Of numbers that each rank has."""
    if count() == 1:
        return values
    told = torch.tensor(values, dtype=torch.float64, device=device())
    found: list[float] = reduce(told, "mean").tolist()
    return tuple(found)


def micro_batches(rows: Sequence[Item], size: int) -> Iterator[MicroBatch[Item]]:
    """This rank's part of a batch in micro-batches, of which all ranks have as many."""
    ranks = count()
    starts = range(0, len(rows), size * ranks)
    for start in starts:
        own = rows[start : start + size * ranks][number() :: ranks]
        there = len(own) > 0
        yield MicroBatch(own if there else rows[:1], float(ranks) if there else 0.0, start == starts[-1])


def accelerator(micro_batch: int, clip: float) -> Accelerator:
    """What places a training on devices; DeepSpeed is told what its file leaves to the stage."""
    _state()
    found = Accelerator()
    if sharded():
        # Micro-batches are counted here: gradients are divided by the batch's tokens, not by their number.
        found.state.deepspeed_plugin.deepspeed_config |= {
            "train_micro_batch_size_per_gpu": micro_batch,
            "gradient_accumulation_steps": 1,
            "train_batch_size": micro_batch * count(),
            "gradient_clipping": clip,
        }
    return found


@contextlib.contextmanager
def accumulating(accelerator: Accelerator, model: nn.Module, last: bool) -> Iterator[None]:
    """Forward and backward pass of a micro-batch; ranks exchange gradients in a batch's last."""
    accelerator.sync_gradients = last
    with contextlib.nullcontext() if last else accelerator.no_sync(model):
        yield


def sharded() -> bool:
    """Whether each rank holds a part only of what learns."""
    return bool(os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() == "true")


def load_whole() -> None:
    """Have `transformers` load networks whole: once one learns in parts `accelerate` tells it to cut any other."""
    if sharded():
        from transformers.integrations.deepspeed import unset_hf_deepspeed_config

        unset_hf_deepspeed_config()  # type: ignore[no-untyped-call]


def to_learn(network: nn.Module) -> nn.Module:
    """What learns in a network's place: itself, or a copy where that will be cut among ranks."""
    network.to(device())
    return copy.deepcopy(network) if sharded() else network


def refresh(network: nn.Module, learnt: nn.Module) -> None:
    """Bring into a network what `to_learn` gave for it has learnt."""
    if network is not learnt:
        # By name, for what learnt may have been given adapters for a reference since.
        new = dict(learnt.named_parameters())
        copied((new[name], item) for name, item in network.named_parameters() if new[name].requires_grad)


@torch.no_grad()
def copied(pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Copy each first into its second, wherever their parts are."""
    for source, target in pairs:
        with _whole(source, target):
            target.copy_(source)


def _whole(source: Tensor, target: Tensor) -> contextlib.AbstractContextManager[None]:
    if not any(hasattr(item, "ds_id") for item in (source, target)):
        return contextlib.nullcontext()
    from deepspeed import zero

    # What a rank changes in a whole parameter is kept only if the others are told who did.
    found: contextlib.AbstractContextManager[None] = zero.GatheredParameters(
        [source, target], modifier_rank=0 if hasattr(target, "ds_id") else None
    )
    return found


def _state() -> PartialState:
    cpu = os.environ.get("ACCELERATE_USE_CPU", "false").lower() == "true"
    return PartialState(cpu, timeout=PATIENCE)
