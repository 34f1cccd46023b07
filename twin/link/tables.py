"""T0's tables: how the mutual information of a link is spread over fading, for every receiver, by SNR.

Made by `python -m twin.link.make_tables` with T1's own chain. A cell holds quantiles over channels of the GMI per
coded bit, as the SNR in dB at which BPSK has it. Between cells that is interpolated: linear in SNR, in the
logarithm of delay spread and, for so grows what a receiver loses to motion, in the square of the Doppler. Along
the width it is linear in how much the mean power over that bandwidth varies (`selectivity`), which is known for
every spread and width. Outside the grid the nearest cell holds. Delay spread counts in symbols and Doppler in
cycles per symbol, as in `twin.link.chain.channel`, so that one table serves all numerologies.

EP and K-best are slow and were run in one cell of channel, spread, Doppler and width only: elsewhere their GMI is
LMMSE's, shifted by what they gained there on the scale of the log odds.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np

from twin.link import mutual_information
from twin.link.catalogue import SUBCARRIERS_PER_PRB, ChannelClass, Detector, Estimator, Precoder
from twin.link.equipment import EquipmentGrid
from twin.link.errors import EquipmentError
from twin.link.plan import ChainGrid, code_of

FILE = Path(__file__).with_name("tables.npz")

CHANNELS = (ChannelClass.TDL_A, ChannelClass.TDL_C, ChannelClass.TDL_D)
SPREADS = (0.0004, 0.0015, 0.005, 0.014, 0.04)
DOPPLERS = (0.001, 0.016)
WIDTHS = (1, 5, 16, 40, 100, 275)
SNRS_DB = tuple(range(-18, 43, 3))
LEVELS = (0.002, 0.008, 0.025, 0.06, 0.12, 0.22, 0.4, 0.65, 0.95)
"""Probabilities of the quantiles."""
TAIL_LEVEL = 0.025
"""Quantile below which channels tell how the tail falls."""
ESTIMATORS = (Estimator.LS, Estimator.LMMSE)
LINEAR = (Detector.ZF, Detector.LMMSE)
SLOW = (Detector.EP, Detector.KBEST)
SLOW_CELL = (1, 2, 0)
"""Places of channel, spread and Doppler at which the slow detectors were run."""
SCALE = 20.0
"""Stored numbers per dB."""
RANGE_DB = (-24.0, 12.0)
"""What is told apart: below the lower no code gets through, above the upper none fails."""
PRODUCTS = np.geomspace(3e-4, 300.0, 200)
"""Products of bandwidth in subcarriers and delay spread in symbols at which the selectivity is stored."""

_TOLD_DB = (-9.0, 4.0)
"""SNRs of BPSK between which it has 0.1 to 0.9 bits of mutual information."""

_TAIL_PLACE = LEVELS.index(TAIL_LEVEL)

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
    """The tables, int16 of which SCALE make a dB.

    `fading` [channels, spreads, dopplers, widths, antennas, estimators, linear detectors, modulations, SNRs,
    levels]; `awgn` the same without its first four axes; `gain` [many, slow detectors, modulations, SNRs] in
    log odds.
    """

    fading: np.ndarray
    awgn: np.ndarray
    gain: np.ndarray
    deeprx: np.ndarray
    """[channels, spreads, dopplers, widths, DeepRx's antennas, modulations, SNRs, levels]."""
    deeprx_awgn: np.ndarray
    selectivity: np.ndarray
    """[channels, PRODUCTS], see `twin.link.chain.channel.selectivity`."""
    steps_db: np.ndarray
    """How far the two lowest quantiles are apart by the whole tail: `fading`'s shape without its last two axes."""
    deeprx_steps_db: np.ndarray

    @classmethod
    def load(cls, path: Path = FILE) -> "Tables":
        """Read the stored tables."""
        with np.load(path) as stored:
            names = ("fading", "awgn", "deeprx", "deeprx_awgn")
            # Stored as differences between levels and between SNRs, of which most are small.
            fading, awgn, deeprx, deeprx_awgn = (
                stored[name].cumsum(axis=-1, dtype=np.int16).cumsum(axis=-2, dtype=np.int16) for name in names
            )
            gain = _never_falling(stored["gain"])
            selectivity = stored["selectivity"].astype(float)
        steps_db = (_steps_db(table) for table in (fading, deeprx))
        return cls(fading, awgn, gain, deeprx, deeprx_awgn, selectivity, *steps_db)


def _never_falling(gain: np.ndarray) -> np.ndarray:
    """Gains of slow detectors [..., SNRs] that do not fall with the SNR, for more SNR never tells less.

    Of many points K-best follows too few at low SNRs and is worth nothing there; the least that was found up to
    there holds, for so little is told then that chance may make much of it. Higher up falls are chance.
    """
    low = SNRS_DB.index(0) + 1
    least = np.minimum.accumulate(gain[..., low - 1 :: -1], axis=-1)[..., ::-1]
    return np.maximum.accumulate(np.concatenate((least, gain[..., low:]), axis=-1), axis=-1)


def _steps_db(table: np.ndarray) -> np.ndarray:
    """How far the two lowest quantiles are apart, in dB, where a code could live; one axis, SNR, less.

    They rest on few channels, so that it is told by how far the lowest lies below a higher one, as if the tail
    fell by the same dB per decade all the way.
    """
    low, high = table[..., 0], table[..., _TAIL_PLACE]
    told = (low > _TOLD_DB[0] * SCALE) & (high < _TOLD_DB[1] * SCALE)
    apart = np.where(told, high - low, 0).sum(axis=-1, dtype=float) / SCALE
    share = np.log(LEVELS[1] / LEVELS[0]) / np.log(LEVELS[_TAIL_PLACE] / LEVELS[0])
    steps: np.ndarray = share * apart / np.maximum(told.sum(axis=-1), 1)
    return steps.astype(np.float32)


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The stored tables."""
    return Tables.load()


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """Chains on their equipment, found in the tables once, to be asked at many SNRs.

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

    def quantiles_db(self, snr_db: np.ndarray) -> np.ndarray:
        """Quantiles over channels, by the SNR of BPSK in dB, [chains, LEVELS], at SNRs [chains]."""
        snr = _place(np.array(SNRS_DB, dtype=float), snr_db)
        found = (_along_snr(self.table, self.places, snr) * self.weight[..., None]).sum(axis=0) / SCALE
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
        gain = _along_snr(tables().gain, (row, which, self.chains.modulation), snr)[slow]
        held = np.clip(mutual_information.from_snr_db(found[slow]), 1e-6, 1.0 - 1e-6)
        shifted = 1.0 / (1.0 + (1.0 - held) / held * np.exp(-gain[:, None]))
        found[slow] = mutual_information.to_snr_db(shifted)
        return found


def look_up(chains: ChainGrid, equipment: EquipmentGrid) -> Lookup:
    """Find chains in the tables; EquipmentError for what is not there.

    Either all of them have DeepRx or none, and all of them see AWGN or none (`kinds`).
    """
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
    if (equipment.channel == _AWGN).any():
        one = tuple(place[None] for place in rest)
        return Lookup(chains, np.ones((1, len(chains))), one, awgn, None, (slow, row, which))
    weight, places = _corners(chains, equipment)
    return Lookup(chains, weight, (*places, *rest), fading, steps, (slow, row, which))


def kinds(chains: ChainGrid, equipment: EquipmentGrid) -> list[np.ndarray]:
    """Places of the chains that are looked up together: with DeepRx or without, in AWGN or not."""
    kind = 2 * (chains.estimator == code_of(Estimator.DEEPRX)) + (equipment.channel == _AWGN)
    return [np.flatnonzero(kind == own) for own in np.unique(kind)]


_CORNERS = tuple(product((0, 1), repeat=3))
_AWGN = list(ChannelClass).index(ChannelClass.AWGN)
_CHANNEL_PLACE = np.array([CHANNELS.index(channel) if channel in CHANNELS else 0 for channel in ChannelClass])
"""Places in CHANNELS by those in ChannelClass."""


def _corners(chains: ChainGrid, equipment: EquipmentGrid) -> tuple[np.ndarray, list[np.ndarray]]:
    """Eight corners in spread, Doppler and width around each chain: weights and places, [corners, chains] each.

    Places are told after those of the chains' channels.
    """
    channel = _CHANNEL_PLACE[equipment.channel]
    spread = equipment.delay_spread_s * 15e3 * 2.0**chains.numerology
    doppler = equipment.doppler_hz / (14e3 * 2.0**chains.numerology)
    row, down = _place(np.log(SPREADS), _log(spread))
    slow, faster = _place(np.square(DOPPLERS), doppler**2)
    varies = _selectivity(channel, spread * chains.prbs)
    widths = [_between(_known_selectivity()[channel, row + side], varies) for side in (0, 1)]
    weight = np.empty((len(_CORNERS), len(chains)))
    places = np.empty((3, *weight.shape), dtype=np.intp)
    for corner, (below, fast, wide) in enumerate(_CORNERS):
        cell, right = widths[below]
        shares = ((down, below), (faster, fast), (right, wide))
        weight[corner] = np.prod([share if side else 1.0 - share for share, side in shares], axis=0)
        places[:, corner] = row + below, slow + fast, cell + wide
    return weight, [np.broadcast_to(channel, weight.shape), *places]


def _selectivity(channel: np.ndarray, product: np.ndarray) -> np.ndarray:
    """The stored selectivity of channels, by their places, at products of delay spread and PRBs; all broadcast."""
    cell, share = _place(np.log(PRODUCTS), _log(SUBCARRIERS_PER_PRB * product))
    stored = tables().selectivity
    found: np.ndarray = stored[channel, cell] * (1.0 - share) + stored[channel, cell + 1] * share
    return found


@lru_cache(maxsize=1)
def _known_selectivity() -> np.ndarray:
    """That of the tables' cells [channels, spreads, widths]."""
    return _selectivity(np.arange(len(CHANNELS))[:, None, None], np.multiply.outer(SPREADS, WIDTHS))


def _between(falling: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell of each chain's falling grid [chains, n] that its value lies in, and how far into it, 0..1."""
    cell = np.clip((falling >= value[:, None]).sum(axis=1) - 1, 0, falling.shape[1] - 2)
    rows = np.arange(len(value))
    left, right = falling[rows, cell], falling[rows, cell + 1]
    return cell, np.clip((left - value) / np.maximum(left - right, 1e-9), 0.0, 1.0)


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
