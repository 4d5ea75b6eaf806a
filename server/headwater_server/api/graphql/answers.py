"""The graph answers: flat lists of plain rows, as `lineage` made them.

The rows are the frozen values of `lineage.shapes` themselves; the classes here say only what of them is shown.
"""

import time
from typing import Any, cast

import strawberry

from headwater_server.api.graphql import limits
from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.entity import Entity
from headwater_server.api.graphql.enums import (
    EdgeOrigin,
    EntityKind,
    EvidenceKind,
    Granularity,
    LineageDirection,
    RunState,
    ShownEdgeKind,
    TransformationType,
)
from headwater_server.api.graphql.info import Info, loader_of
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.scalars import DateTime, TimePoint
from headwater_server.errors import Invalid
from headwater_server.lineage import lineage, moment, shapes

_IN_THE_WALK = [Cost(weight=0, multipliers=[])]
"""The field above has been multiplied by the most nodes that there can be."""


@strawberry.type
class LineageNode:
    id: strawberry.ID
    urn: str
    kind: EntityKind
    name: str
    namespace: str | None
    platform: str | None
    depth: int
    upstream_count: int
    downstream_count: int
    hidden_upstream: int
    hidden_downstream: int
    parent_id: strawberry.ID | None
    group_id: strawberry.ID | None
    status: RunState | None
    stage: str | None
    tags: list[str]
    column_count: int | None
    archived: bool
    updated_at: DateTime | None
    restricted: bool = strawberry.field(description="There, but who asks may not know what it is")
    key: strawberry.Private[str]

    @strawberry.field(description="Resolves the full object; leave it out for big graphs")
    def entity(self, info: Info) -> Entity | None:
        found: Entity | None = loader_of(info).meet(self.key)
        return found


@strawberry.type
class LineageEdge:
    source: strawberry.ID
    target: strawberry.ID
    kind: ShownEdgeKind
    evidence: EvidenceKind
    transformation: TransformationType | None
    subtype: str | None
    masking: bool | None
    via: strawberry.ID | None
    confidence: float
    origin: EdgeOrigin
    first_seen: DateTime
    last_seen: DateTime
    count: int
    weight: float | None = strawberry.field(
        default=None,
        description="Of a column that a model takes: its share of the importance of all features, from 0 to 1, "
        "where a table of importance told it",
    )


@strawberry.type
class LineageGroup:
    id: strawberry.ID
    label: str
    parent_id: strawberry.ID | None
    node_count: int
    kinds: list[EntityKind]


@strawberry.type(description="Flat lists, never nested trees: one node appears once")
class LineageGraph:
    root: strawberry.ID
    nodes: list[LineageNode] = strawberry.field(directives=_IN_THE_WALK)
    edges: list[LineageEdge] = strawberry.field(directives=_IN_THE_WALK)
    groups: list[LineageGroup] = strawberry.field(directives=_IN_THE_WALK)
    as_of: DateTime
    granularity: Granularity
    total_nodes: int
    total_edges: int
    truncated: bool
    truncated_reason: str | None = strawberry.field(
        description="MAX_NODES or DEADLINE. Depth does not truncate: `frontier` says where it ended"
    )
    frontier: list[strawberry.ID] = strawberry.field(
        description="Shown nodes that have neighbours which are not shown"
    )


@strawberry.type
class LineagePath:
    length: int
    nodes: list[LineageNode] = strawberry.field(directives=_IN_THE_WALK)
    edges: list[LineageEdge] = strawberry.field(directives=_IN_THE_WALK)
    text: str


@strawberry.input
class LineageFilter:
    kinds: list[EntityKind] | None = None
    namespaces: list[str] | None = None
    platforms: list[str] | None = None
    tags: list[str] | None = None
    owners: list[str] | None = None
    columns: list[str] | None = None
    transformation: TransformationType | None = None
    seen_after: DateTime | None = None
    include_archived: bool | None = False
    stop_at: list[str] | None = None

    def only(self) -> shapes.LineageFilter:
        return shapes.LineageFilter(
            kinds=tuple(self.kinds or ()),
            namespaces=tuple(self.namespaces or ()),
            platforms=tuple(self.platforms or ()),
            tags=tuple(self.tags or ()),
            owners=tuple(self.owners or ()),
            columns=tuple(self.columns or ()),
            transformation=self.transformation,
            seen_after=self.seen_after,
            include_archived=bool(self.include_archived),
            stop_at=tuple(self.stop_at or ()),
        )


def lineage_of(
    loader: Loader,
    ref: str,
    *,
    direction: LineageDirection | None,
    depth: int | None,
    granularity: Granularity | None,
    as_of: TimePoint | None,
    only: LineageFilter | None,
    max_nodes: int | None,
) -> LineageGraph:
    """What the walk found; its nodes may be met by key."""
    context = loader.context
    graph = lineage(
        ref,
        loader.store,
        direction=direction or LineageDirection.BOTH,
        depth=hops(loader, depth, 2),
        granularity=granularity or Granularity.ENTITY,
        as_of=at(loader, as_of),
        only=None if only is None else only.only(),
        max_nodes=nodes_at_most(loader, max_nodes, 500),
        now=context.now(),
        deadline=deadline(loader),
    )
    return met(loader, graph)


def met(loader: Loader, graph: shapes.LineageGraph) -> LineageGraph:
    """The graph as the API's type: its rows have the attributes that the type names."""
    loader.expect(node.key for node in graph.nodes)
    return cast("LineageGraph", graph)


def paths_met(loader: Loader, paths: Any) -> list[LineagePath]:
    loader.expect(node.key for path in paths for node in path.nodes)
    return list(paths)


def hops(loader: Loader, depth: int | None, default: int) -> int:
    """A walk's depth: the API's bound, or the server's when that is lower.

    Raises:
        Invalid: below 0 or above the limit.

    """
    found = default if depth is None else depth
    if not 0 <= found <= limits.MAX_WALK:
        raise Invalid(f"`depth` is {found}, but must be from 0 to {limits.MAX_WALK}.")
    return min(found, loader.context.settings.max_depth)


def nodes_at_most(loader: Loader, asked: int | None, default: int) -> int:
    found = default if asked is None else asked
    if not 1 <= found <= limits.MAX_NODES:
        raise Invalid(
            f"`maxNodes` is {found}, but must be from 1 to {limits.MAX_NODES}. Narrow with `filter`."
        )
    return min(found, loader.context.settings.max_nodes)


def at(loader: Loader, point: TimePoint | None) -> int | None:
    """The moment that a TimePoint means."""
    return None if point is None else moment(point, loader.store, now=loader.context.now())


def deadline(loader: Loader) -> float:
    """One for the whole execution: several walks share it."""
    seconds = loader.context.settings.deadline
    return loader.once("deadline", lambda: time.monotonic() + seconds)
