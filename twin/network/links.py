"""Links: the rate curves of slices whose link chain the link twin has measured, changeable at run time."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from twin.network.curve import RateCurve
from twin.network.rate import Link
from twin.network.scenario import Scenario

if TYPE_CHECKING:
    from twin.network.state import State

_LOW_DB, _HIGH_DB, _PER_DB = -40.0, 60.0, 10
_POINTS = round((_HIGH_DB - _LOW_DB) * _PER_DB) + 1
LEAST_EFFICIENCY = 1e-3
"""Below these bits per resource element a UE with a curve is not scheduled."""


@dataclass(frozen=True, slots=True)
class Links:
    """Curves on one fine grid; a slice without one has zeros."""

    efficiency: Tensor
    """[slices, points], float32."""
    bler: Tensor
    """[slices, points], float32."""
    curved: Tensor
    """Whether the slice has a curve: [slices], float32 0 or 1."""
    delay_s: Tensor
    """Delay without waiting, NaN for the scenario's: [slices], float32."""

    @classmethod
    def of(cls, scenario: Scenario, device: torch.device) -> "Links | None":
        """The scenario's curves; None when no slice has one."""
        if all(item.link is None for item in scenario.slices):
            return None
        links = cls.none(len(scenario.slices), device)
        for index, item in enumerate(scenario.slices):
            links = links.with_curve(index, item.link)
        return links

    @classmethod
    def none(cls, slices: int, device: torch.device) -> "Links":
        """No curve for any of so many slices."""
        blank = torch.zeros(slices, _POINTS, device=device)
        return cls(blank, blank.clone(), blank[:, 0].clone(), torch.full_like(blank[:, 0], torch.nan))

    def with_curve(self, index: int, curve: RateCurve | None) -> "Links":
        """These links with one slice's curve exchanged or taken away; IndexError for a slice that is not there."""
        if not 0 <= index < len(self.curved):
            raise IndexError(f"slice {index} is not one of {len(self.curved)}")
        grid = [_LOW_DB + point / _PER_DB for point in range(_POINTS)]
        device = self.bler.device
        efficiency, bler, curved, delay_s = (
            value.clone() for value in (self.efficiency, self.bler, self.curved, self.delay_s)
        )
        for target, values in ((efficiency, curve and curve.efficiency), (bler, curve and curve.bler)):
            row = [curve.at(values, level_db) for level_db in grid] if curve and values else [0.0] * _POINTS
            target[index] = torch.tensor(row, dtype=torch.float32, device=device)
        curved[index] = float(curve is not None)
        delay_s[index] = torch.nan if curve is None or curve.delay_s is None else curve.delay_s
        return Links(efficiency, bler, curved, delay_s)

    def at(self, column: Tensor, slice_of_ue: Tensor, snr_db: Tensor) -> Tensor:
        """A column at each UE's SINR, interpolated; int64 slice [ues], SINR [envs, ues] -> [envs, ues]."""
        place = ((snr_db - _LOW_DB) * _PER_DB).clamp(0.0, _POINTS - 1.001)
        low = place.floor()
        index = low.to(torch.int64) + slice_of_ue * _POINTS
        first, second = torch.take(column, index), torch.take(column, index + 1)
        return torch.lerp(first, second, place - low)

    def goodput(self, slice_of_ue: Tensor, snr_db: Tensor) -> Tensor:
        """Bits per resource element that get through at each UE's SINR; [envs, ues], 0 without a curve."""
        return self.at(self.efficiency, slice_of_ue, snr_db) * (1.0 - self.at(self.bler, slice_of_ue, snr_db))

    def instead_of(
        self, link: Link, slice_of_ue: Tensor, estimate_db: Tensor, true_db: Tensor, base_delay_s: float
    ) -> Link:
        """The links, UEs with a curve following it: sent as for the estimate, received at the true SINR."""
        curved = self.curved[slice_of_ue] > 0
        lost = self.at(self.bler, slice_of_ue, true_db)
        through = self.at(self.efficiency, slice_of_ue, estimate_db) * (1.0 - lost)
        delay_s = torch.nan_to_num(self.delay_s, nan=base_delay_s)[slice_of_ue]
        return Link(
            torch.where(curved, through, link.efficiency),
            torch.where(curved, lost, link.first_error),
            torch.where(curved, delay_s, link.delay_s),
        )


def with_link(state: "State", index: int, curve: RateCurve | None) -> "State":
    """A state in which a slice's link chain has another curve, or the MCS table again when None.

    Holds for all environments, from the next step on; nothing else of the state changes. IndexError for a slice
    that is not there.
    """
    slices = state.ratios.shape[-2]
    links = state.links or Links.none(slices, state.seed.device)
    return replace(state, links=links.with_curve(index, curve))
