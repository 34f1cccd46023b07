"""`ranloop twin site` and `ranloop twin render`: files made, and errors that say what to change."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ranloop import twin
from ranloop.errors import TwinCommandError
from tests.twin.site.site_cases import small_map
from twin.site import cache, tracer
from twin.site.config import SiteConfig
from twin.site.site_map import SiteMap

CONFIG = "scene: munich\ntransmitters: [{name: a, position_m: [0, 1, 20]}, {name: b, position_m: [9, 1, 20]}]\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(twin.app, [str(argument) for argument in arguments])


def complaint(*arguments: str | Path) -> str:
    error = run(*arguments).exception
    assert isinstance(error, TwinCommandError)
    return str(error)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "site.yaml"
    path.write_text(CONFIG)
    return path


def test_a_kept_map_is_written_without_tracing_and_can_be_drawn(config: Path, tmp_path: Path) -> None:
    digest = SiteConfig.load(config).digest()
    replace(small_map(), digest=digest).save(cache.folder() / f"{digest}.npz")
    result = run("site", config, "--out", tmp_path / "map.npz")
    assert result.exit_code == 0, result.output
    assert "2 transmitters at 3.5 GHz; 9 x 7 places, 10 m apart" in result.output
    assert SiteMap.load(tmp_path / "map.npz").digest == digest
    drawn = run("render", "--site", tmp_path / "map.npz", "--seconds", "0.2", "--out", tmp_path / "map.svg")
    assert drawn.exit_code == 0, drawn.output
    assert "pa_mrl on map after 0.2 s" in (tmp_path / "map.svg").read_text()


def test_without_a_tracer_it_says_what_to_install(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'ranloop[site]'" in complaint("site", config, "--out", tmp_path / "map.npz")


def test_tracing_tells_how_far_it_is(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def trace(config: SiteConfig, progress: tracer.Progress) -> SiteMap:
        progress(1, 2)
        return replace(small_map(), digest=config.digest())

    monkeypatch.setattr(tracer, "trace", trace)
    out = tmp_path / "map.npz"
    assert "1 of 2 transmitters traced" in run("site", config, "--out", out).output
    assert "traced" not in run("site", config, "--out", out).output
    assert "1 of 2 transmitters traced" in run("site", config, "--out", out, "--fresh").output


def test_errors_name_the_file_and_what_to_change(config: Path, tmp_path: Path) -> None:
    assert "must end in .npz" in complaint("site", config, "--out", tmp_path / "map.png")
    config.write_text("scene: munich\ntransmitters: []\n")
    assert "site.yaml: transmitters is empty" in complaint("site", config, "--out", tmp_path / "map.npz")
    out = ("--out", tmp_path / "out.png")
    assert "dense_urban" in complaint("render", "--scenario", "nowhere", *out)
    assert "no such file; the shipped sites are munich" in complaint("render", "--site", "nowhere", *out)
    assert "must end in .png, .svg, .pdf" in complaint("render", "--out", tmp_path / "out.gif")
    (tmp_path / "bad.json").write_text('{"cells": 0}')
    assert "cells is 0" in complaint("render", "--scenario", tmp_path / "bad.json", *out)
