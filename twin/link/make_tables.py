"""Make T0's tables with T1's chain: `python -m twin.link.make_tables`.

Each receiver and channel is a cell of its own seed; finished cells go to a partial file, with which an interrupted
run goes on. On two cores it takes an hour and a half; `--device cuda` is quicker still.
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

from twin.link import mutual_information
from twin.link.catalogue import ChannelClass, Detector, Estimator, Modulation
from twin.link.tables import (
    ANTENNAS,
    CHANNELS,
    DEEPRX_ANTENNAS,
    DOPPLERS,
    ESTIMATORS,
    FILE,
    LEVELS,
    LINEAR,
    MANY,
    PRODUCTS,
    RANGE_DB,
    SCALE,
    SLOW,
    SLOW_CELL,
    SNRS_DB,
    SPREADS,
    WIDTHS,
)

if TYPE_CHECKING:
    from twin.link.chain.link import Setup

PROBE_PRBS = 4
"""PRBs of a slot on which EP and K-best are run."""
PARTS = 100
"""Numbers per dB in the partial file."""
AWGN_WIDTH = 16
"""PRBs of an allocation over AWGN, where its width matters little."""

Cell = tuple[str, int, int, int, int]
"""Kind (fading, awgn, slow, deeprx or deeprx_awgn), and places of channel, spread, Doppler and antennas."""


def cells() -> list[Cell]:
    """All cells."""
    grid = product(range(len(CHANNELS)), range(len(SPREADS)), range(len(DOPPLERS)))
    fading = [("fading", *place, antennas) for place in grid for antennas in range(len(ANTENNAS))]
    awgn = [("awgn", 0, 0, 0, antennas) for antennas in range(len(ANTENNAS))]
    slow = [("slow", *SLOW_CELL, antennas) for antennas in MANY]
    learnt = [("deeprx", *cell[1:]) for cell in fading if cell[-1] in DEEPRX_ANTENNAS]
    learnt += [("deeprx_awgn", *cell[1:]) for cell in awgn if cell[-1] in DEEPRX_ANTENNAS]
    # Those that take longest first, so that no process is left alone with one.
    return [*slow, *learnt, *sorted((*awgn, *fading), key=lambda cell: -ANTENNAS[cell[-1]][0])]


def work(cell: Cell, device: str, prbs: int, channels: int, slow_slots: int, seed: int) -> list[float]:
    """A cell's numbers, flat: [widths, estimators, detectors, modulations, SNRs, levels], in hundredths of a dB.

    Of DeepRx: [widths, modulations, SNRs, levels]. Of slow ones: [slow detectors, modulations, every other SNR],
    with the better estimator only.
    """
    import torch

    from twin.link.chain.channel import Channel
    from twin.link.chain.link import Setup, probe
    from twin.link.chain.sweep import learnt_sweep, linear_sweep

    torch.set_num_threads(1)
    kind, channel, spread, doppler, antennas = cell
    layers, tx, rx, precoder = ANTENNAS[antennas]
    flat = kind.endswith("awgn")
    setup = Setup(
        channel=Channel(ChannelClass.AWGN)
        if flat
        else Channel(CHANNELS[channel], SPREADS[spread], DOPPLERS[doppler]),
        snr_db=0.0,
        layers=layers,
        tx_antennas=tx,
        rx_antennas=rx,
        precoder=precoder,
        estimator=Estimator.DEEPRX if kind.startswith("deeprx") else Estimator.LMMSE,
        prbs=probe(AWGN_WIDTH, PROBE_PRBS) if kind == "slow" else (0,),
    )
    if kind == "slow":
        return _gains(setup, slow_slots, seed)
    draw = torch.Generator(torch.device(device)).manual_seed(seed)
    if kind.startswith("deeprx"):
        # On a CPU, DeepRx takes as long on half as many.
        sweep = learnt_sweep(setup, snrs_db=SNRS_DB, prbs=prbs // 2, draw=draw)
    else:
        detectors = LINEAR[:1] if layers == 1 else LINEAR
        sweep = linear_sweep(
            setup, estimators=ESTIMATORS, detectors=detectors, snrs_db=SNRS_DB, prbs=prbs, draw=draw
        )
    count = channels if tx * rx <= 2 else channels // 2
    place = torch.tensor(np.array(LEVELS) * count, device=draw.device).long()
    state = draw.get_state()
    found = []
    for width in (AWGN_WIDTH,) if flat else WIDTHS:
        # The same channels, spread over more and more bandwidth.
        draw.set_state(state)
        rising = sweep.information(width, count, draw)
        found.append(PARTS * mutual_information.to_snr_db(rising[..., place].double().cpu().numpy()))
    numbers: list[float] = np.round(np.concatenate([one.ravel() for one in found])).astype(int).tolist()
    return numbers


def _gains(setup: "Setup", slots: int, seed: int) -> list[float]:
    """What the slow detectors gain over LMMSE, on the same channels and noise."""
    from twin.link.chain.tiers import probe_information

    found = []
    for detector, modulation, snr_db in product(SLOW, Modulation, SNRS_DB[::2]):
        made = replace(setup, modulation=modulation, snr_db=float(snr_db), detector=detector)
        gmi = probe_information(made, slots, seed).mean()
        linear = probe_information(replace(made, detector=Detector.LMMSE), slots, seed).mean()
        found.append(round(_log_odds(gmi) - _log_odds(linear), 4))
    return found


def _log_odds(value: float) -> float:
    held = min(max(float(value), 1e-4), 1.0 - 1e-4)
    return float(np.log(held / (1.0 - held)))


def store(done: dict[Cell, list[float]], path: Path, settings: dict[str, int]) -> None:
    """Write the tables, rising with the SNR."""
    from twin.link.chain.channel import selectivity

    places = (len(ESTIMATORS), len(LINEAR), len(Modulation), len(SNRS_DB), len(LEVELS))
    grid = (len(CHANNELS), len(SPREADS), len(DOPPLERS), len(WIDTHS))
    made = {
        "fading": np.zeros((*grid, len(ANTENNAS), *places)),
        "awgn": np.zeros((len(ANTENNAS), *places)),
        "deeprx": np.zeros((*grid, len(DEEPRX_ANTENNAS), *places[2:])),
        "deeprx_awgn": np.zeros((len(DEEPRX_ANTENNAS), *places[2:])),
        "gain": np.zeros((len(MANY), len(SLOW), len(Modulation), len(SNRS_DB))),
    }
    for (kind, *place, antennas), numbers in done.items():
        if kind == "slow":
            rows = np.reshape(numbers, (-1, len(SNRS_DB[::2])))
            along = [np.interp(SNRS_DB, SNRS_DB[::2], row) for row in rows]
            made["gain"][MANY.index(antennas)] = np.reshape(along, made["gain"].shape[1:])
            continue
        learnt = kind.startswith("deeprx")
        # With one layer all linear detectors are alike, and one was run.
        receivers = (1, 1) if learnt else (len(ESTIMATORS), 1 if ANTENNAS[antennas][0] == 1 else len(LINEAR))
        rising = np.maximum.accumulate(np.reshape(numbers, (-1, *receivers, *places[2:])), axis=-2)
        row = DEEPRX_ANTENNAS.index(antennas) if learnt else antennas
        channel, spread, doppler = place
        table = made[kind][channel, spread, doppler] if kind in ("fading", "deeprx") else made[kind][None]
        table[:, row] = rising[:, 0, 0] if learnt else rising
    gain = made.pop("gain").astype(np.float32)
    whole = {name: np.round(SCALE * np.clip(table / PARTS, *RANGE_DB)) for name, table in made.items()}
    # Differences between SNRs and between levels, of which most are small.
    apart = {
        name: np.diff(np.diff(table, axis=-2, prepend=0.0), axis=-1, prepend=0.0).astype(np.int16)
        for name, table in whole.items()
    }
    np.savez_compressed(
        path,
        allow_pickle=False,
        **apart,
        gain=gain,
        selectivity=np.stack([selectivity(kind, PRODUCTS) for kind in CHANNELS]).astype(np.float32),
        made=np.array(json.dumps({"command": "python -m twin.link.make_tables", **settings})),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", default="cpu", help="cpu or cuda, for all but EP and K-best")
    parser.add_argument(
        "--only", choices=("slow", "awgn", "fading", "deeprx", "deeprx_awgn"), help="these cells, and no table yet"
    )
    parser.add_argument(
        "--prbs", type=int, default=96, help="PRBs on which receivers are run twice; half for DeepRx"
    )
    parser.add_argument("--channels", type=int, default=16384, help="channels of a cell in all")
    parser.add_argument("--slow-slots", type=int, default=8, help="channels of a cell of EP and K-best")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--partial", type=Path, default=FILE.with_suffix(".partial"))
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args(arguments)
    settings = {
        "prbs": options.prbs,
        "channels": options.channels,
        "slow_slots": options.slow_slots,
        "seed": options.seed,
    }
    done = _read(options.partial, settings)
    missing = [cell for cell in cells() if cell not in done and options.only in (None, cell[0])]
    print(f"{len(done)} cells are done, {len(missing)} to do, {options.workers} processes", flush=True)
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool, options.partial.open("a") as partial:
        running = {pool.submit(work, cell, options.device, **settings): cell for cell in missing}
        for future in as_completed(running):
            cell = running[future]
            if future.exception():
                pool.shutdown(cancel_futures=True)
            done[cell] = future.result()
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
