"""An endpoint in bounded time, whatever its server does: an answer, or the reason why there is none."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest

from rapps.orchestrator.chat import Chat, Turn
from rapps.orchestrator.endpoint import KEY, MOST_FAILED_IN_A_ROW, Endpoint, EndpointError, NoAnswer
from tests.rapps.orchestrator.peers import Body, Reply, said, send, sent, serving

TURN = Turn("You answer.", "Well?")


def endless(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


def dripping(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" ")
        time.sleep(0.02)


def dripping_headers(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        handler.wfile.write(b"y")
        time.sleep(0.02)


def silent(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
    handler.rfile.read()


def hanging_up(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def no_http(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
    handler.wfile.write(b"\x00\xff" * 1000)


def asked(reply: Reply, **how: float) -> tuple[str | NoAnswer, int]:
    """What comes of one question, and how often it was asked."""
    with serving(reply) as peer:
        endpoint = Endpoint(f"{peer.url}/v1", **({"timeout_s": 5.0, "backoff_s": 0.0} | how))  # type: ignore[arg-type]
        (answer,) = Chat(endpoint, "some-model").say([TURN])
        return answer, len(peer.asked)


def test_a_chat_says_what_the_model_said() -> None:
    with serving(sent(200, said("Aye – so."))) as peer:
        assert Chat(Endpoint(f"{peer.url}/v1/"), "some-model").say([TURN]) == ["Aye – so."]
        ((path, body),) = peer.asked
    assert path == "/v1/chat/completions"
    assert body["model"] == "some-model"
    assert [turn["content"] for turn in body["messages"]] == ["You answer.", "Well?"]
    assert "response_format" not in body


def test_answers_come_in_order_and_never_more_at_once_than_allowed() -> None:
    lock, under_way, most = threading.Lock(), 0, 0

    def reply(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        question = body["messages"][1]["content"]
        time.sleep(0.05 if int(question) % 2 else 0.01)
        with lock:
            under_way -= 1
        send(handler, 200, said(question))

    with serving(reply) as peer:
        turns = [Turn("", str(number)) for number in range(12)]
        assert Chat(Endpoint(peer.url, at_once=3), "m").say(turns) == [turn.user for turn in turns]
    assert 2 <= most <= 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"NaN",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"choices": []}',
        b'{"choices": {"0": 1}}',
        b'{"choices": [{"message": {"content": null}}]}',
        b'{"choices": [{"text": "no chat"}]}',
        b'{"error": {"message": "no such model"}}',
    ],
)
def test_what_is_no_answer_is_told_and_not_asked_again(body: bytes) -> None:
    answer, times = asked(sent(200, body))
    assert isinstance(answer, NoAnswer)
    assert str(answer)
    assert times == 1


def test_half_a_surrogate_pair_is_made_text() -> None:
    answer, _ = asked(sent(200, b'{"choices": [{"message": {"content": "a\\ud800b"}}]}'))
    assert answer == "a?b"


@pytest.mark.parametrize(("status", "times"), [(500, 3), (503, 3), (429, 3), (400, 1), (401, 1), (404, 1)])
def test_only_what_may_pass_is_tried_again(status: int, times: int) -> None:
    answer, tried = asked(sent(status, b"out of order"))
    assert isinstance(answer, NoAnswer)
    assert f"status {status}: out of order" in str(answer)
    assert tried == times


def test_a_server_that_recovers_is_heard() -> None:
    replies = iter([sent(503, b""), hanging_up, sent(200, said("back"))])
    answer, tried = asked(lambda *heard: next(replies)(*heard))
    assert (answer, tried) == ("back", 3)


@pytest.mark.parametrize("reply", [dripping, dripping_headers, silent])
def test_a_slow_server_costs_its_time_and_no_more(reply: Reply) -> None:
    began = time.monotonic()
    answer, tried = asked(reply, timeout_s=0.3, tries=2)
    assert time.monotonic() - began < 5
    assert "within 0.3 s" in str(answer)
    assert tried == 2


def test_an_endless_answer_is_cut_off() -> None:
    answer, tried = asked(endless)
    assert "longer than" in str(answer)
    assert tried == 1


@pytest.mark.parametrize("reply", [hanging_up, no_http])
def test_what_is_no_http_is_no_answer(reply: Reply) -> None:
    answer, _ = asked(reply, tries=1)
    assert isinstance(answer, NoAnswer)


def test_nobody_is_sent_elsewhere() -> None:
    with serving(sent(200, said("gotcha"))) as other:
        answer, _ = asked(sent(307, b"", location=f"{other.url}/v1/chat/completions"))
        assert "status 307" in str(answer)
        assert not other.asked


def test_a_dead_server_is_given_up_with_its_reason() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    chat = Chat(Endpoint(url, tries=1), "m")
    few = chat.say([TURN] * (MOST_FAILED_IN_A_ROW - 1))
    assert all("ConnectError" in str(answer) for answer in few)
    with pytest.raises(EndpointError, match=r"given up after 20 failures in a row: ConnectError"):
        chat.say([TURN] * 100)


def test_failures_between_answers_are_no_reason_to_give_up() -> None:
    def reply(handler: BaseHTTPRequestHandler, path: str, body: Body) -> None:
        good = int(body["messages"][1]["content"]) % 4 == 0
        send(handler, 200 if good else 400, said("good"))

    with serving(reply) as peer:
        found = Chat(Endpoint(peer.url, at_once=1), "m").say([Turn("", str(number)) for number in range(60)])
    assert [answer == "good" for answer in found] == [number % 4 == 0 for number in range(60)]


def test_the_key_comes_from_the_environment_and_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "sesame-42")
    with serving(sent(401, b"who are you?")) as peer:
        (answer,) = Chat(Endpoint(peer.url), "m").say([TURN])
        assert peer.headers[0]["authorization"] == "Bearer sesame-42"
    assert "sesame" not in str(answer)
    monkeypatch.setenv(KEY, "sesame\n42")
    with pytest.raises(EndpointError, match=KEY) as refused:
        Endpoint(peer.url)
    assert "sesame" not in str(refused.value)
    monkeypatch.delenv(KEY)
    with serving(sent(200, said("hello"))) as peer:
        Chat(Endpoint(peer.url), "m").say([TURN])
        assert "authorization" not in peer.headers[0]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "ftp://host",
        "file:///etc/passwd",
        "http://",
        "http://me:secret@host",
        "http://host?key=secret",
        "http://host:99999",
        "http://host:-1",
        "http://[::1",
    ],
)
def test_only_urls_without_secrets_are_endpoints(url: str) -> None:
    with pytest.raises(EndpointError) as refused:
        Endpoint(url)
    assert "secret" not in str(refused.value)
