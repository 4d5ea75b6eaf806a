"""SIGTERM: not ready at once, what comes is still taken, and the end comes in time whatever hangs."""

import shutil
import socket
import threading
import time
from pathlib import Path

import orjson
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from headwater_server.ingest.receive import receive
from tests.app import Headwater, settings
from tests.faults.checker import judge
from tests.faults.clients import Producers, Sent
from tests.faults.server import Server
from tests.openlineage.said import run

AT_MOST = 11.0
"""Ten seconds, and what a busy machine takes to notice."""


def test_it_says_that_it_stops_and_what_was_under_way_is_stored(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        producers = Producers(server.port)
        producers.start()
        while producers.acknowledged() < 20:
            time.sleep(0.05)
        told: list[dict[str, object] | None] = []

        def look() -> None:
            while not told or told[-1] is not None:
                told.append(server.readiness())

        looking = threading.Thread(target=look)
        looking.start()
        took = server.stop()
        looking.join()
        server.start()
        sent = producers.finish()
        server.stop()
    assert took < AT_MOST
    assert any(said is not None and said["ready"] is False and said["stopping"] for said in told)
    assert not judge(tmp_path / "data", sent).bad


def test_a_request_that_never_ends_does_not_hold_it(tmp_path: Path) -> None:
    with (
        Server(tmp_path / "data") as server,
        socket.create_connection(("127.0.0.1", server.port)) as slow,
    ):
        slow.sendall(b"POST /api/v1/lineage HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")
        status, _ = server.post(run("START", "load", "one", 1, reads=["a"]))
        assert status == 201
        assert server.stop() < AT_MOST
    assert not judge(tmp_path / "data", Sent()).gaps


def test_whoever_listens_over_a_websocket_is_told_and_does_not_hold_it(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        url = f"ws://127.0.0.1:{server.port}/graphql"
        with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as client:
            client.send('{"type": "connection_init"}')
            assert client.recv(timeout=30) == '{"type":"connection_ack"}'
            query = {"query": "subscription { runUpdated { state } }"}
            client.send(orjson.dumps({"type": "subscribe", "id": "a", "payload": query}).decode())
            client.send(
                orjson.dumps({"type": "subscribe", "id": "b", "payload": {"query": "{ x }"}}).decode()
            )
            assert orjson.loads(client.recv(timeout=30))["type"] == "error"
            assert server.stop() < AT_MOST
            assert orjson.loads(client.recv(timeout=30)) == {"id": "a", "type": "complete"}
            with pytest.raises(ConnectionClosed) as caught:
                client.recv(timeout=30)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001


def test_it_ends_while_the_graph_is_far_behind_and_the_next_start_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    made = Headwater(settings(folder))
    waiting = [
        receive(
            orjson.dumps(run("START", f"job {n % 50}", f"run {n}", n, reads=["a"], writes=[f"t{n % 200}"])),
            made.parts.committer,
        )
        for n in range(6_000)
    ]
    waiting[-1].logged.result()
    made.parts.committer.stop(patience=0.0)
    made.close()
    for name in folder.glob("graph.db*"):
        name.unlink()
    with Server(folder) as server:
        assert server.stop() < AT_MOST
        server.start()
        server.caught_up()
        server.stop()
    shutil.rmtree(tmp_path / "data-again", ignore_errors=True)
    verdict = judge(folder, Sent())
    assert verdict.hash_is_equal
