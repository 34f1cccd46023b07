"""T0's tables: how the mutual information of a link is spread over fading, for every receiver, by SNR.

Made by `python -m twin.link.make_tables` with T1's own chain. A cell holds quantiles over channels of the GMI per
coded bit. Between cells it is interpolated: linear in SNR, and in the logarithms of delay spread, Doppler and
width; outside the grid the nearest cell holds. Delay spread counts in symbols and Doppler in cycles per symbol, as
in `twin.link.chain.channel`, so that one table serves all numerologies.

EP and K-best are slow and were run in one cell of channel, spread, Doppler and width only: elsewhere their GMI is
LMMSE's, shifted by what they gained there on the scale of the log odds.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np

from twin.link import mutual_information
from twin.link.catalogue import ChannelClass, Detector, Estimator, Precoder
from twin.link.equipment import EquipmentState
from twin.link.errors import EquipmentError
from twin.link.plan import ChainGrid, code_of

FILE = Path(__file__).with_name("tables.npz")

CHANNELS = (ChannelClass.TDL_A, ChannelClass.TDL_C, ChannelClass.TDL_D)
SPREADS = (0.0005, 0.005, 0.03)
DOPPLERS = (0.0005, 0.01)
WIDTHS = (1, 8, 64)
SNRS_DB = tuple(range(-18, 43, 3))
QUANTILES = 6
ESTIMATORS = (Estimator.LS, Estimator.LMMSE)
LINEAR = (Detector.ZF, Detector.LMMSE)
SLOW = (Detector.EP, Detector.KBEST)
SLOW_CELL = (1, 1, 0, 1)
"""Places of channel, spread, Doppler and width at which the slow detectors were run."""
SCALE = 1000.0
"""Stored numbers per bit of mutual information."""

Antennas = tuple[int, int, int, Precoder]
"""Layers, transmit and receive antennas, precoder."""
ANTENNAS: tuple[Antennas, ...] = (
    *((1, 1, rx, Precoder.NONE) for rx in (1, 2, 4)),
    *((2, 2, rx, Precoder.NONE) for rx in (2, 4)),
    (4, 4, 4, Precoder.NONE),
    *(
        (layers, tx, rx, Precoder.SVD)
        for layers, tx, rx in product((1, 2, 4), (2, 4), (1, 2, 4))
        if layers <= min(tx, rx)
    ),
)
MANY = tuple(place for place, (layers, *_) in enumerate(ANTENNAS) if layers > 1)
"""Places of the antenna set-ups with several layers: with one, all detectors are alike."""
DEEPRX_ANTENNAS = tuple(place for place, (layers, _, rx, _) in enumerate(ANTENNAS) if layers == 1 and rx <= 2)
"""Places of the antenna set-ups that DeepRx receives."""


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The tables: GMI per coded bit, 0..1.

    `fading` [channels, spreads, dopplers, widths, antennas, estimators, linear detectors, modulations, SNRs,
    quantiles]; `awgn` the same without its first four axes; `gain` [many, slow detectors, modulations, SNRs] in
    log odds.
    """

    fading: np.ndarray
    awgn: np.ndarray
    gain: np.ndarray
    deeprx: np.ndarray
    """[channels, spreads, dopplers, widths, DeepRx's antennas, modulations, SNRs, quantiles]."""
    deeprx_awgn: np.ndarray
    steps_db: np.ndarray
    """How far the two lowest quantiles are apart: `fading`'s shape without its last two axes."""
    deeprx_steps_db: np.ndarray

    @classmethod
    def load(cls, path: Path = FILE) -> "Tables":
        """Read the stored tables."""
        with np.load(path) as stored:
            names = ("fading", "awgn", "deeprx", "deeprx_awgn")
            fading, awgn, deeprx, deeprx_awgn = (stored[name].astype(np.float32) / SCALE for name in names)
            # A slow detector that does worse than LMMSE did so by chance; and its gain must not fall with the SNR,
            # for more SNR never tells less.
            gain = np.maximum.accumulate(np.maximum(stored["gain"], 0.0), axis=-1)
        return cls(fading, awgn, gain, deeprx, deeprx_awgn, _steps_db(fading), _steps_db(deeprx))


def _steps_db(table: np.ndarray) -> np.ndarray:
    """How far the two lowest quantiles are apart, in dB, where both can be told well; one axis, SNR, less."""
    low, high = table[..., 0], table[..., 1]
    told = (low > 0.1) & (high < 0.9)
    apart = np.where(told, mutual_information.to_snr_db(high) - mutual_information.to_snr_db(low), 0.0)
    steps: np.ndarray = apart.sum(axis=-1) / np.maximum(told.sum(axis=-1), 1)
    return steps


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The stored tables."""
    return Tables.load()


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """Chains on an equipment, found in the tables once, to be asked at many SNRs.

    Raises EquipmentError for a receiver that the tables do not have.
    """

    chains: ChainGrid
    weight: np.ndarray
    """Of each corner of the cell around a chain [corners, chains]; one corner in AWGN."""
    places: tuple[np.ndarray, ...]
    """Of the corners in the table, before its SNR axis."""
    table: np.ndarray
    steps: np.ndarray | None
    """The table of steps; None in AWGN, which does not fade."""
    slow: tuple[np.ndarray, np.ndarray, np.ndarray]
    """Which chains have a slow detector, and which set-up and detector it is."""

    def quantiles(self, snr_db: np.ndarray) -> np.ndarray:
        """Quantiles over channels of the GMI per coded bit, [chains, QUANTILES], at SNRs [chains]."""
        snr = _place(np.array(SNRS_DB, dtype=float), snr_db)
        found = (_along_snr(self.table, self.places, snr) * self.weight[..., None]).sum(axis=0)
        return self._with_gain(found, snr)

    def step_db(self) -> np.ndarray:
        """How far the two lowest quantiles are apart [chains], in dB: the tail follows from that."""
        if self.steps is None:
            return np.zeros(len(self.chains))
        found: np.ndarray = (self.steps[self.places] * self.weight).sum(axis=0)
        return found

    def _with_gain(self, found: np.ndarray, snr: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Shift LMMSE's GMI to that of the slow detectors, where one is in use with several layers."""
        slow, row, which = self.slow
        if not slow.any():
            return found
        gain = _along_snr(tables().gain, (row, which, self.chains.modulation), snr)
        held = np.clip(found, 1e-6, 1.0 - 1e-6)
        shifted = 1.0 / (1.0 + (1.0 - held) / held * np.exp(-gain[:, None]))
        return np.where(slow[:, None], shifted, found)


