"""Library, families, clairvoyant: what is shipped runs, what is wrong is named, who knows the future wins."""

import string
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from oran.sla import SlaTargets, qos_ratio, satisfaction
from oran.slices import static_ratios
from twin.network import clairvoyant, drive_test, families, library
from twin.network.errors import ScenarioError
from twin.network.network import reset, step
from twin.network.scenario import Scenario
from twin.network.trace import load_trace

PLAIN = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=True) | st.integers() | st.text(string.printable, max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["cells", "ues", "slices", "load_factor", "outages", "about", "trace", "propagation"])


@pytest.mark.parametrize("name", library.names())
def test_every_scenario_of_the_library_runs(name: str) -> None:
    entry = library.entry(name)
    assert len(entry.about) > 40
    scenario = entry.scenario
    state = reset(scenario, torch.arange(2), trace=entry.trace)
    ratios = torch.from_numpy(static_ratios(len(scenario.slices))).expand(2, scenario.cells, -1, -1)
    delivered = 0.0
    for _ in range(3):
        state, kpis = step(scenario, state, ratios)
        delivered += float(kpis.delivered_bit.sum())
        assert (kpis.prb_used.sum(-1) <= scenario.prbs + 1e-6).all()
    assert delivered > 0


def test_the_papers_scenario_is_the_default_one() -> None:
    assert library.load("pa_mrl") == Scenario()


def test_a_file_of_ones_own_is_read_and_a_slice_takes_over_what_it_does_not_say(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("cells: 2\nslices:\n  - {like: URLLC, name: robots, sla: {delay_s: 0.004, weight: 1}}\n")
    scenario = library.load(path)
    (robots,) = scenario.slices
    assert (scenario.cells, robots.name, robots.sla.delay_s, robots.sla.slice) == (
        2,
        "robots",
        0.004,
        robots.slice,
    )
    assert robots.scheduler == library.LIKE["URLLC"].scheduler
    scenario.save(tmp_path / "mine.json")
    assert library.load(tmp_path / "mine.json") == scenario


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cells: 0", "cells is 0; it must lie in 1..1000"),
        ("cels: 3", "cels"),
        ("slices: [{like: fast}]", "eMBB, URLLC, mMTC"),
        ("slices: [{like: eMBB, slice: 9-zz}]", "S-NSSAI"),
        ("slices: [{like: eMBB, sla: {throughput_bps: -1}}]", "throughput_bps is -1"),
        ("slices: [{like: eMBB, mean: 1}]", "mean"),
        ("[1, 2]", "fields of a scenario"),
        ("a: [", "expected"),
        ("about: 3", "about"),
        ("? {a: 1}\n: 2", ""),
        ("!!python/object/apply:os.system [true]", "python"),
    ],
)
def test_what_is_wrong_with_a_file_is_named_with_the_file(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        library.load(path)
    assert words in str(caught.value)
    assert "wrong.yaml" in str(caught.value)


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(ScenarioError, match=r"pa_mrl, .*trace_driven"):
        library.load("pa_mlr")


@given(values=st.dictionaries(KEYS | st.text(max_size=5), PLAIN, max_size=4))
@settings(max_examples=150, deadline=None)
def test_any_values_give_a_scenario_or_a_scenario_error(values: dict[object, object]) -> None:
    try:
        made = library.scenario_of(values)
    except ScenarioError:
        return
    assert isinstance(made, Scenario)


def test_a_drive_in_the_twin_is_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "drive.csv"
    drive_test.main(["--scenario", "pa_mrl", "--seconds", "4", "--out", str(path)])
    trace = load_trace(path)
    assert trace.duration_s == 4
    assert (trace.speed_mps < 15).all()
    with pytest.raises(IndexError, match="ue is 200"):
        drive_test.rows(Scenario(), ue=200, seconds=1, seed=1)


@pytest.fixture(scope="module")
def family() -> families.Family:
    return families.load("slicing")


def test_a_split_draws_its_axis_outside_and_the_others_where_training_has_them(family: families.Family) -> None:
    for seed in range(5):
        inside, load, everything = (family.draw(split, seed) for split in ("in", "out-load", "out"))
        assert 1.0 <= inside.load_factor <= 1.6 < 1.8 <= load.load_factor <= 2.4
        assert load == inside.with_(load_factor=load.load_factor)
        assert everything.load_factor == load.load_factor
        assert everything.cells >= 9
        assert inside.cells <= 7


def test_draws_repeat_and_differ_by_seed(family: families.Family) -> None:
    assert family.draw("in", 3) == family.draw("in", 3)
    assert len({family.draw("in", seed).load_factor for seed in range(10)}) == 10


def test_each_axis_moves_something_of_its_own(family: families.Family) -> None:
    assert set(family.splits) == {"in", "out", *(f"out-{axis}" for axis in family.axes)}
    assert {"traffic", "mobility", "channel", "load", "sla", "topology"} == set(family.axes)
    inside = family.draw("in", 0)
    for axis in family.axes:
        assert family.draw(f"out-{axis}", 0) != inside


def test_a_drawn_scenario_runs(family: families.Family) -> None:
    scenario = family.draw("out", 2)
    state = reset(scenario, torch.arange(1))
    ratios = torch.from_numpy(static_ratios(3)).expand(1, scenario.cells, -1, -1)
    _, kpis = step(scenario, state, ratios)
    assert float(kpis.arrived_bit.sum()) > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"field": "cels", "inside": [1, 2], "outside": [3, 4]}, "no 'cels'"),
        ({"field": "ABC.mean_bps", "inside": [1, 2], "outside": [3, 4]}, "one of eMBB, URLLC, mMTC"),
        ({"field": "*.sla.jitter", "inside": [1, 2], "outside": [3, 4]}, "no 'jitter'"),
        ({"field": "cells", "inside": [1, 2], "outside": [-4, -3]}, "split out-a"),
        ({"field": "propagation", "inside": ["uma"], "outside": ["x"], "scale": True}, "cannot be scaled"),
        ({"field": "URLLC.sla.delay_s", "inside": [0.01, 0.02], "outside": [-2.0, -1.0]}, "delay_s"),
        ({"field": "cells", "inside": [], "outside": [1]}, "need values"),
        ({"field": "cells", "inside": [1]}, "outside"),
    ],
)
def test_what_is_wrong_with_a_family_is_named(tmp_path: Path, change: dict[str, object], words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"about": "x", "base": "pa_mrl", "axes": {"a": [change]}}))
    with pytest.raises(ScenarioError) as caught:
        families.load(path)
    assert words in str(caught.value)


