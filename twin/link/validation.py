"""How true T0 and T1 are: where each says that one block in ten fails, and where T2's Monte Carlo finds it so.

T2's block error rates around that place are fitted by a curve, so that where it crosses 10 % comes with an
interval of its own. T1 is asked with several seeds: the mean of its answers is off by its bias, and the channels
that it happened to draw spread them. Where errors are rare (`judge_rare`) T2 counts at one SNR, and what is held
against each other are the block error rates there: plans that promise few errors live there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from twin.link.blocks import blocks_of
from twin.link.catalogue import ChannelClass
from twin.link.equipment import EquipmentState
from twin.link.evaluate import evaluate, snr_for
from twin.link.plan import LinkChain
from twin.link.qos import Tier

TARGET = 0.1
RATES = (0.35, 0.22, 0.15, 0.1, 0.06, 0.035)
"""Block error rates, by T0, at whose SNRs T2 counts."""
RARE = 3e-3
"""Block error rate, by T0, at whose SNR T2 counts what is rare."""
SEEDS = tuple(range(1, 13))
_LEVELS_DB = np.arange(-24.0, 46.0, 0.25)
_ROUNDS = 30
_EQUIPMENT = EquipmentState(
    free_prbs=2200,
    tx_antennas=4,
    rx_antennas=4,
    compute_flops=1e16,
    max_tx_power_dbm=46,
    channel=ChannelClass.AWGN,
    snr_db=0.0,
    delay_spread_s=0.0,
    doppler_hz=0.0,
    has_deeprx=True,
    has_deeptx=True,
)


@dataclass(frozen=True, slots=True)
class Case:
    """A link chain of one transmission, over one slot or several, and the channel it is tried on."""

    name: str
    chain: LinkChain
    channel: ChannelClass
    delay_spread_s: float
    doppler_hz: float

    @classmethod
    def of(cls, name: str, channel: ChannelClass, spread_s: float, doppler_hz: float, **fields: object) -> "Case":
        """A case by its chain's fields."""
        make: Callable[..., LinkChain] = LinkChain
        chain = make(**{"numerology": 1, "prbs": 12, "estimator": "lmmse", **fields})
        return cls(name, chain, channel, spread_s, doppler_hz)

    def equipment(self, level_db: float) -> EquipmentState:
        """The equipment at which the chain has this SNR per resource element."""
        state = replace(
            _EQUIPMENT, channel=self.channel, delay_spread_s=self.delay_spread_s, doppler_hz=self.doppler_hz
        )
        return replace(state, snr_db=snr_for(state, self.chain, level_db))

    def bler(self, level_db: float, tier: Tier, seed: int = 0) -> float:
        """Block error rate by T0 or T1: what is missing from the throughput."""
        answer = evaluate(self.chain, self.equipment(level_db), tier, seed=seed).qos
        whole = evaluate(self.chain, self.equipment(70.0)).qos.throughput_bps
        return float(np.clip(1.0 - answer.throughput_bps / whole, 1e-7, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What T2 counted at some SNRs [n]."""

    levels_db: np.ndarray
    blocks: np.ndarray
    failed: np.ndarray
    blocks_per_slot: int
    """They share a channel: a slot counts as one trial, to be on the safe side."""

    @property
    def bler(self) -> np.ndarray:
        """Block error rates [n]."""
        found: np.ndarray = self.failed / self.blocks
        return found

    def crossing_db(self) -> tuple[float, float]:
        """The SNR at which one block in ten fails, and its standard error: probit regression, quadratic in dB."""
        from scipy.special import ndtr

        middle = float(self.levels_db.mean())
        terms = np.vander(self.levels_db - middle, 3, increasing=True)
        trials, share = self.blocks / self.blocks_per_slot, self.bler
        normal = NormalDist()
        weights = np.linalg.lstsq(
            terms, [normal.inv_cdf(float(x)) for x in np.clip(share, 0.002, 0.998)], rcond=None
        )[0]
        for _ in range(_ROUNDS):  # Fisher's scoring
            place = terms @ weights
            density, expected = np.exp(-0.5 * place**2) / np.sqrt(2.0 * np.pi), ndtr(place)
            spread = np.maximum(expected * (1.0 - expected), 1e-9)
            information = (terms * (trials * density**2 / spread)[:, None]).T @ terms
            weights = weights + np.linalg.solve(
                information, terms.T @ (trials * density * (share - expected) / spread)
            )
        grid = np.linspace(self.levels_db.min(), self.levels_db.max(), 4001) - middle
        curve = np.vander(grid, 3, increasing=True)
        at = int(np.abs(curve @ weights - normal.inv_cdf(TARGET)).argmin())
        slope = weights[1] + 2.0 * weights[2] * grid[at]
        variance = curve[at] @ np.linalg.solve(information, curve[at])
        return float(grid[at] + middle), float(np.sqrt(variance) / abs(slope))


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What the tiers say of a case."""

    case: Case
    counted: Counted
    t0_db: float
    """Where T0 says that one block in ten fails."""
    t1_db: np.ndarray
    """Where T1 says so, [seeds]."""
    t0: np.ndarray
    t1: np.ndarray
    """Block error rates at the counted SNRs, T1's by its first seed."""

    @property
    def t0_error_db(self) -> float:
        """How much more SNR T2 needs."""
        return self.counted.crossing_db()[0] - self.t0_db

    @property
    def t1_error_db(self) -> float:
        """The same of T1, its answers' mean: its bias."""
        return self.counted.crossing_db()[0] - float(self.t1_db.mean())


def crossing(levels_db: np.ndarray, rates: np.ndarray, target: float = TARGET) -> float:
    """Where block error rates fall through a target, interpolating their logarithms; NaN where they do not."""
    below = np.flatnonzero(rates <= target)
    if not len(below) or below[0] == 0:
        return float("nan")
    last = below[0]
    high, low = np.log(rates[last - 1]), np.log(rates[last])
    step_db = levels_db[last] - levels_db[last - 1]
    return float(levels_db[last - 1] + (high - np.log(target)) / (high - low) * step_db)


def judge(case: Case, *, blocks: int, failures: int, seed: int = 101) -> Verdict:
    """Hold a case's tiers against each other: so many blocks, or failed blocks, make a point of T2."""
    from twin.link.chain.tiers import monte_carlo

    expected = np.array([case.bler(level, Tier.T0) for level in _LEVELS_DB])
    levels = np.array([crossing(_LEVELS_DB, expected, rate) for rate in RATES])
    found = [
        monte_carlo(
            case.chain, case.equipment(level), seed=seed + place, target_failures=failures, most_blocks=blocks
        )
        for place, level in enumerate(levels)
    ]
    counted = Counted(
        levels,
        np.array([item.blocks for item in found]),
        np.array([item.failed for item in found]),
        blocks_per_slot=blocks_of(case.chain)[0],
    )
    step_db = (levels[-1] - levels[0]) / 4.0
    around = levels[3] + step_db * np.arange(-2, 3)
    looked = np.array([[case.bler(level, Tier.T1, seed) for level in around] for seed in SEEDS])
    return Verdict(
        case,
        counted,
        t0_db=float(levels[3]),
        t1_db=np.array([crossing(around, rates) for rates in looked]),
        t0=np.array(RATES),
        t1=np.array([case.bler(level, Tier.T1, SEEDS[0]) for level in levels]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Rare:
    """Block error rates of a case where errors are rare, by all tiers at one SNR."""

    case: Case
    level_db: float
    blocks: int
    failed: int
    """What T2 counted."""
    t0: float
    t1: np.ndarray
    """By seeds [n]."""

    @property
    def bler(self) -> float:
        """T2's; where nothing failed, as if half a block had."""
        return max(self.failed, 0.5) / self.blocks

    @property
    def error_decades(self) -> float:
        """Standard error of T2's decimal logarithm, blocks that share a slot counting as one trial."""
        slots = max(self.failed, 0.5) / blocks_of(self.case.chain)[0]
        return float(slots**-0.5 / np.log(10.0))

    def missed_decades(self, tier: Tier) -> float:
        """How much higher T2's rate is than a tier's, in decades; T1's is the geometric mean over its seeds."""
        told = np.log10(self.t0 if tier is Tier.T0 else self.t1)
        return float(np.log10(self.bler) - np.mean(told))

    @property
    def t1_spread_decades(self) -> float:
        """Standard deviation of T1's over seeds: what chance makes of one answer."""
        return float(np.log10(self.t1).std(ddof=1))


def judge_rare(case: Case, *, blocks: int, failures: int, seed: int = 201) -> Rare:
    """Hold a case's tiers against each other where T0 expects RARE: so many blocks, or failures, are counted."""
    from twin.link.chain.tiers import monte_carlo

    expected = np.array([case.bler(level, Tier.T0) for level in _LEVELS_DB])
    level_db = crossing(_LEVELS_DB, expected, RARE)
    counted = monte_carlo(
        case.chain, case.equipment(level_db), seed=seed, target_failures=failures, most_blocks=blocks
    )
    return Rare(
        case,
        level_db,
        counted.blocks,
        counted.failed,
        case.bler(level_db, Tier.T0),
        np.array([case.bler(level_db, Tier.T1, each) for each in SEEDS[:6]]),
    )
