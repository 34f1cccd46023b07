"""Reward: how well the QoS of a plan meets a demand, our reconstruction of eq. 2 of the RLDTF paper.

With e_d = ln(d / d_max), e_r = ln(r_min / r) and e_b = log10(ber / ber_max), and S the sigmoid:

    all e_k <= 0:  R+ - sum_k a_k (2 S(|e_k|) - 1)                 satisfied, less the waste
    otherwise:    -R- + sum_k b_k 2 (1 - S(max(e_k, 0)))           violated, plus the proximity
    no plan:      -R- - 1                                          cannot be parsed, or is refused

The bit error rate enters as the upper end of its 95 % interval.
"""

import math
from dataclasses import dataclass, fields

import numpy as np

from twin.link.demand import Demand, Targets
from twin.link.equipment import Equipment
from twin.link.errors import QosError, RewardError
from twin.link.hardware import antennas, power_w, required_flops
from twin.link.plan import ChainGrid
from twin.link.qos import Qos, Results

DELAY_FLOOR_S = 1e-9
THROUGHPUT_FLOOR_BPS = 1e-3
BER_FLOOR = 1e-15
"""Smaller values count as these, so that no logarithm is infinite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardWeights:
    """Weights of the reward; triples are for delay, throughput and bit error rate.

    RewardError unless every weight is finite and >= 0 and R+ + R- exceeds the sum of all others, which keeps every
    satisfied plan above every violated one.
    """

    satisfied: float = 1.0
    """R+, the reward of a demand met exactly."""
    violated: float = 1.0
    """R-, the loss of a demand missed by far."""
    waste: tuple[float, float, float] = (0.3, 0.3, 0.3)
    """a, taken off for QoS far better than asked."""
    proximity: tuple[float, float, float] = (0.3, 0.3, 0.3)
    """b, given for QoS close to what is asked."""
    use: float = 0.0
    """Taken off a satisfied plan that uses all of the equipment; off by default."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            parts = value if isinstance(value, tuple) else (value,)
            if len(parts) != (3 if field.name in ("waste", "proximity") else 1):
                raise RewardError(f"{field.name} is {value}; it must have three weights")
            if not all(math.isfinite(part) and part >= 0 for part in parts):
                raise RewardError(f"{field.name} is {value}; it must be finite and at least 0")
        spent = math.fsum((*self.waste, *self.proximity, self.use))
        if not self.satisfied + self.violated > spent:
            raise RewardError(
                f"satisfied + violated is {self.satisfied + self.violated:g}; it must exceed the sum of waste, "
                f"proximity and use ({spent:g}), or a violated plan could beat a satisfied one"
            )

    @property
    def refused(self) -> float:
        """The reward of an answer that is no plan, or that is refused."""
        return -self.violated - 1.0


DEFAULT_WEIGHTS = RewardWeights()


def reward(qos: Qos, demand: Demand, weights: RewardWeights = DEFAULT_WEIGHTS, *, use_share: float = 0.0) -> float:
    """Reward of one QoS; QosError for NaN or a negative value. `use_share` as in `rewards`."""
    errors = deviations(qos.delay_s, qos.throughput_bps, qos.ber_high, demand)
    return float(reward_of(errors, weights, use_share))


def rewards(
    results: Results,
    demand: Demand,
    weights: RewardWeights = DEFAULT_WEIGHTS,
    *,
    use_share: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Rewards of many results [plans]; `use_share` is the share of the equipment in use, 0..1 (`use_share_of`)."""
    errors = deviations(results.delay_s, results.throughput_bps, results.ber_high, demand)
    return reward_of(errors, weights, use_share)


def deviations(
    delay_s: np.ndarray | float,
    throughput_bps: np.ndarray | float,
    ber: np.ndarray | float,
    demand: Demand | Targets,
) -> np.ndarray:
    """The deviations e_d, e_r, e_b from a demand and its margin, [..., 3]; 0 or less where the demand is met.

    Inputs have shape [...], and so have targets of many. QosError for NaN, a negative value, or a bit error rate
    above 1.
    """
    target = demand.tightened() if isinstance(demand, Demand) else demand
    delay_s = _measured("delay_s", delay_s, math.inf, DELAY_FLOOR_S)
    throughput_bps = _measured("throughput_bps", throughput_bps, math.inf, THROUGHPUT_FLOOR_BPS)
    ber = _measured("ber", ber, 1.0, BER_FLOOR)
    with np.errstate(divide="ignore"):
        parts = (
            np.log(delay_s / target.max_delay_s),
            np.log(target.min_throughput_bps / throughput_bps),
            np.log10(ber / target.max_ber),
        )
    return np.stack(parts, axis=-1)


def reward_of(
    errors: np.ndarray, weights: RewardWeights = DEFAULT_WEIGHTS, use_share: np.ndarray | float = 0.0
) -> np.ndarray:
    """Rewards by deviations [..., 3] -> [...]; `use_share` as in `rewards`."""
    # 2 (1 - S(x)) = 1 - tanh(x / 2), which does not overflow.
    proximity = (1.0 - np.tanh(np.maximum(errors, 0.0) / 2.0)) @ np.array(weights.proximity)
    good = weights.satisfied - waste(errors, weights) - weights.use * np.clip(use_share, 0.0, 1.0)
    value: np.ndarray = np.where(satisfied(errors), good, proximity - weights.violated)
    return value


def decades(ber: np.ndarray | float, ber_high: np.ndarray | float) -> np.ndarray:
    """How far the upper end of a bit error rate's interval lies above it, in decades of the deviation [...]."""
    low, high = (np.maximum(told, BER_FLOOR) for told in (ber, ber_high))
    found: np.ndarray = np.log10(high / low)
    return found


def satisfied(errors: np.ndarray) -> np.ndarray:
    """Tell where a demand is met; deviations [..., 3] -> bool [...]."""
    return np.asarray((errors <= 0).all(axis=-1))


def waste(errors: np.ndarray, weights: RewardWeights = DEFAULT_WEIGHTS) -> np.ndarray:
    """What is taken off the reward of a met demand for QoS better than asked; deviations [..., 3] -> [...]."""
    # 2 S(x) - 1 = tanh(x / 2), which does not overflow.
    lost: np.ndarray = np.tanh(np.abs(errors) / 2.0) @ np.array(weights.waste)
    return lost


def use_share_of(chains: ChainGrid, equipment: Equipment) -> np.ndarray:
    """Mean share of spectrum, power, antennas and compute that each chain takes [chains], 0..1 where it fits."""
    shares = (
        chains.reference_prbs / equipment.free_prbs,
        power_w(chains) / 10.0 ** (equipment.max_tx_power_dbm / 10.0 - 3.0),
        antennas(chains) / (equipment.tx_antennas + equipment.rx_antennas),
        required_flops(chains) / equipment.compute_flops,
    )
    share: np.ndarray = np.mean(shares, axis=0)
    return share


def _measured(field: str, value: np.ndarray | float, high: float, floor: float) -> np.ndarray:
    array = np.asarray(value, dtype=np.float64)
    bad = ~((array >= 0) & (array <= high))
    if bad.any():
        raise QosError(f"{field} is {array[bad].flat[0]}; it must lie in 0..{high:g}")
    return np.maximum(array, floor)
