"""A failure of ours shows an id and is one line of the log; too many operations at once are turned away."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from headwater_server.api.bodies import Intake
from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.late import LateEngine
from headwater_server.api.graphql.operation import Answer, Query
from headwater_server.api.graphql.route import graphql_router
from headwater_server.api.problems import render_all
from tests.redaction.shapes import WORD


def test_a_failure_of_ours_is_an_id_and_one_printable_line(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    render_all(app)

    @app.get("/fail/{name}")
    def fail(name: str) -> None:
        raise LookupError(f"{name}\r\nFATAL forged \x1b[31m password={WORD} " + "x" * 5_000)

    with caplog.at_level(logging.WARNING), TestClient(app) as client:
        answer = client.get("/fail/a%0Ab")
    assert answer.status_code == 500
    problem = answer.json()
    assert "forged" not in answer.text
    (line,) = [r.getMessage() for r in caplog.records]
    assert problem["errorId"] in line
    assert line.isprintable()
    assert len(line) <= 2_000
    assert WORD not in line


def test_more_operations_than_may_run_are_told_to_come_back() -> None:
    goes_on, runs = threading.Event(), threading.Semaphore(0)

    class Slow(LateEngine):
        def run(self, query: Query, context: Context) -> Answer:
            del context
            runs.release()
            assert goes_on.wait(30)
            return Answer({"data": {"ok": query.source}}, ran=True)

    context: Any = None
    app = FastAPI()
    app.include_router(graphql_router(lambda _: context, Slow(), max_queries=2))
    app.add_middleware(Intake)
    with TestClient(app) as client, ThreadPoolExecutor(2) as threads:
        ask = {"query": "{ a }"}
        waiting = [threads.submit(client.post, "/graphql", json=ask) for _ in range(2)]
        assert all(runs.acquire(timeout=30) for _ in waiting)
        refused = client.post("/graphql", json=ask)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        goes_on.set()
        assert [w.result().status_code for w in waiting] == [200, 200]
        assert client.post("/graphql", json=ask).status_code == 200
