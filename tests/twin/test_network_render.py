"""Pictures: they show what the network holds, in every kind of file, and the same network is the same file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.twin.network_cases import EVERYTHING, SMALL
from twin.network import library
from twin.network.errors import RenderError
from twin.network.render import KINDS, draw, save, simulate
from twin.network.scenario import EMBB, MMTC, URLLC, Outage, Scenario

HEADS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def test_the_scene_counts_what_the_network_holds() -> None:
    scene = simulate(SMALL.with_(outages=(Outage(cell=1, start_s=0.0, end_s=9.0),)), seconds=1.0)
    assert scene.title == "network after 1 s, seed 1"
    assert scene.off.tolist() == [False, True, False]
    assert not (scene.serving == 1).any()
    assert len(scene.position_m) == SMALL.ues
    assert scene.used.shape == (3, 3)
    assert (scene.used.sum(axis=1) <= 1 + 1e-9).all()
    assert scene.used[1].sum() == 0
    assert not (scene.map.server == 1).any()


def test_who_is_in_no_session_is_not_drawn() -> None:
    slices = (replace(EMBB, session_s=(0.5, 0.5)), URLLC, MMTC)
    scenario = SMALL.with_(ues=200, slices=slices)
    scene = simulate(scenario, seconds=1.0)
    counts = np.bincount(scene.slice_of_ue, minlength=3)
    full = scenario.ue_counts()
    assert 0.2 * full[0] < counts[0] < 0.8 * full[0]
    assert tuple(counts[1:]) == full[1:]


def test_the_load_can_be_given() -> None:
    own, idle, full = (simulate(SMALL, seconds=0.3, load=load) for load in (None, 0.0, 1.0))
    assert (full.map.sinr_db <= own.map.sinr_db + 1e-4).all()
    assert (own.map.sinr_db <= idle.map.sinr_db + 1e-4).all()
    assert (full.load_text, own.load_text) == ("100% load", "the load of the last second")


def test_axes_have_names_units_and_bars_that_add_up() -> None:
    scene = simulate(SMALL, seconds=0.5)
    users, sinr_map, load, served, bar = draw(scene).axes
    assert (users.get_xlabel(), users.get_ylabel()) == ("east [m]", "north [m]")
    assert bar.get_ylabel() == "SINR [dB]"
    assert (load.get_ylabel(), served.get_ylabel()) == ("PRBs used [%]", "UEs served")
    assert "no shadowing" in sinr_map.get_title()
    heights = sum(patch.get_height() for patch in served.patches)  # type: ignore[attr-defined]
    assert heights == SMALL.ues
    assert load.get_xlabel() == served.get_xlabel() == "cell"


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_what_its_name_says_and_the_same_each_time(tmp_path: Path, kind: str) -> None:
    first, second = tmp_path / f"one{kind}", tmp_path / f"two{kind}"
    for path in (first, second):
        save(simulate(SMALL, seconds=0.2), path)
    assert first.read_bytes().startswith(HEADS[kind])
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    "scenario",
    [
        EVERYTHING,
        Scenario(ues=30).on_site("munich"),
        Scenario(cells=1, ues=3),
        Scenario(cells=40, ues=50, propagation="umi"),
        SMALL.with_(propagation="rma", site_height_m=35.0),
    ],
    ids=["everything", "munich", "one cell", "many cells", "rural"],
)
def test_every_kind_of_network_can_be_drawn(tmp_path: Path, scenario: Scenario) -> None:
    save(simulate(scenario, seconds=0.3), tmp_path / "out.png")


@pytest.mark.slow
@pytest.mark.parametrize("name", library.names())
def test_the_library_can_be_drawn(tmp_path: Path, name: str) -> None:
    entry = library.entry(name)
    save(simulate(entry.scenario, seconds=0.5, trace=entry.trace), tmp_path / "out.png")


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    scene = simulate(SMALL, seconds=0.1)
    with pytest.raises(RenderError, match=r"out\.gif: the name must end in \.png, \.svg, \.pdf"):
        save(scene, tmp_path / "out.gif")
    with pytest.raises(RenderError, match="missing"):
        save(scene, tmp_path / "missing" / "out.svg")
