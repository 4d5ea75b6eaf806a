"""Subscriptions over WebSockets by graphql-transport-ws, with a client of another library."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from headwater_server.api.graphql.late import LateEngine
from headwater_server.api.graphql.route import graphql_router
from headwater_server.api.graphql.socket import LARGEST, Manners
from tests.graphql.asking import Api
from tests.graphql.test_subscriptions import Served, serving

SPOKEN = Subprotocol("graphql-transport-ws")
RUNS = "subscription ($e: ID) { runUpdated(experimentId: $e, intervalMs: 100) { run { runId } state } }"


class Talk:
    """A client that says what a test tells it to."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self) -> Any:
        return json.loads(self.socket.recv(timeout=30))

    def greet(self, **payload: Any) -> "Talk":
        self.say(type="connection_init", **({"payload": payload} if payload else {}))
        assert self.hear() == {"type": "connection_ack"}
        return self

    def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        self.say(type="subscribe", id=id_, payload={"query": query, "variables": variables})

    def closed(self) -> tuple[int, str]:
        """Code and reason, when nothing else comes before."""
        with pytest.raises(ConnectionClosed) as caught:
            pytest.fail(f"heard {self.hear()}")
        close = caught.value.rcvd
        assert close is not None
        return close.code, close.reason


@contextmanager
def talking(served: Served, **given: Any) -> Iterator[Talk]:
    url = f"{served.client.base_url}/graphql".replace("http", "ws", 1)
    with connect(url, **{"subprotocols": [SPOKEN], **given}) as socket:
        yield Talk(socket)


@contextmanager
def listening(served: Served) -> Iterator[None]:
    """What is asked for within is listened to afterwards."""
    before = served.listeners()
    yield
    served.wait_for(lambda: served.listeners() > before)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as found:
        yield found


def test_whoever_listens_hears_of_runs_until_they_leave(served: Served) -> None:
    experiment = served.experiment()
    with talking(served) as talk:
        talk.greet()
        with listening(served):
            talk.subscribe("a", RUNS, e=experiment)
        run = served.run(experiment, "first")
        told = talk.hear()
        assert (told["id"], told["type"]) == ("a", "next")
        assert told["payload"]["data"] == {"runUpdated": {"run": {"runId": run}, "state": "RUNNING"}}
        assert told["payload"]["extensions"]["cost"] > 0
        one_listens = served.listeners()
        talk.say(type="complete", id="a")
        served.wait_for(lambda: served.listeners() < one_listens)
        with listening(served):
            talk.subscribe("a", RUNS, e=experiment)  # its name is free again
        other = served.run(experiment, "second")
        assert talk.hear()["payload"]["data"]["runUpdated"]["run"] == {"runId": other}
    served.wait_for(lambda: served.listeners() == 0)


def test_several_operations_share_a_connection(served: Served) -> None:
    with talking(served) as talk:
        talk.greet()
        with listening(served):
            talk.subscribe("stages", "subscription { stageChanged { toStage } }")
        talk.subscribe("register", 'mutation { registerModel(input: {name: "churn"}) { __typename } }')
        assert [talk.hear()["type"], talk.hear()] == ["next", {"id": "register", "type": "complete"}]
        talk.subscribe(
            "version",
            """mutation { createModelVersion(input: {model: "churn"}) { __typename }
            transitionStage(input: {model: "churn", version: "1", toStage: "Staging"}) { __typename } }""",
        )
        heard = {(told["id"], told["type"]): told for told in (talk.hear(), talk.hear(), talk.hear())}
        assert heard["stages", "next"]["payload"]["data"] == {"stageChanged": {"toStage": "Staging"}}
        assert heard["version", "next"]["payload"]["data"]["transitionStage"] == {
            "__typename": "TransitionPayload"
        }
        assert ("version", "complete") in heard


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { nothing }", "INVALID"),
        ("subscription {", "INVALID"),
        ("subscription { runUpdated(intervalMs: 1) { state } }", "INVALID"),
        ('subscription { runUpdated(runId: "none") { state } }', "NOT_FOUND"),
        (
            "subscription { " + " ".join(f"a{n}: runUpdated {{ state }}" for n in range(40)) + " }",
            "LIMIT_EXCEEDED",
        ),
        ("query { " + "a { " * 40 + "b" + " }" * 41, "LIMIT_EXCEEDED"),
        (
            "{ datasets(first: 200) { edges { node { columns { upstream { column { upstream { column { name } } } } } } } } }",
            "LIMIT_EXCEEDED",
        ),
    ],
)
def test_what_is_refused_is_an_error_and_nothing_comes_behind_it(
    served: Served, query: str, code: str
) -> None:
    with talking(served) as talk:
        talk.greet()
        talk.subscribe("a", query)
        told = talk.hear()
        assert (told["id"], told["type"]) == ("a", "error")
        assert told["payload"][0]["extensions"]["code"] == code
        talk.say(type="ping")
        assert talk.hear() == {"type": "pong"}


