"""Each bad input gets its exact answer from a real server: never a 500, never a trace, nothing stored by half."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.badinput.cases import CASES, GRAPHQL, LINEAGE, RAW, SMALL, Case

BODY_TIMEOUT = 2
ALLOWED = 30
"""MiB that the server may grow by while it refuses a bomb."""


class Server:
    def __init__(self, folder: Path) -> None:
        self.said = folder / "stderr"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "headwater_server", "up", "--data", str(folder / "data"), "--port", "0", "--json"],
                stdout=subprocess.PIPE, stderr=said, text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HEADWATER_BODY_TIMEOUT": str(BODY_TIMEOUT)},
            )  # fmt: skip
        assert self.process.stdout is not None
        self.host = json.loads(self.process.stdout.readline())["url"].removeprefix("http://")
        self.get("/graphql")

    def send(self, case: Case) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        headers = {"content-type": "application/json", **case.headers}
        body: Any = iter([case.body[:1000], case.body[1000:]]) if case.chunked else case.body
        try:
            connection.request("POST", case.path, body, headers, encode_chunked=case.chunked)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request("GET", path)
        text = connection.getresponse().read()
        connection.close()
        return text

    def head(self) -> int:
        return int(json.loads(self.get("/readyz"))["headSeq"])

    def ask(self, query: str) -> Any:
        return self.send(Case(0, "", GRAPHQL, json.dumps({"query": query}).encode(), 200))[1]["data"]

    def memory(self) -> int:
        """The most it ever took, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    def raw(self, sent: bytes) -> bytes:
        host, port = self.host.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(sent)
            return connection.recv(65_536)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("server"))
    yield started
    if started.process.poll() is None:
        started.process.send_signal(signal.SIGTERM)
        started.process.wait(20)
    if started.process.stdout is not None:
        started.process.stdout.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number} {case.what[:50]}")
def test_a_bad_input_gets_its_answer(server: Server, case: Case) -> None:
    before, memory = server.head(), server.memory()
    status, answer = server.send(case)
    stored = server.head() - before
    if case.path == GRAPHQL:
        assert status == case.status, answer
        assert code_of(answer) == case.problem
    elif case.problem:
        assert (status, answer["title"]) == (case.status, case.problem), answer
        assert answer["detail"]
        assert answer.get("pointer") == case.pointer
    else:
        assert status in {case.status, 200}, answer
    assert stored == (0 if case.problem or status == 200 else 1)
    if case.finding:
        told = server.ask("{ conformance { edges { node { rule } } } }")["conformance"]["edges"]
        assert case.finding in {edge["node"]["rule"] for edge in told}
    if case.number == 2:
        assert server.memory() - memory < ALLOWED


def code_of(answer: dict[str, Any]) -> str:
    """Of an error, of a refusal that is data, or of a problem document."""
    if "title" in answer:
        return str(answer["title"])
    if "errors" in answer:
        return str(answer["errors"][0]["extensions"]["code"])
    (field,) = answer["data"].values()
    return str(field["__typename"])


@pytest.mark.parametrize("what", RAW)
def test_what_two_readers_could_read_differently_is_refused(server: Server, what: str) -> None:
    before = server.head()
    assert server.raw(RAW[what].replace(b"HOST", server.host.encode())).startswith(b"HTTP/1.1 400 ")
    assert server.head() == before


def test_a_cursor_of_another_list_is_refused(server: Server) -> None:
    cursor = server.ask("{ datasets(first: 1) { edges { cursor } } }")["datasets"]["edges"][0]["cursor"]
    query = json.dumps({"query": f'{{ jobs(after: "{cursor}") {{ edges {{ cursor }} }} }}'}).encode()
    assert code_of(server.send(Case(56, "", GRAPHQL, query, 200))[1]) == "INVALID"


def test_nothing_is_suggested_for_a_field_nearly_right(server: Server) -> None:
    answer = server.send(Case(58, "", GRAPHQL, b'{"query": "{ dataset { id } }"}', 200))[1]
    assert "Did you mean" not in json.dumps(answer)


def test_slow_bodies_are_cut_and_hold_up_nobody(server: Server) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    host, port = server.host.rsplit(":", 1)
    slow = [socket.create_connection((host, int(port)), timeout=60) for _ in range(200)]
    try:
        for number, connection in enumerate(slow):
            path = (LINEAGE if number % 2 else GRAPHQL).encode()
            connection.sendall(head % (path, server.host.encode()))
        assert server.send(Case(0, "", LINEAGE, SMALL, 201))[0] in {200, 201}
        for connection in slow:
            answer = b"".join(iter(lambda c=connection: c.recv(4096), b""))  # type: ignore[misc]
            assert answer.startswith(b"HTTP/1.1 408 ")
    finally:
        for connection in slow:
            connection.close()


def test_zz_nothing_of_all_this_failed_inside_and_a_slow_body_does_not_hold_up_the_end(
    server: Server,
) -> None:
    assert b"headwater_dead_letters 0.0" in server.get("/metrics")
    host, port = server.host.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /api/v1/lineage HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\n\r\n{"
            % server.host.encode()
        )
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) in {0, -signal.SIGTERM, 130, 143}
    lines = server.said.read_bytes().splitlines()
    assert not [line for line in lines if b"Traceback" in line or b"errorId" in line]
    assert all(len(line) <= 2_000 for line in lines)
    assert not [line for line in lines if b"forged" in line]
