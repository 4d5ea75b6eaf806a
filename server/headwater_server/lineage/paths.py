"""The ways from one thing to another, shortest first."""

from headwater_server.lineage.shapes import Granularity, LineagePath
from headwater_server.store.port import GraphStore


def paths(
    ref: str,
    store: GraphStore,
    *,
    to: str,
    granularity: Granularity = Granularity.ENTITY,
    as_of: int | None = None,
    limit: int = 10,
    depth: int = 50,
    now: int | None = None,
    deadline: float | None = None,
) -> tuple[LineagePath, ...]:
    """At most `limit` simple paths along the flow; none when nothing flows from one to the other."""
    raise NotImplementedError
