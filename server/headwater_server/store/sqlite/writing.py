"""Changesets written to the file, by one connection, one transaction each."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from threading import Lock

import apsw
import orjson

from headwater_server.graph.changes import Changeset, Edge, EdgeKey, Node, Value
from headwater_server.graph.words import EdgeKind
from headwater_server.store.checks import checked_edge, checked_node, dangling, without_none
from headwater_server.store.port import Applied
from headwater_server.store.sqlite import schema, statements
from headwater_server.store.sqlite.connections import answering, open_writer
from headwater_server.store.sqlite.ids import Ids, listed

_NODES_REMEMBERED = 200_000
_TAGS_REMEMBERED = 50_000

_KEY = attrgetter("key")


def _text(props: Mapping[str, Value]) -> str:
    """As JSON. What JSON writes as null is left out (None, NaN, infinities): most properties have none of it."""
    if not props:
        return "{}"
    raw = orjson.dumps(props)
    return (orjson.dumps(without_none(props)) if b"null" in raw else raw).decode()


class Writer:
    def __init__(self, path: str) -> None:
        self._path = path
        self._turn = Lock()
        with answering(path):
            self._connection = open_writer(path)
            try:
                schema.bring_up(self._connection, path)
                self.kinds = schema.kinds(self._connection)
            except BaseException:  # raised again: nobody else could close it
                self._connection.close()
                raise
        self._ids = Ids(self._connection, statements.NODE_IDS, statements.LAST_NODE, _NODES_REMEMBERED)
        self._tags = Ids(self._connection, statements.TAG_IDS, statements.LAST_TAG, _TAGS_REMEMBERED)
        self._seen_version = 0
        self._loose = (self.kinds[EdgeKind.STEP_OF], self.kinds[EdgeKind.VERSION_OF])

    def apply(self, changes: Changeset, upto: Applied) -> None:
        with self._transaction() as connection:
            ids = self._ids.of(_named(changes))
            nodes = self._write_nodes(connection, changes.nodes, ids)
            _write_states(connection, changes, ids)
            edges = self._drop(connection, changes.drop, ids) if changes.drop else 0
            if changes.edges:
                edges += self._write_edges(connection, changes.edges, ids)
            if changes.prune:
                nodes_gone, edges_gone = self._prune(connection, changes.prune, ids)
                nodes, edges = nodes - nodes_gone, edges - edges_gone
            connection.execute(statements.SET_APPLIED, (upto.seq, upto.log, nodes, edges))

    def reset(self) -> None:
        with self._transaction() as connection:
            connection.execute(schema.EMPTY)
            schema.migrate(connection, 0)
            connection.executemany("INSERT INTO kind (name, id) VALUES (?, ?)", list(self.kinds.items()))
            self._forget()
        with self._turn, answering(self._path):
            # What was in the graph is not to be found in the file any more: erasures count on it.
            self._connection.execute(statements.VACUUM)
            self._connection.execute(statements.TRUNCATE_WAL)

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        connection = self._connection
        with self._turn, answering(self._path):
            connection.execute(statements.BEGIN_WRITE)
            try:
                version = connection.execute(statements.DATA_VERSION).get
                if version != self._seen_version:  # somebody else wrote: what we knew may be wrong
                    self._forget()
                    self._seen_version = version
                yield connection
                connection.execute(statements.COMMIT)
            except BaseException:  # also Ctrl-C: nothing of it holds; raised again
                self._forget()
                if not connection.get_autocommit():
                    connection.execute(statements.ROLLBACK)
                raise

    def _forget(self) -> None:
        self._ids.forget()
        self._tags.forget()

    def _write_nodes(self, connection: apsw.Connection, nodes: Sequence[Node], ids: dict[str, int]) -> int:
        """How many are new."""
        kinds, new = self.kinds, self._ids.new
        fresh: dict[int, tuple[str | int, ...]] = {}
        known: dict[int, tuple[str | int, ...]] = {}
        for node in sorted(nodes, key=_KEY):
            key = node.key
            number = ids.get(key)
            if number is None:
                number = ids[key] = new(key)
                rows = fresh
            else:
                rows = fresh if number in fresh else known
            rows[number] = (
                key,
                kinds[node.kind],
                node.group,
                node.mark,
                node.sort,
                node.words,
                _text(checked_node(node)),
                number,
            )
        if fresh:
            connection.executemany(statements.INSERT_NODE, fresh.values())
            words = [(row[7], row[5]) for row in fresh.values() if row[5]]
            connection.executemany(statements.INSERT_WORDS, words)
        if known:
            old: dict[int, str] = dict(connection.execute(statements.OLD_WORDS, (listed(known),)))
            connection.executemany(statements.UPDATE_NODE, known.values())
            new_words = {number: str(row[5]) for number, row in known.items() if row[5] != old[number]}
            connection.executemany(statements.DROP_WORDS, [(n,) for n in new_words if old[n]])
            connection.executemany(statements.INSERT_WORDS, [pair for pair in new_words.items() if pair[1]])
        return len(fresh)

    def _tag_ids(self, connection: apsw.Connection, tags: set[str]) -> dict[str, int]:
        found = self._tags.of(tags)
        fresh = [(tag, self._tags.new(tag)) for tag in tags - found.keys()]
        if fresh:
            connection.executemany(statements.INSERT_TAG, fresh)
            found.update(fresh)
        return found

    def _write_edges(self, connection: apsw.Connection, edges: Sequence[Edge], ids: dict[str, int]) -> int:
        """How many are new."""
        kinds = self.kinds
        tags = self._tag_ids(connection, {edge.tag for edge in edges})
        texts: dict[int, str] = {}  # by identity: many edges share their properties
        rows = {}
        for edge in edges:
            source, kind, target, tag, since, until, props = edge
            start, end = ids.get(source), ids.get(target)
            if start is None or end is None:
                missing = source if start is None else target
                raise dangling(f"the edge {_name(edge.key)}", missing)
            text = texts.get(id(props))
            if text is None:
                text = texts[id(props)] = _text(checked_edge(props))
            key = (start, kinds[kind], end, tags[tag])
            rows[key] = (*key, since, until, text)
        written = sorted(rows.values())
        before = connection.total_changes()
        connection.executemany(statements.INSERT_EDGE, written)
        new = connection.total_changes() - before
        if new < len(written):
            connection.executemany(statements.UPDATE_EDGE, written)
        return new

    def _drop(self, connection: apsw.Connection, drop: Sequence[EdgeKey], ids: dict[str, int]) -> int:
        """How many went, as a negative number."""
        kinds = self.kinds
        tags = self._tags.of({edge.tag for edge in drop})
        rows = [
            (ids[edge.source], kinds[edge.kind], ids[edge.target], tags[edge.tag])
            for edge in drop
            if edge.source in ids and edge.target in ids and edge.tag in tags
        ]
        before = connection.total_changes()
        connection.executemany(statements.DROP_EDGE, rows)
        return before - connection.total_changes()

    def _prune(
        self, connection: apsw.Connection, prune: Sequence[str], ids: dict[str, int]
    ) -> tuple[int, int]:
        """How many nodes and edges went. Again until none goes, so that the order does not matter."""
        nodes = edges = 0
        waiting = {key: ids[key] for key in prune if key in ids}
        while waiting:
            gone = []
            for key, number in waiting.items():
                if connection.execute(statements.HELD, (number, *self._loose)).get:
                    continue
                before = connection.total_changes()
                connection.execute(statements.DROP_EDGES_OF, (number,))
                edges += connection.total_changes() - before
                connection.execute(statements.DROP_STATE, (number,))
                connection.execute(statements.DROP_WORDS, (number,))
                connection.execute(statements.DROP_NODE, (number,))
                self._ids.gone(key)
                gone.append(key)
            if not gone:
                break
            nodes += len(gone)
            for key in gone:
                del waiting[key]
        return nodes, edges


def _named(changes: Changeset) -> set[str]:
    """Every key that the changeset speaks of."""
    keys = {node.key for node in changes.nodes}
    keys.update(changes.states, changes.prune)
    for edge in changes.edges:
        keys.add(edge.source)
        keys.add(edge.target)
    for gone in changes.drop:
        keys.add(gone.source)
        keys.add(gone.target)
    return keys


def _write_states(connection: apsw.Connection, changes: Changeset, ids: dict[str, int]) -> None:
    if not changes.states:
        return
    rows = []
    for key, state in changes.states.items():
        if key not in ids:
            raise dangling("a state", key)
        rows.append((ids[key], state))
    connection.executemany(statements.SET_STATE, rows)


def _name(edge: EdgeKey) -> str:
    return f"{edge.source} -{edge.kind}-> {edge.target} (tag {edge.tag!r})"
