"""A site's config: what is refused and why, and that its digest follows from all that the map follows from."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.twin.site.site_cases import write_scene
from twin.site.config import SiteConfig, SiteTransmitter, grid_shape
from twin.site.errors import SiteError

MAST = SiteTransmitter(name="mast", position_m=(0.0, 1.0, 20.0))
CONFIG = SiteConfig(scene="munich", transmitters=(MAST,), area_m=(-50.0, -20.0, 50.0, 20.0))


def load(tmp_path: Path, text: str) -> SiteConfig:
    path = tmp_path / "site.yaml"
    path.write_text(text)
    return SiteConfig.load(path)


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    yaml = "scene: munich\ncarrier_hz: 3.5e9\ntransmitters:\n - {name: mast, position_m: [0, 1, 20]}\n"
    yaml += "area_m: [-50, -20, 50, 20]\n"
    json = '{"scene": "munich", "area_m": [-50, -20, 50, 20], '
    json += '"transmitters": [{"name": "mast", "position_m": [0, 1, 20]}]}'
    assert load(tmp_path, yaml) == load(tmp_path, json) == CONFIG
    assert CONFIG.digest() == load(tmp_path, yaml).digest()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scene: munich", "transmitters: Field required"),
        ("scene: munich\ntransmitters: []", "needs at least one"),
        ("scene: munich\ntransmitters: [{name: a, position_m: [0, 1]}]", r"transmitters.0.position_m.2: "),
        ("scene: munich\ntransmitters: [{name: a, position_m: [0, 1, .nan]}]", "transmitter a: position_m is nan"),
        ("scene: munich\ncolour: red\ntransmitters: [{name: a, position_m: [0, 1, 2]}]", "colour: "),
        (
            "scene: munich\ntransmitters: [{name: a, position_m: [0, 1, 2]}, {name: a, position_m: [0, 1, 2]}]",
            "repeats a name",
        ),
        ("scene: [", "site.yaml: "),
        ("", "site.yaml: "),
    ],
)
def test_errors_say_what_and_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SiteError, match=message):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spacing_m": 0.0}, r"spacing_m is 0.0; it must lie in 0.1..100"),
        ({"carrier_hz": float("inf")}, "carrier_hz is inf"),
        ({"area_m": (10.0, 0.0, 5.0, 9.0)}, "west must lie before east"),
        ({"area_m": (0.0, 0.0, 9e4, 9e4), "spacing_m": 1.0}, "area_m is"),
        ({"no_path_loss_db": 20.0}, "no_path_loss_db is 20"),
    ],
)
def test_values_out_of_range_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(SiteError, match=message):
        replace(CONFIG, **change)  # type: ignore[arg-type]


def test_places_fill_the_area_and_never_leave_it() -> None:
    assert grid_shape((0.0, 0.0, 10.0, 20.0), 5.0) == (5, 3)
    assert grid_shape((0.0, 0.0, 14.9, 20.0), 5.0) == (5, 3)
    assert grid_shape((0.1, 0.0, 0.7, 0.3), 0.1) == (4, 7), "lengths that floats round down"


def test_every_field_counts_in_the_digest() -> None:
    other = {
        "scene": "etoile",
        "transmitters": (replace(MAST, downtilt_deg=5.0),),
        "carrier_hz": 3.6e9,
        "antenna": "sector",
        "area_m": None,
        "spacing_m": 4.0,
        "ue_height_m": 2.0,
        "bounces": 4,
        "diffraction": False,
        "refraction": True,
        "samples": 1_000_000,
        "seed": 2,
        "no_path_loss_db": 200.0,
    }
    assert set(other) == {field.name for field in fields(SiteConfig)}
    digests = {replace(CONFIG, **{name: value}).digest() for name, value in other.items()}  # type: ignore[arg-type]
    assert len(digests | {CONFIG.digest()}) == len(other) + 1


def test_a_scene_file_counts_by_what_it_and_its_meshes_hold(tmp_path: Path) -> None:
    write_scene(tmp_path)
    config = load(tmp_path, "scene: block.xml\ntransmitters: [{name: a, position_m: [0, 1, 2]}]")
    assert config.scene == str(tmp_path / "block.xml"), "relative to the config"
    before = config.digest()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    write_scene(moved)
    assert replace(config, scene=str(moved / "block.xml")).digest() == before, "not by where it lies"
    mesh = tmp_path / "block.ply"
    mesh.write_text(mesh.read_text().replace("20", "21"))
    assert config.digest() != before
    mesh.unlink()
    with pytest.raises(SiteError, match=r"block\.ply"):
        config.digest()