def test_errors_within_an_answer_come_with_what_there_is(served: Served) -> None:
    with talking(served) as talk:
        talk.greet()
        talk.subscribe("a", '{ server { backend } entity(ref: "none") { urn } }')
        payload = talk.hear()["payload"]
        assert payload["data"] == {"server": {"backend": "sqlite"}, "entity": None}
        assert payload["errors"][0]["extensions"]["code"] == "NOT_FOUND"
        assert talk.hear()["type"] == "complete"


def test_pings_are_answered_before_and_after_the_greeting(served: Served) -> None:
    with talking(served) as talk:
        talk.say(type="ping", payload={"any": 1})
        assert talk.hear() == {"type": "pong"}
        talk.greet()
        talk.say(type="pong")
        talk.say(type="ping")
        assert talk.hear() == {"type": "pong"}


BEFORE: list[tuple[str | bytes, int]] = [
    ('{"type": "subscribe", "id": "a", "payload": {"query": "{ server { version } }"}}', 4401),
    ('{"type": "complete", "id": "a"}', 4400),
    ('{"type": "connection_init", "payload": 1}', 4400),
    ('{"type": "connection_init", "payload": {"Authorization": 1}}', 4400),
    ('{"type": "connection_ack"}', 4400),
    ("[]", 4400),
    ('"text"', 4400),
    ("{", 4400),
    ('{"type": 1}', 4400),
    ("[" * 5_000, 4400),
    (b'{"type": "connection_init"}', 4400),
]
AFTER: list[tuple[str | bytes, int]] = [
    ('{"type": "connection_init"}', 4429),
    ('{"type": "subscribe", "payload": {"query": "{ server { version } }"}}', 4400),
    ('{"type": "subscribe", "id": "", "payload": {"query": "{ server { version } }"}}', 4400),
    ('{"type": "subscribe", "id": 1, "payload": {"query": "{ server { version } }"}}', 4400),
    ('{"type": "subscribe", "id": "a"}', 4400),
    ('{"type": "subscribe", "id": "a", "payload": {"query": 1}}', 4400),
    ('{"type": "subscribe", "id": "a", "payload": {"query": "{ a }", "variables": []}}', 4400),
    ('{"type": "subscribe", "id": "a", "payload": [{"query": "{ a }"}]}', 4400),
    ('{"type": "complete"}', 4400),
    ('{"type": "next", "id": "a"}', 4400),
    ("", 4400),
    (b"\x00\xff", 4400),
]


@pytest.mark.parametrize(("message", "code"), BEFORE)
def test_whoever_breaks_the_rules_before_the_greeting_is_told_which(
    served: Served, message: str | bytes, code: int
) -> None:
    with talking(served) as talk:
        talk.socket.send(message)
        assert talk.closed()[0] == code


@pytest.mark.parametrize(("message", "code"), AFTER)
def test_whoever_breaks_the_rules_after_it_is_told_which(
    served: Served, message: str | bytes, code: int
) -> None:
    with talking(served) as talk:
        talk.greet()
        talk.socket.send(message)
        assert talk.closed()[0] == code
    served.wait_for(lambda: served.listeners() == 0)


def test_an_operation_has_a_name_of_its_own(served: Served) -> None:
    with talking(served) as talk:
        talk.greet()
        with listening(served):
            talk.subscribe("a", RUNS)
        talk.subscribe("a", "{ server { version } }")
        assert talk.closed() == (4409, "Subscriber for a already exists")


def test_a_message_may_not_be_too_large(served: Served) -> None:
    with talking(served) as talk:
        talk.greet()
        talk.socket.send(json.dumps({"type": "ping", "payload": "x" * LARGEST}))
        assert talk.closed()[0] == 1009


@pytest.mark.parametrize("subprotocols", [None, ["graphql-ws"], ["mqtt"]])
def test_another_subprotocol_is_not_spoken(served: Served, subprotocols: list[Subprotocol] | None) -> None:
    with talking(served, subprotocols=subprotocols) as talk:
        code, reason = talk.closed()
        assert code == 4406
        assert SPOKEN in reason


def test_only_graphql_speaks_it(served: Served) -> None:
    url = f"{served.client.base_url}/livez".replace("http", "ws", 1)
    with pytest.raises(InvalidStatus) as caught, connect(url):
        pytest.fail("it was let in")
    assert caught.value.response.status_code == 404


