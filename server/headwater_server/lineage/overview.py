"""The whole graph rolled up: what a person sees first."""

from headwater_server.lineage.shapes import GroupBy, LineageFilter, LineageGraph
from headwater_server.store.port import GraphStore


def overview(
    group_by: GroupBy,
    store: GraphStore,
    *,
    only: LineageFilter | None = None,
    as_of: int | None = None,
    max_groups: int = 500,
    now: int | None = None,
    deadline: float | None = None,
) -> LineageGraph:
    """One node and one group per namespace, schema, …, with the flow between them counted."""
    raise NotImplementedError
