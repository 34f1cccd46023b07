import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from twin.link.calibration import UNCALIBRATED, Calibration
from twin.link.catalogue import ChannelClass
from twin.link.errors import CalibrationError


def written(folder: Path, told: object) -> Path:
    path = folder / "calibration.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return path


@given(st.sampled_from(ChannelClass), st.floats(-40.0, 80.0), st.floats(-20.0, 20.0))
def test_the_snr_of_its_channel_is_moved_within_what_can_be(
    channel: ChannelClass, snr_db: float, offset_db: float
) -> None:
    equipment = replace(USUAL, channel=channel, snr_db=snr_db)
    moved = Calibration({channel: offset_db}).applied(equipment)
    assert moved.snr_db == pytest.approx(min(80.0, max(-40.0, snr_db + offset_db)))
    assert replace(moved, snr_db=snr_db) == equipment
    others = {other: offset_db for other in ChannelClass if other is not channel}
    assert Calibration(others).applied(equipment) == UNCALIBRATED.applied(equipment) == equipment


def test_a_file_is_read_as_it_was_meant(tmp_path: Path) -> None:
    found = Calibration.read(written(tmp_path, {"snr_offset_db": {"tdl_c": -1.5, "awgn": 1}}))
    assert found.applied(USUAL).snr_db == USUAL.snr_db - 1.5
    assert found.applied(replace(USUAL, channel=ChannelClass.AWGN)).snr_db == USUAL.snr_db + 1.0


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("{", "Expecting"),
        ([], "must be an object"),
        ({}, "must be an object"),
        ({"snr_offset_db": []}, "must be an object"),
        ({"snr_offset_db": {}, "more": 1}, "must be an object"),
        ({"snr_offset_db": {"tdl_z": 1.0}}, "tdl_z"),
        *(
            ({"snr_offset_db": {"tdl_c": value}}, "it must be a number in -20..20 dB")
            for value in (21, None, "1", True)
        ),
        ('{"snr_offset_db": {"tdl_c": NaN}}', "it must be a number"),
    ],
)
def test_a_broken_file_is_refused_by_what_is_wrong(told: object, wrong: str, tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=wrong):
        Calibration.read(written(tmp_path, told))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"none\.json"):
        Calibration.read(tmp_path / "none.json")
