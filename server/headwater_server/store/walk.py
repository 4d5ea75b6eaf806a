"""A walk over the graph, level by level: what `GraphStore.reach` promises, said once."""

from collections.abc import Iterable
from typing import Protocol

from headwater_server.graph.changes import Edge
from headwater_server.graph.words import EdgeKind
from headwater_server.store.port import Direction


class Expand(Protocol):
    """`GraphStore.expand`: one level."""

    def __call__(
        self,
        keys: Iterable[str],
        direction: Direction,
        kinds: Iterable[EdgeKind],
        *,
        at: int | None = None,
        limit: int | None = None,
    ) -> list[Edge]: ...


def reach(
    expand: Expand,
    keys: Iterable[str],
    direction: Direction,
    kinds: Iterable[EdgeKind],
    *,
    at: int | None = None,
    max_depth: int,
    limit: int,
) -> dict[str, int]:
    """Which nodes can be reached, and over how few edges; see `GraphStore.reach`.

    One `expand` per level. A node is expanded once, so cycles end and the cost is the edges'.
    """
    kinds = tuple(kinds)
    frontier = list(dict.fromkeys(keys))
    expanded = set(frontier)
    found: dict[str, int] = {}
    for depth in range(1, max_depth + 1):
        if not frontier or len(found) >= limit:
            break
        fresh = []
        for edge in expand(frontier, direction, kinds, at=at):
            other = edge.target if direction is Direction.DOWNSTREAM else edge.source
            if other in found:
                continue
            if len(found) >= limit:
                return found
            found[other] = depth
            if other not in expanded:
                expanded.add(other)
                fresh.append(other)
        frontier = fresh
    return found
