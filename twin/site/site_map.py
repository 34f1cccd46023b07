"""Site map: the slow gain of every transmitter at every place of a grid, in one npz file; numpy alone reads it."""

import json
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from twin.site.errors import SiteError

FORMAT = 1
_NO_PATH = np.int16(-32768)
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, IndexError, EOFError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
"""What reading a damaged archive may raise."""
_SHIPPED = Path(__file__).with_name("maps")


@dataclass(frozen=True, slots=True, eq=False)
class SiteMap:
    """A traced site. Rows go north, columns east; places are the points of a square grid."""

    names: tuple[str, ...]
    """Of the transmitters, which a network takes for its cells."""
    position_m: np.ndarray
    """Of the transmitters: float64 [cells, 3]."""
    carrier_hz: float
    origin_m: tuple[float, float]
    """The place in the first row and column."""
    spacing_m: float
    gain_db: np.ndarray
    """Mean path gain around each place, antenna pattern included; NaN without any path. Inside buildings it is
    that of the nearest place outdoors. float32 [cells, rows, columns], in whole hundredths."""
    line_of_sight: np.ndarray
    """bool [cells, rows, columns]."""
    outdoors: np.ndarray
    """Whether the place has no roof above: bool [rows, columns]."""
    no_path_loss_db: float
    """Loss to assume where there is no path."""
    digest: str
    """Of the config that it was made from."""

    def __post_init__(self) -> None:
        cells = len(self.names)
        rows, columns = self.outdoors.shape
        if (
            self.gain_db.shape != (cells, rows, columns)
            or self.line_of_sight.shape != self.gain_db.shape
            or self.position_m.shape != (cells, 3)
            or min(cells, rows - 1, columns - 1) < 1
            or not np.isfinite(
                [*self.position_m.flat, *self.origin_m, self.carrier_hz, self.no_path_loss_db]
            ).all()
            or not self.spacing_m > 0
        ):
            raise SiteError("its parts do not fit each other")
        if not (self.gain_db[:, self.outdoors] > -self.no_path_loss_db).any():
            raise SiteError("no place outdoors is reached by any transmitter")

    @property
    def area_m(self) -> tuple[float, float, float, float]:
        """West, south, east and north end of the places."""
        (west, south), (rows, columns) = self.origin_m, self.outdoors.shape
        return west, south, west + (columns - 1) * self.spacing_m, south + (rows - 1) * self.spacing_m

    def loss_floor_gain_db(self) -> np.ndarray:
        """The gain with no place worse than the loss that holds without a path; float32, shaped as `gain_db`."""
        floor = np.float32(-self.no_path_loss_db)
        gain: np.ndarray = np.fmax(self.gain_db, floor)
        return gain

    def summary(self) -> str:
        """What it holds, in one line."""
        rows, columns = self.outdoors.shape
        reached = ~np.isnan(self.gain_db[:, self.outdoors]).all(axis=0)
        seen = self.line_of_sight[:, self.outdoors].any(axis=0)
        return (
            f"{len(self.names)} transmitters at {self.carrier_hz / 1e9:g} GHz; {columns} x {rows} places, "
            f"{self.spacing_m:g} m apart; outdoors {reached.mean():.0%} are reached, {seen.mean():.0%} in sight"
        )

    def save(self, path: str | Path) -> None:
        """Write the npz file; SiteError when that fails."""
        about = {
            "format": FORMAT,
            "names": self.names,
            "carrier_hz": self.carrier_hz,
            "origin_m": self.origin_m,
            "spacing_m": self.spacing_m,
            "no_path_loss_db": self.no_path_loss_db,
            "digest": self.digest,
        }
        # Written beside and then renamed, so that another process never reads half a file.
        target = Path(path)
        draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                np.savez_compressed(
                    file,
                    about=np.array(json.dumps(about)),
                    position_m=self.position_m,
                    gain_hundredth_db=_to_hundredths(self.gain_db),
                    line_of_sight=np.packbits(self.line_of_sight, axis=-1),
                    outdoors=self.outdoors,
                )
            draft.replace(target)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise SiteError(f"{path}: {error}") from None

    @classmethod
    def load(cls, path: str | Path) -> "SiteMap":
        """Read an npz file; SiteError says what is wrong with it and how to make one."""
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as kept:
                about = json.loads(str(kept["about"]))
                if about["format"] != FORMAT:
                    raise SiteError(f"it has format {about['format']}, not {FORMAT}")
                outdoors = kept["outdoors"].astype(bool)
                sight = np.unpackbits(kept["line_of_sight"], axis=-1, count=outdoors.shape[1])
                return cls(
                    names=tuple(map(str, about["names"])),
                    position_m=kept["position_m"].astype(np.float64),
                    carrier_hz=float(about["carrier_hz"]),
                    origin_m=(float(about["origin_m"][0]), float(about["origin_m"][1])),
                    spacing_m=float(about["spacing_m"]),
                    gain_db=_from_hundredths(kept["gain_hundredth_db"]),
                    line_of_sight=sight.astype(bool),
                    outdoors=outdoors,
                    no_path_loss_db=float(about["no_path_loss_db"]),
                    digest=str(about["digest"]),
                )
        except FileNotFoundError:
            raise SiteError(f"{path}: no such file; the shipped sites are {', '.join(shipped())}") from None
        except _DAMAGE as error:
            reason = f"not a site map ({error})" if str(error) else "not a site map"
            raise SiteError(f"{path}: {reason}; make it again: ranloop twin site CONFIG --out {path}") from None


def whole_hundredths(gain_db: np.ndarray) -> np.ndarray:
    """Gains as a file keeps them: rounded to 0.01 dB, within -327..327 dB; float32, NaN stays."""
    return _from_hundredths(_to_hundredths(gain_db))


def shipped() -> tuple[str, ...]:
    """The names of the site maps that come with Ranloop."""
    return tuple(sorted(path.stem for path in _SHIPPED.glob("*.npz")))


def open_map(site: str) -> SiteMap:
    """The map of a shipped site by its name, or of a file by its path; read once as long as the file stays.

    Raises SiteError when there is none or it is damaged.
    """
    named = _SHIPPED / f"{site}.npz"
    path = named if named.is_file() else Path(site)
    try:
        status = path.stat()
    except OSError:
        return SiteMap.load(path)
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, modified_ns: int, size_byte: int) -> SiteMap:
    return SiteMap.load(path)


def _to_hundredths(gain_db: np.ndarray) -> np.ndarray:
    hundredths = np.rint(np.clip(np.nan_to_num(gain_db), -327.0, 327.0) * 100.0).astype(np.int16)
    return np.where(np.isnan(gain_db), _NO_PATH, hundredths)


def _from_hundredths(hundredths: np.ndarray) -> np.ndarray:
    gain_db: np.ndarray = np.where(hundredths == _NO_PATH, np.nan, hundredths / 100.0).astype(np.float32)
    return gain_db
