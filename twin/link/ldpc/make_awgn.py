"""Make the tables of what the codes reach: `python -m twin.link.ldpc.make_awgn`.

Each size and rate is a cell that a process works on by itself; finished cells go to a partial file, with which an
interrupted run goes on. The result depends neither on the number of processes nor on interruptions.
"""

import argparse
import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import numpy as np

from twin.link.catalogue import CODE_RATES, Code
from twin.link.ldpc.awgn import ERRORS, FILES, MOST_BLOCKS, SIZES, Point, cells, fit, sweep

Cell = tuple[int, float]
NO_CODE_DB = 60.0
"""Threshold of a size and rate that the code does not have."""


def work(kind: Code, cell: Cell, errors: int, blocks: int, seed: int) -> list[Point]:
    """One cell's points."""
    if kind is Code.POLAR:
        import torch

        torch.set_num_threads(1)
    return sweep(kind, *cell, errors=errors, blocks=blocks, seed=seed)


def read_partial(path: Path, settings: dict[str, int]) -> dict[Cell, list[Point]]:
    """The cells that an interrupted run with these settings has finished."""
    done: dict[Cell, list[Point]] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # the line that the interruption cut
            if row["settings"] == settings:
                done[row["k"], row["rate"]] = [Point(**point) for point in row["points"]]
    return done


def store(done: dict[Cell, list[Point]], path: Path, settings: dict[str, int]) -> float:
    """Fit and write all cells; the largest difference between a curve and a point of more than 1 % BLER."""
    from scipy.special import ndtr

    shape = (len(SIZES), len(CODE_RATES))
    fields = np.full((4, *shape), np.nan)
    rows, worst = [], 0.0
    for (k, rate), points in sorted(done.items()):
        place = SIZES.index(k), CODE_RATES.index(rate)
        fields[:, *place] = threshold, width, _, _ = fit(points, k)
        for point in points:
            rows.append((k, rate, point.snr_db, point.blocks, point.errors, point.bit_errors))
            measured = point.errors / point.blocks
            if measured > 0.01:
                worst = max(worst, abs(measured - ndtr((threshold - point.snr_db) / width)))
    for row in range(1, len(SIZES)):
        fields[:, row] = np.where(np.isnan(fields[:, row]), fields[:, row - 1], fields[:, row])
    # Small blocks at high rates leave no room for parity bits: there is no code, and nothing gets through.
    fields[0] = np.where(np.isnan(fields[0]), NO_CODE_DB, fields[0])
    fields = np.nan_to_num(fields, nan=0.1)
    threshold_db, width_db, wrong_0, wrong_1 = fields
    np.savez_compressed(
        path,
        sizes=np.array(SIZES),
        rates=np.array(CODE_RATES),
        threshold_db=threshold_db,
        width_db=width_db,
        wrong_0=wrong_0,
        wrong_1=wrong_1,
        points=np.array(rows),
        made=np.array(json.dumps({"command": "python -m twin.link.ldpc.make_awgn", **settings})),
    )
    return worst


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--code", choices=list(Code), type=Code, default=Code.LDPC)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--errors", type=int, default=ERRORS, help="failed blocks that make a point")
    parser.add_argument("--blocks", type=int, default=MOST_BLOCKS, help="most blocks of a point")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--partial", type=Path, help="default: beside the tables")
    parser.add_argument("--out", type=Path, help="default: beside the code")
    options = parser.parse_args(arguments)
    kind, out = options.code, options.out or FILES[options.code]
    partial_file = options.partial or out.with_suffix(".partial")
    settings = {"errors": options.errors, "blocks": options.blocks, "seed": options.seed}
    done = read_partial(partial_file, settings)
    # The largest first, so that no process is left alone with one of them.
    missing = sorted((cell for cell in cells(kind) if cell not in done), key=lambda cell: -cell[0] / cell[1])
    print(f"{len(done)} cells are done, {len(missing)} to do, {options.workers} processes", flush=True)
    os.environ["NUMBA_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(options.workers) as pool, partial_file.open("a") as partial:
        running = {pool.submit(work, kind, cell, **settings): cell for cell in missing}
        for future in as_completed(running):
            (k, rate), points = running[future], future.result()
            done[k, rate] = points
            line = {"k": k, "rate": rate, "settings": settings, "points": [asdict(point) for point in points]}
            partial.write(json.dumps(line) + "\n")
            partial.flush()
            threshold, width, *_ = fit(points, k)
            count = f"{len(done):3}/{len(cells(kind))}"
            print(f"{count}  k {k:5} rate {rate:.1f}: {threshold:6.2f} dB, width {width:.2f} dB", flush=True)
    worst = store(done, out, settings)
    partial_file.unlink()
    print(f"{out}: curves are within {worst:.3f} of every point above 1 %")


if __name__ == "__main__":
    main()
