"""Pages of a list: edges with cursors, and a total that is counted only when somebody asks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import strawberry

from headwater_server.api.graphql.cursors import Scope, page_size
from headwater_server.api.graphql.info import later
from headwater_server.api.graphql.loading import Cohort, Loader
from headwater_server.graph.words import Kind

T = TypeVar("T")


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]]
    page_info: PageInfo
    count: strawberry.Private[Callable[[], int]]

    @strawberry.field
    def total_count(self) -> int:
        return self.count()


def pages_of(name: str, module: str) -> Any:
    """Pages of a type that comes later."""
    a_connection: Any = Connection
    return a_connection[later(name, module)]


def connect(
    things: Sequence[Any],
    cursors: Sequence[str],
    *,
    count: Callable[[], int],
    more: bool,
    began: bool,
    end: str | None = None,
) -> Connection[Any]:
    """A page of things that were found already. `end`: where to go on when that is behind the last."""
    return Connection(
        edges=[Edge(cursor=c, node=thing) for c, thing in zip(cursors, things, strict=True)],
        page_info=PageInfo(
            has_next_page=more,
            has_previous_page=began,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=end or (cursors[-1] if cursors else None),
        ),
        count=count,
    )


def page_of_kind(
    loader: Loader,
    kind: Kind,
    scope: Scope,
    *,
    first: int | None,
    after: str | None,
    default: int,
    group: str | None = None,
    marks: Sequence[str] = ("",),
    newest_first: bool = False,
) -> Connection[Any]:
    """A page straight from the store's index."""
    size = page_size(first, default)
    bound = scope.key(after)
    nodes = loader.store.page(
        kind,
        marks=marks,
        group=group,
        after=None if newest_first else bound,
        before=bound if newest_first else None,
        reverse=newest_first,
        limit=size + 1,
    )
    shown = nodes[:size]
    return connect(
        loader.show(shown),
        [scope.cursor(node.sort, node.key) for node in shown],
        count=lambda: loader.store.count(kind, marks=marks, group=group),
        more=len(nodes) > size,
        began=after is not None,
    )


def pages_within(
    cohort: Cohort,
    of: Kind,
    kind: Kind,
    name: str,
    first: int | None,
    after: str | None,
    default: int,
    newest_first: bool,  # noqa: FBT001 - handed on by `Cohort.once`, which knows positions alone
    marks: tuple[str, ...],
    within: str | None,
) -> dict[str, Connection[Any]]:
    """For each parent of the cohort its own first page, by one call of the store; the children are one cohort.

    A cursor belongs to one parent: then only `within` is paged.
    """
    size = page_size(first, default)
    store = cohort.loader.store
    parents = cohort.keys(of) if within is None else [within]
    scopes = {parent: Scope(name, parent, marks) for parent in parents}
    if within is None:
        firsts = store.pages(kind, parents, marks=marks, reverse=newest_first, limit=size + 1)
    else:
        bound = scopes[within].key(after)
        firsts = {
            within: store.page(
                kind,
                marks=marks,
                group=within,
                after=None if newest_first else bound,
                before=bound if newest_first else None,
                reverse=newest_first,
                limit=size + 1,
            )
        }
    found = {parent: (scope, firsts.get(parent, [])) for parent, scope in scopes.items()}
    things = iter(cohort.loader.show(node for _, nodes in found.values() for node in nodes[:size]))
    pages = {}
    for parent, (scope, nodes) in found.items():
        shown = [next(things) for _ in nodes[:size]]
        pages[parent] = connect(
            shown,
            [scope.cursor(thing.node.sort, thing.node.key) for thing in shown],
            count=partial(store.count, kind, marks=marks, group=parent),
            more=len(nodes) > size,
            began=after is not None,
        )
    return pages


def page_of_things(
    things: Sequence[Any],
    scope: Scope,
    *,
    first: int | None,
    after: str | None,
    default: int,
    newest_first: bool = False,
) -> Connection[Any]:
    """A page of things that are all at hand, in order of their nodes' (sort, key)."""
    size = page_size(first, default)
    bound = scope.key(after)
    placed = sorted(
        (((thing.node.sort, thing.node.key), thing) for thing in things),
        key=lambda pair: pair[0],
        reverse=newest_first,
    )
    rest = [(at, t) for at, t in placed if bound is None or (at < bound if newest_first else at > bound)]
    return connect(
        [thing for _, thing in rest[:size]],
        [scope.cursor(*at) for at, _ in rest[:size]],
        count=lambda: len(things),
        more=len(rest) > size,
        began=after is not None,
    )


def page_of_list(
    items: Sequence[T],
    scope: Scope,
    *,
    first: int | None,
    after: str | None,
    default: int,
    show: Callable[[Sequence[T]], Sequence[Any]] = lambda items: items,
) -> Connection[Any]:
    """A page by position of a list that is all at hand; only its items are shown."""
    size = page_size(first, default)
    start = scope.offset(after)
    part = items[start : start + size]
    return connect(
        show(part),
        [scope.cursor(start + i) for i in range(len(part))],
        count=lambda: len(items),
        more=start + size < len(items),
        began=start > 0,
    )
