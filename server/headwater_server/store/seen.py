"""The graph as one principal sees it: a view that reads like a store.

Things that they do not see are not found, listed, counted or searched. A walk goes through them all the same and meets
them under hidden names (`auth.sight.hidden`), which lead on within the same view: nodes without names or properties.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

from headwater_server.auth.sight import Sight, hidden, parents
from headwater_server.graph.changes import Changeset, Edge, Node, Value
from headwater_server.graph.keys import is_key
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store.port import Applied, Direction, GraphStore, Hit

HIDDEN = "restricted"
"""What a node is called whose name is not told."""
_OWN_MATTERS = frozenset(
    {
        EdgeKind.HAS_COLUMN, EdgeKind.STAGE_OF, EdgeKind.CHILD_OF, EdgeKind.PRECEDES, EdgeKind.ANNOTATES,
        EdgeKind.VERSION_OF,
    }
)  # fmt: skip
"""What a thing is made of: nobody walks there from one that they do not see."""
_STRUCTURE = ("archived", "lifecycle", "number")
_MOST_HITS = 20_000
_CHUNK = 1_000


class SeenStore:
    """One request's view: what was met under a hidden name leads on for as long as it lives."""

    def __init__(self, store: GraphStore, sight: Sight) -> None:
        self._store = store
        self._sight = sight
        self._real: dict[str, str] = {}
        self.backend = store.backend

    def applied(self) -> Applied:
        return self._store.applied()

    def apply(self, changes: Changeset, *, upto: Applied) -> NoReturn:
        del changes, upto
        raise TypeError("a view is read")

    def reset(self) -> NoReturn:
        raise TypeError("a view is read")

    def get(self, keys: Iterable[str]) -> dict[str, Node]:
        asked = {real: key for key in keys if (real := self._in(key)) is not None}
        found = self._store.get(asked)
        return {asked[real]: shown for real, node in found.items() if (shown := self._node(node)) is not None}

    def states(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Facts name what is not seen: they are for those who show single facts, never handed out."""
        return self._store.states([key for key in keys if self._sight.key(key)])

    def page(
        self,
        kind: Kind,
        *,
        marks: Sequence[str],
        group: str | None = None,
        after: tuple[str, str] | None = None,
        before: tuple[str, str] | None = None,
        reverse: bool = False,
        limit: int,
    ) -> list[Node]:
        if group is not None and not self._sight.group(kind, group):
            return []
        found: list[Node] = []
        size = limit
        while len(found) < limit:
            nodes = self._store.page(
                kind, marks=marks, group=group, after=after, before=before, reverse=reverse, limit=size
            )
            found += self._seen(nodes)
            if len(nodes) < size:
                break
            last = (nodes[-1].sort, nodes[-1].key)
            after, before = (after, last) if reverse else (last, before)
            size = min(2 * size, max(limit, _CHUNK))
        return found[:limit]

    def pages(
        self,
        kind: Kind,
        groups: Iterable[str],
        *,
        marks: Sequence[str],
        reverse: bool = False,
        limit: int,
    ) -> dict[str, list[Node]]:
        wanted = [group for group in groups if self._sight.group(kind, group)]
        pages = self._store.pages(kind, wanted, marks=marks, reverse=reverse, limit=limit)
        return {group: seen for group, nodes in pages.items() if (seen := self._seen(nodes))}

    def rows(
        self, kind: Kind, groups: Iterable[str], names: Sequence[str], *, mark: str, limit: int
    ) -> dict[str, list[list[Value]]]:
        pages = self.pages(kind, groups, marks=(mark,), limit=limit)
        return {
            group: [[n.props.get(name) for name in names] for n in nodes] for group, nodes in pages.items()
        }

    def count(self, kind: Kind, *, marks: Sequence[str], group: str | None = None) -> int:
        if group is not None:
            return self._store.count(kind, marks=marks, group=group) if self._sight.group(kind, group) else 0
        groups = self._store.groups(kind)
        if set(groups) == {""}:  # of no group: looked at one by one
            return sum(1 for _ in self._every(kind, marks))
        return sum(
            self._store.count(kind, marks=marks, group=g) for g in groups if self._sight.group(kind, g)
        )

    def groups(self, kind: Kind) -> dict[str, int]:
        return {g: n for g, n in self._store.groups(kind).items() if self._sight.group(kind, g)}

    def starting(self, prefix: str, *, limit: int) -> list[str]:
        size = limit
        while True:
            found = self._store.starting(prefix, limit=size)
            seen = [key for key in found if self._sight.key(key)]
            if len(seen) >= limit or len(found) < size:
                return seen[:limit]
            size *= 4

    def expand(
        self,
        keys: Iterable[str],
        direction: Direction,
        kinds: Iterable[EdgeKind],
        *,
        at: int | None = None,
        limit: int | None = None,
    ) -> list[Edge]:
        starts = {real for key in keys if (real := self._in(key)) is not None}
        edges = self._store.expand(starts, direction, tuple(kinds), at=at, limit=limit)
        down = direction is Direction.DOWNSTREAM
        return [
            self._edge(edge)
            for edge in edges
            if edge.kind not in _OWN_MATTERS or self._sight.key(edge.source if down else edge.target)
        ]

    def reach(
        self,
        keys: Iterable[str],
        direction: Direction,
        kinds: Iterable[EdgeKind],
        *,
        at: int | None = None,
        max_depth: int,
        limit: int,
    ) -> dict[str, int]:
        starts = [real for key in keys if (real := self._in(key)) is not None]
        found = self._store.reach(starts, direction, kinds, at=at, max_depth=max_depth, limit=limit)
        return {self._out(key): depth for key, depth in found.items()}

    def search(self, text: str, *, kinds: Sequence[Kind], limit: int) -> list[Hit]:
        size = limit
        while True:
            hits = self._store.search(text, kinds=kinds, limit=size)
            nodes = [(hit, node) for hit in hits for node in self._seen([hit.node])]
            if len(nodes) >= limit or len(hits) < size or size >= _MOST_HITS:
                return [Hit(node, hit.score) for hit, node in nodes[:limit]]
            size *= 4

    def all_nodes(self) -> Iterator[Node]:
        return (seen for node in self._store.all_nodes() for seen in self._seen([node]))

    def all_edges(self) -> Iterator[Edge]:
        return (self._edge(edge) for edge in self._store.all_edges())

    def sizes(self) -> Mapping[str, int]:
        """Of the whole graph: how much there is names nothing."""
        return self._store.sizes()

    def close(self) -> None:
        """The store is another's to close."""

    # -- names in, names out ----------------------------------------------------------------------

    def _in(self, key: str) -> str | None:
        """The key that is meant; None for one that this view never gave away."""
        real = self._real.get(key)
        return real if real is not None else key if self._sight.key(key) else None

    def _out(self, key: str) -> str:
        if self._sight.key(key):
            return key
        name = hidden(key)
        if name not in self._real:
            self._real[name] = key
            for parent in parents(key):
                self._real.setdefault(hidden(parent), parent)
        return name

    def _text(self, value: str) -> str:
        return self._out(value) if is_key(value) else value

    def _value(self, value: Value) -> Value:
        if isinstance(value, str):
            return self._text(value)
        return [self._text(one) for one in value] if isinstance(value, list) else value

    def _edge(self, edge: Edge) -> Edge:
        props = {name: self._value(value) for name, value in edge.props.items()}
        return Edge(
            self._out(edge.source), edge.kind, self._out(edge.target), self._text(edge.tag),
            edge.since, edge.until, props,
        )  # fmt: skip

    def _seen(self, nodes: Iterable[Node]) -> list[Node]:
        return [
            shown for node in nodes if self._sight.key(node.key) and (shown := self._node(node)) is not None
        ]

    def _node(self, node: Node) -> Node | None:
        """As it may be shown; None: not at all."""
        if node.kind is Kind.ANNOTATION and not self._sight.key(node.group):
            return None
        if self._sight.key(node.key):
            props = {name: self._value(value) for name, value in node.props.items()}
            return node._replace(group=self._text(node.group), props=props)
        told = {name: node.props[name] for name in _STRUCTURE if name in node.props}
        group = self._text(node.group) if is_key(node.group) else ""
        return Node(
            self._out(node.key),
            node.kind,
            group,
            node.mark,
            "",
            "",
            {**told, "name": HIDDEN, "restricted": True},
        )

    def _every(self, kind: Kind, marks: Sequence[str]) -> Iterator[Node]:
        after: tuple[str, str] | None = None
        while nodes := self._store.page(kind, marks=marks, after=after, limit=_CHUNK):
            yield from self._seen(nodes)
            after = (nodes[-1].sort, nodes[-1].key)
