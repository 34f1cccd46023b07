"""A model behind an endpoint writes for an operator: what it says is taken where it is legal, else the nearest."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapps.orchestrator.answer import Answer, AnswerError
from rapps.orchestrator.chat import Chat
from rapps.orchestrator.endpoint import Endpoint, EndpointError
from rapps.orchestrator.endpoint_writer import EndpointWriter, follow
from rapps.orchestrator.grammar import Script
from rapps.orchestrator.orchestrator import ask
from rapps.orchestrator.reading import read
from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from tests.rapps.orchestrator.peers import said, sent, serving
from twin.link.demand import Demand
from twin.link.equipment import check
from twin.link.space import Space

AMPLE = replace(
    USUAL,
    free_prbs=500,
    tx_antennas=4,
    rx_antennas=4,
    compute_flops=1e16,
    max_tx_power_dbm=46.0,
    has_deeprx=True,
    has_deeptx=True,
)
TEXT = "20 Mbit/s within 75 ms, ber 1e-6"
CHAIN = (
    '{"numerology": 0, "prbs": 55, "code_rate": 0.5, "modulation": "16qam", "rx_antennas": 2, "tx_power_dbm": 46}'
)
ANSWER = (
    f"<think>A video. Demand: delay B; throughput A; BER 1e-6</think><reflect>-</reflect><answer>{CHAIN}</answer>"
)


def writer(url: str) -> EndpointWriter:
    return EndpointWriter(Chat(Endpoint(url, tries=1), "some-model"))


def test_an_operator_gets_what_the_model_said_where_the_equipment_has_it() -> None:
    with serving(sent(200, said(ANSWER))) as peer:
        outcome = ask(TEXT, USUAL, writer(peer.url))
        ((_, body),) = peer.asked
    assert "[A=20 Mbit/s]" in body["messages"][1]["content"]
    assert (outcome.demand.max_delay_s, outcome.demand.min_throughput_bps) == (0.075, 20e6)
    assert outcome.plan is not None
    check(outcome.plan, USUAL)
    if not outcome.by_search:
        chain = outcome.plan.link_chain
        assert (chain.numerology, chain.modulation, chain.rx_antennas) == (0, "16qam", 2)
        # Blocks are sent again, so that no fewer PRBs are offered; and the equipment ends at 30 dBm.
        assert (chain.prbs, chain.tx_power_dbm) == (102, 30)


@pytest.mark.parametrize("text", ["", "I cannot do that.", "<answer>{}</answer>", ANSWER.replace("16qam", "3qam")])
def test_an_answer_without_a_plan_is_an_error_that_says_so(text: str) -> None:
    with serving(sent(200, said(text))) as peer, pytest.raises(AnswerError, match="cannot be read"):
        ask(TEXT, USUAL, writer(peer.url))


def test_a_server_that_does_not_answer_is_named() -> None:
    with serving(sent(500, b"no")) as peer, pytest.raises(EndpointError, match=r"some-model at http.*status 500"):
        ask(TEXT, USUAL, writer(peer.url))


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.floats(1e-6, 1e3), st.floats(1.0, 1e12), st.floats(1e-15, 1.0))
def test_whatever_was_said_the_script_ends_with_a_chain_that_runs(
    seed: int, delay_s: float, throughput_bps: float, ber: float
) -> None:
    # Drawn for more equipment than there is.
    chain = Space.of(AMPLE).sample(1, np.random.default_rng(seed)).chain(0)
    demand = Demand(max_delay_s=delay_s, min_throughput_bps=throughput_bps, max_ber=ber)
    script = Script(read(TEXT), USUAL)
    follow(script, Answer(demand, chain))
    assert script.done
    check(script.chain(), USUAL)


@settings(max_examples=50)
@given(st.integers(0, 10**6))
def test_what_is_legal_is_taken_as_it_was_said(seed: int) -> None:
    draw, first = random.Random(seed), Script(read(TEXT), USUAL)
    while not first.done:
        first.choose(draw.choice(first.step().options))
    again = Script(read(TEXT), USUAL)
    follow(again, Answer(first.demand, first.chain()))
    assert again.chain() == first.chain()
    assert again.demand == first.demand
