"""Checks of the network twin against theory, against its own rules and against Sionna, as figures for a report.

Each function returns plain numbers and never decides what is good enough; tests and the report do. Each takes
seconds on one core.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from oran.sla import SliceSla
from oran.slices import DEDICATED, MAX, MIN, SNssai, project
from twin.network import radio
from twin.network.curve import RateCurve
from twin.network.kpis import Kpis
from twin.network.network import State, reset, step
from twin.network.scenario import Scenario
from twin.network.scheduler import share_among_slices
from twin.network.slices import SliceTraffic

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_LINKS = 8
"""Links of one level that `fixed_link` averages over."""
_NAME = SNssai(1, 1)
_PROBE = SliceTraffic(
    name="probe",
    slice=_NAME,
    sla=SliceSla(_NAME, delay_s=1.0, name="probe"),
    ue_share=1.0,
    arrival="poisson",
    unit_bit=1e5,
    mean_bps=1e9,
    buffer_bit=1e12,
    delay_budget_s=10.0,
)
"""A slice whose UEs stand still; greedy unless given another load."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Something measured beside what it should be; arrays of one length."""

    x: np.ndarray
    """What was varied."""
    measured: np.ndarray
    expected: np.ndarray

    @property
    def worst(self) -> float:
        """Largest distance."""
        return float(np.abs(self.measured - self.expected).max())

    @property
    def worst_share(self) -> float:
        """Largest distance over what it should be."""
        return float((np.abs(self.measured - self.expected) / np.abs(self.expected)).max())


def steady_curve(efficiency: float, bler: float = 0.0) -> RateCurve:
    """A link chain that does the same at every SINR and adds no delay."""
    return RateCurve(snr_db=(-40.0, 60.0), efficiency=(efficiency,) * 2, bler=(bler,) * 2, delay_s=0.0)


def poisson_queue(loads: Sequence[float] = (0.3, 0.5, 0.7), *, envs: int = 2000, seconds: float = 8.0) -> Compared:
    """Mean delay in s of a single Poisson queue over its load, beside M/D/1.

    One UE has a cell and a steady link to itself; packets take ten substeps each. A bit of an M/D/1 queue with
    service time s waits s / (2 (1 - load)) on average, its packet's service included (Pollaczek and Khinchine). In
    the twin a packet's bits arrive evenly over their substep, which takes off half a substep.
    """
    scenario = Scenario(cells=1, ues=1, load_factor=1.0, slices=(replace(_PROBE, link=steady_curve(4.0)),))
    capacity_bps = 4.0 * scenario.symbol_rate_hz * scenario.prbs
    service_s = 10 * scenario.substep_s
    measured, expected = [], []
    for load in loads:
        item = replace(scenario.slices[0], unit_bit=capacity_bps * service_s, mean_bps=load * capacity_bps)
        queue = scenario.with_(slices=(item,))
        state, _ = _play(queue, reset(queue, torch.arange(envs)), seconds)
        _, history = _play(queue, state, seconds)
        bits = torch.stack([kpis.delivered_bit for kpis in history])
        delays_s = torch.nan_to_num(torch.stack([kpis.delay_s for kpis in history]))
        measured.append(((bits * delays_s).sum() / bits.sum()).item())
        expected.append(service_s / (2.0 * (1.0 - load)) - 0.5 * scenario.substep_s)
    return Compared(np.array(loads), np.array(measured), np.array(expected))


@dataclass(frozen=True, slots=True)
class Fairness:
    """How greedy UEs of unlike path loss, but like fading, share a cell under a scheduler."""

    airtime_jain: float
    """Jain's index of their PRBs: 1 when all get the same, 1 / UEs when one gets all."""
    rate_jain: float
    """Jain's index of their rates."""
    total_bps: float


def fairness(scheduler: str, *, ues: int = 10, seconds: float = 30.0) -> Fairness:
    """Greedy UEs in one cell; proportional fair scheduling should give all the same airtime in the long run."""
    item = replace(_PROBE, scheduler=scheduler, mean_bps=200e6, unit_bit=1e6)  # type: ignore[arg-type]
    scenario = Scenario(
        cells=1,
        ues=ues,
        slices=(item,),
        load_factor=1.0,
        tx_power_dbm=20.0,
        scatterer_speed_mps=0.2,
        fading_branches=1,
    )
    state, _ = _play(scenario, reset(scenario, torch.arange(8)), 3.0)
    _, history = _play(scenario, state, seconds)
    airtime = torch.stack([kpis.ue.prb_used for kpis in history]).mean(dim=0)
    bits = torch.stack([kpis.ue.delivered_bit for kpis in history]).sum(dim=0)
    return Fairness(jain(airtime), jain(bits), bits.sum(dim=1).mean().item() / seconds)


def jain(shares: Tensor) -> float:
    """Jain's fairness index over the last axis, averaged over the others."""
    index = shares.sum(dim=-1).square() / (shares.shape[-1] * shares.square().sum(dim=-1))
    return index.mean().item()


@dataclass(frozen=True, slots=True)
class Sharing:
    """The worst breach of each rule of TS 28.541 4.3.36 over many policies and needs, in PRBs."""

    cell: float
    """More PRBs given than the cell has, those kept by dedicated ratios counted as given."""
    above_max: float
    below_min: float
    """Less than the slice needs of its min."""
    idle: float
    """PRBs left idle that some slice needs and may use."""


