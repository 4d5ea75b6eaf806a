"""The record log in one SQLite file: one fsync a batch, idempotent by content key."""

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import apsw

from headwater_server.errors import Invalid, Unavailable
from headwater_server.log.port import Conformance, Draft, Finding, Receipt, Record

VERSION = 1
REMEMBERED_RUNS = 50_000
"""The newest runs whose job is remembered, to tell when another job says the same runId."""
SCHEMA = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE record(
  seq INTEGER PRIMARY KEY, received INTEGER NOT NULL, kind TEXT NOT NULL, event_time INTEGER,
  event_type TEXT NOT NULL, producer INTEGER NOT NULL, actor TEXT NOT NULL, run_id TEXT NOT NULL,
  job TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE content(key BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE mention(node INTEGER, seq INTEGER, PRIMARY KEY(node, seq)) WITHOUT ROWID;
CREATE TABLE finding(
  producer INTEGER, rule TEXT, text TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, example INTEGER NOT NULL, PRIMARY KEY(producer, rule)) WITHOUT ROWID;
CREATE TABLE broken(seq INTEGER, rule TEXT, PRIMARY KEY(seq, rule)) WITHOUT ROWID;
CREATE INDEX mutation ON record(kind, seq) WHERE kind <> 'openlineage';
"""
COLUMNS = "r.seq, r.received, r.kind, r.body, r.event_time, r.event_type, s.name, r.actor, r.run_id, r.job"
FROM_RECORD = "FROM record r JOIN source s ON s.id = r.producer"
INSERT = "INSERT INTO record VALUES(?,?,?,?,?,?,?,?,?,?)"
INSERT_CONTENT = "INSERT INTO content VALUES(?,?)"
INSERT_MENTION = "INSERT OR IGNORE INTO mention VALUES(?,?)"
INSERT_BROKEN = "INSERT OR IGNORE INTO broken VALUES(?,?)"
COUNT_FINDING = """
INSERT INTO finding VALUES(?1,?2,?3,1,?4,?4,?5) ON CONFLICT DO UPDATE
SET count = count + 1, last = ?4, text = ?3, example = ?5"""
CONFORMANCE = """
SELECT s.name, f.rule, f.text, f.count, f.first, f.last, f.example
FROM finding f JOIN source s ON s.id = f.producer
WHERE (?1 IS NULL OR s.name = ?1) AND (s.name, f.rule) > (?2, ?3) ORDER BY s.name, f.rule LIMIT ?4"""

T = TypeVar("T")


class SqliteRecordLog:
    """`RecordLog` over a file. One writer connection, a reader for each thread."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []
        self._writer = self._guard(self._open)
        self.instance = str(self._writer.execute("SELECT value FROM meta WHERE name='instance'").get)
        self._sources: dict[str, int] = {
            name: id_ for id_, name in self._writer.execute("SELECT id, name FROM source")
        }
        self._job_of: dict[str, str] = {}
        self._head = 0
        self._latest = 0
        for head, latest in self._writer.execute(
            "SELECT seq, received FROM record ORDER BY seq DESC LIMIT 1"
        ):
            self._head, self._latest = int(head), int(latest)

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(self._path)
        connection.set_busy_timeout(5000)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        version = int(connection.pragma("user_version"))
        if version > VERSION:
            raise Invalid(
                f"{self._path} was written by a newer Headwater (log version {version}, this one "
                f"knows {VERSION}). Upgrade Headwater or choose another data directory."
            )
        if version == 0:
            with connection:
                connection.execute(SCHEMA)
                connection.execute("INSERT INTO meta VALUES('instance', ?)", (secrets.token_hex(8),))
                connection.pragma("user_version", VERSION)
        return connection

    def _guard(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except apsw.Error as error:
            raise Unavailable(
                f"the record log {self._path} does not answer ({error}). Nothing was stored; check the "
                "disk (space, permissions), then try again."
            ) from error

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
        return self._guard(lambda: self._reader().execute(sql, arguments).fetchall())

    def head(self) -> int:
        return self._head

    def append(self, drafts: Sequence[Draft], *, at: int) -> list[Receipt]:
        return self._guard(lambda: self._append(drafts, at))

    def _append(self, drafts: Sequence[Draft], at: int) -> list[Receipt]:
        received = max(at, self._latest)
        sources = dict(self._sources)
        receipts: list[Receipt] = []
        rows: list[tuple[Any, ...]] = []
        contents: dict[bytes, int] = {}
        mentions: list[tuple[int, int]] = []
        next_seq = self._head + 1
        with self._writer:
            for draft in drafts:
                known = contents.get(draft.content_key)
                if known is None:
                    known = self._writer.execute(
                        "SELECT seq FROM content WHERE key = ?", (draft.content_key,)
                    ).get
                if known is not None:
                    receipts.append(Receipt(known, duplicate=True))
                    continue
                source = sources.get(draft.producer)
                if source is None:
                    source = sources[draft.producer] = len(sources) + 1
                    self._writer.execute("INSERT INTO source VALUES(?,?)", (source, draft.producer))
                seq, next_seq = next_seq, next_seq + 1
                contents[draft.content_key] = seq
                rows.append(
                    (seq, received, draft.kind, draft.event_time, draft.event_type, source,
                     draft.actor, draft.run_id, draft.job, draft.body)
                )  # fmt: skip
                mentions.extend((_hash(key), seq) for key in draft.mentions)
                for found in (*draft.findings, *self._of_another_job(draft)):
                    self._writer.execute(INSERT_BROKEN, (seq, found.rule))
                    self._writer.execute(COUNT_FINDING, (source, found.rule, found.text, received, seq))
                receipts.append(Receipt(seq, duplicate=False))
            self._writer.executemany(INSERT, rows)
            self._writer.executemany(INSERT_CONTENT, contents.items())
            self._writer.executemany(INSERT_MENTION, sorted(mentions))
        self._head, self._latest, self._sources = next_seq - 1, received, sources
        return receipts

    def _of_another_job(self, draft: Draft) -> list[Finding]:
        """Two jobs that say one runId at about the same time (a producer's fault): both are kept, the second is flagged."""
        if not draft.run_id or not draft.job:
            return []
        first = self._job_of.setdefault(draft.run_id, draft.job)
        if len(self._job_of) > REMEMBERED_RUNS:
            del self._job_of[next(iter(self._job_of))]
        if first == draft.job:
            return []
        text = f"runId {draft.run_id[:80]} is said by {first[:200]} and by {draft.job[:200]}: two runs"
        return [Finding("runId-of-two-jobs", text)]

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
            found.update(row[0] for row in self._rows("SELECT seq FROM mention WHERE node=?", (_hash(key),)))
        return sorted(found)

    def count(self, *, about: str | None = None, producer: str | None = None, kind: str | None = None) -> int:
        where, arguments = _where(about, producer, kind)
        if not where:
            return self._head
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
        for connection in (*self._readers, self._writer):
            connection.close()

    def _records(self, clause: str, arguments: Sequence[Any]) -> list[Record]:
        sql = f"SELECT {COLUMNS} {FROM_RECORD} {clause}"
        return [Record(*row) for row in self._rows(sql, arguments)]


def _where(about: str | None, producer: str | None, kind: str | None) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    arguments: list[Any] = []
    if about is not None:
        where.append("r.seq IN (SELECT seq FROM mention WHERE node = ?)")
        arguments.append(_hash(about))
    if producer is not None:
        where.append("s.name = ?")
        arguments.append(producer)
    if kind is not None:
        # One index holds all that is not an event: spell that out, so that it is used.
        where.append("r.kind = ?" if kind == "openlineage" else "r.kind = ? AND r.kind <> 'openlineage'")
        arguments.append(kind)
    return where, arguments


@lru_cache(maxsize=65_536)
def _hash(key: str) -> int:
    """63 bits name a node well enough: a collision would show a record too many, never lose one."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), signed=True) >> 1
