"""Arms: the policies that are compared, each telling the quotas it wants from what is seen.

All act through the same guard one control interval late, except `clairvoyant`, which knows the future and obeys no
guard: it is there to say how much there is to gain.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from oran.slices import hard_ratios, static_ratios
from training.slicing.environment import Environment, Seen, as_numpy
from training.slicing.networks import share_of
from training.slicing.sac import Sac
from xapps.slicing.actor import Actor
from xapps.slicing.demand import DemandConfig, DemandController
from xapps.slicing.observation import CellObservation
from xapps.slicing.shares import ratios_of

Policy = Callable[[Environment, Seen], Tensor]
"""Quotas wanted [envs, cells, slices, 3] in percent, by the environment and what is seen in it."""


def fixed(ratios: np.ndarray) -> Policy:
    """The same quotas [slices, 3] in every cell for ever."""
    wanted = torch.from_numpy(np.ascontiguousarray(ratios))

    def decide(environment: Environment, seen: Seen) -> Tensor:
        return wanted.to(seen.features.device).expand(*seen.features.shape[:3], 3)

    return decide


def static(slices: int) -> Policy:
    """Equal minima, everything else lent."""
    return fixed(static_ratios(slices))


def hard(slices: int) -> Policy:
    """Equal shares, nothing lent."""
    return fixed(hard_ratios(slices))


def split(percent: tuple[float, ...]) -> Policy:
    """Fixed minima in percent, everything else lent."""
    return fixed(ratios_of(np.array(percent, dtype=np.float64) / 100.0))


def demand(config: DemandConfig | None = None) -> Policy:
    """The xApp's heuristic; a policy of its own for every run, since it remembers."""
    controller = DemandController(config or DemandConfig())

    def decide(environment: Environment, seen: Seen) -> Tensor:
        wanted = controller.decide(_as_numpy(environment.observation()), environment.targets)
        return torch.from_numpy(wanted).to(seen.features.device)

    return decide


def learnt(sac: Sac) -> Policy:
    """A trained actor without noise."""

    @torch.no_grad()
    def decide(environment: Environment, seen: Seen) -> Tensor:
        return ratios_of(share_of(sac.act(sac.representation(seen))).to(torch.float64))

    return decide


def packaged(actor: Actor) -> Policy:
    """A model package as the xApp runs it."""

    def decide(environment: Environment, seen: Seen) -> Tensor:
        rows = seen.features.flatten(0, 1).cpu().numpy()
        share = torch.from_numpy(actor.share(rows)).reshape(seen.features.shape[:3])
        return ratios_of(share.to(seen.features.device))

    return decide


def _as_numpy(seen: CellObservation) -> CellObservation:
    return replace(
        seen,
        kpis=as_numpy(seen.kpis),
        ratios=np.asarray(seen.ratios),
        backlog_bit=np.asarray(seen.backlog_bit),
        prb_available=np.asarray(seen.prb_available),
    )
