"""Each bad input gets its exact answer from a real server: never a 500, never a trace, nothing stored by half."""

import http.client
import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.badinput.cases import ARTIFACTS, CASES, GRAPHQL, LINEAGE, PATHS, RAW, SMALL, Case
from tests.badinput.server import Server
from tests.ingest.cases import event

ALLOWED = 30
"""MiB that the server may grow by while it refuses a bomb."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("server"))
    yield started
    started.stop()


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


@pytest.mark.parametrize("path", PATHS[34])
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_a_path_of_an_artifact_that_leads_elsewhere_is_refused(
    server: Server, method: str, path: str
) -> None:
    before = server.head()
    connection = http.client.HTTPConnection(server.host, timeout=60)
    try:
        connection.request(method, ARTIFACTS + path, b"x" if method == "PUT" else None)
        answer = connection.getresponse()
        told = answer.status, json.loads(answer.read()).get("error_code")
    finally:
        connection.close()
    assert told == (400, "INVALID_PARAMETER_VALUE")
    assert json.loads(server.get(ARTIFACTS.rstrip("/"))) == {}
    assert server.head() == before


def test_a_cursor_of_another_list_is_refused(server: Server) -> None:
    cursor = server.ask("{ datasets(first: 1) { edges { cursor } } }")["datasets"]["edges"][0]["cursor"]
    query = json.dumps({"query": f'{{ jobs(after: "{cursor}") {{ edges {{ cursor }} }} }}'}).encode()
    assert code_of(server.send(Case(56, "", GRAPHQL, query, 200))[1]) == "INVALID"


def test_an_event_sent_by_many_at_once_is_one_record(server: Server) -> None:
    before, body = server.head(), event(run={"runId": "many at once"})
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: server.send(Case(17, "", LINEAGE, body, 201)), range(400)))
    assert sorted(status for status, _ in answers) == [200] * 399 + [201]
    assert {answer["seq"] for _, answer in answers} == {before + 1}
    assert server.head() == before + 1


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
