"""Traces of real networks: their radio conditions, speed and demand drive the twin's UEs.

A trace is a CSV file with one row about every second and at least the columns Timestamp
(`2020.02.14_09.38.22`), SNR [dB], Speed [km/h] and DL_bitrate [kbit/s], as drive-test apps write them, and maybe
Longitude and Latitude [degrees]. `-` or nothing means not measured. The file may lie in a zip archive:
`archive.zip/folder/file.csv`.
"""

import csv
import io
import math
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from twin.network.errors import TraceError
from twin.network.randomness import key, uniform
from twin.network.scenario import Scenario
from twin.network.traffic import TRACE_GAIN_LIMIT

STREAM_TRACE = 60
LARGEST_FILE_BYTE = 64 * 2**20
LONGEST_S = 24 * 3600
_TIME_FORMAT = "%Y.%m.%d_%H.%M.%S"
_COLUMNS: tuple[tuple[str, float, float], ...] = (
    ("SNR", -60.0, 80.0),
    ("Speed", 0.0, 600.0),
    ("DL_bitrate", 0.0, 1e9),
)
_PLACES: tuple[tuple[str, float, float], ...] = (("Longitude", -180.0, 180.0), ("Latitude", -90.0, 90.0))
_EARTH_RADIUS_M = 6_371_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A trace on a grid of one second; float64 [seconds], all finite, at least two."""

    snr_db: np.ndarray
    speed_mps: np.ndarray
    demand_bps: np.ndarray
    source: str = ""
    position_m: np.ndarray | None = None
    """East and north of the place where the trace begins, [seconds, 2]; None where it does not say."""

    @property
    def duration_s(self) -> int:
        """Length of the trace, after which it starts over."""
        return len(self.snr_db)


def load_trace(path: str | Path) -> Trace:
    """Read a CSV file, also inside a zip archive (`archive.zip/file.csv`); TraceError says what is wrong."""
    place = Path(path)
    archive = next((part for part in (place, *place.parents) if part.suffix == ".zip" and part.is_file()), None)
    try:
        if archive is not None:
            data = _read_member(archive, place.relative_to(archive).as_posix())
        else:
            with place.open("rb") as file:
                data = file.read(LARGEST_FILE_BYTE + 1)
        if len(data) > LARGEST_FILE_BYTE:
            raise TraceError(f"the file is larger than {LARGEST_FILE_BYTE} bytes")
        return parse_trace(data.decode("utf-8-sig"), source=str(path))
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: not UTF-8 text: {error}") from None
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError) as error:
        raise TraceError(f"{path}: {error}") from None


def parse_trace(text: str, *, source: str = "") -> Trace:
    """Read CSV text; any text gives a Trace or a TraceError that names line and column."""
    times: list[float] = []
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        located = all(name in (reader.fieldnames or ()) for name, _, _ in _PLACES)
        columns = _COLUMNS + (_PLACES if located else ())
        values: dict[str, list[float]] = {name: [] for name, _, _ in columns}
        needed = ("Timestamp", *(name for name, _, _ in _COLUMNS))
        lacking = [name for name in needed if name not in (reader.fieldnames or ())]
        if lacking:
            raise TraceError(f"no column {', '.join(lacking)} in the first line")
        for row in reader:
            place = f"line {reader.line_num}"
            times.append(_time_s(row["Timestamp"], place, times))
            for name, low, high in columns:
                values[name].append(_value(row[name], name, place, low, high))
    except csv.Error as error:
        raise TraceError(f"not CSV: {error}") from None
    if len(times) < 2 or times[-1] - times[0] < 1.0:
        raise TraceError("fewer than two rows a second apart")
    if times[-1] - times[0] > LONGEST_S:
        raise TraceError(f"it spans {times[-1] - times[0]:.0f} s; at most {LONGEST_S} s are read")
    second = np.array(times) - times[0]
    grid = np.arange(0.0, second[-1] + 1e-9, 1.0)
    snr, speed, demand = (_resample(name, second, values[name], grid) for name, _, _ in _COLUMNS)
    path_m: np.ndarray | None = None
    if located and not any(np.isnan(values[name]).all() for name, _, _ in _PLACES):
        path_m = _metres(*(_resample(name, second, values[name], grid) for name, _, _ in _PLACES))
    return Trace(snr, speed / 3.6, demand * 1e3, source, path_m)


def _metres(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Metres east and north of the first place, on a sphere that is flat nearby."""
    east = np.radians(longitude - longitude[0]) * math.cos(math.radians(latitude[0]))
    place: np.ndarray = np.stack((east, np.radians(latitude - latitude[0])), axis=-1) * _EARTH_RADIUS_M
    return place


