"""Appending and reading, from any thread, whatever the disk does meanwhile."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import apsw

from headwater_server.errors import Unavailable
from headwater_server.log.leaf import Leaf
from headwater_server.log.port import Conformance, Draft, Receipt, Record
from headwater_server.log.sqlite.writing import Writer, hash_of
from headwater_server.log.tree import Tree

COLUMNS = "r.seq, r.received, r.kind, r.body, r.event_time, r.event_type, s.name, r.actor, r.run_id, r.job, r.erased"
FROM_RECORD = "FROM record r JOIN source s ON s.id = r.producer"
CONFORMANCE = """
SELECT s.name, f.rule, f.text, f.count, f.first, f.last, f.example
FROM finding f JOIN source s ON s.id = f.producer
WHERE (?1 IS NULL OR s.name = ?1) AND (s.name, f.rule) > (?2, ?3) ORDER BY s.name, f.rule LIMIT ?4"""

T = TypeVar("T")


class SqliteRecordLog:
    """`RecordLog` over a file. One writer connection, a reader for each thread; one that met an error is made anew."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []
        writer = self._guard(lambda: Writer(self._path))
        self._writer: Writer | None = writer
        self._watch = writer.watch
        self.instance = writer.instance
        self._tree = writer.tree

    def head(self) -> int:
        return self._tree.size

    def tree(self) -> Tree:
        return self._tree

    def append(self, drafts: Sequence[Draft], *, at: int) -> list[Receipt]:
        return self._write(lambda writer: writer.append(drafts, at))

    def _write(self, work: Callable[[Writer], T]) -> T:
        """Whether a commit that failed is in the file nobody can know: the next writer reads it there."""
        try:
            if self._writer is None:
                self._watch.check_database()  # or an empty one would be made in its place
                self._writer = Writer(self._path)
                self._watch = self._writer.watch
            done = work(self._writer)
        except apsw.Error as error:
            self._let_go()
            raise self._silent(error) from error
        finally:
            if self._writer is not None:
                self._tree = self._writer.tree
        return done

    def _let_go(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(apsw.Error):
                writer.close()

    def check(self) -> None:
        if self._writer is not None:
            self._watch.check()
        else:
            self._watch.check_database()

    def _guard(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except apsw.Error as error:
            raise self._silent(error) from error

    def _silent(self, error: apsw.Error) -> Unavailable:
        return Unavailable(
            f"the record log {self._path} does not answer ({error}). Nothing was stored; check the "
            "disk (space, permissions), then try again."
        )

    def _reader(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = apsw.Connection(self._path)
            connection.set_busy_timeout(5000)
            connection.pragma("query_only", 1)
            connection.wal_autocheckpoint(0)
            self._local.connection = connection
            self._readers.append(connection)
        return connection

    def _rows(self, sql: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._reader().execute(sql, arguments).fetchall()
        except apsw.Error as error:
            self._local.connection = None
            raise self._silent(error) from error

    def leaves(self, after: int, *, limit: int) -> list[Leaf]:
        rows = self._rows("SELECT * FROM leaf WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return [Leaf(*row) for row in rows]

    def tiles(self, first: int, end: int) -> list[bytes]:
        sql = "SELECT root FROM tile WHERE number >= ? AND number < ? ORDER BY number"
        return [root for (root,) in self._rows(sql, (first, end))]

    def read(self, after: int, *, limit: int) -> list[Record]:
        return self._records("WHERE r.seq > ? ORDER BY r.seq LIMIT ?", (after, limit))

    def get(self, seq: int) -> Record | None:
        found = self._records("WHERE r.seq = ?", (seq,))
        return found[0] if found else None

    def recent(
        self,
        *,
        before: int | None,
        limit: int,
        about: str | None = None,
        producer: str | None = None,
        kind: str | None = None,
    ) -> list[Record]:
        where, arguments = _where(about, producer, kind)
        if before is not None:
            where.append("r.seq < ?")
            arguments.append(before)
        clause = "WHERE " + " AND ".join(where) if where else ""
        return self._records(f"{clause} ORDER BY r.seq DESC LIMIT ?", (*arguments, limit))

    def about(self, keys: Sequence[str]) -> list[int]:
        found: set[int] = set()
        for key in keys:
            found.update(
                row[0] for row in self._rows("SELECT seq FROM mention WHERE node=?", (hash_of(key),))
            )
        return sorted(found)

    def count(self, *, about: str | None = None, producer: str | None = None, kind: str | None = None) -> int:
        where, arguments = _where(about, producer, kind)
        if not where:
            return self._tree.size
        sql = f"SELECT count(*) {FROM_RECORD} WHERE {' AND '.join(where)}"
        return int(self._rows(sql, arguments)[0][0])

    def findings_of(self, seq: int) -> list[str]:
        return [r[0] for r in self._rows("SELECT rule FROM broken WHERE seq=? ORDER BY rule", (seq,))]

    def conformance(
        self, *, producer: str | None = None, after: tuple[str, str] | None = None, limit: int
    ) -> list[Conformance]:
        start = after or ("", "")
        return [Conformance(*row) for row in self._rows(CONFORMANCE, (producer, *start, limit))]

    def producers(self) -> Iterator[str]:
        return iter([r[0] for r in self._rows("SELECT name FROM source ORDER BY name", ())])

    def close(self) -> None:
        for connection in self._readers:
            connection.close()
        if self._writer is not None:
            self._writer.close()

    def _records(self, clause: str, arguments: Sequence[Any]) -> list[Record]:
        sql = f"SELECT {COLUMNS} {FROM_RECORD} {clause}"
        return [Record(*row) for row in self._rows(sql, arguments)]


def _where(about: str | None, producer: str | None, kind: str | None) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    arguments: list[Any] = []
    if about is not None:
        where.append("r.seq IN (SELECT seq FROM mention WHERE node = ?)")
        arguments.append(hash_of(about))
    if producer is not None:
        where.append("s.name = ?")
        arguments.append(producer)
    if kind is not None:
        # One index holds all that is not an event: spell that out, so that it is used.
        where.append("r.kind = ?" if kind == "openlineage" else "r.kind = ? AND r.kind <> 'openlineage'")
        arguments.append(kind)
    return where, arguments
