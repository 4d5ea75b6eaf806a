"""A server that speaks as MLflow's own servers were heard to, old ones and those behind a proxy, from a table of answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Answer:
    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    """Bytes after which the connection is closed."""


@dataclass
class Stock:
    """`answers` by path below the prefix, and, where a call is made with several values, `path?name=value`."""

    prefix: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    first: dict[str, list[Answer]] = field(default_factory=dict)
    """Told once each, before the others."""
    heard: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, said: dict[str, str]) -> Answer:
        if waiting := self.first.get(path):
            return waiting.pop(0)
        for name, value in said.items():
            if (found := self.answers.get(f"{path}?{name}={value}")) is not None:
                break
        else:
            found = self.answers.get(path)
        if found is None:
            return Answer("<h1>Not Found</h1>", 404)
        return found if isinstance(found, Answer) else Answer(found)


@contextmanager
def stock(server: Stock) -> Iterator[Stock]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._say(parts.path, {k: v[-1] for k, v in parse_qs(parts.query).items()})

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._say(self.path, {k: str(v) for k, v in said.items()})

        def _say(self, path: str, said: dict[str, str]) -> None:
            server.heard.append((unquote(path), {k.lower(): v for k, v in self.headers.items()}))
            if not path.startswith(server.prefix):
                answer = Answer("elsewhere", 404)
            else:
                path = path.removeprefix(server.prefix)
                answer = server.answer(path.removeprefix("/api/2.0/mlflow/"), said)
            raw = answer.body if isinstance(answer.body, bytes) else (
                answer.body.encode() if isinstance(answer.body, str) else json.dumps(answer.body).encode()
            )  # fmt: skip
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw[: answer.cut])
            if answer.cut is not None:
                self.close_connection = True

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{listening.server_port}{server.prefix}"
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