def _read_member(archive: Path, member: str) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.lower().endswith(".csv")]
        if member not in names:
            some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            raise TraceError(f"name a file of the archive, {archive}/FILE: {some or 'it holds no CSV file'}")
        with opened.open(member) as file:
            return file.read(LARGEST_FILE_BYTE + 1)


def _time_s(text: str | None, place: str, before: list[float]) -> float:
    try:
        # Only differences count, so the civil time is read as if it were UTC.
        time_s = (datetime.strptime((text or "").strip(), _TIME_FORMAT) - datetime(2000, 1, 1)).total_seconds()
    except ValueError:
        raise TraceError(f"{place}: Timestamp is {text!r}; it must look like 2020.02.14_09.38.22") from None
    if before and time_s < before[-1]:
        raise TraceError(f"{place}: Timestamp {text} is before the line above")
    return time_s


def _value(text: str | None, name: str, place: str, low: float, high: float) -> float:
    """The number in a cell, NaN where nothing was measured."""
    stripped = (text or "").strip()
    if stripped in ("", "-"):
        return math.nan
    try:
        value = float(stripped)
    except ValueError:
        raise TraceError(f"{place}: {name} is {stripped[:40]!r}; it must be a number or -") from None
    if not low <= value <= high:
        raise TraceError(f"{place}: {name} is {value}; it must lie in {low:g}..{high:g}")
    return value


def _resample(name: str, second: np.ndarray, values: list[float], grid: np.ndarray) -> np.ndarray:
    """Interpolate what was measured onto the grid; rows of one second count by their mean."""
    known = ~np.isnan(values)
    if not known.any():
        raise TraceError(f"column {name} holds no value")
    times, where = np.unique(second[known], return_inverse=True)
    means = np.bincount(where, weights=np.array(values)[known]) / np.bincount(where)
    resampled: np.ndarray = np.interp(grid, times, means)
    return resampled


@dataclass(frozen=True, slots=True)
class Drive:
    """A trace at work: its values as tensors [seconds] and the second at which each UE enters [envs, ues]."""

    offset_s: Tensor
    snr: Tensor
    speed: Tensor
    relative_demand: Tensor | None
    """Demand over its mean, limited; None where the trace has none, so that the scenario's own demand stays."""
    position: Tensor | None
    """Metres [2, seconds]."""

    @classmethod
    def of(cls, trace: Trace, scenario: Scenario, seed: Tensor) -> "Drive":
        """Let every UE enter the trace at a place drawn from the seed; int64 seed [envs]."""
        offset = uniform(key(seed, 0, STREAM_TRACE), scenario.ues) * trace.duration_s
        mean = float(trace.demand_bps.mean())
        relative = np.minimum(trace.demand_bps / mean, TRACE_GAIN_LIMIT) if mean > 0 else None
        snr, speed = (torch.as_tensor(value).to(offset) for value in (trace.snr_db, trace.speed_mps))
        demand = None if relative is None else torch.as_tensor(relative).to(offset)
        place = None if trace.position_m is None else torch.as_tensor(trace.position_m.T.copy()).to(offset)
        return cls(offset, snr, speed, demand, place)

    def snr_db(self, time_s: Tensor) -> Tensor:
        """SNR of each UE at times [envs, n] since reset; float32 [envs, n, ues]."""
        return self._at(self.snr, time_s).to(torch.float32)

    def speed_mps(self, time_s: Tensor) -> Tensor:
        """Speed of each UE at times [envs, n]; float32 [envs, n, ues]."""
        return self._at(self.speed, time_s).to(torch.float32)

    def demand(self, time_s: Tensor) -> Tensor | None:
        """Demand of each UE over the trace's mean at times [envs, n]; float64 [envs, n, ues]."""
        return None if self.relative_demand is None else self._at(self.relative_demand, time_s)

    def path_m(self, time_s: Tensor) -> Tensor | None:
        """How far the path has led each UE from where it entered, at times [envs]; float32 [envs, ues, 2]."""
        if self.position is None:
            return None
        now, began = time_s.unsqueeze(-1), torch.zeros_like(time_s).unsqueeze(-1)
        parts = [(self._at(axis, now) - self._at(axis, began)).squeeze(1) for axis in self.position]
        return torch.stack(parts, dim=-1).to(torch.float32)

    def _at(self, values: Tensor, time_s: Tensor) -> Tensor:
        """Interpolate between seconds; the trace starts over at its end."""
        place = time_s.unsqueeze(-1) + self.offset_s.unsqueeze(1)
        before = place.floor()
        index = before.to(torch.int64) % values.shape[0]
        low, high = values[index], values[(index + 1) % values.shape[0]]
        return low + (high - low) * (place - before)
