"""The control loop of one cell: a report goes in, the policy to be in force comes out. It does no I/O."""

import math
from dataclasses import dataclass

import numpy as np

from oran.e2.identity import CellGlobalId
from oran.experience import Transition
from oran.sla import SlaTargets, qos_ratio, reward, satisfaction
from oran.slices import SNssai, from_policy, static_ratios, to_policy
from xapps.slicing.control import Policy
from xapps.slicing.controllers import Controller
from xapps.slicing.guard import CellGuard, GuardConfig, Reason, implausible
from xapps.slicing.observation import CellObservation, SliceKpis, observe


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for a cell and from what; `observation` is None where no KPIs could be used."""

    policy: Policy
    ratios: np.ndarray
    """The quotas before rounding to whole percent, [slices, 3]."""
    reasons: tuple[Reason, ...]
    observation: CellObservation | None
    targets: SlaTargets

    @property
    def qos(self) -> np.ndarray:
        """QoS ratio of each slice, [slices]; NaN without KPIs."""
        if self.observation is None:
            return np.full(len(self.policy), math.nan)
        kpis = self.observation.kpis
        return qos_ratio(self.targets, kpis.throughput_bps, kpis.delay_s, kpis.drop_rate)

    @property
    def satisfaction(self) -> float:
        """Weighted share of promises kept."""
        return float(satisfaction(self.targets, self.qos))

    def transition(self, controller: str) -> Transition | None:
        """The decision as an experience record; None where no KPIs could be used."""
        seen = self.observation
        if seen is None:
            return None
        qos = self.qos
        return Transition(
            node=seen.node,
            time_s=seen.time_s,
            period_s=seen.period_s,
            slices=tuple(map(str, seen.slices)),
            kpis=seen.kpis.by_name(),
            ratios=rows(seen.ratios),
            action=rows(self.ratios),
            qos_ratio=tuple(qos.tolist()),
            reward=float(reward(self.targets, qos)),
            controller=controller,
            guard=tuple(reason.value for reason in self.reasons),
        )


def rows(ratios: np.ndarray) -> tuple[tuple[float, float, float], ...]:
    """Ratios [slices, 3] as an experience record holds them."""
    return tuple((float(row[0]), float(row[1]), float(row[2])) for row in ratios)


class CellLoop:
    """Observes, decides and guards one cell. Controllers that fail are contained here and counted as a reason."""

    def __init__(
        self,
        node: str,
        cell: CellGlobalId | None,
        slices: tuple[SNssai, ...],
        *,
        controller: Controller,
        guard: GuardConfig,
        period_s: float,
        cell_prbs: float,
    ) -> None:
        self.node = node
        self.cell = cell
        self.slices = slices
        self.controller = controller
        self.period_s = period_s
        self.in_force: np.ndarray = static_ratios(len(slices))
        """The quotas thought to be in force, [slices, 3]."""
        self.policy: Policy = to_policy(slices, self.in_force)
        """The same as a policy."""
        self.last: Decision | None = None
        self.seen_s = -math.inf
        """When a report last came, in the clock that `now_s` is of."""
        self.error = ""
        """What the controller last failed with."""
        self._cell_prbs = cell_prbs
        self._guard = CellGuard(guard, len(slices), period_s=period_s)
        self.observation: CellObservation | None = None
        """What was last seen of the cell, as far as it was plausible."""

    def on_report(self, kpis: SliceKpis, targets: SlaTargets, *, now_s: float, time_s: float) -> Decision:
        """Decide on a period's KPIs; `now_s` is a monotonic clock, `time_s` Unix time."""
        self.seen_s = now_s
        observation = observe(
            kpis,
            node=self.node,
            cell=self.cell,
            time_s=time_s,
            slices=self.slices,
            ratios=self.in_force,
            previous=self.observation,
            cell_prbs=self._cell_prbs,
        )
        if implausible(observation) is not None:
            return self._conclude(*self._guard.hold(now_s, Reason.IMPLAUSIBLE), None, targets)
        self.observation = observation
        ratios, reasons = self._guard.decide(self._ask(observation, targets), now_s)
        return self._conclude(ratios, reasons, observation, targets)

    def on_silence(self, targets: SlaTargets, now_s: float) -> Decision | None:
        """Decide while no report comes; None while that is no reason yet to do anything."""
        ratios, reasons = self._guard.hold(now_s)
        return self._conclude(ratios, reasons, None, targets) if reasons else None

    def took_over(self, policy: Policy) -> None:
        """A policy was sent, or is known to be in force."""
        self.in_force, self.policy = from_policy(policy), policy

    def follow(self, policy: Policy) -> None:
        """Somebody else has put a policy in force: take it as it is, whatever the guard would say."""
        self.took_over(policy)
        self._guard.begin(self.in_force)

    def _ask(self, observation: CellObservation, targets: SlaTargets) -> np.ndarray | None:
        """What the controller wants; None when it fails, whatever with: the guard then keeps the last quotas."""
        try:
            return self.controller.decide(observation, targets)
        except Exception as error:
            self.error = repr(error)[:200]
            return None

    def _conclude(
        self,
        ratios: np.ndarray,
        reasons: tuple[Reason, ...],
        observation: CellObservation | None,
        targets: SlaTargets,
    ) -> Decision:
        self.last = Decision(to_policy(self.slices, ratios), ratios, reasons, observation, targets)
        return self.last
