"""Finding things by words, narrowed by `tag:`, `namespace:`, `owner:` terms, with counts beside."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from headwater_server.errors import Invalid
from headwater_server.graph import names
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.lineage.answer import EVERYTHING, fits
from headwater_server.lineage.near import closest, name_of
from headwater_server.lineage.shapes import (
    EntityKind,
    LineageFilter,
    SearchConnection,
    SearchEdge,
    SearchFacet,
    SearchFacetValue,
    SearchMatch,
)
from headwater_server.lineage.show import ENTITY_KIND, GRAPH_KIND, is_gone, namespace_of
from headwater_server.store.port import GraphStore, Hit

_MAX_HITS = 1000  # facets count these; nobody pages further
_MAX_PAGE = 2000
_KINDS = (Kind.DATASET, Kind.COLUMN, Kind.JOB, Kind.MODEL, Kind.MODEL_VERSION)
_TERM = re.compile(r'\b(tag|namespace|owner|platform|kind):("[^"]*"|\S+)', re.IGNORECASE)
_FIELDS = ("name", "displayName", "namespace", "description")


def search(
    query: str,
    store: GraphStore,
    *,
    kinds: Sequence[EntityKind] = (),
    only: LineageFilter | None = None,
    first: int = 20,
    after: str | None = None,
) -> SearchConnection:
    """Best first. `total_count` and the facets count at most the 1,000 best hits."""
    text, only, asked = _read(query, only or EVERYTHING)
    wanted = [*kinds, *only.kinds, *asked]
    searched = [GRAPH_KIND[kind] for kind in dict.fromkeys(wanted) if kind in GRAPH_KIND]
    if not searched and not wanted:
        searched = list(_KINDS)
    hits = [
        hit
        for hit in _hits(text, store, searched, include_archived=only.include_archived)
        if fits(hit.node, only) and (only.include_archived or not is_gone(hit.node))
    ]
    begin = _offset(after)
    words = [word.casefold() for word in text.split()]
    page = hits[begin : begin + first]
    near = closest(text, store, limit=1) if not hits and text else []
    return SearchConnection(
        edges=tuple(
            SearchEdge(str(begin + place), hit.node, float(hit.score), matches(hit.node, words))
            for place, hit in enumerate(page, start=1)
        ),
        has_next_page=begin + first < len(hits),
        has_previous_page=begin > 0,
        total_count=len(hits),
        facets=_facets([hit.node for hit in hits]),
        did_you_mean=name_of(near[0]) if near else None,
    )


def _read(query: str, only: LineageFilter) -> tuple[str, LineageFilter, list[EntityKind]]:
    """The words of the query, and its terms as a filter."""
    terms: dict[str, list[str]] = {}
    for field, value in _TERM.findall(query):
        terms.setdefault(field.lower(), []).append(value.strip('"'))
    asked = [
        EntityKind[kind.upper()] for kind in terms.get("kind", ()) if kind.upper() in EntityKind.__members__
    ]
    asked += [EntityKind.REGISTERED_MODEL for kind in terms.get("kind", ()) if kind.lower() == "model"]
    narrowed = replace(
        only,
        tags=(*only.tags, *terms.get("tag", ())),
        namespaces=(*only.namespaces, *terms.get("namespace", ())),
        owners=(*only.owners, *terms.get("owner", ())),
        platforms=(*only.platforms, *terms.get("platform", ())),
    )
    return " ".join(_TERM.sub(" ", query).split()), narrowed, asked


def _hits(text: str, store: GraphStore, kinds: Sequence[Kind], *, include_archived: bool) -> list[Hit]:
    if not kinds:
        return []
    if text:
        return store.search(text, kinds=kinds, limit=_MAX_HITS)
    marks = ("", "h") if include_archived else ("",)
    return [Hit(node, 0.0) for kind in kinds for node in store.page(kind, marks=marks, limit=_MAX_PAGE)][
        :_MAX_PAGE
    ]


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal():
        raise Invalid(f"{cursor!r} is no cursor of a search. Give one from the answer before, or none.")
    return int(cursor)


def matches(node: Node, words: Sequence[str]) -> tuple[SearchMatch, ...]:
    """Where the words stand in what the node says of itself."""
    found = []
    for field in _FIELDS:
        value = node.props.get(field)
        if not isinstance(value, str):
            continue
        low = value.casefold()
        ranges = sorted((at, at + len(word)) for word in words if (at := low.find(word)) >= 0)
        if ranges:
            found.append(SearchMatch(field, value, tuple(place for pair in ranges for place in pair)))
    return tuple(found)


def _facets(nodes: Sequence[Node]) -> tuple[SearchFacet, ...]:
    spaces = [space for node in nodes if (space := namespace_of(node))]
    counted = {
        "kind": Counter(ENTITY_KIND[node.kind].value for node in nodes if node.kind in ENTITY_KIND),
        "namespace": Counter(spaces),
        "platform": Counter(names.platform(space) for space in spaces),
    }
    return tuple(
        SearchFacet(field, tuple(SearchFacetValue(value, n) for value, n in values.most_common(50)))
        for field, values in counted.items()
    )
