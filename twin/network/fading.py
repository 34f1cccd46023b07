"""Rayleigh fading of every link, correlated in time as Clarke's model says: J0(2 pi f_D t) after t.

A tap is a complex Gaussian that a first-order autoregression carries from substep to substep. A link has several
independent ones (branches) in each subband, and only the sum of their powers counts.

With one subband the taps themselves are not kept: the power g of B branches, of mean one, is a Markov process of
its own. Turning the branches so that one of them holds all the power, the next power is, for a correlation k,

    g' = k^2 g + (1 - k^2) E / B + 2 k sqrt((1 - k^2) g E_1 / B) cos(phi),

E_1 exponential, E a sum of E_1 and B - 1 more of them, phi uniform: the same law, at a fraction of the draws.

With several subbands the taps are kept. Their fresh parts are correlated from subband to subband by
r = 1 / sqrt(1 + (2 pi D s)^2), D being the subbands' distance in Hz and s the delay spread: what an exponential
power delay profile gives between neighbours, continued as a first-order autoregression over frequency.
"""

import math

import torch
from torch import Tensor

from twin.network.invariant import ordered_sum
from twin.network.pathloss import SPEED_OF_LIGHT_MPS
from twin.network.randomness import chance, key, normal_pair, words
from twin.network.scenario import Scenario

STREAM_FADING, STREAM_FIRST_FADING = 20, 50
_MOST_FACTORS = 6
"""Draws of 16 bits whose product stays a normal number."""


def correlation(scenario: Scenario, speed_mps: Tensor) -> Tensor:
    """Correlation of a UE's channel from one substep to the next; speed [envs, ues] -> [envs, ues]."""
    doppler_hz = torch.sqrt(speed_mps.square() + scenario.scatterer_speed_mps**2)
    doppler_hz = doppler_hz * (scenario.carrier_hz / SPEED_OF_LIGHT_MPS)
    kept: Tensor = torch.special.bessel_j0(2.0 * math.pi * scenario.substep_s * doppler_hz)
    return kept


def subband_correlation(scenario: Scenario) -> float:
    """Correlation of the channel in two neighbouring subbands."""
    apart_hz = scenario.prbs * scenario.prb_hz / scenario.subbands
    return 1.0 / math.hypot(1.0, 2.0 * math.pi * apart_hz * scenario.delay_spread_s)


def initial(scenario: Scenario, seed: Tensor) -> Tensor:
    """The fading of new networks; int64 seed [envs].

    With one subband: power gains [envs, 1, cells, ues]; with more: taps [envs, subbands, 2 branches, cells, ues].
    """
    none = torch.zeros(seed.shape[0], scenario.ues, device=seed.device)
    shape = (1,) if scenario.subbands == 1 else (scenario.subbands, 2 * scenario.fading_branches)
    blank = none.new_zeros(seed.shape[0], *shape, scenario.cells, scenario.ues)
    fading = Fading(scenario, blank, none, seed, torch.zeros_like(seed).unsqueeze(-1), STREAM_FIRST_FADING)
    return fading.advance(0)


class Fading:
    """The fading during one step; it leaves the state it began from as it was."""

    def __init__(
        self,
        scenario: Scenario,
        state: Tensor,
        correlation: Tensor,
        seed: Tensor,
        substep: Tensor,
        stream: int = STREAM_FADING,
    ) -> None:
        """State as `initial` gives it, correlation [envs, ues], int64 seed [envs] and substeps [envs, n]."""
        self.state = state
        self._scenario = scenario
        self._owned = False
        kept = correlation.unsqueeze(1)
        fresh = (1.0 - kept.square()).clamp(min=0.0)
        self._kept, self._fresh = kept, fresh.sqrt()
        branches = scenario.fading_branches
        self._kept_power, self._fresh_power = kept.square(), fresh / branches
        self._mixed_power = kept * self._fresh * (2.0 / math.sqrt(branches))
        bands = torch.arange(scenario.subbands, device=seed.device)
        counter = substep.unsqueeze(-1) * scenario.subbands + bands
        self._keys = key(seed[:, None, None], counter, stream)  # [envs, n, subbands]

    def advance(self, k: int) -> Tensor:
        """The state after substep k, which may be overwritten by the next advance."""
        if self._scenario.subbands == 1:
            self.state = self._powers(self.state, self._keys[:, k, 0])
        else:
            if not self._owned:
                self.state, self._owned = self.state.clone(), True
            self._taps(self._keys[:, k])
        return self.state

    def gains(self) -> list[Tensor]:
        """Power gain of mean one of each link in each subband: [envs, cells, ues] each."""
        return gains(self._scenario, self.state)

    def _powers(self, power: Tensor, keys: Tensor) -> Tensor:
        scenario = self._scenario
        links, branches = scenario.cells * scenario.ues, scenario.fading_branches
        drawn = words(keys, links * (1 + (branches + 1) // 2))
        first = chance(drawn[:, :links]).log_().neg_()
        rest = drawn[:, links:].contiguous().view(torch.int16).to(torch.float32).view(len(keys), -1, links)
        total = first.clone()
        for start in range(1, branches, _MOST_FACTORS):
            part = rest[:, start : min(start + _MOST_FACTORS, branches)].add(2.0**15 + 0.5).mul_(2.0**-16)
            total.sub_(_product(part).log_())
        turn = rest[:, 0].mul(2.0 * math.pi * 2.0**-16).cos_()
        shape = (len(keys), scenario.cells, scenario.ues)
        old = power[:, 0]
        fresh = first.view(shape).mul_(old).sqrt_().mul_(turn.view(shape)).mul_(self._mixed_power)
        fresh.addcmul_(total.view(shape), self._fresh_power).addcmul_(old, self._kept_power)
        return fresh.clamp_(min=0.0).unsqueeze(1)

    def _taps(self, keys: Tensor) -> None:
        scenario = self._scenario
        shape = (2, scenario.fading_branches, scenario.cells, scenario.ues)
        alike = subband_correlation(scenario)
        apart = math.sqrt(1.0 - alike**2)
        kept, fresh = self._kept.unsqueeze(1), self._fresh.unsqueeze(1)
        drawn: Tensor | None = None
        for band in range(scenario.subbands):
            pair = torch.stack(normal_pair(keys[:, band], math.prod(shape[1:])), dim=1)
            drawn = pair if drawn is None else pair.mul_(apart).add_(drawn, alpha=alike)
            taps = self.state[:, band]
            taps.mul_(kept).addcmul_(drawn.view(taps.shape), fresh)


def gains(scenario: Scenario, state: Tensor) -> list[Tensor]:
    """Power gain of mean one of each link in each subband, of a state: [envs, cells, ues] each."""
    if scenario.subbands == 1:
        return [state[:, 0]]
    scale = 1.0 / (2 * scenario.fading_branches)
    return [ordered_sum(state[:, band].square(), dim=1).mul_(scale) for band in range(scenario.subbands)]


def _product(factors: Tensor) -> Tensor:
    product = factors[:, 0].clone()
    for factor in factors.unbind(dim=1)[1:]:
        product.mul_(factor)
    return product
