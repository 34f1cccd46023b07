"""Rollouts by a server: a stand-in for vLLM that samples with a model of its own, and takes weights when told."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ranloop.cli import app
from rapps.orchestrator.answer import well_formed
from tests.rapps.orchestrator.peers import Body, Peer, Reply, send, sent, serving
from tests.training.orchestrator import packaged
from tests.training.orchestrator.small import ASKED, made, tasks
from training.orchestrator.adapters import Lora
from training.orchestrator.errors import StageError
from training.orchestrator.lm import Held, Lm
from training.orchestrator.policy import Decided, Policy
from training.orchestrator.presets import PRESETS
from training.orchestrator.rldtf import Rldtf, RldtfConfig
from training.orchestrator.training import train
from training.orchestrator.vllm_rollouts import ServedAsked, Server

RELOAD = ["/pause?mode=wait", "/collective_rpc", "/resume", "/reset_prefix_cache"]


class Vllm:
    """The part of vLLM that rollouts use: completions held to choices, and new weights while it is paused."""

    def __init__(self, lm: Lm) -> None:
        self.lm, self.paused, self.lock = lm, False, threading.Lock()

    def __call__(self, handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
        with self.lock:
            answer = self._answer(path, body)
        send(handler, 200 if answer is not None else 400, json.dumps(answer or {}).encode())

    def _answer(self, path: str, body: Body) -> Body | None:
        match path:
            case "/pause?mode=wait":
                self.paused = True
            case "/resume":
                self.paused = False
            case "/reset_prefix_cache":
                return {} if not self.paused else None
            case "/collective_rpc" if self.paused and body["method"] == "reload_weights":
                self.lm = Lm.load(body["kwargs"]["weights_path"])
            case "/v1/completions" if not self.paused:
                return {"choices": [{"text": self._written(body)}]}
            case _:
                return None
        return {}

    def _written(self, body: Body) -> str:
        """One of the choices, each token drawn among those with which some choice goes on; nothing without any."""
        if "structured_outputs" not in body:
            return ""
        assert (body["top_p"], body["top_k"], body["repetition_penalty"]) == (1.0, 0, 1.0)
        choices = {choice: self.lm.encode(choice) for choice in body["structured_outputs"]["choice"]}
        draw, ids = np.random.default_rng(body["seed"]), list[int]()
        while ids not in [list(choice) for choice in choices.values()]:
            begun = [choice for choice in choices.values() if list(choice[: len(ids)]) == ids]
            following = sorted({choice[len(ids)] for choice in begun})
            with torch.no_grad():
                out = self.lm.network(input_ids=torch.tensor([[*body["prompt"], *ids]]), logits_to_keep=1)
            logits = out.logits[0, -1, following].double().numpy()
            if body["temperature"] == 0.0:
                ids.append(following[int(logits.argmax())])
            else:
                shares = np.exp((logits - logits.max()) / body["temperature"])
                ids.append(following[int(draw.choice(len(following), p=shares / shares.sum()))])
        assert len(ids) <= body["max_tokens"]
        return self.lm.decode(ids)


@pytest.fixture(scope="module")
def lm() -> Lm:
    return made()


@pytest.fixture
def server() -> Iterator[tuple[Vllm, Peer]]:
    vllm = Vllm(made(seed=1))
    with serving(vllm) as peer:
        yield vllm, peer


def asked(peer: Peer, folder: Path) -> ServedAsked:
    return ServedAsked(
        margin=0.1, server=Server(url=peer.url, model="edge", weights=folder / "weights", at_once=8)
    )


def test_the_likeliest_answers_are_those_of_this_process(
    lm: Lm, server: tuple[Vllm, Peer], tmp_path: Path
) -> None:
    # The server began with another model: it has taken this one.
    found = asked(server[1], tmp_path).sample(lm, tasks(3), 1, 0.0, seed=0)
    here = ASKED.sample(lm, tasks(3), 1, 0.0, seed=0)
    assert [sample.script.text for sample in found] == [sample.script.text for sample in here]
    assert [sample.ids for sample in found] == [sample.ids for sample in here]
    assert [sample.decisions for sample in found] == [sample.decisions for sample in here]


def test_answers_are_in_the_format_and_the_same_for_a_seed(
    lm: Lm, server: tuple[Vllm, Peer], tmp_path: Path
) -> None:
    own = asked(server[1], tmp_path)
    first, again, other = (own.sample(lm, tasks(2), 2, 1.0, seed=seed) for seed in (5, 5, 6))
    assert [sample.ids for sample in first] == [sample.ids for sample in again]
    assert [sample.ids for sample in first] != [sample.ids for sample in other]
    for sample in first:
        assert well_formed(sample.script.text)
        assert lm.decode(sample.ids) == sample.script.text
    paths = [path for path, _ in server[1].asked if path != "/v1/completions"]
    assert paths == RELOAD * 3


def test_the_server_samples_as_often_as_the_policy_says(server: tuple[Vllm, Peer], tmp_path: Path) -> None:
    lm = made()
    with torch.no_grad():
        # A model that knows nothing finds everything alike; this one has its likings.
        lm.network.get_decoder().norm.weight.mul_(30.0)  # type: ignore[operator]
    many = asked(server[1], tmp_path).sample(lm, tasks(1), 16, 1.0, seed=1)
    with torch.no_grad():
        decided = Decided.of(lm, many)
        shares = Policy(lm.network)(decided).exp()
    came = shares.gather(1, decided.picked[:, None]).mean()
    expected = shares.square().sum(dim=1).mean()
    alike = (1 / (~decided.barred).sum(dim=1)).mean()
    assert expected > alike + 0.15
    assert came == pytest.approx(float(expected), abs=0.08)


def test_reinforcement_goes_on_with_a_server_that_has_every_policy(
    server: tuple[Vllm, Peer], tmp_path: Path
) -> None:
    vllm, peer = server
    lm = made()
    config = RldtfConfig(steps=3, tasks=2, each=2, minibatches=1, bf16=False, validate_every=3, learning_rate=1e-2)
    training = Rldtf(lm, config, asked(peer, tmp_path), lambda step: tasks(2, 10 * step), tmp_path / "run", seed=1)
    before = lm.digest()
    served = []

    def validate(current: Lm) -> dict[str, float]:
        served.append(vllm.lm.digest())
        return {"validated": 0.5}

    curve = training.run(validate)
    assert len(curve) == 3
    assert [path for path, _ in peer.asked].count("/collective_rpc") == 3
    # In the last step the server answered with a policy that had learnt, though not from that step yet.
    assert len({before, served[-1], lm.digest()}) == 3


@pytest.mark.slow
def test_the_command_reinforces_by_a_server(server: tuple[Vllm, Peer], tmp_path: Path) -> None:
    vllm, peer = server
    package, run = packaged.write(tmp_path / "package"), tmp_path / "run"
    begin = ["--preset", "smoke", "--foundation", str(package), "--begin", "rldtf", "--out", str(run)]
    found = CliRunner().invoke(app, ["train", "orchestrator", *begin, "--vllm", f"{peer.url}/v1#edge"])
    assert found.exit_code == 0, found.output
    assert (run / "rldtf" / "done.json").exists()
    assert {body["model"] for path, body in peer.asked if path == "/v1/completions"} == {"edge"}
    # The last that the server was handed is what was validated at the end.
    assert vllm.lm.digest() == Lm.load(run / "rldtf" / "model").digest()


@pytest.mark.parametrize("told", ["", "#edge", "http://127.0.0.1:8000", "127.0.0.1:8000#edge", "http://x#"])
def test_what_names_no_server_is_refused(told: str, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="must be URL#MODEL"):
        Server.of(told, tmp_path)


def test_a_server_that_does_not_serve_the_model_is_found_out_before_the_corpus_is_built(tmp_path: Path) -> None:
    def reply(handler: BaseHTTPRequestHandler, asked: str, body: Body) -> None:
        send(handler, 404, f"no model {body['model']}".encode())

    with serving(reply) as peer:
        config = replace(PRESETS["smoke"], vllm=f"{peer.url}#other")
        with pytest.raises(StageError, match="status 404: no model other"):
            train(config, tmp_path / "run", lambda stage, row: None)
    assert not (tmp_path / "run" / "corpus").exists()


def failing(path: str, vllm: Vllm) -> Reply:
    def reply(handler: BaseHTTPRequestHandler, asked: str, body: Body) -> None:
        if asked == path:
            send(handler, 400, b"no")
        else:
            vllm(handler, asked, body)

    return reply


def test_a_server_that_takes_no_weights_is_not_left_paused(lm: Lm, tmp_path: Path) -> None:
    vllm = Vllm(made(seed=1))
    with (
        serving(failing("/collective_rpc", vllm)) as peer,
        pytest.raises(StageError, match=r"collective_rpc.*status 400"),
    ):
        asked(peer, tmp_path).sample(lm, tasks(1), 1, 1.0, seed=0)
    assert not vllm.paused


def test_adapters_are_refused_before_the_server_is_asked(
    lm: Lm, server: tuple[Vllm, Peer], tmp_path: Path
) -> None:
    with pytest.raises(StageError, match="adapters"):
        asked(server[1], tmp_path).sample(replace(lm, held=Held(lora=Lora())), tasks(1), 1, 1.0, seed=0)
    assert not server[1].asked


@pytest.mark.parametrize("body", [b"{}", b'{"choices": [{"text": "5 ms, I would say"}]}', b"", b"["])
def test_a_server_that_does_not_hold_to_choices_stops_the_training(lm: Lm, body: bytes, tmp_path: Path) -> None:
    with serving(sent(200, body)) as peer, pytest.raises(StageError):
        asked(peer, tmp_path).sample(lm, tasks(1), 1, 1.0, seed=0)
