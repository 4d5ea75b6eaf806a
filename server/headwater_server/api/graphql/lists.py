"""Lists of namespaces, of things by name, and of the versions that stand in a stage."""

from functools import partial
from typing import Any

from headwater_server.api.graphql.answers import at
from headwater_server.api.graphql.cursors import Scope, page_size
from headwater_server.api.graphql.entity import Namespace
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.pages import Connection, connect, page_of_kind, page_of_list
from headwater_server.api.graphql.scalars import TimePoint
from headwater_server.graph.words import Kind

_MOST_HITS = 1_000
"""Of a search by words within one kind."""
_MOST_STANDING = 10_000


def namespaces_page(loader: Loader, *, first: int | None, after: str | None) -> Connection[Namespace]:
    """Whatever holds a dataset or a job, by name."""
    size = page_size(first, 50)
    scope = Scope("namespaces")
    bound = scope.position(after)
    groups = [
        loader.once(f"groups {kind}", partial(loader.store.groups, kind)) for kind in (Kind.DATASET, Kind.JOB)
    ]
    names = sorted({name for group in groups for name in group})
    rest = names if bound is None else [name for name in names if name > str(bound[0])]
    return connect(
        [Namespace.named(name) for name in rest[:size]],
        [scope.cursor(name) for name in rest[:size]],
        count=lambda: len(names),
        more=len(rest) > size,
        began=after is not None,
    )


def named_things(
    loader: Loader,
    kind: Kind,
    *,
    namespace: str | None,
    query: str | None,
    first: int | None,
    after: str | None,
) -> Connection[Any]:
    """By name; with words, the best first."""
    scope = Scope(kind, namespace, query)
    if query is None or not query.strip():
        return page_of_kind(loader, kind, scope, first=first, after=after, default=50, group=namespace)
    hits = loader.store.search(query, kinds=[kind], limit=_MOST_HITS)
    nodes = [hit.node for hit in hits if namespace is None or hit.node.group == namespace]
    return page_of_list(nodes, scope, first=first, after=after, default=50, show=loader.show)


def standing_in(
    loader: Loader, stage: str, *, as_of: TimePoint | None, first: int | None, after: str | None
) -> Connection[Any]:
    """The model versions that stand, or stood, in a stage of that name, of whatever model."""
    size = page_size(first, 50)
    scope = Scope("modelsInStage", stage, as_of)
    position = scope.position(after)
    moment = at(loader, as_of)
    registry = loader.context.registry
    found = registry.in_stage(
        stage, at=moment, after=None if position is None else str(position[0]), limit=size + 1
    )
    things = loader.load(found[:size])
    shown = [key for key in found[:size] if key in things]
    return connect(
        [things[key] for key in shown],
        [scope.cursor(key) for key in shown],
        count=lambda: len(registry.in_stage(stage, at=moment, limit=_MOST_STANDING)),
        more=len(found) > size,
        began=after is not None,
    )
