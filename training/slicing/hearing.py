"""Hearing: what the operator's words make of the slices' weights, and an agent that goes by that.

Encoders turn texts into vectors, a reader tells intents from them, and what an agent is given is the mean weight
of each slice over the intents that a text may stand for, in the place of the weights in its numbers. An agent can
use no more than that (see `training.slicing.intents`): it is trained once, on weights, and then hears any reader.
"""

import copy
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from training.slicing.environment import Orders, Seen
from training.slicing.intents import KINDS, NAMES, WEIGHTS, Wording
from training.slicing.llm import Llm
from training.slicing.representation import Representation
from xapps.slicing.state import KINDS as FEATURE_KINDS

WEIGHT = FEATURE_KINDS.index("weight")
_WEIGHT_DEVIATION = 0.25
RANDOM_WIDTH = 384
MIXTURES, SHARPNESS = 120, 0.3
_STRESS = 2.0
"""What low-rank maps count, LoRA's alpha over the rank."""
_STANDARD, _CLIP = 2000, 1.0
"""Training texts by whose vectors all are standardised; the largest norm of a gradient."""
_SORTED, _NEAR = 8, 8.0
"""Batches that are sorted by length at once, and by how many letters that is left to chance."""


class Encoder(nn.Module):
    """Texts -> vectors [texts, width]."""

    width: int

    def meet(self, texts: Sequence[str]) -> None:
        """See the training texts before anything else."""

    def forward(self, texts: Sequence[str]) -> Tensor:
        """float32 [texts, width]"""
        raise NotImplementedError

    def learning(self) -> list[nn.Parameter]:
        """What of it is trained with the reader."""
        return [item for item in self.parameters() if item.requires_grad]


class Strings(Encoder):
    """A random vector for every string, drawn by its hash: tells texts apart and knows nothing of them."""

    def __init__(self, width: int = RANDOM_WIDTH) -> None:
        super().__init__()
        self.width = width

    def forward(self, texts: Sequence[str]) -> Tensor:
        """float32 [texts, width]"""
        draw = torch.Generator()
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") for text in texts]
        return torch.stack([torch.randn(self.width, generator=draw.manual_seed(seed)) for seed in seeds])


class Bag(Encoder):
    """How often each word of the training texts occurs; other words are not heard."""

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[str, int] = {}
        self.width = 0

    def meet(self, texts: Sequence[str]) -> None:
        """Take the vocabulary from them."""
        known = Counter(word for text in texts for word in words(text))
        self._places = {word: place for place, word in enumerate(sorted(known))}
        self.width = len(self._places)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """float32 [texts, width]"""
        found = torch.zeros(len(texts), self.width)
        for row, text in enumerate(texts):
            for word in words(text):
                if word in self._places:
                    found[row, self._places[word]] += 1.0
        return found


class Sentences(Encoder):
    """What a frozen language model makes of a sentence, the mean of its hidden states.

    With a `rank`, small low-rank matrices beside all those of its layers are trained with the reader (LoRA, Hu et
    al. 2021); the model's own weights stay as they are.
    """

    def __init__(self, llm: Llm, rank: int = 0) -> None:
        super().__init__()
        self.llm, self.width = llm, llm.width
        self._kept: dict[str, Tensor] = {}
        self.added = nn.ModuleList()
        if rank:
            for layer in llm.network.encoder.layer:  # type: ignore[union-attr]
                for name in ("query", "key", "value"):
                    self._add(layer.attention.self, name, rank)
                for owner in (layer.attention.output, layer.intermediate, layer.output):
                    self._add(owner, "dense", rank)

    def _add(self, owner: nn.Module, name: str, rank: int) -> None:
        made = LowRank(getattr(owner, name), rank)
        setattr(owner, name, made)
        self.added.extend([made.down, made.up])

    def forward(self, texts: Sequence[str]) -> Tensor:
        """float32 [texts, width]; with gradients only where something of it is trained."""
        none = torch.zeros(0, self.width)
        if self.added and torch.is_grad_enabled():
            return self.llm.read(none, *self.llm.tokens(texts))
        if self.added:
            return self.llm.read_all(none, texts)
        fresh = sorted({text for text in texts if text not in self._kept}, key=len)
        if fresh:
            self._kept.update(zip(fresh, self.llm.read_all(none, fresh), strict=True))
        return torch.stack([self._kept[text] for text in texts])


