"""Distil: a small network learns what the LLM's branch says of every prompt, and takes its place.

What stands behind Fc2 depends on the levels alone, so the student is taught on all of them, or, with many slices,
on as many as are drawn. It knows neither the operator's words nor other slices' names than those it was taught.
"""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from training.slicing.environment import Seen
from training.slicing.representation import Fused, Matched, Representation
from xapps.slicing import prompt

HIDDEN, STEPS, BATCH, LEARNING_RATE = 256, 3000, 256, 3e-3
MOST_PROMPTS = 6561
"""Prompts taught: all of four slices, or so many drawn of more."""
Tell = Callable[[int, float], None]


class Distilled(Representation):
    """A fused representation without its LLM."""

    def __init__(self, fused: Fused, slices: int, width: int) -> None:
        super().__init__()
        self.mean.copy_(fused.mean)
        self.deviation.copy_(fused.deviation)
        self.fc1, self.width = copy.deepcopy(fused.fc1), fused.width
        flags = Matched(slices)
        self.student = nn.Sequential(
            flags,
            *(nn.Linear(flags.width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()),
            nn.Linear(HIDDEN, width),
        )

    def forward(self, seen: Seen) -> Tensor:
        """[..., slices, features] -> [..., slices, width]."""
        numbers = self.fc1(self.numbers(seen))
        told = self.student(seen.levels).unsqueeze(-2)
        return torch.cat((numbers, told.expand(*numbers.shape[:-1], -1)), dim=-1)


def distil(fused: Fused, slices: int, seed: int, tell: Tell = lambda step, loss: None) -> Distilled:
    """Teach the student by least squares; how well it learnt shows in the package's fidelity."""
    levels = _prompts(slices, seed)
    with torch.no_grad():
        wanted = fused.fc2(fused.told(levels))
    torch.manual_seed(seed)
    found = Distilled(fused, slices, wanted.shape[-1])
    draw = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(found.student.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for step in range(STEPS):
        pick = torch.randint(len(levels), (BATCH,), generator=draw)
        loss = nn.functional.mse_loss(found.student(levels[pick]), wanted[pick])
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if step % 500 == 499:
            tell(step + 1, float(loss.detach()))
    return found.eval()


def _prompts(slices: int, seed: int) -> Tensor:
    """Levels of all prompts, or of so many: [prompts, slices, 2]."""
    kinds = [len(words) for words in prompt.WORDS]
    every = (kinds[0] * kinds[1]) ** slices
    if every <= MOST_PROMPTS:
        return torch.stack([torch.from_numpy(prompt.places_of(code, slices)) for code in range(every)])
    draw = torch.Generator().manual_seed(seed)
    drawn = [torch.randint(kind, (MOST_PROMPTS, slices), generator=draw) for kind in kinds]
    return torch.stack(drawn, dim=-1)
