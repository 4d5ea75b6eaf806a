"""Reading the log's file, from any thread: beside a server that writes, or without one."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import apsw
import orjson

from headwater_server.errors import Invalid, NotFound, Unavailable
from headwater_server.log.leaf import Leaf
from headwater_server.log.port import ALL, Conformance, Evidence, Record, Which
from headwater_server.log.sqlite.schema import VERSION, edition_of, tree_of
from headwater_server.log.sqlite.writing import hash_of
from headwater_server.log.tree import Tree
from headwater_server.pool import Pool

COLUMNS = "r.seq, r.received, r.kind, r.body, r.event_time, r.event_type, s.name, r.actor, r.run_id, r.job, r.erased"
FROM_RECORD = "FROM record r JOIN source s ON s.id = r.producer"
CONFORMANCE = """
SELECT s.name, f.rule, f.text, f.count, f.first, f.last, f.example
FROM finding f JOIN source s ON s.id = f.producer
WHERE (?1 IS NULL OR s.name = ?1) AND (s.name, f.rule) > (?2, ?3) ORDER BY s.name, f.rule LIMIT ?4"""
OF_KINDS = """
JOIN json_each(?) k ON r.kind = k.value WHERE r.kind <> 'openlineage' AND r.seq > ? ORDER BY r.seq LIMIT ?"""
KINDS = """
WITH RECURSIVE kinds(kind) AS (
  SELECT min(kind) FROM record WHERE kind <> 'openlineage' UNION ALL
  SELECT (SELECT min(r.kind) FROM record r WHERE r.kind > kinds.kind AND r.kind <> 'openlineage')
  FROM kinds WHERE kinds.kind IS NOT NULL)
