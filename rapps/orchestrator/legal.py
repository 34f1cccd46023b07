"""Legal: which modules a link chain may still have, one after the other, on an equipment.

They are chosen in ORDER. A module is legal when some way to choose the rest gives a chain that breaks no rule and
that the equipment can run. Sizes come last, and are made for the modules (`sizing`).
"""

from functools import cache, lru_cache

import numpy as np

from rapps.orchestrator.sizing import SIZED, SIZES, SMALLEST
from twin.link.catalogue import PARAMETERS, REFERENCE_NUMEROLOGY, ChannelClass
from twin.link.equipment import EquipmentState, fits
from twin.link.errors import PlanError
from twin.link.hardware import required_flops
from twin.link.plan import COLUMNS, ChainGrid, LinkChain, code

Value = str | int | float

_MODULES = tuple(name for name in COLUMNS if name not in (*SIZED, "numerology"))
_CHOSEN = ("numerology", *_MODULES)
ORDER = (*_CHOSEN, *SIZES)
"""The parameters in the order in which they are chosen."""


class Legal:
    """The legal modules of one chain while it is chosen; PlanError where the equipment can run no chain."""

    def __init__(self, equipment: EquipmentState) -> None:
        self._equipment = equipment
        self._chosen: list[Value] = []
        self._rows = np.flatnonzero(_runnable(equipment))
        if not self.options():
            raise PlanError("plan", "", "no link chain fits the equipment")

    @property
    def field(self) -> str:
        """The parameter that is next."""
        return _CHOSEN[len(self._chosen)]

    @property
    def done(self) -> bool:
        """Whether every module is chosen."""
        return len(self._chosen) == len(_CHOSEN)

    def options(self) -> tuple[Value, ...]:
        """The values that the next parameter may take, in the catalogue's order."""
        if self.field == "numerology":
            return tuple(value for value in PARAMETERS["numerology"].values if self._runs(int(value)))
        column = getattr(_grid(), self.field)[self._rows]
        return tuple(value for place, value in _coded(self.field) if (column == place).any())

    def choose(self, value: Value) -> None:
        """Choose the next parameter's value; PlanError where it is not legal."""
        field = self.field
        if value not in self.options():
            raise PlanError("plan", field, f"{field} is {value}; it must be one of {self.options()}")
        self._chosen.append(value)
        if field == "numerology":
            self._rows = self._affordable(int(value))
        else:
            self._rows = self._rows[getattr(_grid(), field)[self._rows] == code(field, value)]

    def chain(self) -> LinkChain:
        """The chain when every module is chosen, its sizes at their smallest."""
        return LinkChain.model_validate({**dict(zip(_CHOSEN, self._chosen, strict=True)), **SMALLEST})

    def _runs(self, numerology: int) -> bool:
        """Whether the equipment has the spectrum, and the compute with some combination left."""
        most = self._equipment.free_prbs * 2.0 ** (REFERENCE_NUMEROLOGY - numerology)
        return SMALLEST["prbs"] <= most and len(self._affordable(numerology)) > 0

    def _affordable(self, numerology: int) -> np.ndarray:
        """Which of the combinations left the equipment can compute."""
        return self._rows[_flops(numerology)[self._rows] <= self._equipment.compute_flops]


def modules(equipment: EquipmentState, count: int, numbers: np.random.Generator) -> ChainGrid | None:
    """Combinations of modules that the equipment has, at random [count], all else at its smallest, or None."""
    rows = np.flatnonzero(_runnable(equipment))
    return _grid().take(numbers.choice(rows, count)) if len(rows) else None


@lru_cache(maxsize=1)
def _grid() -> ChainGrid:
    """Every consistent combination of modules; the rest is at its smallest."""
    axes = {name: PARAMETERS[name].values for name in COLUMNS}
    axes |= {name: axes[name][:1] for name in COLUMNS if name not in _MODULES}
    grid = ChainGrid.product(**axes)
    return grid.take(grid.consistent())


def _runnable(equipment: EquipmentState) -> np.ndarray:
    """Which combinations the equipment has the antennas and networks for, bool [combinations]."""
    return _fitting(
        equipment.tx_antennas,
        equipment.rx_antennas,
        has_deeprx=equipment.has_deeprx,
        has_deeptx=equipment.has_deeptx,
    )


@lru_cache(maxsize=64)
def _fitting(tx_antennas: int, rx_antennas: int, *, has_deeprx: bool, has_deeptx: bool) -> np.ndarray:
    ample = EquipmentState(
        free_prbs=2200,
        tx_antennas=tx_antennas,
        rx_antennas=rx_antennas,
        compute_flops=1e18,
        max_tx_power_dbm=60.0,
        channel=ChannelClass.AWGN,
        snr_db=0.0,
        delay_spread_s=0.0,
        doppler_hz=0.0,
        has_deeprx=has_deeprx,
        has_deeptx=has_deeptx,
    )
    return fits(_grid(), ample)


@cache
def _flops(numerology: int) -> np.ndarray:
    """Operations per second of every combination at its narrowest, float32 [combinations], rounded up."""
    exact = required_flops(_grid().with_(numerology=numerology))
    return np.nextafter(exact.astype(np.float32), np.float32(np.inf))


@cache
def _coded(field: str) -> tuple[tuple[int, Value], ...]:
    return tuple((code(field, value), value) for value in PARAMETERS[field].values)
