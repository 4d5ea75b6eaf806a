"""Nodes and edges as rows of parameters, and back. Pure."""

from typing import Any

from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import PROPS, EdgeKind, Kind
from headwater_server.store.checks import edge_props, node_props

BETWEEN = "\0"  # below every character of a name, so (sort, key) and `place` have one order

_NAMES: dict[Kind, tuple[str, ...]] = {kind: tuple(names) for kind, names in PROPS.items()}


def node_row(node: Node) -> list[Any]:
    """What `statements.node_block` takes: a property left out is null, which removes it."""
    props = node_props(node)
    return [
        node.key,
        node.group,
        node.mark,
        place(node.sort, node.key),
        node.words or None,
        *[props.get(name) for name in _NAMES[node.kind]],
    ]


def edge_row(edge: Edge) -> list[Any]:
    fields: dict[str, Any] = {**edge_props(edge.props), "tag": edge.tag} if edge.props else {"tag": edge.tag}
    if edge.since is not None:
        fields["since"] = edge.since
    if edge.until is not None:
        fields["until"] = edge.until
    return [edge.source, edge.target, edge.tag, fields]


def place(sort: str, key: str) -> str:
    """One value to page by."""
    return sort + BETWEEN + key


def node_of(found: dict[str, Any]) -> Node:
    """From all properties of a node."""
    key: str = found.pop("key")
    return Node(
        key,
        Kind(found.pop("kind")),
        found.pop("grp"),
        found.pop("mark"),
        found.pop("place").partition(BETWEEN)[0],
        found.pop("words", ""),
        found,
    )


def edge_of(source: str, kind: str, target: str, found: dict[str, Any]) -> Edge:
    """From all properties of an edge."""
    return Edge(
        source,
        EdgeKind(kind),
        target,
        found.pop("tag"),
        found.pop("since", None),
        found.pop("until", None),
        found,
    )