def sharing(*, policies: int = 20_000, prbs: int = 51) -> Sharing:
    """Give random needs their PRBs under random policies, and look for the worst breach of each rule."""
    generator = np.random.default_rng(1)
    ratios = project(torch.from_numpy(generator.uniform(-20, 140, (policies, 4, 3))))
    need = torch.from_numpy(generator.exponential(prbs / 3, (policies, 4)))
    need *= torch.from_numpy(generator.random((policies, 4)) < 0.8)
    weight = torch.from_numpy(generator.integers(1, 30, (policies, 4))).to(torch.float64)
    got = share_among_slices(need, weight, ratios, prbs)
    low, high, dedicated = (ratios[..., part] * prbs / 100 for part in (MIN, MAX, DEDICATED))
    taken = torch.maximum(got, dedicated).sum(dim=-1)
    hungry = (torch.minimum(need, high) - got).sum(dim=-1)
    return Sharing(
        cell=(taken - prbs).amax().clamp(min=0.0).item(),
        above_max=(got - high).amax().clamp(min=0.0).item(),
        below_min=(torch.minimum(need, low) - got).amax().clamp(min=0.0).item(),
        idle=torch.minimum(prbs - taken, hungry).amax().clamp(min=0.0).item(),
    )


def fixed_link(curve: RateCurve, levels_db: Sequence[float]) -> Compared:
    """Bits per resource element through a full cell whose SNR is held, beside the curve, over the mean SNR in dB.

    The cell's power sets the SNR of a lone UE; the curve is read at each substep's SINR, fading included.
    """
    item = replace(_PROBE, link=curve)
    scenario = Scenario(cells=1, ues=1, load_factor=1.0, slices=(item,), step_s=0.01, fading_branches=64)
    seeds = torch.arange(len(levels_db) * _LINKS)
    free = reset(scenario, seeds)
    unfaded = replace(free, fading=torch.ones_like(free.fading))
    wanted_db = torch.tensor(levels_db, dtype=torch.float32).repeat_interleave(_LINKS).unsqueeze(-1)
    offset_db = radio.sinr_db(scenario, unfaded, free.pathloss_offset_db) - wanted_db
    state, _ = _play(scenario, reset(scenario, seeds, pathloss_offset_db=offset_db), 0.2)
    _, history = _play(scenario, state, 1.0)
    bits = torch.stack([kpis.delivered_bit[:, 0, 0] for kpis in history])
    sinrs = torch.stack([kpis.ue.sinr_db[:, 0] for kpis in history])
    good = np.vectorize(curve.goodput)(sinrs.numpy())
    shape = (len(history), len(levels_db), _LINKS)
    per_re = bits.numpy() / (scenario.symbol_rate_hz * scenario.prbs * scenario.step_s)
    means = [values.reshape(shape).mean(axis=(0, 2)) for values in (per_re, good)]
    return Compared(np.array(levels_db), *means)


@dataclass(frozen=True, slots=True)
class SinrComparison:
    """SINR under full load, without fading, of our twin beside Sionna's drops."""

    same_drop_error_db: float
    """Largest distance of the twin's SINR from that of Sionna's losses, UE by UE in the same drop.

    UEs nearer to a site than 10 m, where the standard's models begin, and SINRs above 50 dB are left out."""
    own: np.ndarray
    """Our own drops' SINR in dB at `QUANTILES`."""
    sionna: np.ndarray
    """Sionna's drops' at the same."""


def sinr_distribution(scenario: Scenario, *, seeds: Sequence[int] = (1, 2, 3, 4)) -> SinrComparison:
    """SINR of all UEs with every cell at full load; propagation must be one of the standard's. Needs Sionna."""
    from twin.network import drops
    from twin.network.mobility import distances_m, start
    from twin.network.sinr import noise_per_prb_mw, transmit_per_prb_dbm

    still = tuple(replace(item, indoor_share=0.0, extra_loss_db=0.0) for item in scenario.slices)
    plain = scenario.with_(slices=still, shadowing_site_correlation=0.0, subbands=1)
    seed = torch.tensor(list(seeds))
    levels = {}
    for drop in ("own", "sionna"):
        state = reset(plain.with_(drop=drop), seed)
        loaded = replace(state, load=torch.ones_like(state.load), fading=torch.ones_like(state.fading))
        levels[drop] = radio.sinr_db(plain, loaded, state.pathloss_offset_db)
    places = start(plain, seed).position_m
    drawn = [drops.load(plain, int(one), place) for one, place in zip(seed, places, strict=True)]
    loss_db = np.stack([drop.path_loss_db + drop.shadowing_db for drop in drawn]).astype(float)
    power_mw = 10.0 ** ((transmit_per_prb_dbm(plain) - loss_db) / 10.0)
    best = power_mw.max(axis=1)
    direct_db = 10.0 * np.log10(best / (power_mw.sum(axis=1) - best + noise_per_prb_mw(plain)))
    ours_db = levels["sionna"].numpy()
    usual = (direct_db < 50.0) & (distances_m(plain, places).numpy().min(axis=1) > 10.0)
    quantiles = [np.quantile(levels[drop].numpy(), QUANTILES) for drop in ("own", "sionna")]
    return SinrComparison(float(np.abs(ours_db - direct_db)[usual].max()), quantiles[0], quantiles[1])


def _play(scenario: Scenario, state: State, seconds: float) -> tuple[State, list[Kpis]]:
    """Go on for so long with all PRBs for whoever needs them."""
    slices = len(scenario.slices)
    ratios = torch.tensor([[0.0, 100.0 // slices, 100.0]] * slices, dtype=torch.float64)
    spread = ratios.expand(len(state.seed), scenario.cells, slices, 3)
    history = []
    for _ in range(round(seconds / scenario.step_s)):
        state, kpis = step(scenario, state, spread)
        history.append(kpis)
    return state, history
