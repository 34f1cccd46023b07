"""Radio: the gain of every link, and the SINR that follows from gains, fading and the cells' load."""

import torch
from torch import Tensor

from twin.network import fading, mobility, shadowing, sinr
from twin.network.fading import Fading
from twin.network.invariant import from_db, ordered_sum
from twin.network.mobility import Walkers
from twin.network.outages import OFF_DB
from twin.network.pathloss import path_loss_db
from twin.network.penetration import Indoors
from twin.network.scenario import Scenario
from twin.network.site import Site
from twin.network.state import Fixed, State


def gain_db(
    scenario: Scenario,
    walkers: Walkers,
    shadow: Tensor | None,
    indoors: Indoors | None,
    pathloss_offset_db: Tensor,
    off: Tensor | None,
) -> Tensor:
    """Slow gain of each link: path loss, shadowing, walls and the slice's extra loss; [envs, cells, ues].

    On a ray-traced site, which has no shadowing field, its map stands for path loss and shadowing. Differentiable.
    Offset and off (bool, None when no cell ever is) are [envs, cells].
    """
    fixed = Fixed.of(scenario, walkers.position_m.device)
    loss_db = _propagation_loss_db(scenario, walkers.position_m, shadow, indoors)
    loss_db = loss_db + fixed.extra_loss_db + pathloss_offset_db.unsqueeze(-1)
    if indoors is not None:
        loss_db = loss_db + indoors.loss_db.unsqueeze(1)
    if off is not None:
        loss_db = loss_db + OFF_DB * off.unsqueeze(-1)
    return -loss_db


def _propagation_loss_db(
    scenario: Scenario, position_m: Tensor, shadow: Tensor | None, indoors: Indoors | None
) -> Tensor:
    site = Site.of(scenario, position_m.device)
    if site is not None:
        return -site.gain_at(position_m)
    if shadow is None:
        raise ValueError("the state was made on a site, which the scenario lacks")
    distance_m = mobility.distances_m(scenario, position_m)
    seen = shadowing.line_of_sight(scenario, shadow, distance_m)
    inside = None if indoors is None else indoors.inside
    deviation_db = shadowing.deviation_db(scenario, seen, distance_m, inside)
    return path_loss_db(scenario, distance_m, seen) + shadowing.shadowing_db(scenario, shadow, deviation_db)


def sinr_db(scenario: Scenario, state: State, pathloss_offset_db: Tensor) -> Tensor:
    """SINR of each UE [envs, ues] where it stands, with an offset [envs, cells] added to each cell's path loss.

    The offset comes instead of the state's own. Differentiable with respect to it, for calibration; line of sight,
    shadowing, fading, load and attachment are the state's. A trace does not count.
    """
    gain = gain_db(scenario, state.walkers, state.shadow, state.indoors, pathloss_offset_db, None)
    signal_mw, others_mw = _powers_mw(scenario, gain, state.attachment.serving)
    serving, noise_mw = state.attachment.serving.unsqueeze(1), sinr.noise_per_prb_mw(scenario)
    bands = []
    for faded in fading.gains(scenario, state.fading):
        signal = signal_mw * faded.gather(1, serving).squeeze(1)
        bands.append(sinr.sinr(signal, sinr.interference_mw(others_mw * faded, state.load), noise_mw))
    return sinr.effective_db(bands)


class Air:
    """The radio links during one step: fading advances with each substep."""

    def __init__(
        self, scenario: Scenario, state: State, walkers: Walkers, gain_db: Tensor, serving: Tensor, substep: Tensor
    ) -> None:
        """Gains [envs, cells, ues], int64 serving cells [envs, ues] and substeps [envs, n]."""
        signal_mw, self._others_mw = _powers_mw(scenario, gain_db, serving)
        self._signal_mw = signal_mw.unsqueeze(1).expand(-1, substep.shape[1], -1)
        self._serving = serving.unsqueeze(1)
        self._noise_mw = sinr.noise_per_prb_mw(scenario)
        speed = walkers.speed_mps
        if state.drive is not None:
            time_s = substep * scenario.substep_s
            speed = state.drive.speed_mps(time_s[:, :1]).squeeze(1)
            if scenario.trace_links:
                self._signal_mw = self._noise_mw * from_db(state.drive.snr_db(time_s))
                if not scenario.trace_interference:
                    self._others_mw = torch.zeros_like(self._others_mw)
        kept = fading.correlation(scenario, speed)
        self._fading = Fading(scenario, state.fading, kept, state.seed, substep)

    @property
    def fading(self) -> Tensor:
        """The fading as it is now."""
        return self._fading.state

    def advance(self, k: int, load: Tensor) -> Tensor:
        """SINR of each UE in substep k under the neighbours' load [envs, cells]; [envs, ues]."""
        self._fading.advance(k)
        others_mw = self._others_mw * load.unsqueeze(-1)
        signal_mw = self._signal_mw[:, k]
        bands = []
        for faded in self._fading.gains():
            signal = faded.gather(1, self._serving).squeeze(1).mul_(signal_mw)
            noise = ordered_sum(others_mw * faded, dim=1)
            bands.append(sinr.sinr(signal, noise, self._noise_mw))
        return sinr.effective_db(bands)


def _powers_mw(scenario: Scenario, gain_db: Tensor, serving: Tensor) -> tuple[Tensor, Tensor]:
    """Received power per PRB of the serving cell [envs, ues], and of the others [envs, cells, ues]."""
    power_mw = from_db(sinr.transmit_per_prb_dbm(scenario) + gain_db)
    place = serving.unsqueeze(1)
    return power_mw.gather(1, place).squeeze(1), power_mw.scatter(1, place, 0.0)