SELECT kind FROM kinds WHERE kind IS NOT NULL"""
"""Steps over the index from kind to kind."""
EXTENT = """
SELECT min(low), max(high) FROM (
  SELECT min(seq) AS low, max(seq) AS high FROM record UNION ALL SELECT min(seq), max(seq) FROM leaf)"""

T = TypeVar("T")


class SqliteLogReader:
    """`RecordReader` over a file, which it never changes.

    Raises:
        NotFound: there is no such file.
        Invalid: it is of another version, or no log.
        Unavailable: it cannot be read.

    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._pool = Pool(self._open)
        if not path.exists():
            raise NotFound(f"There is no record log at {path}. Name the data folder with --data.")
        [(version,)] = self._rows("PRAGMA user_version", ())
        if version != VERSION:
            raise Invalid(
                f"{path} is of log version {version}, this Headwater reads {VERSION}. "
                f"{'Upgrade Headwater.' if version > VERSION else 'Start Headwater on it once: it brings it up to date.'}"
            )
        self.instance = self._name()

    def _name(self) -> str:
        [(instance,)] = self._rows("SELECT value FROM meta WHERE name='instance'", ())
        return str(instance)

    def _open(self) -> apsw.Connection:
        try:
            connection = apsw.Connection(self._path, flags=apsw.SQLITE_OPEN_READONLY)
            connection.set_busy_timeout(5000)
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except apsw.CantOpenError:
            # A folder that may not be written has no place for the index of a write-ahead file.
            if Path(f"{self._path}-wal").exists():
                raise
            uri = f"{Path(self._path).absolute().as_uri()}?immutable=1"
            connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        return connection

    def _rows(self, sql: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._guard(lambda connection: connection.execute(sql, arguments).fetchall())

    def _guard(self, read: Callable[[apsw.Connection], T]) -> T:
        try:
            with self._pool.lent() as connection:
                return read(connection)
        except apsw.Error as error:
            raise silent(self._path, error) from error

    def head(self) -> int:
        return self.extent()[1]

    def tree(self) -> Tree:
        return self._guard(tree_of)

    @property
    def edition(self) -> str:
        return self._guard(edition_of)

    def leaves(self, after: int, *, limit: int) -> list[Leaf]:
        rows = self._rows("SELECT * FROM leaf WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return [Leaf(*row) for row in rows]

    def tiles(self, first: int, end: int) -> list[bytes]:
        sql = "SELECT root FROM tile WHERE number >= ? AND number < ? ORDER BY number"
        return [root for (root,) in self._rows(sql, (first, end))]

    def extent(self) -> tuple[int, int]:
        [(low, high)] = self._rows(EXTENT, ())
        return 1 if low is None else low, high or 0

    def evidence(self, first: int, end: int) -> list[Evidence]:
        records = {r.seq: r for r in self._records("WHERE r.seq >= ? AND r.seq < ?", (first, end))}
        rows = self._rows("SELECT * FROM leaf WHERE seq >= ? AND seq < ?", (first, end))
        leaves = {row[0]: Leaf(*row) for row in rows}
        return [Evidence(seq, records.get(seq), leaves.get(seq)) for seq in range(first, end)]

    def read(self, after: int, *, limit: int, kinds: Sequence[str] = ()) -> list[Record]:
        if kinds:
            return self._records(OF_KINDS, (orjson.dumps(list(kinds)).decode(), after, limit))
        return self._records("WHERE r.seq > ? ORDER BY r.seq LIMIT ?", (after, limit))

    def get(self, seq: int) -> Record | None:
        found = self._records("WHERE r.seq = ?", (seq,))
        return found[0] if found else None

    def recent(self, which: Which = ALL, *, limit: int) -> list[Record]:
        where, arguments = _where(which)
        clause = "WHERE " + " AND ".join(where) if where else ""
        return self._records(f"{clause} ORDER BY r.seq DESC LIMIT ?", (*arguments, limit))

    def about(self, keys: Sequence[str]) -> list[int]:
        found: set[int] = set()
        for key in keys:
            found.update(
                row[0] for row in self._rows("SELECT seq FROM mention WHERE node=?", (hash_of(key),))
            )
        return sorted(found)

    def count(self, which: Which = ALL) -> int:
        where, arguments = _where(which)
        if not where:
            return self.head()
        sql = f"SELECT count(*) {FROM_RECORD} WHERE {' AND '.join(where)}"
        return int(self._rows(sql, arguments)[0][0])

    def mutations(self) -> list[str]:
        return [kind for (kind,) in self._rows(KINDS, ())]

    def first_at(self, moment: int) -> int:
        low, high = 1, self.head() + 1
        while low < high:  # receive times never go back
            middle = (low + high) // 2
            rows = self._rows("SELECT received FROM record WHERE seq = ?", (middle,))
            if rows and rows[0][0] < moment:
                low = middle + 1
            else:
                high = middle
        return low

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
        self._pool.close()

    def _records(self, clause: str, arguments: Sequence[Any]) -> list[Record]:
        sql = f"SELECT {COLUMNS} {FROM_RECORD} {clause}"
        return [Record(*row) for row in self._rows(sql, arguments)]


def silent(path: str, error: apsw.Error) -> Unavailable:
    return Unavailable(
        f"the record log {path} does not answer ({error}). Nothing was stored; check the "
        "disk (space, permissions), then try again."
    )


def _where(which: Which) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    arguments: list[Any] = []
    if which.about is not None:
        where.append("r.seq IN (SELECT seq FROM mention WHERE node = ?)")
        arguments.append(hash_of(which.about))
    if which.producer is not None:
        where.append("s.name = ?")
        arguments.append(which.producer)
    if which.kind is not None:
        # One index holds all that is not an event: spell that out, so that it is used.
        where.append(
            "r.kind = ?" if which.kind == "openlineage" else "r.kind = ? AND r.kind <> 'openlineage'"
        )
        arguments.append(which.kind)
    if which.since > 1:
        where.append("r.seq >= ?")
        arguments.append(which.since)
    if which.before is not None:
        where.append("r.seq < ?")
        arguments.append(which.before)
    return where, arguments
