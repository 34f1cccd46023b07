"""Plans: what is invalid or contradictory is refused by name, JSON comes back, columns and models agree."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.twin.link.link_cases import BASE, EQUIPMENT, POLICY, any_values, link_chains, plans
from twin.link.catalogue import PARAMETERS, STEPS, ChannelClass, render
from twin.link.equipment import EquipmentState, check, fits
from twin.link.errors import EquipmentError, PlanError
from twin.link.plan import CODES, COLUMNS, ChainGrid, LinkChain, Plan, SlicePolicy

DEEPRX = {"estimator": "deeprx", "detector": "deeprx"}


@pytest.mark.parametrize(
    ("changes", "step", "field", "words"),
    [
        ({"prbs": 0}, "grid", "prbs", ("0", "1..275")),
        ({"prbs": 24.5}, "grid", "prbs", ("24.5",)),
        ({"prbs": True}, "grid", "prbs", ("True",)),
        ({"prbs": "24"}, "grid", "prbs", ("'24'",)),
        ({"prbs": float("nan")}, "grid", "prbs", ("nan",)),
        ({"prbs": 10**400}, "grid", "prbs", ("1..275",)),
        ({"numerology": 4}, "grid", "numerology", ("one of 0, 1, 2, 3",)),
        ({"modulation": "8psk"}, "modulate", "modulation", ("8psk", "qpsk, 16qam, 64qam, 256qam")),
        ({"modulation": None}, "modulate", "modulation", ("None",)),
        ({"code_rate": 0.55}, "encode", "code_rate", ("0.55", "0.9")),
        ({"layers": 3}, "precode", "layers", ("3", "one of 1, 2, 4")),
        ({"tx_power_dbm": 47}, "amplify", "tx_power_dbm", ("47", "-10..46 dBm")),
        ({"repetition": 3}, "protect", "repetition", ("3", "slots")),
        ({"harq_transmissions": 5}, "protect", "harq_transmissions", ("1..4",)),
        ({"colour": 1}, "plan", "colour", ("colour", "numerology")),
        ({"layers": 2}, "precode", "layers", ("tx_antennas",)),
        ({"layers": 2, "tx_antennas": 2}, "precode", "layers", ("rx_antennas",)),
        ({"tx_antennas": 2}, "precode", "tx_antennas", ("precoder",)),
        ({"precoder": "svd"}, "precode", "precoder", ("tx_antennas 2 or 4",)),
        ({"estimator": "deeprx"}, "detect", "detector", ("both",)),
        ({"detector": "deeprx"}, "detect", "detector", ("both",)),
        (
            DEEPRX | {"layers": 2, "tx_antennas": 2, "rx_antennas": 2},
            "estimate",
            "estimator",
            ("layers must be 1",),
        ),
        (DEEPRX | {"rx_antennas": 4}, "estimate", "rx_antennas", ("1 or 2",)),
        ({"transmitter": "deeptx", "modulation": "qpsk"}, "modulate", "transmitter", ("16qam",)),
        ({"transmitter": "deeptx", "detector": "kbest"}, "modulate", "transmitter", ("zf or lmmse",)),
        ({"transmitter": "deeptx"} | DEEPRX, "modulate", "transmitter", ("zf or lmmse",)),
    ],
)
def test_an_invalid_chain_names_step_field_and_range(
    changes: dict[str, object], step: str, field: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(PlanError) as caught:
        LinkChain(**(BASE | changes))
    error = caught.value
    assert (error.step, error.field) == (step, field)
    assert str(error).startswith(f"step {step}: ")
    for word in (field, *words):
        assert word in str(error)


def test_a_missing_parameter_names_its_range() -> None:
    with pytest.raises(PlanError, match=r"step grid: prbs is missing; it must be a whole number in 1\.\.275 PRB"):
        LinkChain(**{name: value for name, value in BASE.items() if name != "prbs"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        json.dumps({"link_chain": BASE}),
        json.dumps({"link_chain": 3, "slice_policy": {"slice": "1", "delay_s": 1}}),
        json.dumps({"link_chain": BASE, "slice_policy": {"slice": "1"}}),
        json.dumps({"link_chain": BASE, "slice_policy": {"slice": "1-xyz", "delay_s": 1}}),
        json.dumps({"link_chain": BASE, "slice_policy": {"slice": "1-zzzzzz", "delay_s": 1}}),
        json.dumps({"link_chain": BASE, "slice_policy": {"slice": "300", "delay_s": 1}}),
        json.dumps({"link_chain": BASE, "slice_policy": {"slice": "1", "delay_s": -1}}),
        '{"link_chain":' + "[" * 100_000,
    ],
)
def test_text_that_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        Plan.parse(text)


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_a_plan_or_a_plan_error(text: str) -> None:
    with pytest.raises(PlanError):
        Plan.parse(text)


@given(plans)
def test_json_comes_back(plan: Plan) -> None:
    assert Plan.parse(plan.to_json()) == plan


@given(plans, st.data())
def test_json_cut_anywhere_is_refused(plan: Plan, data: st.DataObject) -> None:
    text = plan.to_json()
    with pytest.raises(PlanError):
        Plan.parse(text[: data.draw(st.integers(0, len(text) - 1))])


def test_plans_are_frozen_and_the_policy_is_the_houses() -> None:
    plan = Plan(link_chain=LinkChain(**BASE), slice_policy=POLICY)
    with pytest.raises(Exception, match="frozen"):
        plan.link_chain.prbs = 3
    assert str(plan.slice_policy.sla.slice) == "1-000001"
    assert plan.slice_policy.sla.delay_s == 0.01
    with pytest.raises(PlanError, match="step slice"):
        SlicePolicy(slice="1")


@given(st.lists(link_chains, min_size=1, max_size=5))
def test_columns_give_the_chains_back(chains: list[LinkChain]) -> None:
    grid = ChainGrid.of(chains)
    assert [grid.chain(row) for row in range(len(grid))] == chains
    assert grid.consistent().all()
    assert grid.rate.tolist() == [chain.code_rate for chain in chains]
    assert grid.bits_per_symbol.tolist() == [chain.modulation.bits for chain in chains]
    assert [grid.take(slice(1, None)).chain(row) for row in range(len(grid) - 1)] == chains[1:]


@given(any_values)
def test_columns_and_models_agree_on_what_is_consistent(values: dict[str, object]) -> None:
    grid = ChainGrid.product(**{field: [values[field]] for field in COLUMNS})
    try:
        chain = LinkChain(**values)
    except PlanError:
        assert not grid.consistent()[0]
    else:
        assert grid.consistent()[0]
        assert grid.chain(0) == chain


def test_a_product_holds_every_combination_once() -> None:
    grid = ChainGrid.product(**{field: PARAMETERS[field].values[:2] for field in COLUMNS})
    rows = {tuple(int(getattr(grid, field)[row]) for field in COLUMNS) for row in range(len(grid))}
    assert len(rows) == len(grid) == 2 ** len(COLUMNS)


def test_the_catalogue_is_what_a_chain_has() -> None:
    assert set(PARAMETERS) == set(COLUMNS) == set(LinkChain.model_fields)
    assert list(COLUMNS) == list(LinkChain.model_fields)
    for name, field in LinkChain.model_fields.items():
        assert PARAMETERS[name].required == field.is_required()
        if not field.is_required():
            assert PARAMETERS[name].default == field.default
    for name, values in CODES.items():
        assert tuple(values) == PARAMETERS[name].values


def test_the_prompt_tells_every_step_parameter_choice_and_range() -> None:
    text = render()
    for step in STEPS:
        assert step.about in text
        assert step.limits in text
        for parameter in step.parameters:
            assert f"{parameter.name}: {parameter.about}" in text
            assert parameter.range[1:] in text
            for choice in parameter.choices:
                assert str(choice.value) in text
                assert choice.about in text
    assert all(name in text for name in SlicePolicy.model_fields)


@pytest.mark.parametrize(
    ("chain", "equipment", "step", "words"),
    [
        ({"prbs": 52}, {}, "grid", ("52", "51 free PRBs")),
        ({"prbs": 26, "numerology": 2}, {}, "grid", ("52", "51 free PRBs")),
        ({"tx_antennas": 4, "precoder": "svd"}, {}, "precode", ("tx_antennas is 4", "2")),
        ({"rx_antennas": 4}, {}, "estimate", ("rx_antennas is 4", "2")),
        ({"tx_power_dbm": 31}, {}, "amplify", ("31", "30 dBm")),
        (DEEPRX, {}, "estimate", ("deeprx", "does not have it")),
        ({"transmitter": "deeptx"}, {}, "modulate", ("deeptx", "does not have it")),
        ({}, {"compute_flops": 1e7}, "detect", ("operations/s", "1e+07 free")),
    ],
)
def test_a_plan_beyond_the_equipment_names_step_and_limit(
    chain: dict[str, object], equipment: dict[str, object], step: str, words: tuple[str, ...]
) -> None:
    state = replace(EQUIPMENT, **equipment)
    plan = Plan(link_chain=LinkChain(**(BASE | chain)), slice_policy=POLICY)
    with pytest.raises(PlanError) as caught:
        check(plan, state)
    assert caught.value.step == step
    for word in words:
        assert word in str(caught.value)
    assert not fits(ChainGrid.of((plan.link_chain,)), state)[0]


@given(link_chains)
def test_what_fits_passes_the_check(chain: LinkChain) -> None:
    if fits(ChainGrid.of((chain,)), EQUIPMENT)[0]:
        check(chain, EQUIPMENT)
    else:
        with pytest.raises(PlanError):
            check(chain, EQUIPMENT)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("free_prbs", 0),
        ("tx_antennas", 3),
        ("rx_antennas", 0),
        ("compute_flops", 0.0),
        ("snr_db", float("nan")),
        ("delay_spread_s", -1e-9),
        ("doppler_hz", float("inf")),
        ("max_tx_power_dbm", 99.0),
    ],
)
def test_equipment_that_cannot_be_is_refused(field: str, value: float) -> None:
    with pytest.raises(EquipmentError, match=field):
        replace(EQUIPMENT, **{field: value})


def test_an_unknown_channel_class_is_refused() -> None:
    with pytest.raises(EquipmentError, match="channel is tdl_x; it must be one of awgn"):
        replace(EQUIPMENT, channel="tdl_x")
    assert replace(EQUIPMENT, channel="awgn").channel is ChannelClass.AWGN


@given(link_chains)
def test_power_is_conserved_when_it_is_spread(chain: LinkChain) -> None:
    """The sum of a chain's power over its bandwidth does not depend on how wide it is or how it is cut in PRBs."""
    snr_db = EQUIPMENT.resource_element_snr_db(chain)
    hertz = chain.prbs * 12 * 15e3 * 2**chain.numerology
    total = 10 ** (snr_db / 10) * hertz / 10 ** (chain.tx_power_dbm / 10)
    reference = 10 ** (EQUIPMENT.snr_db / 10) * 51 * 12 * 30e3 / 10**2.3
    np.testing.assert_allclose(total, reference)


def test_importing_the_torch_free_part_loads_nothing_heavy() -> None:
    modules = "catalogue equipment plan demand qos reward hardware program interpreter sandbox oracle baselines"
    names = ", ".join(f"twin.link.{name}" for name in modules.split())
    code = f"import sys, {names}; print(*sorted(m.split('.')[0] for m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numba", "sionna", "scipy", "matplotlib"} & set(run.stdout.split())


def test_equipment_is_hashable() -> None:
    assert len({EQUIPMENT, replace(EQUIPMENT), replace(EQUIPMENT, snr_db=1.0)}) == 2
    assert isinstance(EQUIPMENT, EquipmentState)
