"""Changesets written by one statement each, without the rows that are known to be there."""

from collections.abc import Hashable
from threading import Lock
from typing import Any
from uuid import uuid4

import neo4j
import orjson

from headwater_server.graph.changes import Changeset, EdgeKey
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store.checks import BadChange, dangling
from headwater_server.store.neo4j import statements
from headwater_server.store.neo4j.rows import edge_row, node_row
from headwater_server.store.neo4j.session import Sessions, is_refusal
from headwater_server.store.port import Applied

_ROWS_REMEMBERED = 300_000

_NODES = tuple(Kind)
_EDGES = tuple(EdgeKind)
_RUN_NODES = (Kind.RUN,)
_RUN_EDGES = (EdgeKind.CHILD_OF, EdgeKind.READ, EdgeKind.RUN_OF, EdgeKind.WROTE)
"""What a run of a known job brings: most batches, and a shorter statement."""


class _SomebodyElseWrote(Exception):
    pass


class Written:
    """Key → hash of what was committed under it. Two generations bound it; a wrong miss costs only time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[Hashable, int] = {}
        self._old: dict[Hashable, int] = {}

    def has(self, key: Hashable, content: int) -> bool:
        known = self._young.get(key)
        if known is None:
            known = self._old.get(key)
            if known is not None:
                self._young[key] = known
        return known == content

    def remember(self, rows: dict[Hashable, int]) -> None:
        self._young.update(rows)
        if len(self._young) > self._size:
            self._young, self._old = {}, self._young

    def forget(self, key: Hashable) -> None:
        self._young.pop(key, None)
        self._old.pop(key, None)

    def clear(self) -> None:
        self._young, self._old = {}, {}


class _News:
    """The rows of a changeset that are not known to be there."""

    def __init__(self, changes: Changeset, written: Written) -> None:
        self.hashes: dict[Hashable, int] = {}
        self._written = written
        nodes: dict[Kind, dict[str, list[Any]]] = {}
        for node in changes.nodes:
            row = node_row(node)
            if self._is_news(node.key, row):
                nodes.setdefault(node.kind, {})[node.key] = row
        states = [
            [key, state] for key, state in changes.states.items() if self._is_news((key, "state"), state)
        ]
        edges: dict[EdgeKind, dict[EdgeKey, list[Any]]] = {}
        for edge in changes.edges:
            key, row = edge.key, edge_row(edge)
            if self._is_news(key, row):
                edges.setdefault(edge.kind, {})[key] = row
        self.nodes = {kind: [rows[key] for key in sorted(rows)] for kind, rows in nodes.items()}
        self.states = sorted(states)
        self.edges = {kind: sorted(rows.values(), key=_ends) for kind, rows in edges.items()}
        # An edge that is dropped and written is written: so drops may come last, where they cost nothing.
        rewritten = {edge.key for edge in changes.edges} if changes.drop else frozenset()
        self.drops: dict[EdgeKind, list[list[str]]] = {}
        for gone in changes.drop:
            if gone not in rewritten:
                self.drops.setdefault(gone.kind, []).append([gone.source, gone.target, gone.tag])
        self.dropped = [gone for gone in changes.drop if gone not in rewritten]

    def _is_news(self, key: Hashable, row: list[Any] | bytes) -> bool:
        content = hash(row if isinstance(row, bytes) else orjson.dumps(row))
        if key not in self.hashes and self._written.has(key, content):
            return False
        self.hashes[key] = content
        return True

    def statement(self) -> tuple[str, dict[str, Any], list[int]]:
        """The text, its parameters and how many rows must find their nodes."""
        small = self.nodes.keys() <= set(_RUN_NODES) and self.edges.keys() <= set(_RUN_EDGES)
        node_kinds, edge_kinds = (_RUN_NODES, _RUN_EDGES) if small else (_NODES, _EDGES)
        rows = [
            self.states,
            *[self.nodes.get(kind, []) for kind in node_kinds],
            *[self.edges.get(kind, []) for kind in edge_kinds],
        ]
        counts = [len(self.states), *[len(self.edges.get(kind, [])) for kind in edge_kinds]]
        return statements.write(node_kinds, edge_kinds), {"rows": rows}, counts


class Writer:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._turn = Lock()
        self._written = Written(_ROWS_REMEMBERED)
        self._name: str = uuid4().hex
        self._knows = False

    def warm_up(self) -> None:
        """Have the statements planned: seconds on a fresh server, which no event should wait for."""
        for nodes, edges in ((_NODES, _EDGES), (_RUN_NODES, _RUN_EDGES)):
            rows: list[list[Any]] = [[] for _ in ("states", *nodes, *edges)]
            self._sessions.rehearse(statements.write(nodes, edges), rows=rows, seq=0, log="", writer="")

    def apply(self, changes: Changeset, upto: Applied) -> None:
        with self._turn:
            try:
                try:
                    self._apply(changes, upto)
                except _SomebodyElseWrote:  # what we knew may be wrong: all rows, then
                    self._forget()
                    self._apply(changes, upto)
            except BaseException as error:
                self._forget()
                if is_refusal(error):
                    raise BadChange(f"Neo4j takes none of the changeset: {error.__cause__}") from error
                raise

    def reset(self) -> None:
        with self._turn:
            self._forget()
            self._sessions.write_one(statements.RESETTING)
            self._sessions.run(statements.DELETE_NODES)
            self._sessions.run(statements.DELETE_STATES)
            self._sessions.write_one(statements.HAS_RESET)

    def _forget(self) -> None:
        self._written.clear()
        self._knows = False

    def _apply(self, changes: Changeset, upto: Applied) -> None:
        news = _News(changes, self._written)
        statement, values, counts = news.statement()
        values.update(seq=upto.seq, log=upto.log, writer=self._name)

        def work(tx: neo4j.ManagedTransaction) -> list[tuple[str, list[EdgeKey]]]:
            writer, found = tx.run(statement, values).single(strict=True).values()
            if self._knows and writer != self._name:
                raise _SomebodyElseWrote
            if found != counts:
                raise _missing(tx, news)
            for kind, rows in news.drops.items():
                tx.run(statements.drop(kind), drops=rows).consume()
            return _prune(tx, changes.prune)

        gone = self._sessions.write(work)
        self._written.remember(news.hashes)
        for edge in news.dropped:
            self._written.forget(edge)
        for key, edges in gone:
            self._written.forget(key)
            self._written.forget((key, "state"))
            for edge in edges:
                self._written.forget(edge)
        self._knows = True


def _ends(row: list[Any]) -> list[str]:
    return row[:3]


def _prune(tx: neo4j.ManagedTransaction, prune: tuple[str, ...]) -> list[tuple[str, list[EdgeKey]]]:
    """What went: nodes with the edges they had. Again until none goes, so that the order does not matter."""
    gone: list[tuple[str, list[EdgeKey]]] = []
    waiting = set(prune)
    while waiting:
        [found] = tx.run(statements.PRUNE, keys=sorted(waiting)).single(strict=True).values()
        if not found:
            break
        for key, edges in found:
            waiting.discard(key)
            gone.append(
                (key, [EdgeKey(key, EdgeKind(edge[0]), edge[1], edge[2]) for edge in edges if edge[0]])
            )
    return gone


def _missing(tx: neo4j.ManagedTransaction, news: _News) -> BadChange:
    """Which row it was."""
    named = {row[0]: "a state" for row in news.states}
    for kind, rows in news.edges.items():
        for source, target, tag, _ in rows:
            edge = f"the edge {source} -{kind}-> {target} (tag {tag!r})"
            named.setdefault(source, edge)
            named.setdefault(target, edge)
    [found] = tx.run(statements.MISSING, keys=sorted(named)).single(strict=True).values()
    key = found[0] if found else "?"
    return dangling(named.get(key, "a row"), key)
