"""Servers on loopback that tests ask over HTTP, good ones and hostile ones."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass
class Peer:
    """A server and what it was asked: paths with bodies, and headers."""

    url: str
    asked: list[tuple[str, Body]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


Reply = Callable[[BaseHTTPRequestHandler, str, Body], None]


@contextmanager
def serving(reply: Reply) -> Iterator[Peer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "null")
            peer.asked.append((self.path, body))
            peer.headers.append(dict(self.headers))
            self.close_connection = True
            with suppress(OSError):
                reply(self, self.path, body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        peer = Peer(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield peer
        finally:
            server.shutdown()
            thread.join()


def sent(status: int, body: bytes, **headers: str) -> Reply:
    """Always the same answer."""

    def reply(handler: BaseHTTPRequestHandler, path: str, asked: Body) -> None:
        send(handler, status, body, **headers)

    return reply


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("content-length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def said(text: str) -> bytes:
    """A chat's answer."""
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()
