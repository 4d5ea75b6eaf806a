"""What changed in a thing's lineage between two moments."""

from headwater_server.lineage.shapes import LineageDiff, LineageDirection
from headwater_server.store.port import GraphStore


def lineage_diff(
    ref: str,
    store: GraphStore,
    *,
    since: int,
    until: int | None = None,
    depth: int = 3,
    direction: LineageDirection = LineageDirection.BOTH,
    max_nodes: int = 2000,
    now: int | None = None,
    deadline: float | None = None,
) -> LineageDiff:
    raise NotImplementedError
