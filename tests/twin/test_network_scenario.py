"""Scenarios: validation that names field, value and range, and the JSON form."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.slices import SNssai
from twin.network.errors import ScenarioError
from twin.network.scenario import EMBB, MMTC, URLLC, Scenario


def test_the_default_is_the_papers_network() -> None:
    scenario = Scenario()
    assert (scenario.cells, scenario.ues, scenario.substeps) == (6, 200, 10)
    assert scenario.snssais == (SNssai(1, 1), SNssai(2, 1), SNssai(3, 1))
    assert sum(scenario.ue_counts()) == 200
    assert scenario.prb_hz == 360e3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cells": 0}, ("cells", "0", "1..1000")),
        ({"ues": 2}, ("ues", "2", "3")),
        ({"load_factor": float("nan")}, ("load_factor", "nan")),
        ({"tx_power_dbm": 1e9}, ("tx_power_dbm", "-20..80")),
        ({"step_s": 0.105}, ("step_s", "0.105", "multiple", "0.01")),
        ({"substep_s": 0.2, "step_s": 0.1}, ("step_s", "multiple")),
        ({"slices": ()}, ("slices", "0", "1..16")),
        ({"slices": (EMBB, EMBB)}, ("slices", "1-000001")),
        ({"substep_s": 0.1}, ("URLLC", "delay_budget_s", "0.1")),
        ({"nonsense": 1}, ("nonsense",)),
        ({"subbands": 14}, ("subbands", "14", "1..13")),
        ({"delay_spread_s": -1e-9}, ("delay_spread_s",)),
        ({"reconfiguration_loss": 1.5}, ("reconfiguration_loss", "0..1")),
        ({"highway_lanes": 0}, ("highway_lanes", "1..100")),
    ],
)
def test_an_invalid_scenario_names_field_value_and_range(
    changes: dict[str, object], words: tuple[str, ...]
) -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario().with_(**changes)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ue_share": 0.0}, ("eMBB", "ue_share")),
        ({"burst_gain": 9.0, "burst_duty": 0.5}, ("burst_gain", "9.0", "1..2")),
        ({"buffer_bit": 10.0}, ("buffer_bit",)),
        ({"speed_mps": (5.0, 1.0)}, ("speed_mps", "5..150")),
        ({"delay_budget_s": 0.0}, ("delay_budget_s", "0.001..10")),
        ({"highest_mcs": 28}, ("highest_mcs", "0..27")),
        ({"indoor_share": 1.5}, ("eMBB", "indoor_share", "0..1")),
        ({"session_s": (1.0, 0.0)}, ("session_s", "0.001..1e+06")),
        ({"frame_deviation": -0.1}, ("frame_deviation",)),
        ({"frame_jitter_s": 2.0}, ("frame_jitter_s", "0..1")),
        ({"sla": URLLC.sla}, ("sla.slice", "1-000001")),
    ],
)
def test_an_invalid_slice_names_field_value_and_range(changes: dict[str, object], words: tuple[str, ...]) -> None:
    with pytest.raises(ScenarioError) as caught:
        replace(EMBB, **changes)
    for word in words:
        assert word in str(caught.value)


def test_scenarios_are_read_without_torch() -> None:
    code = "import sys, twin.network.scenario as s; s.Scenario.from_json('{}'); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_json_round_trip(tmp_path: Path) -> None:
    scenario = Scenario(cells=2, ues=9, slices=(MMTC, URLLC), propagation="umi")
    assert Scenario.from_json(scenario.to_json()) == scenario
    scenario.save(tmp_path / "scenario.json")
    assert Scenario.load(tmp_path / "scenario.json") == scenario


def test_fields_left_out_keep_their_defaults() -> None:
    assert Scenario.from_json('{"cells": 3}') == Scenario(cells=3)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"cels": 3}', "cels"),
        ('{"cells": "many"}', "cells"),
        ('{"propagation": "rural"}', "propagation"),
        ('{"cells": -3}', "1..1000"),
        ('{"slices": [{"name": "x"}]}', "slices.0"),
        ('{"outages": [{"cell": 1}]}', "outages.0.start_s"),
        ('{"outages": [{"cell": 7, "start_s": 0, "end_s": 1}]}', "0..5"),
    ],
)
def test_bad_json_says_where(text: str, word: str) -> None:
    with pytest.raises(ScenarioError, match=word):
        Scenario.from_json(text)


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_a_scenario_or_a_scenario_error(text: str) -> None:
    try:
        Scenario.from_json(text)
    except ScenarioError:
        return
    assert isinstance(json.loads(text), dict)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"absent\.json"):
        Scenario.load(tmp_path / "absent.json")


@given(
    st.integers(3, 5000),
    st.tuples(*[st.floats(1e-6, 1e6)] * 3),
)
def test_ue_counts_are_complete(ues: int, shares: tuple[float, float, float]) -> None:
    slices = tuple(replace(item, ue_share=share) for item, share in zip((EMBB, URLLC, MMTC), shares, strict=True))
    counts = Scenario(ues=ues, slices=slices).ue_counts()
    assert sum(counts) == ues
    assert min(counts) >= 1
