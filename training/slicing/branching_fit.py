"""Fitting to branched futures: first what each split brings each slice, and then an actor that does what is best.

What splits bring is learnt slice by slice, kept promises and deviations apart, so that how much each of them
counts is free to choose afterwards, without new futures.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.slicing.branching import Branched
from training.slicing.networks import Actor, entry, share_of
from training.slicing.representation import Representation
from xapps.slicing.state import KINDS

Tell = Callable[[str, int, float], None]
"""Hears what is fitted, the step and the loss."""
_WEIGHT = KINDS.index("weight")
TOLD_EVERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What counts: the slicing reward, and kept promises beside it."""

    satisfaction_weight: float = 4.0
    """What a kept promise adds to the slicing reward."""
    care: tuple[float, ...] = ()
    """What a kept promise of each slice counts further, e.g. so that none falls below what static quotas keep."""

    def of(self, brought: Tensor, weight: Tensor) -> Tensor:
        """Worth of what is brought [..., slices, 2] to slices of some weight [..., slices]: [...]."""
        care = weight.new_tensor(self.care or (0.0,) * weight.shape[-1])
        kept, deviation = brought.unbind(dim=-1)
        total: Tensor = ((self.satisfaction_weight * weight + care) * kept + weight * deviation).sum(dim=-1)
        return total


class Advantage(nn.Module):
    """What a split brings each slice, beside what others bring it, by what is seen of the cell."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.slice = entry(width + 1, hidden)
        self.told = nn.Sequential(
            nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2)
        )

    def forward(self, seen: Tensor, share: Tensor) -> Tensor:
        """[..., slices, width] and shares [..., slices] -> [..., slices, 2]."""
        each = self.slice(torch.cat((seen, share.unsqueeze(-1)), dim=-1))
        whole = each.mean(dim=-2, keepdim=True).expand_as(each)
        told: Tensor = self.told(torch.cat((each, whole), dim=-1))
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """How long and how wide."""

    hidden: int = 128
    steps: int = 6000
    """Of the advantage; the actor takes half as many."""
    batch: int = 256
    learning_rate: float = 1e-3


def fit_advantage(
    representation: Representation, known: Branched, fitting: Fitting, *, seed: int, tell: Tell
) -> Advantage:
    """Learn differences between the splits tried in one state."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    advantage = Advantage(representation.width, fitting.hidden)
    brought = known.brought - known.brought.mean(dim=1, keepdim=True)
    scale = brought.std(dim=(0, 1, 2))

    def error(step: int) -> Tensor:
        pick = torch.randint(len(known), (fitting.batch,), generator=draw)
        seen = representation(known.seen.at(pick)).unsqueeze(1)
        tried = known.tried[pick]
        told = advantage(seen.expand(*tried.shape, -1), tried)
        missed = told - told.mean(dim=1, keepdim=True) - brought[pick]
        loss: Tensor = (missed / scale).square().mean()
        return loss

    _descend(
        advantage, error, fitting.steps, fitting.learning_rate, lambda step, value: tell("advantage", step, value)
    )
    return advantage.requires_grad_(False).eval()


def fit_actor(
    representation: Representation,
    advantage: Advantage,
    known: Branched,
    worth: Worth,
    fitting: Fitting,
    *,
    seed: int,
    tell: Tell,
) -> Actor:
    """Let an actor do what is worth most by the advantage, in the states seen."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    actor = Actor(representation.width, fitting.hidden)

    def loss(step: int) -> Tensor:
        seen = known.seen.at(torch.randint(len(known), (fitting.batch,), generator=draw))
        told = representation(seen)
        share = share_of(actor.best(told))
        return -worth.of(advantage(told, share), seen.features[..., _WEIGHT]).mean()

    _descend(
        actor, loss, fitting.steps // 2, fitting.learning_rate, lambda step, value: tell("actor", step, value)
    )
    return actor.eval()


def _descend(
    network: nn.Module,
    loss: Callable[[int], Tensor],
    steps: int,
    learning_rate: float,
    tell: Callable[[int, float], None],
) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        now = loss(step)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(now)
        optimiser.step()
        schedule.step()
        if (step + 1) % TOLD_EVERY == 0:
            tell(step + 1, float(now.detach()))
