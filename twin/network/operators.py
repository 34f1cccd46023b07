"""Operators' traces beside the twin: how CQI and throughput follow the SNR in the field, and here."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from twin.network.errors import TraceError
from twin.network.network import reset, step
from twin.network.scenario import Scenario
from twin.network.trace import LARGEST_FILE_BYTE, Trace

BINS_DB = np.arange(-10.0, 31.0, 2.5)
"""Edges of the bins of SNR."""
_FEWEST = 30
_COLUMNS = ("SNR", "CQI", "DL_bitrate")


@dataclass(frozen=True, slots=True)
class Relation:
    """What goes with the SNR, for each bin of `BINS_DB`; NaN where fewer than 30 samples fall in."""

    samples: np.ndarray
    cqi: np.ndarray
    """Median CQI."""
    rate_bps: np.ndarray
    """90 % quantile of the DL rate: what a UE gets when it asks for much and the cell has room."""


def relation(snr_db: np.ndarray, cqi: np.ndarray, rate_bps: np.ndarray) -> Relation:
    """Sort samples by SNR; arrays of one length, NaN in CQI or rate where not measured."""
    place = np.digitize(snr_db, BINS_DB) - 1
    count, middle, high = (np.full(len(BINS_DB) - 1, np.nan) for _ in range(3))
    for number in range(len(BINS_DB) - 1):
        here = place == number
        count[number] = here.sum()
        for values, share, target in ((cqi, 0.5, middle), (rate_bps, 0.9, high)):
            known = values[here & ~np.isnan(values)]
            if len(known) >= _FEWEST:
                target[number] = np.quantile(known, share)
    return Relation(count, middle, high)


def field_relation(archive: Path, *, mode: str = "5G") -> Relation:
    """The relation in a zip archive of drive-test files, over the rows of one network mode.

    TraceError when the archive cannot be read or holds no such row.
    """
    rows = [row for row in _rows(archive) if row.get("NetworkMode") == mode]
    values = {name: np.array([_number(row.get(name)) for row in rows]) for name in _COLUMNS}
    known = ~np.isnan(values["SNR"]) if rows else np.zeros(0, dtype=bool)
    if not known.any():
        raise TraceError(f"{archive}: no row of network mode {mode} has an SNR")
    snr_db, cqi, rate_kbps = (values[name][known] for name in _COLUMNS)
    cqi = np.where((cqi >= 0) & (cqi <= 15), cqi, np.nan)
    return relation(snr_db, cqi, np.where(rate_kbps > 0, rate_kbps, np.nan) * 1e3)


def twin_relation(scenario: Scenario, *, seconds: float = 3.0) -> Relation:
    """The relation in the twin: UEs at every SNR, each with a cell to itself and more to receive than it can."""
    levels = np.repeat(np.arange(BINS_DB[0], BINS_DB[-1], 0.5), 2)
    greedy = replace(
        scenario.slices[0],
        arrival="poisson",
        mean_bps=2e9,
        unit_bit=1e6,
        buffer_bit=1e11,
        burst_gain=1.0,
        ue_share=1,
    )
    lone = scenario.with_(cells=1, ues=1, slices=(greedy,), load_factor=1.0, trace_links=True, outages=())
    trace = Trace(levels, np.full(len(levels), 5.0), np.zeros(len(levels)))
    seeds = torch.arange(4 * len(levels))
    state = reset(lone, seeds, trace=trace)
    ratios = torch.tensor([0.0, 100.0, 100.0], dtype=torch.float64).expand(len(seeds), 1, 1, 3)
    columns: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for number in range(round(seconds / lone.step_s)):
        state, kpis = step(lone, state, ratios)
        if number < 5:  # link adaptation settles
            continue
        ue = kpis.ue
        rate = ue.delivered_bit / lone.step_s
        columns.append((ue.sinr_db.double().numpy()[:, 0], ue.cqi.double().numpy()[:, 0], rate.numpy()[:, 0]))
    snr_db, cqi, rate_bps = (np.concatenate(column) for column in zip(*columns, strict=True))
    return relation(snr_db, cqi, rate_bps)


def _rows(archive: Path) -> Iterator[dict[str, str]]:
    try:
        with zipfile.ZipFile(archive) as opened:
            for item in opened.infolist():
                if item.filename.lower().endswith(".csv") and item.file_size <= LARGEST_FILE_BYTE:
                    text = opened.read(item).decode("utf-8-sig", errors="replace")
                    yield from csv.DictReader(io.StringIO(text, newline=""))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, csv.Error) as error:
        raise TraceError(f"{archive}: {error}") from None


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return np.nan
