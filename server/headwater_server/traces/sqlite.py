"""Traces in one SQLite file: what is asked for often as rows, spans packed beside them, a tally of each owner."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson
import zstandard

from headwater_server.traces.port import Assessments, Changed, Edit, Place, Span, Tally, Trace
from headwater_server.versioned import VersionedFile

SCHEMA = """
CREATE TABLE trace(
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, experiment TEXT NOT NULL, start INTEGER NOT NULL,
  said TEXT NOT NULL);
CREATE UNIQUE INDEX trace_time ON trace(experiment, start, id);
CREATE TABLE span(
  trace INTEGER NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
  status TEXT NOT NULL, start INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE(trace, id));
CREATE TABLE assessment(trace INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE(trace, id));
CREATE TABLE owner(
  key TEXT PRIMARY KEY, changes INTEGER NOT NULL, count INTEGER NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID;
"""
FIND = "SELECT n, id, experiment, start, said FROM trace WHERE id = ?"
PUT = """
INSERT INTO trace(id, experiment, start, said) VALUES(?1,?2,?3,?4)
ON CONFLICT(id) DO UPDATE SET experiment = ?2, start = ?3, said = ?4 RETURNING n"""
PUT_SPAN = """
INSERT INTO span VALUES(?1,?2,?3,?4,?5,?6,?7,?8)
ON CONFLICT(trace, id) DO UPDATE SET parent = ?3, name = ?4, type = ?5, status = ?6, start = ?7, body = ?8"""
SPANS = """
SELECT trace.id, span.id, span.parent, span.name, span.type, span.status, span.start, {}
FROM json_each(?) AS asked CROSS JOIN trace ON trace.id = asked.value CROSS JOIN span ON span.trace = trace.n
ORDER BY asked.key, span.parent <> '', span.start, span.id"""
WITH_BODIES, WITHOUT_BODIES = SPANS.format("span.body"), SPANS.format("NULL")
NEWEST = """
SELECT n, id, experiment, start, said FROM trace WHERE experiment = ?1 AND start BETWEEN ?2 AND ?3
AND (start, id) < (?4, ?5) ORDER BY start DESC, id DESC LIMIT ?6"""
OLDEST = """
SELECT n, id, experiment, start, said FROM trace WHERE experiment = ?1 AND start BETWEEN ?2 AND ?3
AND (start, id) > (?4, ?5) ORDER BY start, id LIMIT ?6"""
ASSESSMENTS = """
SELECT trace.id, assessment.id, assessment.body
FROM json_each(?) AS asked CROSS JOIN trace ON trace.id = asked.value
CROSS JOIN assessment ON assessment.trace = trace.n ORDER BY asked.key, assessment.rowid"""
PUT_ASSESSMENT = "INSERT INTO assessment VALUES(?1,?2,?3) ON CONFLICT(trace, id) DO UPDATE SET body = ?3"
DROP_ASSESSMENT = "DELETE FROM assessment WHERE trace = ? AND id = ?"
DROP = (
    "DELETE FROM span WHERE trace = ?",
    "DELETE FROM assessment WHERE trace = ?",
    "DELETE FROM trace WHERE n = ?",
)
COUNT = """
INSERT INTO owner VALUES(?1, 1, ?2, ?3)
ON CONFLICT DO UPDATE SET changes = changes + 1, count = count + ?2, last = max(last, ?3)
RETURNING changes, count, last"""
FORGET = "PRAGMA wal_checkpoint(TRUNCATE)"
"""Until then the write-ahead file has what was there before."""
LEVEL = 3
FIRST, LAST = -(2**63), 2**63 - 1
_END: Place = (LAST, "")
_COLUMNS = frozenset({"id", "experiment", "start"})
_SAID = [f.name for f in fields(Trace) if f.name not in _COLUMNS]


class SqliteTraces:
    """`TraceStore` over a file. What is deleted is overwritten: traces hold what people wrote."""

    def __init__(self, path: Path) -> None:
        self._file = VersionedFile(path, [SCHEMA], what="traces", pragmas={"secure_delete": 1})
        self._connection = self._file.connection
        self._guard = self._file.guard
        self._pack = zstandard.ZstdCompressor(level=LEVEL).compress

    # -- writing ----------------------------------------------------------------------------------

    def change(self, edits: Mapping[str, Edit], spans: Mapping[str, Sequence[Span]] | None = None) -> Changed:
        def work() -> Changed:
            traces: dict[str, Trace] = {}
            tallies: dict[str, Tally] = {}
            with self._connection:
                for name, edit in edits.items():
                    row = self._find(name)
                    before = _trace(row) if row else None
                    now = traces[name] = edit(before)
                    number = row[0] if row else None
                    if now != before:
                        said = orjson.dumps({field: getattr(now, field) for field in _SAID}).decode()
                        put = self._connection.execute(PUT, (name, now.experiment, now.start, said))
                        number = put.get
                    tallies.update(self._counted(before, now))
                    rows = ((number, *one[:-1], self._pack(one.body)) for one in (spans or {}).get(name, ()))
                    self._connection.executemany(PUT_SPAN, rows)
            return Changed(traces, tallies)

        return self._guard(work)

    def assess(self, trace: str, edit: Callable[[Trace | None, Assessments], Assessments]) -> Assessments:
        def work() -> Assessments:
            with self._connection:
                row = self._find(trace)
                before = self._assessments([trace]).get(trace, {})
                now = edit(_trace(row) if row else None, before)
                for name in before.keys() - now.keys():
                    self._connection.execute(DROP_ASSESSMENT, (row[0], name))
                for name, body in now.items():
                    if before.get(name) != body:
                        self._connection.execute(PUT_ASSESSMENT, (row[0], name, orjson.dumps(body).decode()))
            return now

        return self._guard(work)

    def delete(
        self, experiment: str, *, ids: Sequence[str] | None, until: int | None, most: int | None
    ) -> Changed:
        last = LAST if until is None else until

        def work() -> Changed:
            traces: dict[str, Trace] = {}
            tallies: dict[str, Tally] = {}
            with self._connection:
                if ids is None:
                    bounds = (experiment, FIRST, last, FIRST, "", -1 if most is None else most)
                    rows: list[Any] = self._connection.execute(OLDEST, bounds).fetchall()
                else:
                    found = (row for name in dict.fromkeys(ids) if (row := self._find(name)))
                    mine = [row for row in found if row[2] == experiment and row[3] <= last]
                    rows = sorted(mine, key=lambda row: (row[3], row[1]))[:most]
                for row in rows:
                    gone = traces[row[1]] = _trace(row)
                    tallies.update(self._counted(gone, None))
                    for statement in DROP:
                        self._connection.execute(statement, (row[0],))
            self._connection.execute(FORGET)
            return Changed(traces, tallies)

        return self._guard(work)

    def _counted(self, before: Trace | None, now: Trace | None) -> Iterator[tuple[str, Tally]]:
        had, has = (set(one.owners) if one else set() for one in (before, now))
        start = now.start if now else FIRST
        for owners, by in ((has - had, 1), (had - has, -1)):
            for key in sorted(owners):
                row: Any = self._connection.execute(COUNT, (key, by, start if by > 0 else FIRST)).fetchone()
                yield key, Tally(*row)

    # -- reading ----------------------------------------------------------------------------------

    def get(self, ids: Sequence[str]) -> list[Trace]:
        def work() -> list[Any]:
            return [row for name in dict.fromkeys(ids) if (row := self._find(name))]

        return [_trace(row) for row in self._guard(work)]

    def spans(self, ids: Sequence[str], *, bodies: bool = True) -> dict[str, list[Span]]:
        statement = WITH_BODIES if bodies else WITHOUT_BODIES
        rows: list[Any] = self._guard(lambda: self._connection.execute(statement, (_listed(ids),)).fetchall())
        unpack = zstandard.ZstdDecompressor().decompress
        found: dict[str, list[Span]] = {}
        for name, *said, body in rows:
            found.setdefault(name, []).append(Span._make((*said, unpack(body) if bodies else b"")))
        return found

    def page(
        self, experiment: str, *, newest: bool, after: Place | None, since: int, until: int, limit: int
    ) -> list[Trace]:
        place = after or (_END if newest else (FIRST, ""))
        bounds = (experiment, since, until, *place, limit)
        rows: Iterable[Any] = self._guard(
            lambda: self._connection.execute(NEWEST if newest else OLDEST, bounds).fetchall()
        )
        return [_trace(row) for row in rows]

    def assessments(self, ids: Sequence[str]) -> dict[str, Assessments]:
        return self._guard(lambda: self._assessments(ids))

    def close(self) -> None:
        self._file.close()

    def _find(self, name: str) -> Any:
        return self._connection.execute(FIND, (name,)).fetchone()

    def _assessments(self, ids: Sequence[str]) -> dict[str, Assessments]:
        found: dict[str, dict[str, Any]] = {}
        rows: Iterable[Any] = self._connection.execute(ASSESSMENTS, (_listed(ids),))
        for trace, name, body in rows:
            found.setdefault(trace, {})[name] = orjson.loads(body)
        return dict(found)


def _listed(ids: Sequence[str]) -> str:
    """Each once, for `json_each`."""
    return orjson.dumps(list(dict.fromkeys(ids))).decode()


def _trace(row: Any) -> Trace:
    _, name, experiment, start, raw = row
    said = orjson.loads(raw)
    runs, owners = tuple(said.pop("runs")), tuple(said.pop("owners"))
    return Trace(name, experiment, start, **said, runs=runs, owners=owners)
