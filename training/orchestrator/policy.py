"""Policy: how likely a model finds the choices of given answers, among those that the grammar allowed.

The grammar's mask stands in the loss as it does in sampling and in use: a model is never taught against tokens
that it could not have chosen.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rapps.orchestrator.decoding import Sample
from training.orchestrator import adapters, ranks
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
        return self.likely(self.hidden(decided), decided)

    def hidden(self, decided: Decided) -> Tensor:
        """What decisions are made of [decisions, width]."""
        return hidden_states(self.network, decided.ids, decided.mask)[decided.row, decided.place]

    def likely(self, hidden: Tensor, decided: Decided) -> Tensor:
        """The same of what `hidden` gave."""
        logits = head(self.network)(hidden).float().gather(1, decided.allowed)
        likely: Tensor = logits.masked_fill(decided.barred, -torch.inf).log_softmax(dim=-1)
        return likely


class Critic(nn.Module):
    """A value head, with a backbone of its own or on the policy's: the reward expected where a choice is made."""

    def __init__(self, backbone: nn.Module | None, width: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.value = nn.Linear(width, 1)
        nn.init.zeros_(self.value.weight)
        nn.init.zeros_(self.value.bias)

    def forward(self, decided: Decided, hidden: Tensor) -> Tensor:
        """[decisions]; `hidden` is what the policy made of them."""
        if self.backbone is not None:
            whole = self.backbone(input_ids=decided.ids, attention_mask=decided.mask, use_cache=False)[0]
            hidden = whole[decided.row, decided.place]
        worth: Tensor = self.value(hidden.to(self.value.weight.dtype)).squeeze(-1).float()
        return worth


class Models(nn.Module):
    """Policy, critic and reference in one, as whatever spreads them over devices wants it.

    A network with adapters is there once: the reference is another set of them, the critic a head on the policy's.
    """

    def __init__(self, network: nn.Module, critic: bool) -> None:
        super().__init__()
        width: int = network.config.hidden_size  # type: ignore[union-attr, assignment]
        own = not adapters.there(network)
        self.policy = Policy(network)
        self.critic: Critic | None = None
        if critic:
            self.critic = Critic(copy.deepcopy(network.get_decoder()) if own else None, width)  # type: ignore[operator]
        self.reference: Policy | None = None
        if own:
            self.reference = Policy(copy.deepcopy(network)).requires_grad_(False)
        else:
            adapters.add_reference(network)
            self.resynchronise()

    def forward(
        self, decided: Decided, *, reference: bool = False, alone: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Likelihoods of options (logarithms) and values of what they are chosen in.

        With `reference` its likelihoods and no values, without gradients; with `alone` values teach no policy.
        """
        if reference:
            return self._before(decided), None
        hidden = self.policy.hidden(decided)
        worth = self.critic(decided, hidden.detach() if alone else hidden) if self.critic else None
        return self.policy.likely(hidden, decided), worth

    @torch.no_grad()
    def _before(self, decided: Decided) -> Tensor:
        found: Tensor
        if self.reference is not None:
            found = self.reference(decided)
            return found
        with adapters.as_reference(self.policy.network):
            found = self.policy(decided)
        return found

    def resynchronise(self) -> None:
        """Copy the policy into the reference."""
        network = self.policy.network
        pairs = zip(
            adapters.weights(network, adapters.LEARNT), adapters.weights(network, adapters.REFERENCE), strict=True
        )
        if self.reference is not None:
            pairs = zip(self.policy.parameters(), self.reference.parameters(), strict=True)
        ranks.copied(pairs)


def entropy(likely: Tensor) -> Tensor:
    """Of each decision, in nats: logarithms [decisions, options] -> [decisions]."""
    shares = likely.exp()
    return -(shares * likely.masked_fill(shares == 0, 0.0)).sum(dim=-1)
