"""How Neo4j plans our statements: seeks, no hidden read of everything, walks that prune."""

from collections.abc import Iterator
from typing import Any

import neo4j
import pytest

from headwater_server.graph import keys
from headwater_server.graph.changes import Changeset, Edge, Node
from headwater_server.graph.words import COLUMN_FLOW, TABLE_FLOW, EdgeKind, Kind, at_any_time
from headwater_server.store.neo4j import Neo4jStore, schema, statements
from headwater_server.store.port import Applied, Direction
from tests.neo4j_server import Server

pytestmark = pytest.mark.neo4j

PRUNING = "VarLengthExpand(Pruning,BFS,All)"
VALUES: dict[str, Any] = {
    "key": "k", "keys": ["k", "l"], "kind": "Run", "kinds": ["Run"], "marks": ["C", "T"], "group": "g",
    "after": "a", "before": "b", "limit": 20, "prefix": "run|", "at": 5, "max": 9, "query": "a*", "drops": [],
    "seq": 1, "log": "", "writer": "", "version": 1,
    "rows": [[] for _ in ("states", *Kind, *EdgeKind)],
}  # fmt: skip
FLOWS = {
    "tables": TABLE_FLOW,
    "columns": COLUMN_FLOW,
    "tables then": at_any_time(TABLE_FLOW),
    "columns then": at_any_time(COLUMN_FLOW),
    "one": frozenset({EdgeKind.FEEDS_WHOLE}),
}


@pytest.fixture(scope="module")
def session(neo4j_server: Server, one_neo4j_store: Neo4jStore) -> Iterator[neo4j.Session]:
    """Over a graph of some size: of a few nodes that other tests left behind, the planner may scan all."""
    one_neo4j_store.reset()
    one_neo4j_store.apply(shop(), upto=Applied(1, "log"))
    one_neo4j_store.apply(many_runs(0, 1_000), upto=Applied(2, "log"))
    with (
        neo4j.GraphDatabase.driver(
            neo4j_server.uri, auth=(neo4j_server.user, neo4j_server.password)
        ) as driver,
        driver.session(database=neo4j_server.database) as opened,
    ):
        opened.run("CALL db.prepareForReplanning()").consume()
        yield opened


def operators(plan: Any) -> list[str]:
    """Of the plan and all below it, as `NodeIndexSeek`."""
    name = plan["operatorType"].split("@")[0]
    return [name, *[below for child in plan.get("children", []) for below in operators(child)]]


def planned(session: neo4j.Session, statement: str) -> list[str]:
    summary = session.run("EXPLAIN " + statement, VALUES).consume()
    return operators(summary.plan)


def hits(session: neo4j.Session, statement: str, **values: Any) -> int:
    def total(plan: Any) -> int:
        return int(plan.get("dbHits", 0)) + sum(total(child) for child in plan.get("children", []))

    session.run(statement, VALUES | values).consume()
    return total(session.run("PROFILE " + statement, VALUES | values).consume().profile)


def is_seek(operator: str) -> bool:
    """MergeUniqueNode, of the calendar releases, seeks and makes in one."""
    return operator.startswith(("NodeUniqueIndexSeek", "NodeIndexSeek", "MergeUniqueNode"))


def scans(found: list[str]) -> list[str]:
    return [operator for operator in found if "Scan" in operator or operator == "CartesianProduct"]


LOOK_UPS = {
    "GET": statements.GET,
    "STATES": statements.STATES,
    "STARTING": statements.STARTING,
    "COUNT": statements.COUNT,
    "COUNT_IN_GROUP": statements.COUNT_IN_GROUP,
    "GROUPS": statements.GROUPS,
    "ALL_NODES": statements.ALL_NODES,
    "ALL_EDGES": statements.ALL_EDGES,
    "APPLIED": statements.APPLIED,
    "MISSING": statements.MISSING,
    "PRUNE": statements.PRUNE,
    "drop": statements.drop(EdgeKind.DERIVES),
    "expand": statements.expand((EdgeKind.INPUT_OF,), Direction.UPSTREAM, at=True, limited=False),
    "expand, limited": statements.expand((EdgeKind.INPUT_OF,), Direction.DOWNSTREAM, at=False, limited=True),
}


