"""Tracer: Sionna RT shoots rays through the scene and maps their mean gain; the only module that loads it.

Within the square around a place the powers of all paths add up and are averaged over the square, so that fast
fading, which the network twin adds itself, is not in the map. A transmitter takes seconds (10 million rays, few
walls) to half a minute (20 million, a city) on two cores.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from twin.site import llvm
from twin.site.config import SiteConfig, SiteTransmitter, grid_shape
from twin.site.errors import SiteError
from twin.site.site_map import SiteMap, whole_hundredths

_SECTOR_PEAK_DB = 8.0
_PATTERNS = {"isotropic": "iso", "sector": "tr38901"}


class Progress(Protocol):
    """Is told how many transmitters are traced."""

    def __call__(self, done: int, of: int) -> None: ...


def trace(config: SiteConfig, progress: Progress = lambda done, of: None) -> SiteMap:
    """Trace a site; `progress` is told how many transmitters are done, of how many.

    Raises SiteError for a tracer or an LLVM that is not installed, a scene that cannot be loaded, and a
    transmitter from which no place is reached.
    """
    rt = load_tracer()
    scene = _scene(rt, config)
    grid = _Grid.of(config, scene)
    outdoors = ~_hit(scene, grid.points_m(), (0.0, 0.0, 1.0)).reshape(grid.shape)
    if not outdoors.any():
        raise SiteError("no place is outdoors; choose another area_m or ue_height_m")
    gains, sights = [], []
    for done, transmitter in enumerate(config.transmitters):
        progress(done, len(config.transmitters))
        gain = _gain(rt, scene, config, grid, transmitter)
        if not np.any(gain[outdoors] > 0):
            raise SiteError(f"transmitter {transmitter.name} reaches no place outdoors; is it inside a building?")
        gains.append(gain)
        sights.append(_line_of_sight(scene, grid, transmitter))
    progress(len(config.transmitters), len(config.transmitters))
    linear = np.stack(gains)[(slice(None), *_nearest(outdoors))]
    gain_db = 10.0 * np.log10(linear, out=np.full(linear.shape, np.nan), where=linear > 0)
    if config.antenna == "sector":
        gain_db -= _SECTOR_PEAK_DB
    return SiteMap(
        names=tuple(item.name for item in config.transmitters),
        position_m=np.array([item.position_m for item in config.transmitters], dtype=np.float64),
        carrier_hz=config.carrier_hz,
        origin_m=grid.origin_m,
        spacing_m=config.spacing_m,
        gain_db=whole_hundredths(gain_db),
        line_of_sight=np.stack(sights),
        outdoors=outdoors,
        no_path_loss_db=config.no_path_loss_db,
        digest=config.digest(),
    )


def load_tracer() -> ModuleType:
    """Sionna RT, ready to trace on a CPU; SiteError, saying what to install, when something is missing."""
    from importlib.util import find_spec

    if find_spec("mitsuba") is None or find_spec("sionna") is None:
        raise SiteError("Sionna RT is not installed; install it: pip install 'ranloop[site]'")
    llvm.choose()
    try:
        import mitsuba

        if mitsuba.variant() is None:
            mitsuba.set_variant("llvm_ad_mono_polarized")
        import sionna.rt
    except ImportError as error:
        raise SiteError(f"Sionna RT cannot be loaded ({error}); install it: pip install 'ranloop[site]'") from None
    module: ModuleType = sionna.rt
    return module


@dataclass(frozen=True, slots=True)
class _Grid:
    """The places of UEs."""

    shape: tuple[int, int]
    origin_m: tuple[float, float]
    spacing_m: float
    height_m: float

    @classmethod
    def of(cls, config: SiteConfig, scene: Any) -> "_Grid":
        area = config.area_m
        if area is None:
            box = scene.mi_scene.bbox()
            area = (float(box.min.x), float(box.min.y), float(box.max.x), float(box.max.y))
        shape = grid_shape(area, config.spacing_m)
        return cls(shape, (area[0], area[1]), config.spacing_m, config.ue_height_m)

    def points_m(self) -> np.ndarray:
        """All places, row by row: float32 [3, places]."""
        rows, columns = np.indices(self.shape).reshape(2, -1)
        x, y = (
            start + count * self.spacing_m for start, count in zip(self.origin_m, (columns, rows), strict=True)
        )
        return np.stack((x, y, np.full_like(x, self.height_m))).astype(np.float32)


def _scene(rt: ModuleType, config: SiteConfig) -> Any:
    name = config.scene
    if not name.endswith(".xml"):
        known = sorted(key for key, value in vars(rt.scene).items() if str(value).endswith(".xml"))
        if name not in known:
            raise SiteError(f"scene is {name}; it must be the path of an XML file or one of {', '.join(known)}")
        name = getattr(rt.scene, name)
    try:
        scene = rt.load_scene(name)
        scene.frequency = config.carrier_hz
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        raise SiteError(f"scene {config.scene}: {error}") from None
    scene.tx_array = rt.PlanarArray(
        num_rows=1,
        num_cols=1,
        vertical_spacing=0.5,
        horizontal_spacing=0.5,
        pattern=_PATTERNS[config.antenna],
        polarization="V",
    )
    return scene


def _gain(rt: ModuleType, scene: Any, config: SiteConfig, grid: _Grid, transmitter: SiteTransmitter) -> np.ndarray:
    """Mean path gain around each place, linear, 0 without any path: float64 [rows, columns]."""
    yaw, pitch = np.radians((transmitter.azimuth_deg, transmitter.downtilt_deg))
    scene.add(
        rt.Transmitter("cell", position=list(transmitter.position_m), orientation=[float(yaw), float(pitch), 0.0])
    )
    rows, columns = grid.shape
    spacing = grid.spacing_m
    middle = [grid.origin_m[0] + 0.5 * (columns - 1) * spacing, grid.origin_m[1] + 0.5 * (rows - 1) * spacing]
    try:
        radio_map = rt.RadioMapSolver()(
            scene,
            center=[*middle, grid.height_m],
            orientation=[0.0, 0.0, 0.0],
            # Less than whole squares, so that rounding never adds a row; the solver makes them whole.
            size=[(columns - 0.5) * spacing, (rows - 0.5) * spacing],
            cell_size=[spacing, spacing],
            samples_per_tx=config.samples,
            max_depth=config.bounces,
            refraction=config.refraction,
            diffraction=config.diffraction,
            seed=config.seed,
        )
        gain: np.ndarray = radio_map.path_gain.numpy()[0].astype(np.float64)
    finally:
        scene.remove("cell")
    return gain


def _line_of_sight(scene: Any, grid: _Grid, transmitter: SiteTransmitter) -> np.ndarray:
    """Whether each place sees the transmitter: bool [rows, columns]."""
    points = grid.points_m()
    way = np.array(transmitter.position_m, dtype=np.float32)[:, None] - points
    blocked = _hit(scene, points, way, 0.999)
    return ~blocked.reshape(grid.shape)


def _hit(scene: Any, points_m: np.ndarray, way: Any, furthest: float | None = None) -> np.ndarray:
    """Whether anything stands in the way of each point [3, points], up to so many lengths of the way; bool."""
    import drjit
    import mitsuba as mi

    ray = mi.Ray3f(mi.Point3f(points_m), mi.Vector3f(way))
    ray.maxt = drjit.inf if furthest is None else furthest
    hit: np.ndarray = np.array(scene.mi_scene.ray_test(ray), dtype=bool)
    return hit


def _nearest(outdoors: np.ndarray) -> np.ndarray:
    """Row and column of the nearest place outdoors, of every place: [2, rows, columns]."""
    from scipy.ndimage import distance_transform_edt

    index: np.ndarray = distance_transform_edt(~outdoors, return_distances=False, return_indices=True)
    return index
