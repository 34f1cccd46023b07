"""Policy: how likely a model finds the choices of given answers, among those that the grammar allowed.

The grammar's mask stands in the loss as it does in sampling and in use: a model is never taught against tokens
that it could not have chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rapps.orchestrator.decoding import Sample
from training.orchestrator.lm import Lm
from training.orchestrator.supervised import head, hidden_states


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """The decisions of answers in rows, for a network."""

    ids: Tensor
    """Prompts and answers, padded: int64 [answers, length]."""
    mask: Tensor
    row: Tensor
    """Which answer a decision is of: int64 [decisions]."""
    place: Tensor
    """The token after which it is made: int64 [decisions]."""
    allowed: Tensor
    """Tokens to choose from, padded: int64 [decisions, options]."""
    barred: Tensor
    """Which of these are padding: bool [decisions, options]."""
    picked: Tensor
    """Which option was chosen: int64 [decisions]."""

    @classmethod
    def of(cls, lm: Lm, samples: Sequence[Sample]) -> "Decided":
        """Of answers."""
        batch = lm.batch([sample.prompt + sample.ids for sample in samples])
        told = [(row, sample, item) for row, sample in enumerate(samples) for item in sample.decisions]
        most = max(len(item.allowed) for _, _, item in told)
        allowed = torch.zeros((len(told), most), dtype=torch.long)
        barred = torch.ones((len(told), most), dtype=torch.bool)
        for number, (_, _, item) in enumerate(told):
            allowed[number, : len(item.allowed)] = torch.tensor(item.allowed)
            barred[number, : len(item.allowed)] = False
        columns = (
            [row for row, _, _ in told],
            [len(sample.prompt) + item.place - 1 for _, sample, item in told],
            [item.allowed.index(sample.ids[item.place]) for _, sample, item in told],
        )
        row, place, picked = (torch.tensor(column).to(lm.device) for column in columns)
        return cls(batch.ids, batch.mask, row, place, allowed.to(lm.device), barred.to(lm.device), picked)


class Policy(nn.Module):
    """A network that chooses."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, decided: Decided) -> Tensor:
        """Logarithms of the likelihood of every option, -inf where there is none: [decisions, options]."""
        hidden = hidden_states(self.network, decided.ids, decided.mask)[decided.row, decided.place]
        logits = head(self.network)(hidden).float().gather(1, decided.allowed)
        likely: Tensor = logits.masked_fill(decided.barred, -torch.inf).log_softmax(dim=-1)
        return likely


class Critic(nn.Module):
    """A backbone with a value head: the reward that it expects where a choice is made."""

    def __init__(self, backbone: nn.Module, width: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.value = nn.Linear(width, 1)
        nn.init.zeros_(self.value.weight)
        nn.init.zeros_(self.value.bias)

    def forward(self, decided: Decided) -> Tensor:
        """[decisions]"""
        hidden = self.backbone(input_ids=decided.ids, attention_mask=decided.mask, use_cache=False)[0]
        worth: Tensor = self.value(hidden[decided.row, decided.place]).squeeze(-1).float()
        return worth


def entropy(likely: Tensor) -> Tensor:
    """Of each decision, in nats: logarithms [decisions, options] -> [decisions]."""
    shares = likely.exp()
    return -(shares * likely.masked_fill(shares == 0, 0.0)).sum(dim=-1)
