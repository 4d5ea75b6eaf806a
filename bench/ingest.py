"""Ingest over HTTP: CPU of an event, single and in batches, on both stores, jobs that repeat and all new."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw

from bench import events, servers
from bench.client import pump
from bench.figures import Figure, compared, progress
from headwater_server.store.neo4j import Neo4jStore

CLIENTS = 8
BATCH = 100
REPEATING = 500
"""Jobs that run again and again."""
WARM = 20_000
"""Events that Neo4j has taken before it is measured. Until then its JVM spends most of its time on compiling our few
statements: an event costs it 17 ms among the first 2,000, 5 to 7 ms up to 10,000, then 2.3 ms and no less."""
ONE, MANY = "/api/v1/lineage", "/api/v1/lineage/batch"


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU milliseconds of one event."""

    server: float
    database: float
    client: float

    @property
    def all(self) -> float:
        return self.server + self.database + self.client

    @property
    def rate(self) -> float:
        """Events a second that two cores can carry: the server's threads share one of them."""
        return 1000 / max(self.server, self.all / 2)


def measure(size: float, *, with_neo4j: bool = True) -> Iterator[Figure]:
    count = max(REPEATING, int(3_000 * size))
    floor = _floor(count)
    sqlite = _sqlite_insert(count)
    progress(f"ingest: the empty route costs {floor:.3f} ms, SQLite's own insert {sqlite:.3f} ms an event")
    yield compared(
        "ingest, floor: plain SQLite insert, one fsync each",
        sqlite,
        "CPU ms/event",
        with_="empty route",
        floor=floor,
    )
    for what, repeat, batched, goal in (
        ("ingest, SQLite, jobs repeat, 8 clients", True, False, 1.5),
        ("ingest, SQLite, all new, 8 clients", False, False, 1.5),
        ("ingest, SQLite, jobs repeat, batches of 100", True, True, None),
        ("ingest, SQLite, all new, batches of 100", False, True, None),
    ):
        spent = _headwater(count, repeat=repeat, batched=batched, neo4j=None)
        progress(f"{what}: {spent}")
        yield compared(what, spent.server, "CPU ms/event", with_="empty route", floor=floor, most=goal)
    if not with_neo4j:
        return
    neo4j = servers.neo4j()
    if isinstance(neo4j, str):
        progress(f"no Neo4j: {neo4j}")
        return
    fresh = _headwater(count, repeat=False, batched=True, neo4j=neo4j)
    progress(
        f"ingest, Neo4j just started: {fresh}; now {int(WARM * size):,} events while it compiles its code"
    )
    yield _on_two_cores("ingest, Neo4j just started, all new, batches of 100", fresh, least=None)
    _headwater(max(count, int(WARM * size)), repeat=False, batched=True, neo4j=neo4j)
    for what, repeat, batched, goal in (
        ("ingest, Neo4j, jobs repeat, 8 clients", True, False, 1000.0),
        ("ingest, Neo4j, all new, 8 clients", False, False, 300.0),
        ("ingest, Neo4j, jobs repeat, batches of 100", True, True, None),
        ("ingest, Neo4j, all new, batches of 100", False, True, None),
    ):
        spent = _headwater(count, repeat=repeat, batched=batched, neo4j=neo4j)
        progress(f"{what}: {spent}")
        yield _on_two_cores(what, spent, least=goal)


def _on_two_cores(what: str, spent: Spent, *, least: float | None) -> Figure:
    return Figure(
        what,
        spent.rate,
        "events/s on 2 cores",
        f"CPU ms/event: server {spent.server:.2f}, Neo4j {spent.database:.2f}, client {spent.client:.2f}",
        least=least,
    )


def _headwater(count: int, *, repeat: bool, batched: bool, neo4j: servers.Neo4j | None) -> Spent:
    bodies, before = _bodies(count, repeat=repeat)
    if neo4j is not None:
        store = Neo4jStore(neo4j.uri, neo4j.user, neo4j.password)
        store.reset()
        store.close()
    with tempfile.TemporaryDirectory() as folder, servers.headwater(Path(folder), neo4j) as server:
        _send(server, before, batched=True)
        server.warm()
        server.settle()
        marks = server.cpu(), neo4j.cpu() if neo4j else 0.0, time.process_time()
        _send(server, bodies, batched=batched)
        server.settle()
        ends = server.cpu(), neo4j.cpu() if neo4j else 0.0, time.process_time()
    return Spent(*((end - mark) * 1000 / len(bodies) for end, mark in zip(ends, marks, strict=True)))


def _bodies(count: int, *, repeat: bool) -> tuple[list[bytes], list[bytes]]:
    """What is measured, and what is sent before."""
    if repeat:
        jobs = events.pipeline(REPEATING, namespace="bench")
        return events.turns(jobs, count=count // 2, first=1), events.turns(jobs, count=len(jobs))
    first = events.pipeline(100, namespace="before")
    jobs = events.pipeline(count // 2, namespace="bench")
    return events.turns(jobs, count=len(jobs)), events.turns(first, count=len(first))


def _send(server: servers.Server, bodies: list[bytes], *, batched: bool) -> None:
    address = server.host, server.port
    if batched:
        groups = [b"\n".join(bodies[at : at + BATCH]) for at in range(0, len(bodies), BATCH)]
        statuses = pump(address, groups, path=MANY, clients=2, kind="application/x-ndjson")
    else:
        statuses = pump(address, bodies, path=ONE, clients=CLIENTS)
    if statuses.keys() - {200, 201}:
        raise SystemExit(f"events were refused: {dict(statuses)}")


def _floor(count: int) -> float:
    bodies, before = _bodies(count, repeat=True)
    with servers.empty_route() as server:
        _send(server, before[:200], batched=False)
        mark = server.cpu()
        _send(server, bodies, batched=False)
        return (server.cpu() - mark) * 1000 / len(bodies)


def _sqlite_insert(count: int) -> float:
    bodies, _ = _bodies(count, repeat=True)
    with tempfile.TemporaryDirectory() as folder:
        connection = apsw.Connection(f"{folder}/plain.db")
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        mark = time.process_time()
        for body in bodies:
            connection.execute("INSERT INTO event (body) VALUES (?)", (body,))
        spent = (time.process_time() - mark) * 1000 / len(bodies)
        connection.close()
    return spent
