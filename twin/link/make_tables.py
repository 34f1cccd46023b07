"""Make T0's tables with T1's chain: `python -m twin.link.make_tables`.

Each receiver and channel is a cell of its own seed; finished cells go to a partial file, with which an interrupted
run goes on. On two cores it takes an hour and a half, with `--device cuda` minutes.
"""

import argparse
import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from twin.link.catalogue import ChannelClass, Detector, Estimator, Modulation
from twin.link.tables import (
    ANTENNAS,
    CHANNELS,
    DEEPRX_ANTENNAS,
    DOPPLERS,
    ESTIMATORS,
    FILE,
    LINEAR,
    MANY,
    QUANTILES,
    SCALE,
    SLOW,
    SLOW_CELL,
    SNRS_DB,
    SPREADS,
    WIDTHS,
)

if TYPE_CHECKING:
    import torch

    from twin.link.chain.link import Setup

PROBE_PRBS = 4
"""PRBs that a probe has at most, as in `twin.link.chain.link`, which is not loaded here."""

Cell = tuple[str, int, int, int, int, int]
"""Kind (fading, awgn, slow, deeprx or deeprx_awgn), and places of channel, spread, Doppler, width and antennas."""


_LEVELS = (np.arange(QUANTILES) + 0.5) / QUANTILES


def cells() -> list[Cell]:
    """All cells."""
    grid = product(range(len(CHANNELS)), range(len(SPREADS)), range(len(DOPPLERS)), range(len(WIDTHS)))
    fading = [("fading", *place, antennas) for place in grid for antennas in range(len(ANTENNAS))]
    awgn = [("awgn", 0, 0, 0, 0, antennas) for antennas in range(len(ANTENNAS))]
    slow = [("slow", *SLOW_CELL, antennas) for antennas in MANY]
    learnt = [("deeprx", *cell[1:]) for cell in fading if cell[-1] in DEEPRX_ANTENNAS]
    learnt += [("deeprx_awgn", *cell[1:]) for cell in awgn if cell[-1] in DEEPRX_ANTENNAS]
    return [*slow, *awgn, *fading, *learnt]


def work(cell: Cell, device: str, slots: int, slow_slots: int, seed: int) -> list[float]:
    """A cell's numbers, flat: [estimators, detectors, modulations, SNRs, quantiles].

    Of slow ones: [slow detectors, modulations, every other SNR], with the better estimator only.
    """
    import torch

    from twin.link.chain.channel import Channel
    from twin.link.chain.link import Setup, probe
    from twin.link.chain.sweep import linear_sweep

    torch.set_num_threads(1)
    kind, channel, spread, doppler, width, antennas = cell
    layers, tx, rx, precoder = ANTENNAS[antennas]
    medium = Channel(CHANNELS[channel], SPREADS[spread], DOPPLERS[doppler])
    setup = Setup(
        channel=Channel(ChannelClass.AWGN) if kind.endswith("awgn") else medium,
        snr_db=0.0,
        layers=layers,
        tx_antennas=tx,
        rx_antennas=rx,
        precoder=precoder,
        prbs=probe(WIDTHS[width]),
    )
    if kind == "slow":
        return _gains(setup, slow_slots, seed)
    if kind.startswith("deeprx"):
        return _learnt(setup, slots, seed, torch.device(device))
    found = linear_sweep(
        setup,
        estimators=ESTIMATORS,
        detectors=LINEAR[:1] if layers == 1 else LINEAR,
        snrs_db=SNRS_DB,
        slots=slots,
        seed=seed,
        device=torch.device(device),
    )
    numbers: list[float] = np.moveaxis(np.quantile(found, _LEVELS, axis=-1), 0, -1).ravel().tolist()
    return numbers


def _learnt(setup: "Setup", slots: int, seed: int, device: "torch.device") -> list[float]:
    """Quantiles of DeepRx, flat: [modulations, SNRs, quantiles]."""
    import torch

    from twin.link.chain.tiers import probe_information

    found: list[float] = []
    for modulation, snr_db in product(Modulation, SNRS_DB):
        made = replace(setup, estimator=Estimator.DEEPRX, modulation=modulation, snr_db=float(snr_db))
        with torch.no_grad():
            found += np.quantile(probe_information(made, slots, seed, device=device), _LEVELS).tolist()
    return found


def _gains(setup: "Setup", slots: int, seed: int) -> list[float]:
    """What the slow detectors gain over LMMSE, on the same channels and noise."""
    from twin.link.chain.tiers import probe_information

    found = []
    for detector, modulation, snr_db in product(SLOW, Modulation, SNRS_DB[::2]):
        made = replace(setup, modulation=modulation, snr_db=float(snr_db), detector=detector)
        gmi = probe_information(made, slots, seed).mean()
        linear = probe_information(replace(made, detector=Detector.LMMSE), slots, seed).mean()
        found.append(_log_odds(gmi) - _log_odds(linear))
    return found


def _log_odds(value: float) -> float:
    held = min(max(float(value), 1e-4), 1.0 - 1e-4)
    return float(np.log(held / (1.0 - held)))