def test_names_of_families_and_splits_that_are_not_there(family: families.Family) -> None:
    with pytest.raises(ScenarioError, match="slicing"):
        families.load("nothing")
    with pytest.raises(ScenarioError, match="out-load"):
        family.draw("out-weather", 1)


def test_splits_share_a_cell_out_in_full() -> None:
    tried = clairvoyant.splits(3, 5)
    assert len(tried) == 21 + 1
    np.testing.assert_allclose(tried[:-1, :, 1].sum(-1), 100.0)
    assert (tried[..., 2] == 100.0).all()


def small(**changes: object) -> Scenario:
    return Scenario(cells=2, ues=66).with_(**changes)


def run(scenario: Scenario, decide: bool, steps: int) -> float:
    tried = clairvoyant.splits(3, 5)
    state, total = reset(scenario, torch.arange(3)), 0.0
    ratios = tried[-1].expand(3, scenario.cells, -1, -1)
    for _ in range(steps):
        if decide:
            ratios = clairvoyant.decide(scenario, state, tried, horizon=2)
        state, kpis = step(scenario, state, ratios)
        ratio = qos_ratio(SlaTargets.of(scenario.slas), kpis.throughput_bps, kpis.delay_s, kpis.drop_rate)
        total += float(satisfaction(SlaTargets.of(scenario.slas), ratio).mean())
    return total / steps


def test_who_knows_the_future_keeps_more_promises_than_a_fixed_split() -> None:
    assert run(small(), True, 12) > run(small(), False, 12) + 0.02


def test_the_clairvoyant_decides_for_each_environment_alone() -> None:
    scenario, tried = small(), clairvoyant.splits(3, 4)
    both = clairvoyant.decide(scenario, reset(scenario, torch.tensor([5, 8])), tried)
    alone = clairvoyant.decide(scenario, reset(scenario, torch.tensor([8])), tried)
    assert torch.equal(both[1:], alone)


def test_a_slice_alone_has_the_whole_cell() -> None:
    assert clairvoyant.alone(3, 1).tolist() == [[0, 0, 0], [100, 100, 100], [0, 0, 0]]
