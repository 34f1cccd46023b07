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


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The stored tables."""
    with np.load(FILE) as stored:
        scaled = {
            name: stored[name].astype(np.float32) / SCALE for name in ("fading", "awgn", "deeprx", "deeprx_awgn")
        }
        return Tables(gain=stored["gain"], **scaled)


def information(chains: ChainGrid, equipment: EquipmentState, snr_db: np.ndarray) -> np.ndarray:
    """Quantiles over channels of the GMI per coded bit [chains, quantiles] at SNRs per resource element [chains].

    Raises EquipmentError for a receiver that the tables do not have.
    """
    snr = _place(np.array(SNRS_DB, dtype=float), np.asarray(snr_db, dtype=float))
    learnt = chains.estimator == code_of(Estimator.DEEPRX)
    if not learnt.any():
        return _filtered(chains, equipment, snr)
    found = np.empty((len(chains), QUANTILES))
    for rows, ask in ((learnt, _learnt), (~learnt, _filtered)):
        if rows.any():
            found[rows] = ask(chains.take(rows), equipment, (snr[0][rows], snr[1][rows]))
    return found


def _filtered(chains: ChainGrid, equipment: EquipmentState, snr: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Of LS and LMMSE estimation."""
    stored, antennas = tables(), _antennas(chains)
    linear = np.where(chains.detector == code_of(Detector.ZF), 0, 1)
    estimator = np.where(chains.estimator == code_of(Estimator.LS), 0, 1)
    rest = (antennas, estimator, linear, chains.modulation)
    found = _over_channels(stored.fading, stored.awgn, rest, chains, equipment, snr)
    return _with_gain(stored, found, antennas, chains, snr)


def _learnt(chains: ChainGrid, equipment: EquipmentState, snr: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Of DeepRx."""
    stored, antennas = tables(), _antennas(chains)
    if not np.isin(antennas, DEEPRX_ANTENNAS).all():
        raise EquipmentError("the tables have no DeepRx for these antennas")
    rest = (np.searchsorted(DEEPRX_ANTENNAS, antennas), chains.modulation)
    return _over_channels(stored.deeprx, stored.deeprx_awgn, rest, chains, equipment, snr)


def _over_channels(
    fading: np.ndarray,
    awgn: np.ndarray,
    rest: tuple[np.ndarray, ...],
    chains: ChainGrid,
    equipment: EquipmentState,
    snr: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Interpolate between channels in a table [channels, spreads, dopplers, widths, rest..., SNRs, quantiles]."""
    if equipment.channel is ChannelClass.AWGN:
        return _along_snr(awgn, rest, snr)
    spacing_hz = 15e3 * 2.0**chains.numerology
    symbols_per_s = 14e3 * 2.0**chains.numerology
    axes = (
        _place(np.log(SPREADS), _log(equipment.delay_spread_s * spacing_hz)),
        _place(np.log(DOPPLERS), _log(equipment.doppler_hz / symbols_per_s)),
        _place(np.log(WIDTHS), np.log(chains.prbs)),
    )
    # The eight corners of the cell around each chain, all at once: [corners, chains].
    weight = np.ones((len(_CORNERS), len(chains)))
    places = []
    for side, (cell, share) in zip(_CORNERS.T, axes, strict=True):
        weight = weight * np.where(side[:, None], share, 1.0 - share)
        places.append(cell + side[:, None])
    table = fading[CHANNELS.index(equipment.channel)]
    found: np.ndarray = (_along_snr(table, (*places, *rest), snr) * weight[..., None]).sum(axis=0)
    return found


_CORNERS = np.array(list(product((0, 1), repeat=3)))


def _with_gain(
    stored: Tables,
    found: np.ndarray,
    antennas: np.ndarray,
    chains: ChainGrid,
    snr: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Shift LMMSE's GMI to that of the slow detectors, where one is in use with several layers."""
    slow = np.isin(chains.detector, [code_of(detector) for detector in SLOW]) & (chains.layers > 1)
    if not slow.any():
        return found
    which = np.where(chains.detector == code_of(SLOW[0]), 0, 1)
    row = np.searchsorted(MANY, antennas).clip(0, len(MANY) - 1)
    gain = _along_snr(stored.gain, (row, which, chains.modulation), snr)
    held = np.clip(found, 1e-4, 1.0 - 1e-4)
    shifted = 1.0 / (1.0 + (1.0 - held) / held * np.exp(-gain[:, None]))
    # At both ends nothing is left to gain.
    return np.where(slow[:, None] & (found > 1e-4) & (found < 1.0 - 1e-4), shifted, found)


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
