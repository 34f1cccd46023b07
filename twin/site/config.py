"""What to trace: a scene, where its transmitters stand, the places of UEs, and how rays go on."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal
from xml.etree import ElementTree

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from twin.site.errors import SiteError

TRACER = "sionna-rt 2.2.0"
"""Part of every digest: another version may trace otherwise."""
MOST_PLACES = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTransmitter:
    """One cell's antenna: where it stands and, if it is directional, where it looks."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: str
    position_m: tuple[float, float, float]
    """East, north and up in the scene."""
    azimuth_deg: float = 0.0
    """Where a sector's boresight points, counterclockwise from east."""
    downtilt_deg: float = 0.0

    def __post_init__(self) -> None:
        owner = f"transmitter {self.name}"
        for value in self.position_m:
            _within(owner, "position_m", value, -1e5, 1e5)
        _within(owner, "azimuth_deg", self.azimuth_deg, -360, 360)
        _within(owner, "downtilt_deg", self.downtilt_deg, -90, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """A site to trace; two configs that say the same have the same digest."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    scene: str
    """A scene that Sionna RT ships, such as `munich`, or the path of a Mitsuba XML file."""
    transmitters: tuple[SiteTransmitter, ...]
    carrier_hz: float = 3.5e9
    antenna: Literal["isotropic", "sector"] = "isotropic"
    """`sector`: the element of TR 38.901 table 7.3-1, its gain taken relative to its boresight, so that a
    scenario's `antenna_gain_db` stays the gain at boresight."""
    area_m: tuple[float, float, float, float] | None = None
    """West, south, east and north end of the UEs' places; None: the whole scene."""
    spacing_m: float = 5.0
    """Between neighbouring places; a place's gain is the mean over the square of this side around it."""
    ue_height_m: float = 1.5
    """Above the scene's zero, for all places alike."""
    bounces: int = 5
    """Reflections (and refractions) of a ray at most."""
    diffraction: bool = True
    """Rays bend round one edge."""
    refraction: bool = False
    """Rays pass through walls, which a scene's hollow buildings let through far too easily."""
    samples: int = 10_000_000
    """Rays that leave each transmitter."""
    seed: int = 1
    no_path_loss_db: float = 180.0
    """Loss where no ray arrives, and the greatest anywhere."""

    def __post_init__(self) -> None:
        if not self.transmitters:
            raise SiteError("transmitters is empty; a site needs at least one")
        names = [item.name for item in self.transmitters]
        if len(set(names)) != len(names):
            raise SiteError(f"transmitters repeats a name: {', '.join(names)}")
        for field, low, high in _RANGES:
            _within("site", field, getattr(self, field), low, high)
        if self.area_m is not None:
            for value in self.area_m:
                _within("site", "area_m", value, -1e5, 1e5)
            grid_shape(self.area_m, self.spacing_m)

    def digest(self) -> str:
        """A hash of all that the map follows from: this config, the scene's own files and the tracer's version."""
        parts = asdict(self) | {"scene": _scene_digest(self.scene)}
        return hashlib.sha256(json.dumps([TRACER, parts], sort_keys=True).encode()).hexdigest()

    @classmethod
    def load(cls, path: str | Path) -> "SiteConfig":
        """Read a YAML or JSON file; a scene's relative path starts at the file. SiteError names what is wrong."""
        try:
            config = _ADAPTER.validate_python(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
        except ValidationError as error:
            first = error.errors()[0]
            place = "".join(f"{part}: " for part in (".".join(map(str, first["loc"])),) if part)
            # Errors of our own dataclasses come wrapped: their words already say where.
            raise SiteError(f"{path}: {place}{first['msg'].removeprefix('Value error, ')}") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise SiteError(f"{path}: {error}") from None
        if config.scene.endswith(".xml"):
            return replace(config, scene=str(Path(path).parent / config.scene))
        return config


def grid_shape(area_m: tuple[float, float, float, float], spacing_m: float) -> tuple[int, int]:
    """How many places (rows, columns) fit an area; SiteError when fewer than two by two or far too many."""
    west, south, east, north = area_m
    rows, columns = (math.floor(length / spacing_m + 1e-6) + 1 for length in (north - south, east - west))
    if min(rows, columns) < 2 or rows * columns > MOST_PLACES:
        raise SiteError(
            f"area_m is {list(area_m)} with spacing_m {spacing_m:g}; west must lie before east and south before "
            f"north, with 2 x 2..{MOST_PLACES} places in between"
        )
    return rows, columns


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("carrier_hz", 0.5e9, 100e9),
    ("spacing_m", 0.1, 100.0),
    ("ue_height_m", 0.1, 500.0),
    ("bounces", 0, 20),
    ("samples", 1_000, 200_000_000),
    ("seed", 0, 2**31),
    ("no_path_loss_db", 80.0, 300.0),
)


def _within(owner: str, field: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise SiteError(f"{owner}: {field} is {value}; it must lie in {low:g}..{high:g}")


def _scene_digest(scene: str) -> str:
    """The name of a shipped scene; of an XML file, a hash of it and of every file that it names."""
    if not scene.endswith(".xml"):
        return scene
    digest = hashlib.sha256()
    try:
        text = Path(scene).read_bytes()
        digest.update(text)
        for node in ElementTree.fromstring(text).iter("string"):
            if node.get("name") == "filename":
                digest.update((Path(scene).parent / node.get("value", "")).read_bytes())
    except (OSError, ElementTree.ParseError) as error:
        raise SiteError(f"scene {scene}: {error}") from None
    return digest.hexdigest()


_ADAPTER = TypeAdapter(SiteConfig)
