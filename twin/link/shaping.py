"""Shaping: what DeepTx's points carry where square QAM would carry so much, for T0.

With one layer an equalised resource element is a flat channel of some SNR, whatever channel and receiver made it.
So what square QAM carries tells that SNR, and the SNR what the learnt points carry. `python -m twin.link.shaping`
integrates both over the noise, for each constellation and code rate, from the shipped DeepTx.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from twin.link.catalogue import CODE_RATES, Modulation, Transmitter
from twin.link.plan import ChainGrid, code_of

FILE = Path(__file__).with_name("shaping.npz")
MODULATIONS = (Modulation.QAM16, Modulation.QAM64)
POINTS = 201
"""Points of the table's grid, even in square QAM's mutual information."""
_SNRS_DB = np.arange(-40.0, 41.0, 0.25)
_DEEPTX = code_of(Transmitter.DEEPTX)
_ROW = np.full(len(Modulation), -1)
_ROW[[code_of(modulation) for modulation in MODULATIONS]] = range(len(MODULATIONS))


def shaped(chains: ChainGrid, gmi: np.ndarray) -> np.ndarray:
    """Mutual information per bit with each chain's own points, from that of square QAM [chains, n]."""
    rows = np.flatnonzero(chains.transmitter == _DEEPTX)
    if not len(rows):
        return gmi
    curve = table()[_ROW[chains.modulation[rows]], chains.code_rate[rows]]
    place = np.clip(gmi[rows], 0.0, 1.0) * (POINTS - 1)
    cell = np.minimum(place.astype(np.intp), POINTS - 2)
    low, high = (np.take_along_axis(curve, cell + side, axis=1) for side in (0, 1))
    found = gmi.copy()
    found[rows] = low + (high - low) * (place - cell)
    return found


@lru_cache(maxsize=1)
def table() -> np.ndarray:
    """The stored table, float64 [modulations, code rates, points], rising along its last axis."""
    with np.load(FILE) as stored:
        kept: np.ndarray = stored["shaped"].astype(float)
    return kept


def integrate() -> np.ndarray:
    """Make the table from the shipped DeepTx."""
    import torch

    from twin.link.chain.mapping import awgn_information, points
    from twin.link.transmitters.deeptx import constellation

    levels, grid = torch.from_numpy(_SNRS_DB), np.linspace(0.0, 1.0, POINTS)
    made = np.empty((len(MODULATIONS), len(CODE_RATES), POINTS))
    for row, modulation in enumerate(MODULATIONS):
        square = awgn_information(points(modulation.bits, torch.device("cpu")), levels).numpy()
        rising = np.concatenate(([True], np.diff(np.maximum.accumulate(square)) > 1e-9))
        for column, rate in enumerate(CODE_RATES):
            learnt = awgn_information(constellation(modulation.bits, rate), levels).numpy()
            curve = np.interp(grid, square[rising], learnt[rising])
            curve[0] = 0.0
            made[row, column] = np.maximum.accumulate(np.clip(curve, 0.0, 1.0))
    return made


def main() -> None:
    """Write the table."""
    np.savez_compressed(FILE, shaped=integrate().astype(np.float32))
    print(f"{FILE}: {FILE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
