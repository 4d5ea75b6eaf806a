"""Walks: what can be reached, and lineage as it is answered, from 10,000 to 10 million edges and over whole pipelines."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import apsw

from bench import cpu, events, graphs, servers
from bench.client import pump
from bench.figures import Figure, compared, progress
from headwater_server.graph.words import TABLE_FLOW, EdgeKind
from headwater_server.lineage import Granularity, LineageDirection, LineageGraph, lineage
from headwater_server.store.neo4j import Neo4jStore
from headwater_server.store.port import Direction, GraphStore
from headwater_server.store.sqlite import SqliteStore

EVERYTHING = 1_000_000
BARE = """
WITH RECURSIVE found(id) AS (
  SELECT id FROM node WHERE key = ?1
  UNION
  SELECT e.dst FROM found CROSS JOIN edge AS e ON e.src = found.id AND e.kind IN (?2, ?3)
)
SELECT count(*) FROM found"""
"""What SQLite itself needs to find the set, without distances and without a key to name one by."""
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def measure(size: float, *, with_neo4j: bool = True) -> Iterator[Figure]:
    for edges in SIZES:
        if edges <= max(100_000, SIZES[-1] * size):
            yield from _embedded(edges)
    for jobs in (2_000, 10_000):
        if jobs <= 10_000 * size:
            yield from _pipeline(jobs)
    if not with_neo4j:
        return
    neo4j = servers.neo4j()
    if isinstance(neo4j, str):
        progress(f"no Neo4j: {neo4j}")
        return
    store = Neo4jStore(neo4j.uri, neo4j.user, neo4j.password)
    for edges in SIZES[:3]:
        if edges <= max(10_000, 1_000_000 * size):
            yield from _in_neo4j(store, neo4j, edges)
    store.close()


def _embedded(edges: int) -> Iterator[Figure]:
    store, graph = graphs.in_sqlite(edges)
    bare, reachable = bare_walk(store, graph.start)
    spent, found = cpu.median(lambda: _reach(store, graph.start))
    assert len(found) == reachable - 1, (len(found), reachable)
    yield compared(
        f"reach, SQLite, {len(found):,} of {_count(edges)} edges",
        spent,
        "CPU ms",
        with_="recursive CTE",
        floor=bare,
        most=100.0 if edges == SIZES[-1] else None,
    )
    answered, answer = cpu.median(lambda: _lineage(store, graph.start, 20), times=5)
    yield compared(
        f"lineage, SQLite, depth 20, {len(answer.nodes):,} tables and {len(answer.edges):,} edges of {_count(edges)}",
        answered,
        "CPU ms",
        with_="reach of all",
        floor=spent,
    )
    store.close()


def _in_neo4j(store: Neo4jStore, server: servers.Neo4j, edges: int) -> Iterator[Figure]:
    graph = graphs.in_neo4j(store, edges)
    for _ in range(5):  # the first ones are planned and compiled
        _reach(store, graph.start)
    mark, times = server.cpu(), 10
    spent, found = cpu.median(lambda: _reach(store, graph.start), times=times - 1)
    yield Figure(
        f"reach, Neo4j, {len(found):,} of {_count(edges)} edges",
        (server.cpu() - mark) * 1000 / times + spent,
        "CPU ms",
        f"of which this process: {spent:.1f}",
    )
    for _ in range(2):
        _lineage(store, graph.start, 20)
    mark, times = server.cpu(), 5
    spent, answer = cpu.median(lambda: _lineage(store, graph.start, 20), times=times - 1)
    yield Figure(
        f"lineage, Neo4j, depth 20, {len(answer.nodes):,} tables and {len(answer.edges):,} edges of {_count(edges)}",
        (server.cpu() - mark) * 1000 / times + spent,
        "CPU ms",
        f"of which this process: {spent:.1f}",
    )


def _pipeline(jobs: int) -> Iterator[Figure]:
    """A pipeline of 20 layers, sent as events; asked from its middle, both ways, 20 hops far."""
    bodies = [body for job in events.pipeline(jobs, namespace="bench") for body in job.events(0.0)]
    node, goal = "t10_0", 15.0 if jobs <= 2_000 else 100.0
    with tempfile.TemporaryDirectory() as folder:
        with servers.headwater(Path(folder)) as server:
            for at in range(0, len(bodies), 200):
                pump(
                    (server.host, server.port),
                    [b"\n".join(bodies[at : at + 200])],
                    path="/api/v1/lineage/batch",
                    clients=1,
                    kind="application/x-ndjson",
                )
            server.settle()
            asked = _asked(server, f"/api/v1/lineage?nodeId={quote(f'dataset:bench:{node}')}&depth=20")
        store = SqliteStore(Path(folder) / "graph.db")
        key = f"dataset|bench|{node}"
        bare = sum(bare_walk(store, key, down=down)[0] for down in (True, False))
        walked, reached = cpu.median(
            lambda: [
                len(_reach(store, key, direction=way, depth=40))
                for way in (Direction.UPSTREAM, Direction.DOWNSTREAM)
            ]
        )
        answered, answer = cpu.median(
            lambda: _lineage(store, key, 20, direction=LineageDirection.BOTH, granularity=Granularity.ENTITY),
            times=5,
        )
        store.close()
    what = f"depth 20 of {jobs:,} jobs"
    yield compared(
        f"{what}: reach both ways, {sum(reached):,} nodes",
        walked,
        "CPU ms",
        with_="recursive CTE",
        floor=bare,
        most=goal,
    )
    yield compared(
        f"{what}: lineage, {len(answer.nodes):,} nodes and {len(answer.edges):,} edges",
        answered,
        "CPU ms",
        with_="reach",
        floor=walked,
    )
    if asked is not None:
        yield compared(
            f"{what}: GET /api/v1/lineage, {asked[1] / 1e6:.1f} MB",
            asked[0],
            "CPU ms of the server",
            with_="lineage",
            floor=answered,
        )


def _asked(server: servers.Server, path: str, *, times: int = 5) -> tuple[float, int] | None:
    """The server's CPU for one answer, and its bytes."""
    connection = server.connect()
    status, body = connection.get(path)
    if status != 200:
        progress(f"GET {path} answers {status}: not measured")
        return None
    mark = server.cpu()
    for _ in range(times):
        connection.get(path)
    spent = (server.cpu() - mark) * 1000 / times
    connection.close()
    return spent, len(body)