@pytest.mark.parametrize("name", LOOK_UPS)
def test_every_look_up_seeks(session: neo4j.Session, name: str) -> None:
    found = planned(session, LOOK_UPS[name])
    assert any(is_seek(operator) for operator in found), found
    assert not [operator for operator in scans(found) if operator != "CartesianProduct"], found


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("group", [False, True])
def test_a_page_is_seeks_that_stop_without_a_sort(
    session: neo4j.Session, *, group: bool, bounded: bool, reverse: bool
) -> None:
    found = planned(session, statements.page(group=group, bounded=bounded, reverse=reverse))
    assert "NodeIndexSeek" in found
    assert "Limit" in found
    assert not {"Sort", "Top", "PartialSort", "PartialTop", "NodeByLabelScan"} & set(found), found


@pytest.mark.parametrize("reverse", [False, True])
def test_the_pages_of_many_groups_are_such_seeks_too(session: neo4j.Session, *, reverse: bool) -> None:
    found = planned(session, statements.pages(reverse=reverse))
    assert "NodeIndexSeek" in found
    assert "Limit" in found
    assert not {"Sort", "Top", "PartialSort", "PartialTop", "NodeByLabelScan"} & set(found), found


def test_the_rows_of_many_groups_are_such_seeks_too(session: neo4j.Session) -> None:
    found = planned(session, statements.rows(("name", "type")))
    assert "NodeIndexSeek" in found
    assert "Limit" in found
    assert not {"Sort", "Top", "PartialSort", "PartialTop", "NodeByLabelScan"} & set(found), found


def test_sizes_are_read_from_the_count_store(session: neo4j.Session) -> None:
    found = planned(session, statements.SIZES)
    assert "NodeCountFromCountStore" in found
    assert "RelationshipCountFromCountStore" in found


BLOCKS = (
    {f"node {kind}": statements.node_block(kind, 1) for kind in Kind}
    | {f"edge {kind}": statements.edge_block(kind, 1) for kind in EdgeKind}
    | {"states": statements.STATE_BLOCK}
)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_of_the_write_seeks_and_reads_nothing_ahead(session: neo4j.Session, name: str) -> None:
    found = planned(session, BLOCKS[name])
    assert "Eager" not in found
    assert any(is_seek(operator) for operator in found), found
    assert not [operator for operator in scans(found) if operator != "CartesianProduct"], found


@pytest.mark.parametrize("at", [False, True])
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("flow", FLOWS)
def test_every_walk_prunes(session: neo4j.Session, flow: str, direction: Direction, *, at: bool) -> None:
    kinds = statements.kinds_in_order(FLOWS[flow])
    for depth in (*statements.DEPTHS, None):
        for one in (False, True):
            found = planned(session, statements.reach(kinds, direction, at=at, depth=depth, one=one))
            assert found.count(PRUNING) == 1, found
            assert not [
                operator for operator in found if operator.startswith("VarLength") and operator != PRUNING
            ]
            assert any(is_seek(operator) for operator in found), found
            assert not scans(found), found


def test_what_is_written_is_indexed_as_the_schema_says(session: neo4j.Session) -> None:
    names = session.run("SHOW INDEXES YIELD name, state RETURN collect([name, state])").single(strict=True)[0]
    for name in ("headwater_node", "headwater_state", "headwater_page", "headwater_group", "headwater_words"):
        assert [name, "ONLINE"] in names
    assert schema.VERSION == 1


