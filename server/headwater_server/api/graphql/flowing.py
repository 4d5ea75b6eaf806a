"""What comes into a lineage and leaves it, while somebody looks at it."""

import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import TypeAlias, cast

import strawberry
from starlette.concurrency import run_in_threadpool

from headwater_server.api.graphql.answers import LineageEdge, LineageNode, lineage_of
from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.enums import Granularity, LineageDirection
from headwater_server.api.graphql.info import Info, loader_of
from headwater_server.api.graphql.listening import hearing
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.neighbours import names_of
from headwater_server.api.graphql.scalars import DateTime
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission
from headwater_server.auth.sight import hidden
from headwater_server.commit.news import Told
from headwater_server.graph import keys
from headwater_server.graph.words import Kind
from headwater_server.lineage import resolve
from headwater_server.lineage.urns import encode_id

PAUSE = 1.0
"""Seconds between two walks, at least."""
LEISURE = 4
"""And so many times what the last one took: however large a lineage is, a fifth of the time goes into it at most."""
_IN_THE_WALK = [Cost(weight=0, multipliers=[])]
_EdgeKey: TypeAlias = tuple[str, str, str, str | None]


@strawberry.type(
    description="What is different in a lineage since the last answer, or since it was listened to"
)
class LineageChange:
    at: DateTime
    added_nodes: list[LineageNode] = strawberry.field(directives=_IN_THE_WALK)
    added_edges: list[LineageEdge] = strawberry.field(directives=_IN_THE_WALK)
    removed_ids: list[strawberry.ID] = strawberry.field(description="Of nodes")
    removed_edges: list[LineageEdge] = strawberry.field(
        description="As they were; those of removed nodes too", directives=_IN_THE_WALK
    )
    truncated: bool = strawberry.field(
        description="The lineage has more than `maxNodes` nodes: what is not among them is not told"
    )


@strawberry.type
class LineageNews:
    @strawberry.subscription(
        description="Nodes and edges that come into the lineage of a thing (`lineage` with the same arguments shows what "
        "there is) and leave it, at most once a second",
        directives=[Cost(weight=20, multipliers=["maxNodes"])],
    )
    @needs(Permission.READ)
    async def lineage_changed(
        self, info: Info, ref: str, depth: int | None = 2, max_nodes: int | None = 500
    ) -> AsyncGenerator[LineageChange, None]:
        loader, watch = loader_of(info), _Watch()
        id_ = await run_in_threadpool(lambda: encode_id(resolve(ref, loader.store).key))
        last = await run_in_threadpool(_draw, loader, id_, depth, max_nodes)
        with hearing(loader.context.news, watch.touched_by) as ears:
            async for _ in ears.changes(PAUSE, at_once=True):
                watch.picture, before, began = None, last, time.monotonic()
                drawn = await run_in_threadpool(_redraw, loader, last, id_, depth, max_nodes)
                took = time.monotonic() - began
                if drawn.whole:
                    watch.picture = last = drawn
                    if change := _change(before, drawn):
                        yield change
                await ears.rest(LEISURE * took)


@dataclass(frozen=True, slots=True)
class _Picture:
    """A lineage as it was at a moment."""

    seq: int
    """The graph showed this record, or more."""
    at: int
    nodes: dict[str, LineageNode]
    """By id."""
    edges: dict[_EdgeKey, LineageEdge]
    met: frozenset[str]
    """The keys of its nodes, under all of their names."""
    restricted: bool
    """Some are met under names that hide their own."""
    whole: bool
    """False: there was no time to walk to its ends."""
    truncated: bool

    def has(self, key: str) -> bool:
        if key.startswith("column|"):
            key = keys.dataset_of(key)
        return key in self.met or (self.restricted and hidden(key) in self.met)


class _Watch:
    """Asked in the writer's turn, while the loop draws and looks."""

    picture: _Picture | None = None
    """None: it is being drawn, or could not be drawn whole, and anything may be in it."""

    def touched_by(self, told: Told) -> Iterable[str]:
        """("",) when the flow changed at a node of the picture: only there something can come or go."""
        picture = self.picture
        touched = bool(told.flow) if picture is None else any(picture.has(key) for key in told.flow)
        return ("",) if touched else ()


def _redraw(loader: Loader, last: _Picture, id_: str, depth: int | None, max_nodes: int | None) -> _Picture:
    """As it is now: the last one when nothing came since. Raises NotFound, and Unauthenticated."""
    now = loader.again()
    return last if now.store.applied().seq == last.seq else _draw(now, id_, depth, max_nodes)


def _draw(loader: Loader, id_: str, depth: int | None, max_nodes: int | None) -> _Picture:
    """Raises NotFound, Invalid."""
    seq = loader.store.applied().seq
    graph = lineage_of(
        loader,
        id_,
        direction=LineageDirection.BOTH,
        depth=depth,
        granularity=Granularity.ENTITY,
        as_of=None,
        only=None,
        max_nodes=max_nodes,
    )
    met = {node.key for node in graph.nodes}
    names = names_of(loader.store, [key for key in met if keys.kind_of(key) is Kind.DATASET])
    return _Picture(
        seq=seq,
        at=graph.as_of,
        nodes={node.id: node for node in graph.nodes},
        edges={(edge.source, edge.target, edge.kind, edge.via): edge for edge in graph.edges},
        met=frozenset(met.union(*names.values())),
        restricted=any(node.restricted for node in graph.nodes),
        whole=graph.truncated_reason != "DEADLINE",
        truncated=graph.truncated,
    )


def _change(before: _Picture, after: _Picture) -> LineageChange | None:
    """None: there is no difference."""
    was, is_, had, has = before.nodes, after.nodes, before.edges, after.edges
    if was.keys() == is_.keys() and had.keys() == has.keys():
        return None
    return LineageChange(
        at=DateTime(after.at),
        added_nodes=[is_[id_] for id_ in is_ if id_ not in was],
        added_edges=[has[key] for key in has if key not in had],
        removed_ids=[cast("strawberry.ID", id_) for id_ in was if id_ not in is_],
        removed_edges=[had[key] for key in had if key not in has],
        truncated=after.truncated,
    )