def look_up(chains: ChainGrid, equipment: EquipmentState) -> Lookup:
    """Find chains in the tables, all of them with DeepRx or none; EquipmentError for what is not there."""
    stored, antennas = tables(), _antennas(chains)
    rest: tuple[np.ndarray, ...]
    learnt = bool((chains.estimator == code_of(Estimator.DEEPRX)).any())
    if learnt:
        if not np.isin(antennas, DEEPRX_ANTENNAS).all():
            raise EquipmentError("the tables have no DeepRx for these antennas")
        rest = (np.searchsorted(DEEPRX_ANTENNAS, antennas), chains.modulation)
        fading, awgn, steps = stored.deeprx, stored.deeprx_awgn, stored.deeprx_steps_db
    else:
        linear = np.where(chains.detector == code_of(Detector.ZF), 0, 1)
        estimator = np.where(chains.estimator == code_of(Estimator.LS), 0, 1)
        rest = (antennas, estimator, linear, chains.modulation)
        fading, awgn, steps = stored.fading, stored.awgn, stored.steps_db
    slow = np.isin(chains.detector, [code_of(detector) for detector in SLOW]) & (chains.layers > 1)
    row = np.searchsorted(MANY, antennas).clip(0, len(MANY) - 1)
    which = np.where(chains.detector == code_of(SLOW[0]), 0, 1)
    if equipment.channel is ChannelClass.AWGN:
        one = tuple(place[None] for place in rest)
        return Lookup(chains, np.ones((1, len(chains))), one, awgn, None, (slow, row, which))
    weight, places = _corners(chains, equipment)
    channel = CHANNELS.index(equipment.channel)
    return Lookup(chains, weight, (*places, *rest), fading[channel], steps[channel], (slow, row, which))


_CORNERS = np.array(list(product((0, 1), repeat=3)))


def _corners(chains: ChainGrid, equipment: EquipmentState) -> tuple[np.ndarray, list[np.ndarray]]:
    """Eight corners in spread, Doppler and width around each chain: weights and places, [corners, chains] each."""
    spacing_hz = 15e3 * 2.0**chains.numerology
    symbols_per_s = 14e3 * 2.0**chains.numerology
    axes = (
        _place(np.log(SPREADS), _log(equipment.delay_spread_s * spacing_hz)),
        _place(np.log(DOPPLERS), _log(equipment.doppler_hz / symbols_per_s)),
        _place(np.log(WIDTHS), np.log(chains.prbs)),
    )
    weight = np.ones((len(_CORNERS), len(chains)))
    places = []
    for side, (cell, share) in zip(_CORNERS.T, axes, strict=True):
        weight = weight * np.where(side[:, None], share, 1.0 - share)
        places.append(cell + side[:, None])
    return weight, places


def _along_snr(
    table: np.ndarray, places: tuple[np.ndarray, ...], snr: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    cell, share = snr
    low, high = table[(*places, cell)], table[(*places, cell + 1)]
    share = share[..., None] if table.ndim > len(places) + 1 else share
    blended: np.ndarray = low * (1.0 - share) + high * share
    return blended


def _log(value: np.ndarray) -> np.ndarray:
    """The logarithm, of very small values and 0 too."""
    found: np.ndarray = np.log(np.maximum(value, 1e-12))
    return found


def _place(grid: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell of a grid that a value lies in, and how far into it, 0..1."""
    value = np.asarray(value, dtype=float)
    cell = np.clip(np.searchsorted(grid, value, side="right") - 1, 0, len(grid) - 2)
    return cell, np.clip((value - grid[cell]) / (grid[cell + 1] - grid[cell]), 0.0, 1.0)


_ANTENNA_PLACE = {
    (layers, tx, rx, code_of(precoder)): place for place, (layers, tx, rx, precoder) in enumerate(ANTENNAS)
}
_KEY = np.full((5, 5, 5, 2), -1)
for _combination, _index in _ANTENNA_PLACE.items():
    _KEY[_combination] = _index


def _antennas(chains: ChainGrid) -> np.ndarray:
    found: np.ndarray = _KEY[chains.layers, chains.tx_antennas, chains.rx_antennas, chains.precoder]
    if (found < 0).any():
        raise EquipmentError("the tables have no such antenna set-up; the chain breaks a rule of the catalogue")
    return found
