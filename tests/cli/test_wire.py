"""What passes between the command line and a server or a terminal: tries again, colours."""

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from headwater_server.demo import events
from tests.cli.conftest import Run

_COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")


class _Busy(BaseHTTPRequestHandler):
    """Somebody else's server: cannot store at first, then can."""

    asked: list[int]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(1)
        busy = len(self.asked) == 1
        body = json.dumps(
            {"title": "Unavailable"} if busy else {"summary": {"failed": 0}, "failed_events": []}
        )
        self.send_response(503 if busy else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Says nothing."""


@pytest.fixture
def busy_server() -> Iterator[tuple[str, list[int]]]:
    asked: list[int] = []
    handler = type("Busy", (_Busy,), {"asked": asked})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_server_that_cannot_store_now_is_asked_again(
    run: Run, busy_server: tuple[str, list[int]], tmp_path: Path
) -> None:
    url, asked = busy_server
    file = tmp_path / "event.json"
    file.write_text(json.dumps(next(events())))
    assert run("ingest", str(file), "--url", url).code == 0
    assert len(asked) == 2


def test_ingest_finds_the_server_of_openlineage_clients(
    run: Run, busy_server: tuple[str, list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = busy_server
    monkeypatch.setenv("OPENLINEAGE_URL", url)
    file = tmp_path / "event.json"
    file.write_text(json.dumps(next(events())))
    assert run("ingest", str(file)).out == f"1 event from 1 file is in {url}.\n"


def test_colour_is_for_terminals_only_and_not_where_it_is_unwanted(run: Run, told_shop: Path) -> None:
    command = ["show", "churn", "--data", str(told_shop)]
    assert "\x1b" not in run(*command).out
    assert _COLOUR.search(_on_a_terminal(command))
    assert not _COLOUR.search(_on_a_terminal(command, NO_COLOR="1"))


def _on_a_terminal(command: list[str], **environment: str) -> str:
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "headwater_server", *command], stdout=theirs, env=env
    ) as process:
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # Linux says so that the other end is closed
            pass
        finally:
            os.close(ours)
        assert process.wait(20) == 0
    return said.decode()
