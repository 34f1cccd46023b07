"""Drive test in the twin: what one UE saw, as a trace file that `twin.network.trace` reads.

`python -m twin.network.drive_test --out drive.csv` made the trace of the library's `trace_driven`.
"""

import argparse
import csv
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import torch

from oran.slices import static_ratios
from twin.network import library
from twin.network.network import reset, step
from twin.network.scenario import Scenario

COLUMNS = ("Timestamp", "Speed", "SNR", "CQI", "DL_bitrate")
_BEGIN = datetime(2026, 1, 1, 12)


def rows(scenario: Scenario, *, ue: int, seconds: int, seed: int) -> list[tuple[str, ...]]:
    """One row a second of one UE: time, km/h, dB, CQI, kbit/s; ratios are the static ones.

    Raises IndexError for a UE that is not there.
    """
    if not 0 <= ue < scenario.ues:
        raise IndexError(f"ue is {ue}; it must lie in 0..{scenario.ues - 1}")
    state = reset(scenario, torch.tensor([seed]))
    ratios = torch.from_numpy(static_ratios(len(scenario.slices))).expand(1, scenario.cells, -1, -1)
    steps = max(1, round(1.0 / scenario.step_s))
    found: list[tuple[str, ...]] = []
    for second in range(seconds):
        snr_db = bit = cqi = 0.0
        for _ in range(steps):
            state, kpis = step(scenario, state, ratios)
            snr_db += float(kpis.ue.sinr_db[0, ue]) / steps
            cqi = float(kpis.ue.cqi[0, ue])
            bit += float(kpis.ue.delivered_bit[0, ue])
        time = (_BEGIN + timedelta(seconds=second)).strftime("%Y.%m.%d_%H.%M.%S")
        speed_kmh = float(state.walkers.speed_mps[0, ue]) * 3.6
        rate_kbps = bit / (steps * scenario.step_s) / 1e3
        found.append((time, f"{speed_kmh:.0f}", f"{snr_db:.1f}", f"{cqi:.0f}", f"{rate_kbps:.0f}"))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Drive and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="dense_urban", help="a name of the library, or a file")
    parser.add_argument("--ue", type=int, default=0, help="UEs are numbered slice by slice")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("drive.csv"))
    options = parser.parse_args(arguments)
    entry = library.entry(options.scenario)
    found = rows(entry.scenario, ue=options.ue, seconds=options.seconds, seed=options.seed)
    with options.out.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *found])
    print(f"{options.out}: {len(found)} s")


if __name__ == "__main__":
    main()
