"""Graphs to walk, made without events: communities of layered tables and steps, as many as the edges ask for."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from bench.figures import progress
from bench.kept import cache
from headwater_server.graph.changes import Changeset, Edge, Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store.neo4j import Neo4jStore
from headwater_server.store.port import Applied
from headwater_server.store.sqlite import SqliteStore

WIDTH = 50
"""Nodes of a layer."""
FAN = 10
"""Edges that leave a node."""
LAYERS = 200
"""Of a community: 10,000 nodes, 99,500 edges. Tables and steps take turns."""
LOG = "bench"


class Communities:
    """About so many edges. From the first table of one, all later layers of its community can be reached."""

    def __init__(self, edges: int) -> None:
        self.layers = min(LAYERS, edges // (WIDTH * FAN) + 1)
        self.count = max(1, edges // ((self.layers - 1) * WIDTH * FAN))
        self.start = _key(0, 0, 0)

    def nodes(self) -> Iterator[Node]:
        for community in range(self.count):
            for layer in range(self.layers):
                for at in range(WIDTH):
                    key = _key(community, layer, at)
                    if layer % 2:
                        yield Node(key, Kind.STEP, props={"evidence": "CARTESIAN"})
                    else:
                        name = key.rpartition("|")[2]
                        yield Node(
                            key,
                            Kind.DATASET,
                            group=_NAMESPACE,
                            sort=name,
                            props={"namespace": _NAMESPACE, "name": name},
                        )

    def edges(self) -> Iterator[Edge]:
        for community in range(self.count):
            for layer in range(self.layers - 1):
                kind = EdgeKind.OUTPUTS if layer % 2 else EdgeKind.INPUT_OF
                for at in range(WIDTH):
                    source = _key(community, layer, at)
                    for way in range(FAN):
                        yield Edge(source, kind, _key(community, layer + 1, _target(at, way)), since=1)

    def rows(self, kinds: dict[str, int]) -> Iterator[tuple[int, int, int, int, int, None, str]]:
        """The edges as the embedded store keeps them, in the order of its table."""
        size = self.layers * WIDTH
        numbers = kinds[EdgeKind.INPUT_OF], kinds[EdgeKind.OUTPUTS]
        ways = [sorted(_target(at, way) for way in range(FAN)) for at in range(WIDTH)]
        for community in range(self.count):
            for layer in range(self.layers - 1):
                first = 1 + community * size + layer * WIDTH
                for at in range(WIDTH):
                    for far in ways[at]:
                        yield first + at, numbers[layer % 2], first + WIDTH + far, 0, 1, None, "{}"


_NAMESPACE = "postgres://warehouse:5433"


def _key(community: int, layer: int, at: int) -> str:
    if layer % 2:
        return f"step|{community:04d}{layer:03d}{at:02d}7b3f0a9c6d21e"
    return f"dataset|{_NAMESPACE}|shop{community:04d}.layer{layer:03d}.table_{at:02d}"


def _target(at: int, way: int) -> int:
    """A node of the next layer; ten different ones."""
    return (at * 7 + way * 3) % WIDTH


def in_sqlite(edges: int) -> tuple[SqliteStore, Communities]:
    """Made once: the file is kept among the temporary ones."""
    graph = Communities(edges)
    path = cache() / f"communities-{edges}.db"
    if path.exists():
        store = SqliteStore(path)
        if store.applied() == Applied(edges, LOG):
            return store, graph
        store.close()
        path.unlink()
    progress(f"making a graph of {edges:,} edges in {path}")
    store = SqliteStore(path)
    _fill(store, graph, edges)
    return store, graph


def _fill(store: SqliteStore, graph: Communities, edges: int) -> None:
    """Rows in the order of the tables, through the store's own connection: seconds instead of minutes."""
    writer: Any = store._writer  # noqa: SLF001 - a way past `apply` that only a benchmark may take
    connection, kinds = writer._connection, writer.kinds  # noqa: SLF001
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("DROP INDEX edge_in")
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        "INSERT INTO node (id, key, kind, grp, mark, sort, words, props) VALUES (?, ?, ?, ?, '', ?, '', ?)",
        (
            (number, node.key, kinds[node.kind], node.group, node.sort, _props(node))
            for number, node in enumerate(graph.nodes(), 1)
        ),
    )
    connection.executemany("INSERT INTO edge VALUES (?, ?, ?, ?, ?, ?, ?)", graph.rows(kinds))
    connection.execute("CREATE INDEX edge_in ON edge (dst, kind, src, tag)")
    connection.execute("UPDATE applied SET seq = ?, log = ?", (edges, LOG))
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _props(node: Node) -> str:
    import orjson

    return orjson.dumps(node.props).decode()


def in_neo4j(store: Neo4jStore, edges: int) -> Communities:
    """By `apply`, as ingest would."""
    graph = Communities(edges)
    store.reset()
    progress(f"making a graph of {edges:,} edges in Neo4j")
    nodes, flow = graph.nodes(), graph.edges()
    while some := tuple(islice(nodes, 5_000)):
        store.apply(Changeset(nodes=some), upto=Applied(1, LOG))
    while more := tuple(islice(flow, 10_000)):
        store.apply(Changeset(edges=more), upto=Applied(1, LOG))
    return graph
