"""What changed in a thing's lineage between two moments."""

import time

from headwater_server.lineage.answer import lineage
from headwater_server.lineage.shapes import (
    Granularity,
    LineageDiff,
    LineageDirection,
    LineageEdge,
    ShownEdgeKind,
)
from headwater_server.store.port import GraphStore


def lineage_diff(
    ref: str,
    store: GraphStore,
    *,
    since: int,
    until: int | None = None,
    depth: int = 3,
    direction: LineageDirection = LineageDirection.BOTH,
    granularity: Granularity = Granularity.ENTITY,
    max_nodes: int = 2000,
    now: int | None = None,
    deadline: float | None = None,
) -> LineageDiff:
    """The lineage at `until` (now by default), what of it is new, and what is gone since `since`."""
    now = time.time_ns() // 1000 if now is None else now
    before = lineage(
        ref,
        store,
        direction=direction,
        depth=depth,
        granularity=granularity,
        as_of=since,
        max_nodes=max_nodes,
        details=False,
        now=now,
        deadline=deadline,
    )
    after = lineage(
        ref,
        store,
        direction=direction,
        depth=depth,
        granularity=granularity,
        as_of=until,
        max_nodes=max_nodes,
        now=now,
        deadline=deadline,
    )
    there, here = {node.id for node in before.nodes}, {node.id for node in after.nodes}
    told = {_ends(edge) for edge in before.edges}
    tell = {_ends(edge) for edge in after.edges}
    return LineageDiff(
        from_=since,
        to=now if until is None else until,
        graph=after,
        added_nodes=tuple(node.id for node in after.nodes if node.id not in there),
        removed_nodes=tuple(node.id for node in before.nodes if node.id not in here),
        added_edges=tuple(n for n, edge in enumerate(after.edges) if _ends(edge) not in told),
        removed_edges=tuple(edge for edge in before.edges if _ends(edge) not in tell),
    )


def _ends(edge: LineageEdge) -> tuple[str, str, ShownEdgeKind]:
    return edge.source, edge.target, edge.kind
