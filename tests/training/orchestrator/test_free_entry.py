"""Servers of models as entries: what they say is read, scored and never believed."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import jsonschema
import pytest

from rapps.orchestrator.grammar import TARGETS
from rapps.orchestrator.task import Task
from tests.rapps.orchestrator.peers import Body, said, send, sent, serving
from training.orchestrator import outside
from training.orchestrator.evaluation import EvaluationError, Outcomes, evaluate
from training.orchestrator.outside import OutsideError
from training.orchestrator.tasks.generator import draw
from training.orchestrator.twin_pool import TwinPool
from twin.link.demand import Demand
from twin.link.qos import Tier

EASY = Demand(max_delay_s=5.0, min_throughput_bps=1e3, max_ber=0.1)
TASKS = [
    Task(text=f"Readings of {n}, 1 kbit/s, 5 s, ber 0.1", demand=EASY, equipment=draw(n).equipment)
    for n in range(3)
]
CHAIN = {"numerology": 1, "prbs": 1, "code_rate": 0.3, "modulation": "qpsk"}
GOOD = (
    "<think>Demand: delay B; throughput A; BER C</think><reflect>easy</reflect>"
    f"<answer>{json.dumps(CHAIN)}</answer>"
)


@pytest.fixture
def pool() -> Iterator[TwinPool]:
    with TwinPool(workers=0) as made:
        yield made


def test_an_answer_in_the_format_is_read_and_scored(pool: TwinPool) -> None:
    with serving(sent(200, said(GOOD))) as peer:
        entry = outside.MAKERS["endpoint"](f"{peer.url}/v1#some-model")
        assert entry.name == f"endpoint:{peer.url}/v1#some-model"
        found = evaluate(entry, TASKS, Tier.T0, pool, Outcomes(None))
        assert all("Parameters of a link chain" in body["messages"][0]["content"] for _, body in peer.asked)
    for outcome in found:
        assert outcome.well_formed
        assert outcome.refusal is None
        assert outcome.understood == {"max_delay_s": 5.0, "min_throughput_bps": 1e3, "max_ber": 0.1}
        assert outcome.chain is not None
        assert outcome.chain["modulation"] == "qpsk"
        assert outcome.reward is not None


def test_an_answer_outside_the_format_counts_as_such_whatever_it_holds(pool: TwinPool) -> None:
    replies = {
        TASKS[0].text: f"Sure! {GOOD}",
        TASKS[1].text: "no idea",
        TASKS[2].text: GOOD.replace("qpsk", "7psk"),
    }

    def reply(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
        asked = body["messages"][1]["content"]
        send(handler, 200, said(next(text for n, text in enumerate(replies.values()) if f"of {n}," in asked)))

    with serving(reply) as peer:
        entry = outside.MAKERS["endpoint"](f"{peer.url}#m")
        polite, none, wrong = evaluate(entry, TASKS, Tier.T0, pool, Outcomes(None))
    assert (polite.well_formed, none.well_formed, wrong.well_formed) == (False, False, True)
    assert polite.chain is not None
    assert none.chain is wrong.chain is None
    # They were not meant to refuse, and count as failures.
    assert none.refusal is wrong.refusal is None
    assert none.completed is wrong.completed is False


def test_a_held_model_answers_in_the_schema_it_was_sent() -> None:
    def reply(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
        form = body["response_format"]["json_schema"]["schema"]
        plan = {
            name: each["enum"][0] if "enum" in each else each["maximum"]
            for name, each in form["properties"]["plan"]["properties"].items()
        }
        told = {"thought": "hm", **{t.name: form["properties"][t.name]["enum"][0] for t in TARGETS}, "plan": plan}
        jsonschema.validate(told, form)
        send(handler, 200, said(json.dumps(told)))

    with serving(reply) as peer:
        answers = outside.MAKERS["schema"](f"{peer.url}#m")(TASKS)
    for answer in answers:
        assert answer.well_formed
        assert answer.demand == EASY
        assert answer.plan is not None
        assert answer.plan.link_chain.prbs == 275


def test_a_server_that_ignores_the_schema_is_not_well_formed() -> None:
    with serving(sent(200, said('{"plan": "yes"}'))) as peer:
        answers = outside.MAKERS["schema"](f"{peer.url}#m")(TASKS)
    assert not any(answer.well_formed or answer.plan for answer in answers)


def test_what_could_not_be_had_counts_nowhere_and_tells_its_reason(pool: TwinPool, tmp_path: Path) -> None:
    with serving(sent(404, b"no such model")) as peer:
        entry = outside.MAKERS["endpoint"](f"{peer.url}#m")
        kept = Outcomes(tmp_path / "outcomes.jsonl")
        for task, outcome in zip(TASKS, evaluate(entry, TASKS, Tier.T0, pool, kept), strict=True):
            assert outcome.refusal == "status 404: no such model"
            assert outcome.lost
            assert kept.get(task, entry.name, Tier.T0) is None


def test_a_server_that_never_answers_ends_the_evaluation_with_its_reason(pool: TwinPool) -> None:
    many = [draw(seed) for seed in range(25)]
    with serving(sent(404, b"no such model")) as peer:
        entry = outside.MAKERS["endpoint"](f"{peer.url}#m")
        with pytest.raises(EvaluationError, match=r"20 failures in a row: status 404"):
            evaluate(entry, many, Tier.T0, pool, Outcomes(None))


@pytest.mark.parametrize("rest", ["", "http://host/v1", "host#model", "http://me:pass@host#model", "#model"])
def test_an_endpoint_needs_url_and_model(rest: str) -> None:
    with pytest.raises(OutsideError):
        outside.MAKERS["endpoint"](rest)
