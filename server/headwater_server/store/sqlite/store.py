"""`GraphStore` on one SQLite file: what it reads, each answer from one snapshot."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from os import PathLike, fspath
from typing import Any

import orjson

from headwater_server.graph.changes import Changeset, Edge, Node, Value
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store import rank
from headwater_server.store.pages import first_pages
from headwater_server.store.port import Applied, Direction, Hit
from headwater_server.store.sqlite import statements
from headwater_server.store.sqlite.connections import Readers
from headwater_server.store.sqlite.ids import listed
from headwater_server.store.sqlite.writing import Writer

_BEYOND = b""  # a blob sorts after every text


class SqliteStore:
    backend = "sqlite"

    def __init__(self, path: str | PathLike[str]) -> None:
        self._path = fspath(path)
        self._writer = Writer(self._path)
        self._readers = Readers(self._path)
        self._number = self._writer.kinds
        numbers = {number: name for name, number in self._number.items()}
        self._kind = {number: Kind(name) for number, name in numbers.items() if name in set(Kind)}
        self._edge_kind = {
            number: EdgeKind(name) for number, name in numbers.items() if name in set(EdgeKind)
        }

    def applied(self) -> Applied:
        with self._readers.snapshot() as connection:
            row: Any = connection.execute(statements.APPLIED).get
            return Applied(*row)

    def apply(self, changes: Changeset, *, upto: Applied) -> None:
        self._writer.apply(changes, upto)

    def reset(self) -> None:
        self._writer.reset()

    def get(self, keys: Iterable[str]) -> dict[str, Node]:
        with self._readers.snapshot() as connection:
            rows = connection.execute(statements.GET, (listed(sorted(set(keys))),))
            return {row[0]: self._node(row) for row in rows}

    def states(self, keys: Iterable[str]) -> dict[str, bytes]:
        with self._readers.snapshot() as connection:
            return dict(connection.execute(statements.STATES, (listed(keys),)))

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
        bounds = (*(after or ("", "")), *(before or (_BEYOND, _BEYOND)), max(limit, 0))
        if group is None:
            statement = statements.PAGE_BACK if reverse else statements.PAGE
        else:
            statement = statements.PAGE_IN_GROUP_BACK if reverse else statements.PAGE_IN_GROUP
            bounds = (*bounds, group)
        with self._readers.snapshot() as connection:
            seeks = [
                connection.execute(statement, (self._number[kind], mark, *bounds)).fetchall()
                for mark in dict.fromkeys(marks)
            ]
        merged = heapq.merge(*seeks, key=lambda row: (row[4], row[0]), reverse=reverse)
        return [self._node(row) for row in islice(merged, max(limit, 0))]

    def pages(
        self,
        kind: Kind,
        groups: Iterable[str],
        *,
        marks: Sequence[str],
        reverse: bool = False,
        limit: int,
    ) -> dict[str, list[Node]]:
        statement = statements.PAGES_BACK if reverse else statements.PAGES
        wanted, number = listed(sorted(set(groups))), self._number[kind]
        with self._readers.snapshot() as connection:
            nodes = [
                self._node(row)
                for mark in dict.fromkeys(marks)
                for row in connection.execute(statement, (wanted, number, mark, max(limit, 0)))
            ]
        return first_pages(nodes, reverse=reverse, limit=limit)

    def rows(
        self, kind: Kind, groups: Iterable[str], names: Sequence[str], *, mark: str, limit: int
    ) -> dict[str, list[list[Value]]]:
        values = (listed(sorted(set(groups))), self._number[kind], mark, max(limit, 0))
        with self._readers.snapshot() as connection:
            found = connection.execute(statements.rows(tuple(names)), values)
            return {group: orjson.loads(said) for group, said in found if said}

    def count(self, kind: Kind, *, marks: Sequence[str], group: str | None = None) -> int:
        statement = statements.COUNT if group is None else statements.COUNT_IN_GROUP
        last = () if group is None else (group,)
        with self._readers.snapshot() as connection:
            return sum(
                connection.execute(statement, (self._number[kind], mark, *last)).get
                for mark in dict.fromkeys(marks)
            )

    def groups(self, kind: Kind) -> dict[str, int]:
        with self._readers.snapshot() as connection:
            return dict(connection.execute(statements.GROUPS, (self._number[kind],)))

    def starting(self, prefix: str, *, limit: int) -> list[str]:
        bounds = (prefix, _after_all_with(prefix), max(limit, 0))
        with self._readers.snapshot() as connection:
            return [key for (key,) in connection.execute(statements.STARTING, bounds)]

    def expand(
        self,
        keys: Iterable[str],
        direction: Direction,
        kinds: Iterable[EdgeKind],
        *,
        at: int | None = None,
        limit: int | None = None,
    ) -> list[Edge]:
        statement = statements.expand(
            self._numbers(kinds),
            down=direction is Direction.DOWNSTREAM,
            at=at is not None,
            limited=limit is not None,
        )
        with self._readers.snapshot() as connection:
            starts = connection.execute(statements.NODE_IDS, (listed(set(keys)),))
            names: dict[int, str] = {number: key for key, number in starts}
            values: list[str | int] = [listed(sorted(names))]
            if at is not None:
                values.append(at)
            if limit is not None:
                values.append(max(limit, 0))
            found: list[Any] = connection.execute(statement, values).fetchall()
            far = 2 if direction is Direction.DOWNSTREAM else 0
            others = sorted({row[far] for row in found} - names.keys())
            names.update(connection.execute(statements.KEYS, (listed(others),)))
            tags: dict[int, str] = dict(
                connection.execute(statements.TAGS, (listed({row[3] for row in found}),))
            )
        kinds_, load = self._edge_kind, orjson.loads
        return [
            Edge(
                names[source],
                kinds_[kind],
                names[target],
                tags[tag],
                since,
                until,
                {} if props == "{}" else load(props),
            )
            for source, kind, target, tag, since, until, props in found
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
        """The walk of `store.walk` over numbers: no key is read before the end."""
        statement = statements.level(
            self._numbers(kinds), down=direction is Direction.DOWNSTREAM, at=at is not None
        )
        last = () if at is None else (at,)
        found: dict[int, int] = {}
        with self._readers.snapshot() as connection:
            starts = connection.execute(statements.NODE_IDS, (listed(set(keys)),))
            frontier: list[int] = [number for _, number in starts]
            expanded = set(frontier)
            for depth in range(1, max_depth + 1):
                if not frontier or len(found) >= limit:
                    break
                fresh = []
                for (other,) in connection.execute(statement, (listed(sorted(frontier)), *last)):
                    if other not in found:
                        if len(found) >= limit:
                            break
                        found[other] = depth
                        if other not in expanded:
                            fresh.append(other)
                frontier = fresh
            named = connection.execute(statements.KEYS, (listed(sorted(found)),))
            return {key: found[number] for number, key in named}

    def search(self, text: str, *, kinds: Sequence[Kind], limit: int) -> list[Hit]:
        wanted = rank.terms(text)
        if not wanted:
            return []
        quoted = ['"' + word.replace('"', '""') + '"' for word in wanted]
        # A whole word counts twice: as itself and as the beginning of itself.
        query = " AND ".join(f"({word} OR {word} *)" for word in quoted)
        numbers = listed([self._number[kind] for kind in kinds])
        candidates = max(rank.CANDIDATES, limit)
        with self._readers.snapshot() as connection:
            rows = connection.execute(statements.SEARCH, (query, numbers, candidates)).fetchall()
        return rank.best(text, map(self._node, rows), limit)

    def all_nodes(self) -> Iterator[Node]:
        with self._readers.snapshot() as connection:
            for row in connection.execute(statements.ALL_NODES):
                yield self._node(row)

    def all_edges(self) -> Iterator[Edge]:
        with self._readers.snapshot() as connection:
            for row in connection.execute(statements.ALL_EDGES):
                yield self._edge(row)

    def sizes(self) -> Mapping[str, int]:
        with self._readers.snapshot() as connection:
            row: Any = connection.execute(statements.SIZES).get
            nodes, edges = row
            return {"nodes": nodes, "edges": edges}

    def close(self) -> None:
        self._readers.close()
        self._writer.close()

    def _numbers(self, kinds: Iterable[EdgeKind]) -> tuple[int, ...]:
        return tuple(sorted({self._number[kind] for kind in kinds}))

    def _node(self, row: tuple[Any, ...]) -> Node:
        key, kind, group, mark, sort, words, props = row
        return Node(key, self._kind[kind], group, mark, sort, words, orjson.loads(props))

    def _edge(self, row: tuple[Any, ...]) -> Edge:
        source, kind, target, tag, since, until, props = row
        return Edge(
            source,
            self._edge_kind[kind],
            target,
            tag,
            since,
            until,
            {} if props == "{}" else orjson.loads(props),
        )


def _after_all_with(prefix: str) -> str | bytes:
    """The least text above every text that begins with this one."""
    for at in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[at])
        if code < 0x10FFFF:
            above = 0xE000 if code == 0xD7FF else code + 1  # no surrogates
            return prefix[:at] + chr(above)
    return _BEYOND