def test_a_page_of_another_site_is_turned_away_before_it_is_connected(served: Served) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"}):
        with pytest.raises(InvalidStatus) as caught, talking(served, additional_headers=headers):
            pytest.fail(f"{headers} was let in")
        assert caught.value.response.status_code == 403
    own = str(served.client.base_url).rstrip("/")
    with talking(served, origin=own) as talk:
        talk.greet()


def test_a_page_that_may_ask_may_listen(tmp_path: Path) -> None:
    portal = Origin("https://portal.example")
    with serving(tmp_path, cors_origins=(str(portal),)) as served, talking(served, origin=portal) as talk:
        talk.greet()


def test_another_name_of_the_server_is_not_answered_to(served: Served) -> None:
    port = served.client.base_url.port
    with (
        pytest.raises(InvalidStatus) as caught,
        connect(f"ws://rebound.example:{port}/graphql", subprotocols=[SPOKEN], address=("127.0.0.1", port)),
    ):
        pytest.fail("it was let in")
    assert caught.value.response.status_code == 421


def test_when_the_server_ends_operations_are_completed_and_connections_closed(served: Served) -> None:
    with talking(served) as talk, talking(served) as idle:
        idle.greet()
        talk.greet()
        with listening(served):
            talk.subscribe("a", RUNS)
        served.retire()
        assert talk.hear() == {"id": "a", "type": "complete"}
        assert talk.closed()[0] == 1001
        assert idle.closed()[0] == 1001


def test_more_than_may_be_connected_or_asked_at_once_are_told_to_come_back(tmp_path: Path) -> None:
    with serving(tmp_path, max_streams=2) as served, talking(served) as one, talking(served) as two:
        one.greet()
        two.greet()
        with listening(served):
            one.subscribe("a", RUNS)
        with listening(served):
            two.subscribe("a", RUNS)
        two.subscribe("b", RUNS)
        told = two.hear()
        assert (told["id"], told["type"]) == ("b", "error")
        assert told["payload"][0]["extensions"] == {"code": "UNAVAILABLE"}
        with talking(served) as three:
            three.say(type="connection_init")
            assert three.hear() == {"type": "connection_ack"}
            assert three.closed()[0] == 1013
        one.say(type="complete", id="a")
        served.wait_for(lambda: served.listeners() == 3)
        with listening(served):
            two.subscribe("b", RUNS)
        one.socket.close()

        def let_in() -> bool:
            with talking(served) as late:
                late.greet()
                late.say(type="ping")
                try:
                    return bool(late.hear() == {"type": "pong"})
                except ConnectionClosed:
                    return False

        served.wait_for(let_in)


def on_a_connection(api: Api, **manners: Any) -> TestClient:
    app = FastAPI()
    app.include_router(
        graphql_router(lambda _: api.context, LateEngine(), news=api.parts.news, manners=Manners(**manners))
    )
    return TestClient(app)


@contextmanager
def connected(client: TestClient) -> Iterator[WebSocketTestSession]:
    """This client cancels whom it talked to when it goes, also in the middle of an end."""
    said = False
    with suppress(CancelledError), client.websocket_connect("/graphql", subprotocols=[SPOKEN]) as socket:
        yield socket
        said = True
    assert said


def test_a_client_that_does_not_greet_is_not_waited_for(api: Api) -> None:
    client = on_a_connection(api, greeting=0.05)
    with connected(client) as socket:
        with pytest.raises(WebSocketDisconnect) as caught:
            socket.receive_json()
        assert caught.value.code == 4408


def test_a_connection_has_its_share_of_operations(api: Api) -> None:
    client = on_a_connection(api, operations=2)
    with connected(client) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
        for id_ in "abc":
            socket.send_json({"type": "subscribe", "id": id_, "payload": {"query": RUNS}})
        told = socket.receive_json()
        assert (told["id"], told["type"]) == ("c", "error")
        assert told["payload"][0]["extensions"]["code"] == "UNAVAILABLE"


def test_a_client_that_takes_nothing_is_not_kept(api: Api) -> None:
    """Its line is full: sending to it does not come back."""

    class Stuck(FastAPI):
        async def __call__(self, scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
            async def full(message: Any) -> None:
                if message["type"] == "websocket.send" and '"next"' in message["text"]:
                    await asyncio.Event().wait()
                await send(message)

            await super().__call__(scope, receive, full)

    app = Stuck()
    app.include_router(
        graphql_router(lambda _: api.context, LateEngine(), news=api.parts.news, manners=Manners(taking=0.05))
    )
    with connected(TestClient(app)) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
        socket.send_json({"type": "subscribe", "id": "a", "payload": {"query": "{ server { version } }"}})
        with pytest.raises(WebSocketDisconnect) as caught:
            socket.receive_json()
        assert caught.value.code == 1008
