"""A Neo4j that is cut off, hangs or is not there yet: events go on into the log, the graph follows by itself and is right."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from headwater_server.errors import Unavailable
from headwater_server.ingest.receive import receive
from headwater_server.log.port import Receipt
from tests.app import Headwater, open_empty, settings
from tests.faults.proxy import Proxy, Weather
from tests.faults.server import Server as Process
from tests.neo4j_server import FromJars, Server
from tests.openlineage.said import dataset_key, run

pytestmark = pytest.mark.neo4j
COMMIT = b"\x00\x02\xb0\x12\x00\x00"
"""Bolt's message, in its chunk."""
WITHIN = 60.0


@pytest.fixture
def bolt(neo4j_server: Server) -> Iterator[Proxy]:
    with Proxy(int(neo4j_server.uri.rsplit(":", 1)[1])) as proxy:
        yield proxy


def through(proxy: Proxy, server: Server) -> Server:
    return replace(server, uri=f"bolt://127.0.0.1:{proxy.port}")


def send(headwater: Headwater, number: int) -> Receipt:
    """Acknowledged, whatever the graph does. Each run of a job takes the place of the one before."""
    event = run(
        ("START", "COMPLETE")[number % 2], f"job {number // 2 % 3}", f"run {number // 2}", number,
        reads=["a", f"in {number // 2 % 5}"], writes=[f"out {number // 2 % 3}"],
    )  # fmt: skip
    (receipt,) = receive(orjson.dumps(event), headwater.parts.committer).logged.result(timeout=5)
    return receipt


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


def caught_up(headwater: Headwater) -> bool:
    return headwater.parts.committer.applied == headwater.log.head()


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_connection_that_is_cut_at_commit_leaves_the_graph_right(
    how: str, tmp_path: Path, neo4j_server: Server, bolt: Proxy
) -> None:
    """Whether the server did it nobody knows then; meanwhile more comes, and the next block is another one."""
    seen = 0

    def snip(piece: bytes) -> str:
        nonlocal seen
        if COMMIT not in piece:
            return ""
        seen += 1
        return how if seen % 2 else ""

    headwater = open_empty(tmp_path / "cut", through(bolt, neo4j_server))
    bolt.become(Weather(snip=snip))
    for number in range(40):
        send(headwater, number)
        time.sleep(0.05)
    until(lambda: caught_up(headwater))
    bolt.become(Weather())
    assert seen > 2
    assert not len(headwater.parts.letters)
    expected = open_empty(tmp_path / "calm")
    for number in range(40):
        send(expected, number)
    until(lambda: caught_up(expected))
    assert headwater.fingerprint() == expected.fingerprint()
    headwater.close()
    expected.close()


@pytest.fixture
def own_neo4j(neo4j_server: Server) -> Iterator[FromJars]:
    """One that nobody else uses: from jars, also where the others are in a container."""
    assert neo4j_server.uri  # where no Neo4j can be had the reason is told once, there
    own = FromJars()
    yield own
    own.remove()


def test_a_neo4j_that_is_killed_and_one_that_is_stopped_lose_nothing(
    tmp_path: Path, own_neo4j: FromJars
) -> None:
    """While events come: SIGKILL, then a stop in order. The graph follows by itself and is right."""
    server = own_neo4j.start()
    assert isinstance(server, Server), server
    headwater = open_empty(tmp_path / "broken", server)
    number = 0

    def send_some(count: int) -> None:
        nonlocal number
        for _ in range(count):
            send(headwater, number)
            number += 1
            time.sleep(0.02)

    for end in (own_neo4j.kill, own_neo4j.stop):
        send_some(30)
        ending = threading.Thread(target=end)
        ending.start()
        send_some(60)  # on its way down, and while it is away
        ending.join()
        assert isinstance(own_neo4j.start(), Server)
        send_some(10)
    until(lambda: caught_up(headwater))
    assert headwater.log.head() == number
    assert not len(headwater.parts.letters)
    expected = open_empty(tmp_path / "calm")
    for one in range(number):
        send(expected, one)
    until(lambda: caught_up(expected))
    assert headwater.fingerprint() == expected.fingerprint()
    headwater.close()
    expected.close()


def test_events_are_acknowledged_and_the_stop_is_quick_while_it_hangs(
    tmp_path: Path, neo4j_server: Server, bolt: Proxy
) -> None:
    headwater = open_empty(tmp_path, through(bolt, neo4j_server))
    send(headwater, 0)
    until(lambda: caught_up(headwater))
    bolt.become(Weather(black_hole=True))
    receipts = [send(headwater, number) for number in range(1, 20)]
    assert [receipt.seq for receipt in receipts] == list(range(2, 21))
    assert not headwater.parts.committer.settle(patience=0.2)
    headwater.parts.committer.stop(patience=1.0)
    bolt.become(Weather(refused=True))
    headwater.close()

    bolt.become(Weather())
    again = Headwater(settings(tmp_path, neo4j_server))
    until(lambda: caught_up(again))
    assert again.has(dataset_key("out 0"))
    again.close()


def test_it_starts_without_it_refuses_what_needs_it_and_goes_on_by_itself(
    tmp_path: Path, neo4j_server: Server, bolt: Proxy
) -> None:
    open_empty(tmp_path, neo4j_server).close()
    bolt.become(Weather(refused=True))
    headwater = Headwater(settings(tmp_path, through(bolt, neo4j_server)))
    assert send(headwater, 0).seq == 1
    until(lambda: bool(headwater.parts.committer.unavailable))
    told = headwater.parts.ready()
    assert told["ready"]
    assert "does not answer" in told["graph"]
    with pytest.raises(Unavailable, match="does not answer"):
        headwater.registry.register_model("churn", actor="ada")
    bolt.become(Weather())
    until(lambda: caught_up(headwater))
    assert headwater.has(dataset_key("out 0"))
    assert "graph" not in headwater.parts.ready()
    headwater.close()


def test_a_server_process_ends_in_time_while_it_hangs(
    tmp_path: Path, neo4j_server: Server, bolt: Proxy
) -> None:
    open_empty(tmp_path / "data", neo4j_server).close()
    environment = {
        "NEO4J_URI": f"bolt://127.0.0.1:{bolt.port}",
        "NEO4J_USERNAME": neo4j_server.user,
        "NEO4J_PASSWORD": neo4j_server.password,
    }
    with Process(tmp_path / "data", environment=environment) as server:
        bolt.become(Weather(black_hole=True))
        status, _ = server.post(run("COMPLETE", "load", "one", 1, reads=["a"], writes=["b"]))
        assert status == 201
        time.sleep(1.0)
        assert server.stop() < 11
