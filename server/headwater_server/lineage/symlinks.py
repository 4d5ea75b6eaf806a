"""Several names of one dataset: which of them an answer shows."""

from collections.abc import Iterable

from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import EdgeKind, Kind, at_any_time
from headwater_server.store.port import Direction, GraphStore

_FLOW = frozenset({EdgeKind.INPUT_OF, EdgeKind.OUTPUTS})
_MAX_ROUNDS = 32  # a chain of renames longer than that is cut, not followed for ever


def visible_name(node: Node, store: GraphStore) -> Node:
    """The member of the node's symlink group that answers show; itself when it is visible."""
    if node.kind is not Kind.DATASET or not node.mark:
        return node
    members = group_of(node.key, store)
    found = store.get(members)
    chosen = found.get(representative(found, _with_flow(members, store, at=None)), node)
    return chosen if not chosen.mark else node


def group_of(key: str, store: GraphStore) -> set[str]:
    """The names joined to this one, near or far."""
    members, fresh = {key}, {key}
    for _ in range(_MAX_ROUNDS):
        edges = store.expand(fresh, Direction.DOWNSTREAM, [EdgeKind.SYMLINK])
        fresh = {edge.target for edge in edges} - members
        if not fresh:
            break
        members |= fresh
    return members


def fold_names(symlinks: Iterable[Edge], store: GraphStore, *, at: int | None) -> dict[str, str]:
    """Every dataset key in these SYMLINK edges to the key that stands for its group."""
    parent: dict[str, str] = {}

    def top(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for edge in symlinks:
        one, other = top(edge.source), top(edge.target)
        if one != other:
            parent[max(one, other)] = min(one, other)
    groups: dict[str, set[str]] = {}
    for key in list(parent):
        groups.setdefault(top(key), set()).add(key)
    everybody = {key for group in groups.values() for key in group}
    nodes, flowing = store.get(everybody), _with_flow(everybody, store, at=at)
    folded = {}
    for group in groups.values():
        chosen = representative({key: nodes[key] for key in group if key in nodes}, flowing)
        for key in group:
            folded[key] = chosen or key
    return folded


def representative(nodes: dict[str, Node], flowing: set[str]) -> str:
    """Visible before hidden, living before dropped, with flow before without, then the smallest key."""
    return min(
        nodes,
        key=lambda key: (
            bool(nodes[key].mark),
            bool(nodes[key].props.get("archived")) or nodes[key].props.get("lifecycle") == "DROP",
            key not in flowing,
            key,
        ),
        default="",
    )


def _with_flow(members: Iterable[str], store: GraphStore, *, at: int | None) -> set[str]:
    kinds = _FLOW if at is None else at_any_time(_FLOW)
    members = set(members)
    found = {edge.source for edge in store.expand(members, Direction.DOWNSTREAM, kinds, at=at)}
    return found | {edge.target for edge in store.expand(members, Direction.UPSTREAM, kinds, at=at)}
