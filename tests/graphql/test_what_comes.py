"""Events as they come, and lineages that change while somebody looks at them, over a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater_server.api.graphql.ingested import MOST
from tests.app import open_empty
from tests.graphql.asking import dataset, run_event
from tests.graphql.test_subscriptions import Served, serving
from tests.neo4j_server import Server, neo4j_server

__all__ = ["neo4j_server"]

EVENTS = """subscription ($within: [String!], $ref: String) { eventIngested(namespaces: $within, ref: $ref) {
    id seq eventType eventTime inputs outputs skipped job { name } run { runId state } } }"""
LINEAGE = """subscription ($ref: String!, $depth: Int) { lineageChanged(ref: $ref, depth: $depth) {
    addedNodes { name entity { urn } } addedEdges { kind } removedIds removedEdges { kind } truncated } }"""


def run_id(n: int) -> str:
    return f"0191b8f8-7b9c-7000-8000-{n:012}"


def step(n: int, job: str, reads: str, writes: str, kind: str = "COMPLETE") -> dict[str, Any]:
    return run_event(
        kind,
        f"2026-01-01T00:{n:02}:00Z",
        run_id(n),
        job,
        inputs=[dataset(name) for name in reads.split()],
        outputs=[dataset(name) for name in writes.split()],
    )


def send(served: Served, *events: dict[str, Any]) -> None:
    answer = served.client.post("/api/v1/lineage/batch", json=list(events))
    assert answer.status_code == 200
    assert answer.json()["status"] == "success", answer.text


@pytest.fixture(params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """On each store: what is told when, is when the graph shows it."""
    given: dict[str, Any] = {}
    if request.param == "neo4j":
        server: Server = request.getfixturevalue("neo4j_server")
        open_empty(tmp_path, server).close()
        given = {"neo4j_uri": server.uri, "neo4j_username": server.user, "neo4j_password": server.password}
    with serving(tmp_path, **given) as found:
        yield found


def told(events: Iterator[tuple[str, Any]], field: str) -> Any:
    name, said = next(events)
    assert name == "next"
    assert "errors" not in said, said
    return said["data"][field]


def test_an_event_is_told_when_the_graph_shows_it(served: Served) -> None:
    send(served, step(1, "before", "a", "b"))
    with served.listening(EVENTS) as events:
        send(served, step(2, "load", "a b", "c", kind="RUNNING"))
        one = told(events, "eventIngested")
        assert one == {
            "id": "2", "seq": 2, "eventType": "RUNNING", "eventTime": "2026-01-01T00:02:00.000Z", "inputs": 2, "outputs": 1,
            "skipped": 0, "job": {"name": "load"}, "run": {"runId": run_id(2), "state": "LOST"},
        }  # fmt: skip
        again = {**step(2, "load", "a b", "c", kind="RUNNING"), "eventTime": "2026-01-01T00:01:59Z"}
        send(served, again)  # it makes nothing new, and is told all the same
        assert told(events, "eventIngested")["seq"] == 3
        job = {
            "eventTime": "2026-01-02T00:00:00Z",
            "producer": "https://example.com/p",
            "job": {"namespace": "etl", "name": "j"},
        }
        send(served, job)
        one = told(events, "eventIngested")
        assert (one["eventType"], one["job"], one["run"]) == (None, {"name": "j"}, None)


def test_only_those_that_were_asked_for(served: Served) -> None:
    other = run_event(
        "START", "2026-01-01T00:00:00Z", run_id(9), "elsewhere", outputs=[dataset("x", namespace="s3://lake")]
    )
    send(served, step(1, "load", "a", "b"))
    with (
        served.listening(EVENTS, within=["s3://lake"]) as of_lake,
        served.listening(EVENTS, within=["etl"]) as of_jobs,
        served.listening(EVENTS, ref="pg://db/b") as of_b,
    ):
        send(served, step(2, "load", "a", "c"), step(3, "load", "a", "b"), other)
        assert told(of_lake, "eventIngested")["run"]["runId"] == run_id(9)
        assert [told(of_jobs, "eventIngested")["seq"] for _ in range(3)] == [2, 3, 4]
        assert told(of_b, "eventIngested")["seq"] == 3


def test_of_too_many_at_once_the_newest_are_told_and_how_many_are_not(served: Served) -> None:
    with served.listening(EVENTS) as events:
        send(served, *(step(n % 60, f"job {n}", "", "") for n in range(MOST + 30)))
        heard = [told(events, "eventIngested") for _ in range(MOST)]
        seen = [one["seq"] for one in heard]
        assert seen == sorted(seen)
        # it depends on where the looks fall into the batch, but none is lost without a word
        assert seen[-1] - len(heard) == sum(one["skipped"] for one in heard)


def test_what_comes_into_a_lineage_and_leaves_it_is_told(served: Served) -> None:
    send(served, step(1, "load", "raw", "orders"))
    with served.listening(LINEAGE, ref="pg://db/orders", depth=2) as events:
        send(served, step(2, "elsewhere", "x", "y"))
        send(served, step(3, "load", "raw", "orders"))  # the same flow again
        send(served, step(4, "report", "orders", "revenue"))
        one = told(events, "lineageChanged")
        assert sorted(node["name"] for node in one["addedNodes"]) == ["report", "revenue"]
        assert all(node["entity"]["urn"] for node in one["addedNodes"])
        assert sorted(edge["kind"] for edge in one["addedEdges"]) == ["READS", "WRITES"]
        assert (one["removedIds"], one["removedEdges"], one["truncated"]) == ([], [], False)
        send(served, step(5, "report", "orders", "income"))
        one = told(events, "lineageChanged")
        assert [node["name"] for node in one["addedNodes"]] == ["income"]
        assert len(one["removedIds"]) == 1
        assert [edge["kind"] for edge in one["removedEdges"]] == ["WRITES"]


def test_a_model_version_and_an_edge_by_hand_come_into_a_lineage_too(served: Served) -> None:
    send(served, step(1, "train", "orders", ""), step(2, "elsewhere", "x", "y"))
    with served.listening(LINEAGE, ref="pg://db/orders", depth=2) as events:
        made = f"""mutation {{ registerModel(input: {{name: "churn"}}) {{ __typename }}
            createModelVersion(input: {{model: "churn", runId: "{run_id(1)}"}}) {{ __typename }} }}"""
        assert served.ask(made)["data"]["createModelVersion"]["__typename"] == "CreateModelVersionPayload"
        one = told(events, "lineageChanged")
        assert "churn v1" in {node["name"] for node in one["addedNodes"]}
        by_hand = 'mutation { setManualEdge(input: {from: "pg://db/orders", to: "pg://db/y", kind: DERIVES}) { __typename } }'
        assert served.ask(by_hand)["data"]["setManualEdge"]["__typename"] == "EntityPayload"
        one = told(events, "lineageChanged")
        assert "y" in {node["name"] for node in one["addedNodes"]}
        assert "DERIVES" in {edge["kind"] for edge in one["addedEdges"]}


def test_a_lineage_that_cannot_be_walked_is_refused(served: Served) -> None:
    send(served, step(1, "load", "raw", "orders"))
    for variables, code in (
        ({"ref": "none"}, "NOT_FOUND"),
        ({"ref": "pg://db/orders", "depth": 51}, "INVALID"),
    ):
        with served.listening(LINEAGE, listens=False, **variables) as events:
            assert next(events)[1]["errors"][0]["extensions"]["code"] == code
    greedy = 'subscription { lineageChanged(ref: "pg://db/orders", maxNodes: 20000) { addedNodes { entity { facets { name } } } } }'
    with served.listening(greedy, listens=False) as events:
        assert next(events)[1]["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_nobody_is_looked_after_who_has_left(served: Served) -> None:
    send(served, step(1, "load", "raw", "orders"))
    with served.listening(LINEAGE, ref="pg://db/orders"), served.listening(EVENTS):
        assert served.listeners() == 2
    served.wait_for(lambda: served.listeners() == 0)
    assert json.loads(served.client.get("/readyz").text)["ready"]