def bare_walk(store: SqliteStore, key: str, *, down: bool = True) -> tuple[float, int]:
    """CPU of the CTE on the same file, and how many it finds, the start too."""
    writer = store._writer  # noqa: SLF001 - for its path and its numbers of kinds
    connection = apsw.Connection(writer._path)  # noqa: SLF001
    connection.pragma("cache_size", -16384)
    kinds = writer.kinds[EdgeKind.INPUT_OF], writer.kinds[EdgeKind.OUTPUTS]
    query = BARE if down else BARE.replace("e.dst", "e.*").replace("e.src", "e.dst").replace("e.*", "e.src")
    spent, [(found,)] = cpu.median(lambda: connection.execute(query, (key, *kinds)).fetchall())
    connection.close()
    return spent, int(str(found))


def _reach(
    store: GraphStore, start: str, *, direction: Direction = Direction.DOWNSTREAM, depth: int = 400
) -> dict[str, int]:
    return store.reach([start], direction, TABLE_FLOW, max_depth=depth, limit=EVERYTHING)


def _lineage(
    store: GraphStore,
    start: str,
    depth: int,
    *,
    direction: LineageDirection = LineageDirection.DOWNSTREAM,
    granularity: Granularity = Granularity.DATASET,
) -> LineageGraph:
    return lineage(
        start,
        store,
        direction=direction,
        depth=depth,
        granularity=granularity,
        max_nodes=20_000,
        details=False,
    )


def _count(edges: int) -> str:
    return f"{edges // 1_000_000} M" if edges >= 1_000_000 else f"{edges // 1_000} k"
