"""Who said it, and what changed: evidence of an edge, and the difference between two moments."""

from typing import Any

import strawberry

from headwater_server.api.graphql.answers import LineageEdge, LineageGraph, at, deadline, hops, met
from headwater_server.api.graphql.cursors import Scope
from headwater_server.api.graphql.enums import EvidenceKind, LineageDirection
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.pages import Connection, page_of_list
from headwater_server.api.graphql.scalars import DateTime, Long, TimePoint
from headwater_server.lineage import lineage_diff, why


@strawberry.type(description="A piece of a script; lines and columns count from one")
class SqlSpan:
    text: str
    start_line: int
    start_column: int
    end_line: int
    end_column: int


@strawberry.type(
    description=(
        "One reason to believe an edge. `kind`: EXPLICIT (lineage facet), COLUMN (columnLineage facet), CARTESIAN"
        " (inputs × outputs of a run), SQL (parsed by us), DECLARED (an event without a run), SYMLINK, MANUAL, MLFLOW"
    )
)
class Evidence:
    kind: EvidenceKind
    producer: str | None
    first_seq: Long
    last_seq: Long
    first_seen: DateTime
    last_seen: DateTime
    run_id: str | None
    current: bool
    confidence: float
    sql: SqlSpan | None
    note: str | None


@strawberry.type
class LineageDiff:
    from_: DateTime = strawberry.field(name="from")
    to: DateTime
    graph: LineageGraph = strawberry.field(description="As it is at `to`")
    added_nodes: list[strawberry.ID]
    removed_nodes: list[strawberry.ID]
    added_edges: list[int] = strawberry.field(description="Indices into `graph.edges`")
    removed_edges: list[LineageEdge]


def evidence_page(
    loader: Loader, ref: str, to: str, *, first: int | None, after: str | None
) -> Connection[Any]:
    found = why(
        ref, loader.store, to=to, run_records=loader.context.run_records, script_of=loader.context.script_of
    )
    return page_of_list(found, Scope("why", ref, to), first=first, after=after, default=20)


def diff_of(
    loader: Loader,
    ref: str,
    *,
    since: TimePoint,
    until: TimePoint | None,
    depth: int | None,
    direction: LineageDirection | None,
) -> Any:
    """The rows of `lineage`, as they are."""
    found = lineage_diff(
        ref,
        loader.store,
        since=at(loader, since) or 0,
        until=at(loader, until),
        depth=hops(loader, depth, 3),
        direction=direction or LineageDirection.BOTH,
        now=loader.context.now(),
        deadline=deadline(loader),
    )
    met(loader, found.graph)
    return found
