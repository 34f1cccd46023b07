"""Link adaptation: from an outdated SINR to an MCS, and from the true SINR to what gets through.

The MCS is chosen from the SINR of the substep before, less the margin of an outer loop that steers the first
transmission's error rate to its target. Hybrid ARQ repeats what failed and combines the energy of all copies;
what still fails stays in the queue (RLC acknowledged mode).
Expected values are used instead of coin tosses: an MCS's rate is divided by the mean number of transmissions.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.network.invariant import logistic
from twin.network.scenario import Scenario

# Bits per resource element of TS 38.214 table 5.1.3.1-2 (MCS, up to 256QAM) and table 5.2.2.1-3 (CQI 1..15).
_MCS_EFFICIENCY = (
    0.2344, 0.3770, 0.6016, 0.8770, 1.1758, 1.4766, 1.6953, 1.9141, 2.1602, 2.4063, 2.5703, 2.7305, 3.0293, 3.3223,
    3.6094, 3.9023, 4.2129, 4.5234, 4.8164, 5.1152, 5.3320, 5.5547, 5.8906, 6.2266, 6.5703, 6.9141, 7.1602, 7.4063,
)  # fmt: skip
_CQI_EFFICIENCY = (
    0.1523, 0.3770, 0.8770, 1.4766, 1.9141, 2.4063, 2.7305, 3.3223,
    3.9023, 4.5234, 5.1152, 5.5547, 6.2266, 6.9141, 7.4063,
)  # fmt: skip
_SHANNON_SHARE = 0.75
"""A real code's efficiency over Shannon's at an error rate of 10 % (TR 36.942 A.2 fits 0.6..0.75)."""
_BLER_SLOPE_DB = 0.4
_LOGIT_AT_THRESHOLD = math.log(9.0)
_MOST_FAILING = 60.0
OUTER_LOOP_STEP_DB = 0.5
OUTER_LOOP_LOW_DB, OUTER_LOOP_HIGH_DB = -2.0, 12.0
OUTAGE_DB = -12.0
"""Below this estimate a UE cannot be reached even by the lowest MCS with all repetitions: it is not scheduled."""


@dataclass(frozen=True, slots=True)
class RateTable:
    """MCS efficiencies in bits per resource element and the SINR in dB at which each fails 10 % of the time."""

    efficiency: Tensor
    threshold_db: Tensor
    cqi_threshold_db: Tensor
    combining_db: tuple[float, ...]

    @classmethod
    def of(cls, scenario: Scenario, device: torch.device) -> "RateTable":
        """The table for a scenario's number of transmissions."""

        def threshold(efficiency: tuple[float, ...]) -> list[float]:
            return [10.0 * math.log10(2.0 ** (value / _SHANNON_SHARE) - 1.0) for value in efficiency]

        def column(values: Iterable[float]) -> Tensor:
            return torch.tensor(tuple(values), dtype=torch.float32, device=device)

        return cls(
            efficiency=column(_MCS_EFFICIENCY),
            threshold_db=column(threshold(_MCS_EFFICIENCY)),
            cqi_threshold_db=column(threshold(_CQI_EFFICIENCY)),
            combining_db=tuple(10.0 * math.log10(n + 1) for n in range(scenario.harq_transmissions)),
        )


def select_mcs(table: RateTable, estimate_db: Tensor) -> Tensor:
    """The fastest MCS whose threshold the estimated SINR reaches, else the slowest; [...] -> int64 [...]."""
    return (torch.bucketize(estimate_db, table.threshold_db, right=True) - 1).clamp(min=0)


def cqi(table: RateTable, sinr_db: Tensor) -> Tensor:
    """Channel quality indicator 0..15 for an SINR; [...] -> int64 [...]."""
    return torch.bucketize(sinr_db, table.cqi_threshold_db, right=True)


def block_error_rate(table: RateTable, mcs: Tensor, sinr_db: Tensor) -> Tensor:
    """Error rate of one transmission: logistic in dB, 10 % at the MCS's threshold."""
    return logistic((table.threshold_db[mcs] - sinr_db) / _BLER_SLOPE_DB - _LOGIT_AT_THRESHOLD)


@dataclass(frozen=True, slots=True)
class Link:
    """What a UE's link gives in a substep; all [...], as the inputs."""

    efficiency: Tensor
    """Bits per resource element that get through; repetitions, and blocks that no repetition saves, cost."""
    first_error: Tensor
    """Error rate of the first transmission, which the outer loop watches."""
    delay_s: Tensor
    """From the moment the UE is served on: the scenario's base delay and a round trip for each mean repetition."""


def adapt(scenario: Scenario, table: RateTable, mcs: Tensor, sinr_db: Tensor) -> Link:
    """Send with an MCS at the true SINR; int64 and float32 [...] -> Link of [...]."""
    failing = (table.threshold_db[mcs] - sinr_db) / _BLER_SLOPE_DB - _LOGIT_AT_THRESHOLD
    odds = failing.clamp_(max=_MOST_FAILING).exp_()
    # The n-th copy's odds of failing are those of the first, less the energy of n copies in nats.
    first = odds / (odds + 1.0)
    failed, repetitions = first, torch.zeros_like(first)
    for combined in table.combining_db[1:]:
        repetitions = repetitions + failed
        failed = failed * (odds / (odds + math.exp(combined / _BLER_SLOPE_DB)))
    efficiency = table.efficiency[mcs] * (1.0 - failed) / (1.0 + repetitions)
    return Link(efficiency, first, scenario.base_delay_s + scenario.harq_round_trip_s * repetitions)


def outer_loop(margin_db: Tensor, first_error: Tensor, sent: Tensor, target: Tensor) -> Tensor:
    """The margin after a substep: up on errors, down without, still where nothing was sent."""
    step = torch.where(sent, OUTER_LOOP_STEP_DB * (first_error - target), torch.zeros_like(margin_db))
    return (margin_db + step).clamp(OUTER_LOOP_LOW_DB, OUTER_LOOP_HIGH_DB)
