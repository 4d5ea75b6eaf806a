"""A receiver of webhooks on a free port of this machine, that answers as it is told and keeps what came."""

import base64
import hashlib
import hmac
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

SOON = 30.0
"""Seconds that something may take which happens at once: a machine may be busy."""


@dataclass(frozen=True)
class Came:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return orjson.loads(self.body)

    @property
    def event(self) -> str:
        return f"{self.said['entity']}.{self.said['action']}"

    @property
    def id(self) -> str:
        return self.headers["X-MLflow-Delivery-Id"]

    def is_signed_by(self, secret: str) -> bool:
        """As a receiver does it: over id, time and the body as it came."""
        content = f"{self.id}.{self.headers['X-MLflow-Timestamp']}.{self.body.decode()}"
        digest = hmac.new(secret.encode(), content.encode(), hashlib.sha256).digest()
        return self.headers["X-MLflow-Signature"] == "v1," + base64.b64encode(digest).decode()


class Receiver:
    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.port = server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.came: queue.Queue[Came] = queue.Queue()
        self.answers: queue.Queue[tuple[int, Mapping[str, str], bytes]] = queue.Queue()
        """What is answered next; 200 when nothing is told."""
        self.open = threading.Event()
        """Answers go out while it is set."""
        self.open.set()

    def will_answer(
        self, *statuses: int, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        for status in statuses:
            self.answers.put((status, headers or {}, body))

    def next(self) -> Came:
        return self.came.get(timeout=SOON)

    def next_ones(self, count: int) -> list[Came]:
        return [self.next() for _ in range(count)]


@contextmanager
def receiving() -> Iterator[Receiver]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    receiver = server.receiver = Receiver(server)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.open.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.came.put(Came(self.path, dict(self.headers), body))
        receiver.open.wait(SOON)
        try:
            status, headers, text = receiver.answers.get_nowait()
        except queue.Empty:
            status, headers, text = 200, {}, b"thanks"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing is printed."""
