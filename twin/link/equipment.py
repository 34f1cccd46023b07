"""Equipment state: what the hardware has free for a link, and the channel that the link sees."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Self, overload

import numpy as np

from twin.link.catalogue import REFERENCE_POWER_DBM, REFERENCE_PRBS, ChannelClass, Estimator, Transmitter
from twin.link.errors import EquipmentError, PlanError
from twin.link.hardware import required_flops
from twin.link.plan import ChainGrid, LinkChain, Plan, code_of

SNRS_DB = (-40.0, 80.0)
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("compute_flops", 1e6, 1e18),
    ("max_tx_power_dbm", -10.0, 60.0),
    ("snr_db", *SNRS_DB),
    ("delay_spread_s", 0.0, 10e-6),
    ("doppler_hz", 0.0, 20e3),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentState:
    """What is free at this moment, and the channel. EquipmentError names a field out of its range."""

    free_prbs: int
    """Free spectrum in PRBs of numerology 1; a PRB of numerology m takes 2^(m-1) of them."""
    tx_antennas: int
    rx_antennas: int
    compute_flops: float
    """Operations per second that are free for the physical layer."""
    max_tx_power_dbm: float
    channel: ChannelClass
    snr_db: float
    """Per resource element and receive antenna, for 23 dBm spread over 51 PRBs of numerology 1."""
    delay_spread_s: float
    """RMS delay spread; of no effect in AWGN."""
    doppler_hz: float
    """Largest Doppler shift; of no effect in AWGN."""
    has_deeprx: bool = False
    has_deeptx: bool = False

    def __post_init__(self) -> None:
        if self.channel not in list(ChannelClass):
            raise EquipmentError(f"channel is {self.channel}; it must be one of {', '.join(ChannelClass)}")
        object.__setattr__(self, "channel", ChannelClass(self.channel))
        if not 1 <= self.free_prbs <= 275 * 8:
            raise EquipmentError(f"free_prbs is {self.free_prbs}; it must lie in 1..2200")
        for field in ("tx_antennas", "rx_antennas"):
            if getattr(self, field) not in (1, 2, 4):
                raise EquipmentError(f"{field} is {getattr(self, field)}; it must be one of 1, 2, 4")
        for field, low, high in _RANGES:
            value = getattr(self, field)
            if not (math.isfinite(value) and low <= value <= high):
                raise EquipmentError(f"{field} is {value}; it must lie in {low:g}..{high:g}")

    @overload
    def resource_element_snr_db(self, chain: LinkChain) -> float: ...
    @overload
    def resource_element_snr_db(self, chain: ChainGrid) -> np.ndarray: ...
    def resource_element_snr_db(self, chain: LinkChain | ChainGrid) -> float | np.ndarray:
        """SNR per resource element and receive antenna of a chain, or of each chain [chains], in dB.

        The chain's power is spread over its bandwidth and noise grows with the bandwidth of a subcarrier, so that
        twice the PRBs, or one numerology higher, cost 3 dB.
        """
        if isinstance(chain, LinkChain):
            return float(_snr_db(ChainGrid.of((chain,)), self.snr_db)[0])
        return _snr_db(chain, self.snr_db)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EquipmentGrid:
    """The equipment of each of many chains as columns [chains], in the order of `EquipmentState`.

    A channel is told by its place in ChannelClass. Columns are not validated: they are made of states that are.
    """

    free_prbs: np.ndarray
    tx_antennas: np.ndarray
    rx_antennas: np.ndarray
    compute_flops: np.ndarray
    max_tx_power_dbm: np.ndarray
    channel: np.ndarray
    snr_db: np.ndarray
    delay_spread_s: np.ndarray
    doppler_hz: np.ndarray
    has_deeprx: np.ndarray
    has_deeptx: np.ndarray

    @classmethod
    def of(cls, states: Sequence[EquipmentState], counts: Sequence[int]) -> Self:
        """Each state in turn for so many chains."""
        places = np.repeat(np.arange(len(states)), counts)
        columns = {field.name: np.array([getattr(state, field.name) for state in states]) for field in fields(cls)}
        columns["channel"] = np.array([_CHANNELS.index(state.channel) for state in states], dtype=np.intp)
        return cls(**{name: column[places] for name, column in columns.items()})

    @classmethod
    def over(cls, equipment: "Equipment", count: int) -> "EquipmentGrid":
        """That of so many chains: one state for all, or a grid, which stays as it is."""
        return equipment if isinstance(equipment, EquipmentGrid) else cls.of([equipment], [count])

    def __len__(self) -> int:
        return len(self.snr_db)

    def take(self, rows: np.ndarray | slice) -> Self:
        """That of some of the chains."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def columns(self) -> list[np.ndarray]:
        """All columns: chains on the same equipment have the same."""
        return [getattr(self, field.name) for field in fields(self)]

    def resource_element_snr_db(self, chains: ChainGrid) -> np.ndarray:
        """SNR per resource element and receive antenna of each chain [chains], in dB, as of a state."""
        return _snr_db(chains, self.snr_db)


