"""Nodes and edges that store tests are made of."""

from collections.abc import Iterable

from headwater_server.graph import keys, names
from headwater_server.graph.changes import Edge, EdgeKey, Node, Value
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store.port import GraphStore


def dataset(name: str, **props: Value) -> Node:
    return Node(
        keys.dataset("ns", name), Kind.DATASET, "ns", "", name, names.words(name), {"name": name, **props}
    )


def run(name: str, *, mark: str = "C", begin: str = "", job: str = "job|ns|j") -> Node:
    return Node(f"run|{name}|ns|j", Kind.RUN, job, mark, begin, props={"runId": name})


def edge(
    source: str,
    kind: EdgeKind,
    target: str,
    tag: str = "",
    since: int | None = None,
    until: int | None = None,
) -> Edge:
    return Edge(keys.dataset("ns", source), kind, keys.dataset("ns", target), tag, since, until)


def contents(store: GraphStore) -> tuple[dict[str, Node], dict[EdgeKey, Edge], dict[str, bytes]]:
    nodes = list(store.all_nodes())
    edges = list(store.all_edges())
    by_key = {node.key: node for node in nodes}
    assert len(by_key) == len(nodes)
    assert len({found.key for found in edges}) == len(edges)
    assert store.sizes() == {"nodes": len(nodes), "edges": len(edges)}
    return by_key, {found.key: found for found in edges}, store.states(by_key)


def titles(nodes: Iterable[Node]) -> list[Value]:
    return [node.props["name"] for node in nodes]
