"""Space: every link chain that an equipment can run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twin.link.catalogue import PARAMETERS, REFERENCE_NUMEROLOGY, STEP_OF, Estimator, Transmitter
from twin.link.equipment import EquipmentState, fits
from twin.link.errors import PlanError
from twin.link.plan import COLUMNS, ChainGrid, code

SIZES = ("prbs", "tx_power_dbm", "harq_transmissions", "repetition")
"""The parameters that modules do not depend on: how wide, how loud and how often."""

FRESH = 0.15
"""The share of a neighbour's parameters that are drawn anew: two of fifteen."""


@dataclass(frozen=True, slots=True)
class Space:
    """The values that each parameter may take on an equipment, by name; rules and limits apply on top."""

    equipment: EquipmentState
    axes: Mapping[str, tuple[str | int | float, ...]]

    @classmethod
    def of(
        cls, equipment: EquipmentState, only: Mapping[str, Sequence[str | int | float]] | None = None
    ) -> "Space":
        """The space of an equipment; `only` narrows parameters to given values. PlanError when none is left."""
        axes = {}
        for name, parameter in PARAMETERS.items():
            wanted = (only or {}).get(name, parameter.values)
            axes[name] = tuple(
                value for value in parameter.values if value in wanted and _has(equipment, name, value)
            )
            if not axes[name]:
                raise PlanError(STEP_OF[name], name, f"{name} has no value left that the equipment can run")
        return cls(equipment, axes)

    def modules(self) -> ChainGrid:
        """Every consistent combination of modules; SIZES are at their smallest [combinations]."""
        grid = ChainGrid.product(**{name: self.axes[name][: 1 if name in SIZES else None] for name in COLUMNS})
        return grid.take(grid.consistent())

    def sample(self, count: int, rng: np.random.Generator) -> ChainGrid:
        """Link chains drawn at random, each parameter uniformly, until they break no rule and fit [count]."""
        modules = self.modules()
        found: list[ChainGrid] = []
        for _ in range(1_000):
            drawn = modules.take(rng.integers(len(modules), size=2 * count + 16))
            drawn = drawn.with_(**{name: rng.choice(np.array(self.axes[name]), len(drawn)) for name in SIZES})
            found.append(drawn.take(fits(drawn, self.equipment)))
            if sum(map(len, found)) >= count:
                return concatenate(found).take(slice(count))
        raise PlanError("plan", "", "next to no link chain fits the equipment")

    def neighbours(self, chain: ChainGrid, count: int, rng: np.random.Generator) -> ChainGrid:
        """Chains like a given one [1], some parameters drawn anew; of `count` drawn, those that may be run."""
        drawn = chain.take(np.zeros(count, dtype=int))
        new = {}
        for name in COLUMNS:
            values = np.array([code(name, value) for value in self.axes[name]])
            fresh = rng.random(count) < FRESH
            new[name] = np.where(fresh, rng.choice(values, count), getattr(drawn, name))
        drawn = drawn.with_(**new)
        return drawn.take(drawn.consistent() & fits(drawn, self.equipment))


def concatenate(grids: Sequence[ChainGrid]) -> ChainGrid:
    """Chains of several grids, one after the other."""
    return ChainGrid(*(np.concatenate([getattr(grid, name) for grid in grids]) for name in COLUMNS))


def _has(equipment: EquipmentState, name: str, value: str | int | float) -> bool:
    if isinstance(value, str):
        missing = {
            Estimator.DEEPRX.value: not equipment.has_deeprx,
            Transmitter.DEEPTX.value: not equipment.has_deeptx,
        }
        return not missing.get(value, False)
    most: dict[str, float] = {
        "tx_antennas": equipment.tx_antennas,
        "rx_antennas": equipment.rx_antennas,
        "layers": min(equipment.tx_antennas, equipment.rx_antennas),
        "tx_power_dbm": equipment.max_tx_power_dbm,
        "prbs": equipment.free_prbs * 2**REFERENCE_NUMEROLOGY,
    }
    return value <= most.get(name, math.inf)