def store(done: dict[Cell, list[float]], path: Path, settings: dict[str, int]) -> None:
    """Write the tables, rising with the SNR."""
    places = (len(ESTIMATORS), len(LINEAR), len(Modulation), len(SNRS_DB))
    fading = np.zeros((len(CHANNELS), len(SPREADS), len(DOPPLERS), len(WIDTHS), len(ANTENNAS), *places, QUANTILES))
    awgn = np.zeros((len(ANTENNAS), *places, QUANTILES))
    gain = np.zeros((len(MANY), len(SLOW), len(Modulation), len(SNRS_DB)))
    learnt = np.zeros((*fading.shape[:4], len(DEEPRX_ANTENNAS), *places[2:], QUANTILES))
    learnt_awgn = np.zeros((len(DEEPRX_ANTENNAS), *places[2:], QUANTILES))
    for (kind, *place), numbers in done.items():
        if kind.startswith("deeprx"):
            values = np.maximum.accumulate(np.reshape(numbers, learnt_awgn.shape[1:]), axis=-2)
            row = DEEPRX_ANTENNAS.index(place[-1])
            if kind == "deeprx":
                learnt[(*place[:-1], row)] = values
            else:
                learnt_awgn[row] = values
            continue
        if kind == "slow":
            rows = np.reshape(numbers, (-1, len(SNRS_DB[::2])))
            along = [np.interp(SNRS_DB, SNRS_DB[::2], row) for row in rows]
            gain[MANY.index(place[-1])] = np.reshape(along, gain.shape[1:])
            continue
        detectors = 1 if ANTENNAS[place[-1]][0] == 1 else len(LINEAR)
        values = np.reshape(numbers, (len(ESTIMATORS), detectors, *places[2:], QUANTILES))
        values = np.maximum.accumulate(np.broadcast_to(values, (*places, QUANTILES)), axis=-2)
        if kind == "awgn":
            awgn[place[-1]] = values
        else:
            fading[tuple(place)] = values
    layers = np.array([layers for layers, *_ in ANTENNAS])
    widths = np.array([min(width, PROBE_PRBS) for width in WIDTHS])
    fading, awgn = without_sampling_noise(fading, awgn, layers, widths)
    learnt, learnt_awgn = without_sampling_noise(learnt, learnt_awgn, np.ones(len(DEEPRX_ANTENNAS)), widths)
    np.savez_compressed(
        path,
        fading=np.round(fading * SCALE).astype(np.uint16),
        awgn=np.round(awgn * SCALE).astype(np.uint16),
        gain=gain.astype(np.float32),
        deeprx=np.round(learnt * SCALE).astype(np.uint16),
        deeprx_awgn=np.round(learnt_awgn * SCALE).astype(np.uint16),
        made=np.array(json.dumps({"command": "python -m twin.link.make_tables", **settings})),
    )


def without_sampling_noise(
    fading: np.ndarray, awgn: np.ndarray, layers: np.ndarray, widths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles over channels alone: what the few noise samples of a probe added to their spread is taken out.

    That much is known from one antenna on the flat channel, where nothing else varies, at the same mean
    information; it is less with more layers and PRBs in the probe. A code's own waterfall holds what noise does to
    a block.
    """
    alone = awgn[0]
    return _narrowed(fading, alone, layers, widths), _narrowed(awgn, alone, layers, widths[:1])


def _narrowed(table: np.ndarray, alone: np.ndarray, layers: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """A table [channels.. widths, antennas, receivers.., SNRs, quantiles], or one of the first width alone."""
    receivers = alone.ndim - 2
    mean = table.mean(-1)
    noise = np.empty_like(mean)
    for row in np.ndindex(alone.shape[:receivers]):
        known = np.argsort(alone[row].mean(-1))
        at = (Ellipsis, *row, slice(None))
        noise[at] = np.interp(mean[at], alone[row].mean(-1)[known], alone[row].var(-1)[known])
    noise /= layers.reshape(-1, *(1,) * (receivers + 1))
    if table.ndim > alone.ndim + 1:
        noise /= (widths / widths[0]).reshape(-1, *(1,) * (receivers + 2))
    kept = np.sqrt(np.clip(1.0 - noise / np.maximum(table.var(-1), 1e-12), 0.0, 1.0))[..., None]
    found: np.ndarray = np.maximum.accumulate(mean[..., None] + (table - mean[..., None]) * kept, axis=-2)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", default="cpu", help="cpu or cuda, for all but EP and K-best")
    parser.add_argument(
        "--only", choices=("slow", "awgn", "fading", "deeprx", "deeprx_awgn"), help="these cells, and no table yet"
    )
    parser.add_argument("--slots", type=int, default=48, help="channels of a cell")
    parser.add_argument("--slow-slots", type=int, default=2, help="channels of a cell of EP and K-best")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--partial", type=Path, default=FILE.with_suffix(".partial"))
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args(arguments)
    settings = {"slots": options.slots, "slow_slots": options.slow_slots, "seed": options.seed}
    done = _read(options.partial, settings)
    missing = [cell for cell in cells() if cell not in done and options.only in (None, cell[0])]
    print(f"{len(done)} cells are done, {len(missing)} to do, {options.workers} processes", flush=True)
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool, options.partial.open("a") as partial:
        running = {pool.submit(work, cell, options.device, **settings): cell for cell in missing}
        for future in as_completed(running):
            cell = running[future]
            done[cell] = [round(value, 4) for value in future.result()]
            partial.write(json.dumps({"cell": cell, "settings": settings, "numbers": done[cell]}) + "\n")
            partial.flush()
            if len(done) % 25 == 0 or cell[0] == "slow":
                print(f"{len(done)}/{len(cells())}", flush=True)
    if len(done) < len(cells()):
        print(f"{len(cells()) - len(done)} cells are left for another run")
        return
    store(done, options.out, settings)
    options.partial.unlink()
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB")


def _read(path: Path, settings: dict[str, int]) -> dict[Cell, list[float]]:
    """The cells that an interrupted run with these settings has finished."""
    done: dict[Cell, list[float]] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # the line that the interruption cut
            if row["settings"] == settings:
                done[tuple(row["cell"])] = row["numbers"]
    return done


if __name__ == "__main__":
    main()
