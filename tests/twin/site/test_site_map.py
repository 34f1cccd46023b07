"""Site maps: kept and read back exactly, refused when damaged, and the shipped one as its config says."""

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import twin.site
from tests.twin.site.site_cases import small_map
from twin.site import cache
from twin.site.config import SiteConfig
from twin.site.errors import SiteError
from twin.site.site_map import SiteMap, open_map, shipped, whole_hundredths

MAPS = Path(twin.site.__file__).with_name("maps")


def test_what_is_read_is_what_was_kept(tmp_path: Path) -> None:
    made, path = small_map(columns=11), tmp_path / "deep" / "small.npz"
    made.save(path)
    again = SiteMap.load(path)
    for name in SiteMap.__slots__:
        one, other = getattr(made, name), getattr(again, name)
        if isinstance(one, np.ndarray):
            assert np.array_equal(one, other, equal_nan=one.dtype == np.float32), name
            assert one.dtype == other.dtype, name
        else:
            assert one == other, name
    assert [item.name for item in path.parent.iterdir()] == ["small.npz"], "no draft stays behind"


def test_gains_are_whole_hundredths() -> None:
    gain = np.array([-93.4567, np.nan, -1e9, 12.0])
    assert whole_hundredths(gain) == pytest.approx([-93.46, np.nan, -327.0, 12.0], abs=1e-4, nan_ok=True)
    assert np.array_equal(whole_hundredths(whole_hundredths(gain)), whole_hundredths(gain), equal_nan=True)


def test_the_floor_holds_where_no_path_is_and_where_it_is_worse() -> None:
    made = small_map()
    deep = replace(made, no_path_loss_db=100.0).loss_floor_gain_db()
    assert (deep[:, 0, 0] == -100).all()
    assert deep.min() == -100
    known = made.gain_db > -100
    assert np.array_equal(deep[known], made.gain_db[known])


def test_a_damaged_file_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    small_map().save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 37):
        path.write_bytes(whole[:length])
        with pytest.raises(SiteError, match=r"not a site map.*make it again"):
            SiteMap.load(path)
    for place in range(60, len(whole), 211):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(SiteError):  # and nothing else; some bits, as of a date, do not count
            SiteMap.load(path)


@pytest.mark.parametrize("change", [{"names": ("one",)}, {"spacing_m": 0.0}, {"origin_m": (np.nan, 0.0)}])
def test_parts_must_fit(change: dict[str, object]) -> None:
    with pytest.raises(SiteError, match="do not fit"):
        replace(small_map(), **change)  # type: ignore[arg-type]


def test_another_archive_or_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, gain=np.zeros(3))
    with pytest.raises(SiteError, match="not a site map"):
        SiteMap.load(path)
    np.savez(path, about=np.array('{"format": 99}'))
    with pytest.raises(SiteError, match="format 99"):
        SiteMap.load(path)
    with pytest.raises(SiteError, match=r"no such file; the shipped sites are .*munich"):
        open_map(str(tmp_path / "missing.npz"))


def test_a_map_is_read_once_until_its_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    small_map().save(path)
    first = open_map(str(path))
    assert open_map(str(path)) is first
    small_map(seed=4, columns=10).save(path)
    assert open_map(str(path)).outdoors.shape == (7, 10)


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_map_is_what_its_config_says(name: str) -> None:
    config = SiteConfig.load(MAPS / f"{name}.yaml")
    made = open_map(name)
    assert made.digest == config.digest(), f"make it anew: ranloop twin site {name}.yaml --fresh"
    assert made.names == tuple(item.name for item in config.transmitters)
    assert (MAPS / f"{name}.npz").stat().st_size < 300_000


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_map_obeys_physics(name: str) -> None:
    """In sight near Friis or, by reflections, above; out of sight weaker at the same distance."""
    made = open_map(name)
    rows, columns = made.outdoors.shape
    y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    ground = np.stack((x, y), -1) * made.spacing_m + made.origin_m
    apart = np.linalg.norm(ground - made.position_m[:, None, None, :2], axis=-1)
    distance = np.hypot(apart, made.position_m[:, None, None, 2] - 1.5)
    friis_db = 20 * np.log10(299_792_458 / made.carrier_hz / (4 * np.pi * distance))
    excess = made.gain_db - friis_db
    seen = made.line_of_sight & made.outdoors & (apart > made.spacing_m)
    hidden = ~made.line_of_sight & made.outdoors & ~np.isnan(made.gain_db)
    assert -0.5 < np.median(excess[seen]) < 6.0
    assert np.quantile(excess[seen], 0.99) < 10.0
    assert np.median(excess[hidden]) < -15.0


def test_a_kept_map_is_used_only_when_it_is_whole_and_of_that_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = SiteConfig.load(MAPS / "munich.yaml")
    path = cache.folder() / f"{config.digest()}.npz"
    assert cache.kept(config) is None
    replace(small_map(), digest=config.digest()).save(path)
    found = cache.site_map(config)
    assert found.digest == config.digest()
    small_map().save(path)
    assert cache.kept(config) is None, "of something else"
    path.write_bytes(b"not a map")
    assert cache.kept(config) is None, "damaged"
