"""Language: what a frozen LLM makes of a cell's prompt behind learnable tokens T, kept by the prompt's code.

There are few prompts (9 for each slice and place), so each is read once and kept. While T is trained the kept
vectors are leaves of the graph: gradients gather on them over many updates of the critics, and are then carried
through the LLM into T at once. After T has moved, some prompts are read anew at a time, oldest first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.slicing.llm import Llm
from xapps.slicing import prompt

_STALE = 128
"""Prompts read anew after T has moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The learnable tokens."""

    count: int
    trained: bool
    seed: int


class Language(nn.Module):
    """Levels of cells -> hidden states of the LLM; the slices' names are fixed."""

    def __init__(self, llm: Llm, names: tuple[str, ...], tokens: Tokens) -> None:
        super().__init__()
        self.llm, self.names, self.trained = llm, names, tokens.trained and tokens.count > 0
        self.width = llm.width
        self.tokens = nn.Parameter(_first(llm, tokens), requires_grad=self.trained)
        device = self.tokens.device
        self._codes = torch.zeros(0, dtype=torch.int64, device=device)
        self._table = torch.zeros(0, self.width, device=device)
        self._gathered = torch.zeros(0, self.width, device=device)
        self._next = 0

    def forward(self, levels: Tensor) -> Tensor:
        """int64 [..., slices, 2] -> float32 [..., width]; gradients end in what is kept, see `learn`."""
        codes = prompt.code(levels)
        self._meet(torch.unique(codes))
        found = self._table[torch.searchsorted(self._codes, codes)]
        if self.trained and torch.is_grad_enabled():
            found.requires_grad_().register_hook(  # type: ignore[no-untyped-call]
                lambda gradient: self._gather(codes, gradient)
            )
        return found

    def learn(self, optimiser: torch.optim.Optimizer, most: int, clip: float) -> float:
        """Carry what gathered on the `most` prompts it is largest for into T, and move T; its gradient's norm."""
        weight = self._gathered.norm(dim=1)
        rows = weight.topk(min(most, len(weight))).indices
        rows = rows[weight[rows] > 0]
        if len(rows) == 0:
            return 0.0
        optimiser.zero_grad(set_to_none=True)
        hidden = self.llm.read(self.tokens, *self.llm.tokens(self._texts(self._codes[rows])))
        torch.autograd.backward(hidden, grad_tensors=self._gathered[rows])
        norm = float(nn.utils.clip_grad_norm_([self.tokens], clip))
        optimiser.step()
        self._gathered.zero_()
        self._refresh(_STALE)
        return norm

    def refresh(self) -> None:
        """Read all prompts met so far anew."""
        self._refresh(len(self._codes))

    def shuffle(self, seed: int) -> None:
        """Give each prompt the vector of another one: what is left of a policy then did not need the language."""
        every = 9 ** len(self.names)
        self._meet(torch.arange(every, device=self._codes.device))
        draw = torch.Generator().manual_seed(seed)
        self._table = self._table[torch.randperm(every, generator=draw).to(self._table.device)]

    def get_extra_state(self) -> dict[str, object]:
        """What is kept, so that a training goes on to the bit."""
        return {
            "codes": self._codes,
            "table": self._table,
            "gathered": self._gathered,
            "next": self._next,
        }

    def set_extra_state(self, state: dict[str, object]) -> None:
        """Take over what was kept."""
        codes, table, gathered, following = (state[name] for name in ("codes", "table", "gathered", "next"))
        assert isinstance(codes, Tensor)
        assert isinstance(table, Tensor)
        assert isinstance(gathered, Tensor)
        assert isinstance(following, int)
        device = self.tokens.device
        self._codes, self._table, self._gathered = codes.to(device), table.to(device), gathered.to(device)
        self._next = following

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Language":
        """Move what is kept, and the LLM, along with everything else."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.llm.network._apply(fn)  # type: ignore[no-untyped-call]
        self._codes, self._table, self._gathered = fn(self._codes), fn(self._table), fn(self._gathered)
        return self

    def _gather(self, codes: Tensor, gradient: Tensor) -> None:
        """Remember the gradient of what was told of some codes, whose places may have moved meanwhile."""
        place = torch.searchsorted(self._codes, codes.flatten())
        self._gathered.index_add_(0, place, gradient.flatten(0, -2))

    @torch.no_grad()
    def _meet(self, codes: Tensor) -> None:
        """Read those of the codes, sorted, that were not met before."""
        if len(self._codes):
            place = torch.searchsorted(self._codes, codes).clamp(max=len(self._codes) - 1)
            codes = codes[self._codes[place] != codes]
        if len(codes) == 0:
            return
        fresh = self.llm.read_all(self.tokens, self._texts(codes))
        self._codes, order = torch.cat((self._codes, codes)).sort()
        self._table = torch.cat((self._table, fresh))[order]
        self._gathered = torch.cat((self._gathered, torch.zeros_like(fresh)))[order]

    @torch.no_grad()
    def _refresh(self, count: int) -> None:
        known = len(self._codes)
        if known == 0:
            return
        rows = (self._next + torch.arange(min(count, known), device=self._codes.device)) % known
        self._table[rows] = self.llm.read_all(self.tokens, self._texts(self._codes[rows]))
        self._next = int((self._next + len(rows)) % known)

    def _texts(self, codes: Tensor) -> list[str]:
        slices = len(self.names)
        return [prompt.text(self.names, prompt.places_of(code, slices)) for code in codes.tolist()]


def _first(llm: Llm, tokens: Tokens) -> Tensor:
    """T at first: the embeddings of random words of the model's own, which it knows how to read."""
    words = llm.network.get_input_embeddings().weight  # type: ignore[operator]
    draw = torch.Generator().manual_seed(tokens.seed)
    pick = torch.randint(len(words), (tokens.count,), generator=draw)
    first: Tensor = words[pick.to(words.device)].detach().to(torch.float32).clone()
    return first
