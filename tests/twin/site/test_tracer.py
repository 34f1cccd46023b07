"""Ray tracing: free space as Friis says, blocks in the way, directions; skipped without the tracer."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.twin.site.site_cases import write_scene
from twin.site import cache, tracer
from twin.site.config import SiteConfig, SiteTransmitter
from twin.site.errors import SiteError
from twin.site.site_map import SiteMap

WEST, EAST = ((x, 0.0, 10.0) for x in (-40.0, 40.0))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteConfig:
    """Two masts in empty space with a block halfway."""
    try:
        tracer.load_tracer()
    except SiteError as error:
        pytest.skip(str(error))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    masts = (SiteTransmitter(name="west", position_m=WEST), SiteTransmitter(name="east", position_m=EAST))
    return SiteConfig(
        scene=str(write_scene(tmp_path)),
        transmitters=masts,
        area_m=(-80.0, -60.0, 80.0, 60.0),
        spacing_m=4.0,
        ue_height_m=1.5,
        samples=4_000_000,
    )


def distances(made: SiteMap, height_m: float) -> np.ndarray:
    rows, columns = made.outdoors.shape
    y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    place = np.stack((x * made.spacing_m + made.origin_m[0], y * made.spacing_m + made.origin_m[1]), axis=-1)
    ground = np.linalg.norm(place - made.position_m[:, None, None, :2], axis=-1)
    return np.hypot(ground, made.position_m[:, None, None, 2] - height_m)


def friis_db(made: SiteMap, height_m: float) -> np.ndarray:
    loss: np.ndarray = 20 * np.log10(299_792_458.0 / made.carrier_hz / (4 * np.pi * distances(made, height_m)))
    return loss


def test_a_missing_tracer_is_said_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SiteError, match=r"pip install 'ranloop\[site\]'"):
        tracer.load_tracer()


@pytest.mark.slow
def test_free_space_is_friis(config: SiteConfig) -> None:
    made = tracer.trace(replace(config, bounces=0, diffraction=False))
    error = made.gain_db - friis_db(made, 1.5)
    # Directly below a mast the square is not small against the distance; at the block's shadow it is half dark.
    clear = made.line_of_sight & (distances(made, 1.5) > 20) & made.outdoors
    lit = clear.copy()
    for axis in (1, 2):
        for shift in (-1, 1):
            lit &= np.roll(clear, shift, axis)
    assert lit.mean() > 0.5
    assert abs(np.median(error[lit])) < 0.02
    assert np.quantile(np.abs(error[lit]), 0.95) < 0.5
    dark = ~made.line_of_sight & ~np.roll(made.line_of_sight, 1, 1) & ~np.roll(made.line_of_sight, -1, 1)
    dark &= ~np.roll(made.line_of_sight, 1, 2) & ~np.roll(made.line_of_sight, -1, 2) & made.outdoors
    assert np.isnan(made.gain_db[dark]).all(), "nothing gets round or through the block"


@pytest.mark.slow
def test_a_block_casts_a_shadow_that_bent_rays_fill(config: SiteConfig) -> None:
    made = tracer.trace(config)
    excess = made.gain_db - friis_db(made, 1.5)
    seen, hidden = made.line_of_sight & made.outdoors, ~made.line_of_sight & made.outdoors
    assert not made.outdoors[15, 20], "inside the block"
    assert np.array_equal(made.line_of_sight[0], made.line_of_sight[1, :, ::-1]), "the scene is symmetric"
    assert np.median(excess[seen]) > -0.1
    assert np.isfinite(excess[hidden]).mean() > 0.3, "bent round one edge; right behind the block it takes two"
    assert np.nanmedian(excess[hidden]) < -6
    assert np.nanquantile(excess[hidden], 0.95) < 0
    mirrored = made.gain_db[0] - made.gain_db[1, :, ::-1]
    assert np.nanmedian(np.abs(mirrored[made.outdoors])) < 0.5
    again = tracer.trace(config)
    assert np.nanmax(np.abs(again.gain_db - made.gain_db)) < 0.02, "the same config gives the same map"


@pytest.mark.slow
def test_the_gain_from_here_to_there_is_that_from_there_to_here(config: SiteConfig) -> None:
    """Masts hardly higher than the UEs, so that they may change places; the block stands between the first two.

    Without bent rays: near grazing, Sionna's diffraction differs by up to 8 dB between the two directions.
    """
    places = ((-40.0, 0.0), (20.0, 12.0), (-40.0, 24.0), (20.0, 20.0))
    masts = tuple(SiteTransmitter(name=str(place), position_m=(*place, 10.0)) for place in places)
    made = tracer.trace(replace(config, transmitters=masts, ue_height_m=8.0, diffraction=False))

    def gain_db(cell: int, place: int) -> float:
        x, y = places[place]
        return float(made.gain_db[cell, round((y + 60) / 4), round((x + 80) / 4)])

    for i, j in itertools.combinations(range(len(places)), 2):
        assert gain_db(i, j) == pytest.approx(gain_db(j, i), abs=1.0, nan_ok=True), (places[i], places[j])
        assert np.isnan(gain_db(i, j)) == ((i, j) == (0, 1))


@pytest.mark.slow
def test_a_sector_looks_where_it_is_turned_and_keeps_its_peak_at_zero(config: SiteConfig) -> None:
    north = SiteTransmitter(name="north", position_m=(-40.0, 0.0, 10.0), azimuth_deg=90.0, downtilt_deg=10.0)
    made = tracer.trace(replace(config, transmitters=(north,), antenna="sector", bounces=0, diffraction=False))
    excess = (made.gain_db - friis_db(made, 1.5))[0]
    column, middle = 10, 15  # under the mast
    ahead, behind = excess[middle + 12, column], excess[middle - 12, column]
    assert ahead == pytest.approx(0.0, abs=0.3), "48 m north and 8.5 m down is 10 degrees below"
    assert np.nanmax(excess) < 0.5
    assert behind < -25
    assert abs(excess[middle, column - 9] - excess[middle, column + 9]) < 1.0
    assert excess[middle, column - 9] < -10


@pytest.mark.slow
def test_a_map_is_traced_once_unless_its_file_is_damaged(config: SiteConfig) -> None:
    quick = replace(config, samples=100_000, spacing_m=10.0, bounces=1)
    told: list[tuple[int, int]] = []
    first = cache.site_map(quick, lambda done, of: told.append((done, of)))
    assert told == [(0, 2), (1, 2), (2, 2)]
    again = cache.site_map(quick, lambda done, of: told.append((done, of)))
    assert len(told) == 3, "kept"
    assert np.array_equal(first.gain_db, again.gain_db, equal_nan=True)
    (cache.folder() / f"{quick.digest()}.npz").write_bytes(b"damaged")
    cache.site_map(quick, lambda done, of: told.append((done, of)))
    assert len(told) == 6, "traced again"
    assert cache.kept(quick) is not None


@pytest.mark.slow
def test_what_cannot_be_traced_is_said(config: SiteConfig) -> None:
    quick = replace(config, samples=100_000, spacing_m=10.0)
    buried = SiteTransmitter(name="buried", position_m=(0.0, 0.0, 10.0))
    with pytest.raises(SiteError, match="buried reaches no place outdoors"):
        tracer.trace(replace(quick, transmitters=(buried,)))
    with pytest.raises(SiteError, match=r"scene is atlantis; it must be .* one of .*munich"):
        tracer.trace(replace(quick, scene="atlantis"))
    Path(quick.scene).write_text("<scene version='2.1.0'><shape type='nonsense'/></scene>")
    with pytest.raises(SiteError, match=r"block\.xml"):
        tracer.trace(quick)