class LowRank(nn.Module):
    """A linear map that stays as it is, and one of low rank beside it that begins at nothing."""

    def __init__(self, base: nn.Module, rank: int) -> None:
        super().__init__()
        assert isinstance(base, nn.Linear)
        self.base = base
        self.down = nn.Linear(base.in_features, rank, bias=False)
        self.up = nn.Linear(rank, base.out_features, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, seen: Tensor) -> Tensor:
        """[..., in] -> [..., out]"""
        changed: Tensor = self.base(seen) + _STRESS * self.up(self.down(seen))
        return changed

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Both in one."""
        made = copy.deepcopy(self.base)
        made.weight += _STRESS * self.up.weight @ self.down.weight
        return made


def merged(network: nn.Module) -> nn.Module:
    """A copy of a network in which what was trained beside its maps is part of them."""
    made = copy.deepcopy(network)
    for owner in [*made.modules()]:
        for name, part in [*owner.named_children()]:
            if isinstance(part, LowRank):
                setattr(owner, name, part.merged())
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a reader is trained, and how far it trusts itself."""

    steps: int = 400
    batch: int = 128
    learning_rate: float = 3e-3
    encoder_learning_rate: float = 2e-3
    weight_decay: float = 0.1
    dropout: float = 0.5
    smoothing: float = 0.05
    by_hand: float = 0.5
    """Share of a batch that was written by hand; the others are grown."""
    temperature: float = 1.0
    """What scores are divided by: the higher, the nearer to the mean of all intents is what is heard."""


class Reader(nn.Module):
    """Tells intents from texts by one linear map of their vectors, standardised over the training texts."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.mean = torch.zeros(0)
        self.deviation = torch.ones(0)
        self.head = nn.Linear(1, len(NAMES))
        self.temperature = 1.0

    def fit(self, written: Sequence[Wording], grown: Sequence[Wording], seed: int, how: Reading) -> list[float]:
        """Learn from wordings; the loss of each step."""
        torch.manual_seed(seed)
        draw = np.random.default_rng(seed)
        both = [*written, *grown]
        self.encoder.meet([item.text for item in both])
        met = [both[place].text for place in draw.permutation(len(both))[:_STANDARD]]
        with torch.no_grad():
            seen = self.encoder(met)
        self.mean, self.deviation = seen.mean(dim=0), seen.std(dim=0).clamp(min=1e-3)
        self.head, self.temperature = nn.Linear(self.encoder.width, len(NAMES)), how.temperature
        rates = [how.learning_rate, how.encoder_learning_rate]
        learning = [[*self.head.parameters()], self.encoder.learning()]
        groups = [{"params": part, "lr": rate} for part, rate in zip(learning, rates, strict=True) if part]
        optimiser = torch.optim.AdamW(groups, weight_decay=how.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, rates[: len(groups)], total_steps=how.steps, pct_start=0.1
        )
        losses = []
        for picked in _batches(written, grown, draw, how):
            # Half precision makes what is trained through a language model twice as quick.
            with torch.autocast("cpu", torch.bfloat16, enabled=len(groups) > 1):
                vectors = self.encoder([item.text for item in picked])
            told = self.head(nn.functional.dropout(self._standard(vectors.float()), how.dropout))
            wanted = torch.tensor([NAMES.index(item.intent) for item in picked])
            loss = nn.functional.cross_entropy(told, wanted, label_smoothing=how.smoothing)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_([item for part in learning for item in part], _CLIP)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        return losses

    @torch.no_grad()
    def intents(self, texts: Sequence[str]) -> Tensor:
        """How likely each intent is: [texts, intents]."""
        return self.told(self.encoder(texts))

    def told(self, vectors: Tensor) -> Tensor:
        """The same of the encoder's vectors [texts, width]."""
        likely: Tensor = (self.head(self._standard(vectors)) / self.temperature).softmax(dim=-1)
        return likely

    def learnt(self) -> dict[str, Tensor]:
        """All that was trained, for `take`."""
        return dict(self._parts())

    @torch.no_grad()
    def take(self, learnt: Mapping[str, Tensor]) -> "Reader":
        """Be the reader that learnt it, with an encoder like its own."""
        self.mean, self.deviation = learnt["mean"], learnt["deviation"]
        self.head = nn.Linear(self.encoder.width, len(NAMES))
        self.temperature = float(learnt["temperature"])
        for name, value in self._parts():
            value.copy_(learnt[name])
        return self

    def _parts(self) -> list[tuple[str, Tensor]]:
        own = {"mean": self.mean, "deviation": self.deviation, "temperature": torch.tensor(self.temperature)}
        head = {f"head.{name}": value.detach() for name, value in self.head.named_parameters()}
        encoder = {f"encoder.{place}": value.detach() for place, value in enumerate(self.encoder.learning())}
        return [*own.items(), *head.items(), *encoder.items()]

    def _standard(self, vectors: Tensor) -> Tensor:
        return (vectors - self.mean) / self.deviation


