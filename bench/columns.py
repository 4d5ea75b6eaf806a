"""What breaks when a column goes: 20 tables of 10 columns, each made of two of the table before."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import cpu, events
from bench.figures import Figure, compared
from headwater_server.app import Local
from headwater_server.graph.words import COLUMN_FLOW
from headwater_server.lineage import ChangeKind, Granularity, LineageDirection, impact, lineage
from headwater_server.settings import Settings
from headwater_server.store.port import Direction
from headwater_server.store.sqlite import SqliteStore

TABLES = 20
GOAL = 50.0
QUERY = """
query ($ref: String!, $columns: [String!]) {
  impact(input: {ref: $ref, change: COLUMN_DROP, columns: $columns}) {
    summary { byKind { kind count } }
    items { edges { node { severity score distance reasons { code text } path { text } } } }
  }
}"""


def measure(size: float) -> Iterator[Figure]:
    del size  # it is small
    for parents in (1, 2):
        yield from _chain(parents)


def _chain(parents: int) -> Iterator[Figure]:
    bodies = events.chain(TABLES, parents=parents, namespace="bench")
    ref, column = "bench/t0", events.COLUMNS[0]
    key = f"column|bench|t0|{column}"
    with tempfile.TemporaryDirectory() as folder:
        local = Local(Settings(data=Path(folder)))
        local.ingest(b"\n".join(bodies))
        store = SqliteStore(Path(folder) / "graph.db")
        walked, reached = cpu.median(
            lambda: store.reach([key], Direction.DOWNSTREAM, COLUMN_FLOW, max_depth=100, limit=10_000)
        )
        drawn, graph = cpu.median(
            lambda: lineage(
                ref,
                store,
                direction=LineageDirection.DOWNSTREAM,
                depth=TABLES,
                granularity=Granularity.COLUMN,
                max_nodes=5_000,
            )
        )
        told, report = cpu.median(lambda: impact(ref, store, change=ChangeKind.COLUMN_DROP, columns=[column]))
        asked, answer = cpu.median(lambda: local.graphql(QUERY, {"ref": ref, "columns": [column]}))
        store.close()
        local.close()
    if answer.get("errors"):
        raise SystemExit(f"impact by GraphQL fails: {answer['errors']}")
    what = f"{TABLES} tables × {len(events.COLUMNS)} columns, {parents} parent{'s' * (parents > 1)} each"
    yield compared(
        f"{what}: impact of a column, {len(report.items)} items",
        told,
        "CPU ms",
        with_=f"reach of {len(reached)} columns",
        floor=walked,
        most=GOAL,
    )
    yield compared(f"{what}: the same by GraphQL", asked, "CPU ms", with_="impact", floor=told, most=GOAL)
    yield compared(
        f"{what}: column lineage, {len(graph.nodes)} nodes and {len(graph.edges)} edges",
        drawn,
        "CPU ms",
        with_="reach",
        floor=walked,
    )
