"""Whoever listens shows who they are, hears of what they see alone, and of nothing once their key is revoked."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from headwater_server.auth.keys import key_id
from headwater_server.auth.tokens import Tokens
from tests.auth.served import Served, bearer

RUNS = "subscription { runUpdated(intervalMs: 100) { run { job { name } } } }"


def revoke(served: Served, key: str) -> None:
    """As the command does, beside the server."""
    tokens = Tokens(served.settings.data)
    tokens.revoke(key_id(key) or "", by="ops", at=time.time_ns() // 1_000)
    tokens.close()


def begin(served: Served, key: str, namespace: str, job: str) -> None:
    event = {
        "eventType": "START", "eventTime": "2026-01-01T00:00:00Z", "producer": "https://example.com/p",
        "run": {"runId": "0191b8f8-7b9c-7000-8000-000000000001"}, "job": {"namespace": namespace, "name": job},
    }  # fmt: skip
    assert served.http.post("/api/v1/lineage", json=event, headers=bearer(key)).status_code == 201


def listeners(served: Served, key: str) -> int:
    lines = served.http.get("/metrics", headers=bearer(key)).text.splitlines()
    return int(float(next(line for line in lines if line.startswith("headwater_listeners ")).split()[1]))


@contextmanager
def socket(served: Served, **headers: str) -> Iterator[ClientConnection]:
    url = f"ws://127.0.0.1:{served.port}/graphql"
    spoken = [Subprotocol("graphql-transport-ws")]
    with connect(url, subprotocols=spoken, additional_headers=headers, proxy=None) as found:
        yield found


def say(client: ClientConnection, **message: Any) -> None:
    client.send(json.dumps(message))


def hear(client: ClientConnection) -> Any:
    return json.loads(client.recv(timeout=30))


def subscribe(served: Served, client: ClientConnection, key: str) -> None:
    before = listeners(served, key)
    say(client, type="subscribe", id="a", payload={"query": RUNS})
    while listeners(served, key) <= before:
        time.sleep(0.02)


def code_of(client: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as caught:
        pytest.fail(f"heard {hear(client)}")
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_key_is_shown_in_the_greeting(own: Served, name: str) -> None:
    key = own.key("admin")
    with socket(own) as client:
        say(client, type="connection_init", payload={name: f"Bearer {key}"})
        assert hear(client) == {"type": "connection_ack"}
        say(client, type="subscribe", id="a", payload={"query": "{ server { viewer { name } } }"})
        assert hear(client)["payload"]["data"]["server"]["viewer"]["name"] == "service:it"


def test_or_in_the_handshake(own: Served) -> None:
    key = own.key("admin")
    with socket(own, **bearer(key)) as client:
        say(client, type="connection_init")
        assert hear(client) == {"type": "connection_ack"}
    with pytest.raises(InvalidStatus) as caught, socket(own, **bearer(key + "x")):
        pytest.fail("it was let in")
    assert caught.value.response.status_code == 401


@pytest.mark.parametrize(
    "payload", [None, {}, {"Authorization": "Bearer hw_none_none"}, {"token": "hw_none_none"}]
)
def test_without_a_good_one_nothing_is_answered(own: Served, payload: Any) -> None:
    with socket(own) as client:
        say(client, type="connection_init", payload=payload)
        assert code_of(client) == 4403
    with socket(own) as client:
        say(client, type="subscribe", id="a", payload={"query": "{ server { version } }"})
        assert code_of(client) == 4401


def test_what_may_not_be_asked_is_refused_by_name(own: Served) -> None:
    with socket(own, **bearer(own.key("emitter"))) as client:
        say(client, type="connection_init")
        hear(client)
        for query in (
            RUNS,
            "{ jobs { totalCount } }",
            'mutation { registerModel(input: {name: "m"}) { __typename } }',
        ):
            say(client, type="subscribe", id="a", payload={"query": query})
            told = hear(client)
            assert told["type"] == "error"
            assert told["payload"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_listener_hears_of_what_they_see_alone(own: Served) -> None:
    admin, reader = own.key("admin"), own.key("reader?namespace=mine")
    with socket(own, **bearer(reader)) as client:
        say(client, type="connection_init")
        hear(client)
        subscribe(own, client, admin)
        begin(own, admin, "theirs", "secret")
        begin(own, admin, "mine", "open")
        told = hear(client)["payload"]["data"]["runUpdated"]
        assert told == {"run": {"job": {"name": "open"}}}


def test_a_connection_ends_when_its_key_is_revoked(own: Served) -> None:
    admin, reader = own.key("admin"), own.key("reader", name="reader")
    with socket(own) as client:
        say(client, type="connection_init", payload=bearer(reader))
        hear(client)
        subscribe(own, client, admin)
        revoke(own, reader)
        assert code_of(client) == 4403
    while listeners(own, admin):
        time.sleep(0.02)


def test_a_stream_of_events_tells_nothing_more_to_a_key_that_was_revoked(own: Served) -> None:
    admin, reader = own.key("admin"), own.key("reader", name="reader")
    headers = {**bearer(reader), "Accept": "text/event-stream"}
    with (
        httpx.Client(base_url=own.url, timeout=30) as http,
        http.stream("POST", "/graphql", json={"query": RUNS}, headers=headers) as answer,
    ):
        lines = answer.iter_lines()
        next(lines)
        while not listeners(own, admin):
            time.sleep(0.02)
        revoke(own, reader)
        own.forget()
        begin(own, admin, "any", "secret")
        told = [line for line in lines if line.startswith(("event:", "data: "))]
    assert told[0] == "event: next"
    assert json.loads(told[1].removeprefix("data: "))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "secret" not in "".join(told)
    assert told[-1] == "event: complete"


def test_events_and_lineages_are_told_as_far_as_they_are_seen(own: Served) -> None:
    admin, reader = own.key("admin"), own.key("reader?namespace=mine*")
    begin(own, admin, "mine", "open")
    event = {
        "eventType": "COMPLETE", "eventTime": "2026-01-01T00:00:00Z", "producer": "https://example.com/p",
        "run": {"runId": "0191b8f8-7b9c-7000-8000-000000000002"}, "job": {"namespace": "mine", "name": "load"},
        "outputs": [{"namespace": "mine.db", "name": "orders"}],
    }  # fmt: skip
    theirs = {
        **event, "run": {"runId": "0191b8f8-7b9c-7000-8000-000000000003"}, "job": {"namespace": "theirs", "name": "secret"},
        "inputs": event["outputs"], "outputs": [{"namespace": "theirs.db", "name": "hush"}],
    }  # fmt: skip
    assert own.http.post("/api/v1/lineage", json=event, headers=bearer(admin)).status_code == 201
    with socket(own, **bearer(reader)) as client:
        say(client, type="connection_init")
        hear(client)
        before = listeners(own, admin)
        events = "subscription { eventIngested { job { name } inputs outputs } }"
        lineage = """subscription { lineageChanged(ref: "mine.db/orders") {
            addedNodes { name namespace restricted entity { urn } } addedEdges { kind } } }"""
        for id_, query in (("events", events), ("lineage", lineage)):
            say(client, type="subscribe", id=id_, payload={"query": query})
        while listeners(own, admin) < before + 2:
            time.sleep(0.02)
        assert own.http.post("/api/v1/lineage", json=theirs, headers=bearer(admin)).status_code == 201
        told = hear(client)
        assert told["id"] == "lineage"  # of the event nothing is told
        change = told["payload"]["data"]["lineageChanged"]
        assert {(n["name"], n["restricted"], n["entity"] and 1) for n in change["addedNodes"]} == {
            ("restricted", True, None)
        }
        assert sorted(edge["kind"] for edge in change["addedEdges"]) == ["READS", "WRITES"]
        # what comes behind a thing that is not seen is told too
        further = {
            **theirs,
            "job": {"namespace": "theirs", "name": "other"},
            "outputs": [{"namespace": "mine.db", "name": "back"}],
        }
        assert own.http.post("/api/v1/lineage", json=further, headers=bearer(admin)).status_code == 201
        names = {n["name"] for n in hear(client)["payload"]["data"]["lineageChanged"]["addedNodes"]}
        assert names == {"restricted", "back"}
        begin(own, admin, "mine", "open two")
        told = hear(client)
        assert told["payload"]["data"] == {
            "eventIngested": {"job": {"name": "open two"}, "inputs": 0, "outputs": 0}
        }
