"""Impact must not pay for runs: its cost with none, a thousand and many on each job of a pipeline."""

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bench import cpu, servers
from bench.figures import Figure, compared, progress
from headwater_server.graph import keys, times
from headwater_server.graph.changes import Changeset, Edge, Node, Value
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage import ChangeKind, impact
from headwater_server.store.neo4j import Neo4jStore
from headwater_server.store.port import Applied, GraphStore
from headwater_server.store.sqlite import SqliteStore

TABLES = 20
NAMESPACE = "bench"
STEP = 2_000
"""Runs in one changeset."""


def measure(size: float, *, with_neo4j: bool = True) -> Iterator[Figure]:
    many = max(10_000, int(100_000 * size))
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "graph.db")
        yield from _measured(store, "SQLite", (0, 1_000, many), lambda: cpu.median(lambda: _impact(store))[0])
        store.close()
    if not with_neo4j:
        return
    neo4j = servers.neo4j()
    if isinstance(neo4j, str):
        progress(f"no Neo4j: {neo4j}")
        return
    there = Neo4jStore(neo4j.uri, neo4j.user, neo4j.password)
    there.reset()
    yield from _measured(there, "Neo4j", (0, 1_000, max(2_000, many // 10)), lambda: float(_hits(there)))
    there.close()


def _measured(store: GraphStore, name: str, counts: tuple[int, ...], cost: Any) -> Iterator[Figure]:
    store.apply(_pipeline(), upto=Applied(1, "bench"))
    done, without = 0, 0.0
    unit = "CPU ms" if name == "SQLite" else "database hits"
    for count in counts:
        progress(f"{name}: {count:,} runs on each of 2 jobs")
        runs = _runs(done, count)
        while some := list(islice(runs, STEP)):
            nodes = tuple(node for more, _ in some for node in more)
            edges = tuple(edge for _, more in some for edge in more)
            store.apply(Changeset(nodes=nodes, edges=edges), upto=Applied(1, "bench"))
        done, spent = count, cost()
        what = f"impact, {name}, {count:,} runs on each job it starts from"
        if count == 0:
            spent = without = cost()  # again: the interpreter is warm now, as it is for the next ones
            yield Figure(what, spent, unit)
        else:
            yield compared(what, spent, unit, with_="no run", floor=without, most=without * 1.1)


def _impact(store: GraphStore) -> Any:
    return impact(f"{NAMESPACE}/t0", store, change=ChangeKind.SCHEMA_CHANGE)


def _hits(store: Neo4jStore) -> int:
    """All database hits of one impact, each of its statements profiled."""
    sessions: Any = store._sessions  # noqa: SLF001 - the one place that sees every statement
    ask, hits = sessions.read_one, 0

    def profiled(statement: str, **values: Any) -> list[Any]:
        nonlocal hits
        with sessions._driver.session(database=sessions._database) as session:  # noqa: SLF001
            result = session.run("PROFILE " + statement, values)
            answer = list(result.single(strict=True).values())
            hits += _under(result.consume().profile)
        return answer

    sessions.read_one = profiled
    try:
        _impact(store)
    finally:
        sessions.read_one = ask
    return hits


def _under(plan: dict[str, Any]) -> int:
    return int(plan.get("dbHits", 0)) + sum(_under(child) for child in plan.get("children", ()))


def _table(at: int) -> str:
    return keys.dataset(NAMESPACE, f"t{at}")


def _job(at: int) -> str:
    return keys.job(NAMESPACE, f"j{at}")


def _pipeline() -> Changeset:
    """t0 → j0 → t1 → j1 → … and two more tables that each job writes."""
    nodes, edges = [Node(_table(0), Kind.DATASET, group=NAMESPACE, sort="t0", props={"name": "t0"})], []
    for at in range(TABLES):
        step = keys.key(Kind.STEP, f"{at:024d}")
        name = f"t{at + 1}"
        nodes.append(Node(_table(at + 1), Kind.DATASET, group=NAMESPACE, sort=name, props={"name": name}))
        nodes.append(Node(_job(at), Kind.JOB, group=NAMESPACE, sort=f"j{at}", props={"name": f"j{at}"}))
        nodes.append(Node(step, Kind.STEP, group=_job(at), props={"job": _job(at), "evidence": "CARTESIAN"}))
        edges.append(Edge(step, EdgeKind.STEP_OF, _job(at)))
        edges.append(Edge(_table(at), EdgeKind.INPUT_OF, step, since=1))
        edges.append(Edge(_table(at), EdgeKind.FEEDS_WHOLE, step, since=1))
        edges.append(Edge(step, EdgeKind.OUTPUTS, _table(at + 1), since=1))
    return Changeset(nodes=tuple(nodes), edges=tuple(edges))


def _runs(first: int, end: int) -> Iterator[tuple[list[Node], list[Edge]]]:
    """As the projector writes a run, of the first two jobs."""
    for number in range(first, end):
        for job in (0, 1):
            begin = 1_760_000_000_000_000 + number * 60_000_000
            run_id = f"{number:08d}-0000-4000-8000-{job:012d}"
            run = keys.run(run_id, _job(job))
            version = keys.key(Kind.DATASET_VERSION, NAMESPACE, f"t{job + 1}", run_id)
            at = times.sortable(begin)
            props: dict[str, Value] = {
                "runId": run_id,
                "job": _job(job),
                "state": "COMPLETE",
                "started": begin,
            }
            made: dict[str, Value] = {
                "dataset": _table(job + 1),
                "version": run_id,
                "run": run,
                "created": begin,
            }
            yield (
                [
                    Node(run, Kind.RUN, group=_job(job), mark="C", sort=at, props=props),
                    Node(version, Kind.DATASET_VERSION, group=_table(job + 1), sort=at, props=made),
                ],
                [
                    Edge(run, EdgeKind.RUN_OF, _job(job), since=begin),
                    Edge(run, EdgeKind.READ, _table(job), since=begin),
                    Edge(run, EdgeKind.WROTE, version, since=begin),
                    Edge(version, EdgeKind.VERSION_OF, _table(job + 1)),
                ],
            )