def shop(width: int = 12) -> Changeset:
    """Layers of datasets, joined by steps of one job."""
    job = keys.job("airflow", "load")
    nodes, edges = [Node(job, Kind.JOB)], []
    layer = [keys.dataset("ns", f"0.{i}") for i in range(width)]
    for depth in range(1, 8):
        step = keys.key(Kind.STEP, str(depth))
        below = [keys.dataset("ns", f"{depth}.{i}") for i in range(width)]
        nodes += [Node(step, Kind.STEP, job), *[Node(key, Kind.DATASET) for key in layer]]
        edges += [Edge(step, EdgeKind.STEP_OF, job)]
        edges += [Edge(key, EdgeKind.INPUT_OF, step) for key in layer]
        edges += [Edge(step, EdgeKind.OUTPUTS, key) for key in below]
        layer = below
    nodes += [Node(key, Kind.DATASET) for key in layer]
    return Changeset(nodes=tuple(nodes), edges=tuple(edges))


def many_runs(first: int, last: int) -> Changeset:
    """Runs of the job, each of which read the first dataset and wrote two others."""
    job = keys.job("airflow", "load")
    runs = [keys.run(str(i), job) for i in range(first, last)]
    edges = []
    for run in runs:
        edges += [
            Edge(run, EdgeKind.RUN_OF, job),
            Edge(run, EdgeKind.READ, keys.dataset("ns", "0.0")),
            Edge(run, EdgeKind.WROTE, keys.dataset("ns", "1.0")),
            Edge(run, EdgeKind.WROTE, keys.dataset("ns", "1.1")),
        ]
    nodes = tuple(Node(run, Kind.RUN, job, "C", f"{i:018d}") for i, run in enumerate(runs, start=first))
    return Changeset(nodes=nodes, edges=tuple(edges))


def test_a_walk_costs_the_same_at_ten_thousand_runs(session: neo4j.Session, neo4j_store: Neo4jStore) -> None:
    job = keys.job("airflow", "load")
    start = keys.dataset("ns", "0.0")
    middle = keys.dataset("ns", "4.0")
    kinds = statements.kinds_in_order(TABLE_FLOW)

    def cost() -> dict[str, int]:
        down = statements.reach(kinds, Direction.DOWNSTREAM, at=False, depth=None, one=True)
        up = statements.reach(kinds, Direction.UPSTREAM, at=False, depth=None, one=True)
        then = statements.reach(
            statements.kinds_in_order(at_any_time(TABLE_FLOW)),
            Direction.DOWNSTREAM,
            at=True,
            depth=None,
            one=True,
        )
        level = statements.expand(kinds, Direction.DOWNSTREAM, at=False, limited=False)
        return {
            "down": hits(session, down, key=start, max=99, limit=10_000),
            "up": hits(session, up, key=middle, max=99, limit=10_000),
            "then": hits(session, then, key=start, max=99, limit=10_000),
            "level": hits(session, level, keys=[start]),
        }

    neo4j_store.apply(shop(), upto=Applied(1, "log"))
    assert len(neo4j_store.reach([start], Direction.DOWNSTREAM, kinds, max_depth=99, limit=9999)) == 7 * 13
    before = cost()
    for first in range(0, 10_000, 2_500):
        neo4j_store.apply(many_runs(first, first + 2_500), upto=Applied(first, "log"))
    session.run("CALL db.prepareForReplanning()").consume()  # Neo4j counts by itself, a while later
    after = cost()
    for name, was in before.items():
        assert after[name] <= was * 1.01 + 5, (before, after)

    page = statements.page(group=True, bounded=False, reverse=True)
    newest = hits(session, page, kind="Run", marks=["C", "T", "R"], group=job, after="", limit=20)
    assert newest < 400  # of 10,000 runs
    assert len(neo4j_store.page(Kind.RUN, marks=["C"], group=job, reverse=True, limit=20)) == 20
    pages = statements.pages(reverse=True)
    of_each = hits(session, pages, kind="Run", marks=["C", "T", "R", "F"], groups=[job, start], limit=1)
    assert of_each < 60  # of 10,000 runs
    assert len(neo4j_store.pages(Kind.RUN, [job], marks=["C"], reverse=True, limit=1)[job]) == 1
