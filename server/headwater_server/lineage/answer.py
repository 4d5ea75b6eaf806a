"""Lineage of one thing: what the walk found, folded into the graph that a person sees."""

from headwater_server.lineage.shapes import (
    Granularity,
    LineageDirection,
    LineageFilter,
    LineageGraph,
)
from headwater_server.store.port import GraphStore


def lineage(
    ref: str,
    store: GraphStore,
    *,
    direction: LineageDirection = LineageDirection.BOTH,
    depth: int = 2,
    granularity: Granularity = Granularity.ENTITY,
    as_of: int | None = None,
    only: LineageFilter | None = None,
    max_nodes: int = 500,
    now: int | None = None,
    deadline: float | None = None,
) -> LineageGraph:
    """What the thing is made of and what is made of it.

    `deadline` is a `time.monotonic()`; without one it is 10 s from now. Past it the answer is what
    was found until then, `truncated`.
    """
    raise NotImplementedError
