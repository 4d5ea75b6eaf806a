"""Search by words, with what matched and the counts beside."""

from collections.abc import Sequence

import strawberry

from headwater_server.api.graphql.answers import LineageFilter
from headwater_server.api.graphql.cursors import page_size
from headwater_server.api.graphql.entity import Entity
from headwater_server.api.graphql.enums import EntityKind
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.pages import PageInfo
from headwater_server.lineage import search


@strawberry.type
class SearchMatch:
    field: str
    snippet: str
    ranges: list[int] = strawberry.field(description="Start and end of each match, one after the other")


@strawberry.type
class SearchEdge:
    cursor: str
    node: Entity
    score: float
    matched: list[SearchMatch]


@strawberry.type
class SearchFacetValue:
    value: str
    count: int


@strawberry.type
class SearchFacet:
    field: str
    values: list[SearchFacetValue]


@strawberry.type
class SearchConnection:
    edges: list[SearchEdge]
    page_info: PageInfo
    total_count: int
    facets: list[SearchFacet]
    did_you_mean: str | None


def found_by(
    loader: Loader,
    query: str,
    *,
    kinds: Sequence[EntityKind] | None,
    only: LineageFilter | None,
    first: int | None,
    after: str | None,
) -> SearchConnection:
    found = search(
        query,
        loader.store,
        kinds=kinds or (),
        only=None if only is None else only.only(),
        first=page_size(first, 20),
        after=after,
    )
    nodes = loader.show(edge.node for edge in found.edges)
    return SearchConnection(
        edges=[
            SearchEdge(cursor=edge.cursor, node=node, score=edge.score, matched=list(edge.matched))  # type: ignore[arg-type]
            for edge, node in zip(found.edges, nodes, strict=True)
        ],
        page_info=PageInfo(
            has_next_page=found.has_next_page,
            has_previous_page=found.has_previous_page,
            start_cursor=found.edges[0].cursor if found.edges else None,
            end_cursor=found.edges[-1].cursor if found.edges else None,
        ),
        total_count=found.total_count,
        facets=list(found.facets),  # type: ignore[arg-type]  # rows of `lineage`, as they are
        did_you_mean=found.did_you_mean,
    )
