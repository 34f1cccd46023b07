"""Adapters: Fc1 of the numbers and Fc2 of the hidden state learn, before any reward, to speak of the same.

They are trained on rollouts under random actions. Contrast aligns them: what Fc1 makes of a cell's numbers shall
be nearer to what Fc2 makes of the same cell's prompt than of other prompts (InfoNCE, van den Oord et al. 2018).
Reconstruction keeps what each was given: from either, a linear map shall tell its input again.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from training.slicing.environment import Seen
from xapps.slicing import prompt

if TYPE_CHECKING:
    from training.slicing.representation import Fused

STEPS, BATCH, LEARNING_RATE = 400, 256, 2e-3
SHARPNESS = 10.0
"""What cosines are multiplied by in the contrast."""


def pretrain(fused: "Fused", seen: Seen, seed: int, *, steps: int = STEPS) -> list[float]:
    """Train both adapters on cells seen [..., slices, ...]; the loss of each step."""
    device = seen.features.device
    features, levels = seen.features.flatten(0, -3), seen.levels.flatten(0, -3)
    with torch.no_grad():
        told = fused.told(levels)
    codes = prompt.code(levels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        width = fused.width // 2
        back1, back2 = nn.Linear(width, features.shape[-1]), nn.Linear(width, told.shape[-1])
    learnt = nn.ModuleList((fused.fc1, fused.fc2, back1.to(device), back2.to(device)))
    optimiser = torch.optim.Adam(learnt.parameters(), LEARNING_RATE)
    draw = torch.Generator(device).manual_seed(seed)
    losses = []
    for _ in range(steps):
        pick = torch.randint(len(features), (min(BATCH, len(features)),), generator=draw, device=device)
        numbers = (features[pick] - fused.mean) / fused.deviation
        one, two = fused.fc1(numbers), fused.fc2(told[pick])
        kept = nn.functional.mse_loss(back1(one), numbers) + nn.functional.mse_loss(back2(two), told[pick])
        loss = kept + contrast(one.mean(dim=-2), two, codes[pick])
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


def contrast(one: Tensor, two: Tensor, codes: Tensor) -> Tensor:
    """How badly rows of one [n, width] find rows of two of the same code [n], and the other way round."""
    nearness = SHARPNESS * nn.functional.normalize(one, dim=-1) @ nn.functional.normalize(two, dim=-1).T
    same = (codes[:, None] == codes).to(nearness.dtype)
    wanted = same / same.sum(dim=1, keepdim=True)
    there = nn.functional.cross_entropy(nearness, wanted)
    back: Tensor = nn.functional.cross_entropy(nearness.T, wanted)
    return 0.5 * (there + back)