def _batches(
    written: Sequence[Wording], grown: Sequence[Wording], draw: np.random.Generator, how: Reading
) -> Iterator[list[Wording]]:
    """As many as there are steps, each of texts of like length, so that little is filled up."""
    by_hand = round(how.by_hand * how.batch * _SORTED)
    for first in range(0, how.steps, _SORTED):
        shares = ((written, by_hand), (grown, how.batch * _SORTED - by_hand))
        picked = [source[place] for source, count in shares for place in draw.integers(0, len(source), count)]
        near = draw.normal(0.0, _NEAR, len(picked)) + [len(item.text) for item in picked]
        order = np.argsort(near).reshape(_SORTED, how.batch)
        for places in draw.permutation(order)[: how.steps - first]:
            yield [picked[place] for place in places]


class Heard(Representation):
    """The numbers, with the weights that were heard in the place of the scenario's: float32 [texts, slices]."""

    heard: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("heard", torch.zeros(0), persistent=False)
        self.hear(weight)

    def hear(self, weight: Tensor) -> None:
        """Go by these weights for each text, [texts, slices]."""
        self.heard = weight.to(self.mean)

    def fit(self, features: Tensor) -> None:
        """As for numbers alone, but for the weights, which were not heard in these."""
        super().fit(features)
        self.mean[WEIGHT], self.deviation[WEIGHT] = 1.0 / len(KINDS), _WEIGHT_DEVIATION

    def numbers(self, seen: Seen) -> Tensor:
        """The features, standardised: [..., slices, features]."""
        return self.with_weights(seen.features, self.heard[seen.said])

    def with_weights(self, features: Tensor, weight: Tensor) -> Tensor:
        """Features [..., slices, features] with these weights [..., slices] for theirs, standardised."""
        known = (features[..., :WEIGHT], weight.unsqueeze(-1), features[..., WEIGHT + 1 :])
        standard: Tensor = (torch.cat(known, dim=-1) - self.mean) / self.deviation
        return standard


def weights_of(intents: Tensor) -> Tensor:
    """The mean weights where intents are so likely: [texts, intents] -> float64 [texts, kinds]."""
    return intents.to(torch.float64) @ torch.from_numpy(WEIGHTS)


def practice(ordinary: Sequence[float], seed: int) -> Orders:
    """Orders to train agents with: nothing said, every intent, and mixtures, as of those who are unsure."""
    draw = np.random.default_rng(seed)
    mixed = draw.dirichlet(np.full(len(NAMES), SHARPNESS), MIXTURES) @ WEIGHTS
    weight = torch.from_numpy(np.concatenate((np.array([ordinary]), WEIGHTS, mixed)))
    return Orders(weight, torch.arange(len(weight)))


def words(text: str) -> list[str]:
    """A text's words, without case and punctuation."""
    return "".join(letter if letter.isalnum() else " " for letter in text.lower()).split()


def unheard(held_out: Sequence[Wording], known: Sequence[Wording]) -> float:
    """Share of the words in held-out texts that occur in no known one."""
    vocabulary = {word for item in known for word in words(item.text)}
    told = [word for item in held_out for word in words(item.text)]
    return sum(word not in vocabulary for word in told) / len(told)