Equipment = EquipmentState | EquipmentGrid
"""One for all chains, or each chain's own."""
_CHANNELS = tuple(ChannelClass)


def _snr_db(chains: ChainGrid, snr_db: np.ndarray | float) -> np.ndarray:
    spread_db = 10.0 * np.log10(chains.reference_prbs / REFERENCE_PRBS)
    found: np.ndarray = snr_db + (chains.tx_power_dbm - REFERENCE_POWER_DBM) - spread_db
    return found


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of the equipment: what a chain needs [chains] must not exceed what there is."""

    step: str
    field: str
    needed: Callable[[ChainGrid], np.ndarray]
    available: Callable[[Equipment], float | np.ndarray]
    text: str
    """Words for an error, with the two numbers filled in."""

    def exceeded(self, chains: ChainGrid, equipment: Equipment) -> np.ndarray:
        """Tell which chains need more than there is, bool [chains]."""
        over: np.ndarray = self.needed(chains) > self.available(equipment)
        return over


_DEEPRX, _DEEPTX = code_of(Estimator.DEEPRX), code_of(Transmitter.DEEPTX)

LIMITS: tuple[Limit, ...] = (
    Limit(
        "grid",
        "prbs",
        lambda c: c.reference_prbs,
        lambda e: e.free_prbs,
        "prbs x 2^(numerology - 1) is {needed:g}; it must not exceed the {available:g} free PRBs",
    ),
    Limit(
        "precode",
        "tx_antennas",
        lambda c: c.tx_antennas,
        lambda e: e.tx_antennas,
        "tx_antennas is {needed:g}; the equipment has {available:g}",
    ),
    Limit(
        "estimate",
        "rx_antennas",
        lambda c: c.rx_antennas,
        lambda e: e.rx_antennas,
        "rx_antennas is {needed:g}; the equipment has {available:g}",
    ),
    Limit(
        "amplify",
        "tx_power_dbm",
        lambda c: c.tx_power_dbm,
        lambda e: e.max_tx_power_dbm,
        "tx_power_dbm is {needed:g}; the equipment has at most {available:g} dBm",
    ),
    Limit(
        "estimate",
        "estimator",
        lambda c: c.estimator == _DEEPRX,
        lambda e: e.has_deeprx,
        "estimator is deeprx; the equipment does not have it",
    ),
    Limit(
        "modulate",
        "transmitter",
        lambda c: c.transmitter == _DEEPTX,
        lambda e: e.has_deeptx,
        "transmitter is deeptx; the equipment does not have it",
    ),
    Limit(
        "detect",
        "detector",
        required_flops,
        lambda e: e.compute_flops,
        "the chain needs {needed:.3g} operations/s; the equipment has {available:.3g} free: "
        "take fewer PRBs or layers, or a cheaper estimator or detector",
    ),
)


def check(plan: Plan | LinkChain, equipment: EquipmentState) -> None:
    """Raise PlanError, naming step, field and limit, when a plan asks more than the equipment has free."""
    chains = ChainGrid.of((plan.link_chain if isinstance(plan, Plan) else plan,))
    for limit in LIMITS:
        if limit.exceeded(chains, equipment)[0]:
            needed, available = float(limit.needed(chains)[0]), float(limit.available(equipment))
            raise PlanError(limit.step, limit.field, limit.text.format(needed=needed, available=available))


def fits(chains: ChainGrid, equipment: Equipment) -> np.ndarray:
    """Tell which chains their equipment can run, bool [chains]."""
    good = np.ones(len(chains), dtype=bool)
    for limit in LIMITS:
        good &= ~limit.exceeded(chains, equipment)
    return good
