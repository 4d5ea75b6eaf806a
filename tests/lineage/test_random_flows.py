"""On any set of steps, lineage is what a slow and plain reading of the same steps gives."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater_server.lineage import Granularity, LineageDirection, lineage
from headwater_server.store.sqlite import SqliteStore
from tests.lineage.scene import Scene
from tests.lineage.seen import depths, edges

tables = st.sampled_from([f"t{n}" for n in range(7)])
steps = st.lists(
    st.tuples(
        st.sampled_from(["", "j1", "j2", "j3"]),
        st.frozensets(tables, max_size=3),
        st.frozensets(tables, max_size=2),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    store = SqliteStore(Path(tmp_path_factory.mktemp("flows")) / "graph.db")
    yield store
    store.close()


def plainly(
    flow: list[tuple[str, frozenset[str], frozenset[str]]], start: str, depth: int, *, down: bool
) -> dict[str, int]:
    """Breadth first over the pairs of tables."""
    found = {start: 0}
    for hop in range(1, depth + 1):
        for _, ins, outs in flow:
            near, far = (ins, outs) if down else (outs, ins)
            if any(found.get(table) == hop - 1 for table in near):
                for table in far:
                    found.setdefault(table, hop)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flow=steps, depth=st.sampled_from([1, 2, 3, 8, 20]), way=st.sampled_from(list(LineageDirection)))
def test_tables_are_what_a_plain_reading_of_the_steps_gives(
    empty: SqliteStore,
    flow: list[tuple[str, frozenset[str], frozenset[str]]],
    depth: int,
    way: LineageDirection,
) -> None:
    empty.reset()
    scene = Scene(empty)
    scene.dataset("t0")
    for job, ins, outs in flow:
        scene.step(job, sorted(ins), sorted(outs))
    scene.save()
    graph = lineage("db/t0", empty, direction=way, depth=depth, granularity=Granularity.DATASET)
    jobs = lineage("db/t0", empty, direction=way, depth=2 * depth, granularity=Granularity.ENTITY)
    expected: dict[str, int] = {}
    pairs: set[str] = set()
    for down in (True, False):
        if way is (LineageDirection.UPSTREAM if down else LineageDirection.DOWNSTREAM):
            continue
        reached = plainly(flow, "t0", depth, down=down)
        for table, hops in reached.items():
            expected[table] = min(hops, expected.get(table, hops))
        pairs |= {
            f"{a} DERIVES {b}"
            for _, ins, outs in flow
            for a in ins
            for b in outs
            if (a if down else b) in reached
        }
    assert depths(graph) == expected
    shown = {pair for pair in pairs if pair.split(" ")[0] in expected and pair.split(" ")[2] in expected}
    if way is LineageDirection.BOTH:  # a step met from both sides also joins what was met on either
        told = {f"{a} DERIVES {b}" for _, ins, outs in flow for a in ins for b in outs}
        assert shown <= edges(graph) <= told
    else:
        assert edges(graph) == shown
    for node in graph.nodes:
        assert node.upstream_count == len({a for _, i, o in flow for a in i if node.name in o})
        assert node.downstream_count == len({b for _, i, o in flow for b in o if node.name in i})
    if all(job for job, _, _ in flow):
        assert {node.name for node in jobs.nodes if node.kind == "DATASET"} == set(expected)
