"""Points in one SQLite file: a row each, clustered by series, with every series' summary beside them."""

import math
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import apsw

from headwater_server.errors import Unavailable
from headwater_server.series.port import Point, Summary

SCHEMA = """
CREATE TABLE IF NOT EXISTS series(
  id INTEGER PRIMARY KEY, run TEXT NOT NULL, key TEXT NOT NULL, count INTEGER NOT NULL,
  step INTEGER NOT NULL, ts INTEGER NOT NULL, last INTEGER NOT NULL,
  least INTEGER NOT NULL, most INTEGER NOT NULL, since INTEGER NOT NULL, UNIQUE(run, key));
-- `place` orders like the value, with NaN first: SQLite keeps no NaN. `value` is its 64 bits.
CREATE TABLE IF NOT EXISTS point(
  series INTEGER, step INTEGER, ts INTEGER, place INTEGER, value INTEGER NOT NULL,
  PRIMARY KEY(series, step, ts, place)) WITHOUT ROWID;
"""
FIND = "SELECT id, count, step, ts, last, least, most, since FROM series WHERE run = ? AND key = ?"
ADD_SERIES = (
    "INSERT INTO series(run, key, count, step, ts, last, least, most, since) VALUES(?,?,0,0,0,0,0,0,0)"
)
SET_SERIES = (
    "UPDATE series SET count = ?, step = ?, ts = ?, last = ?, least = ?, most = ?, since = ? WHERE id = ?"
)
ADD_POINT = "INSERT OR IGNORE INTO point VALUES(?,?,?,?,?)"
READ = """
SELECT p.step, p.ts, p.value FROM series s JOIN point p ON p.series = s.id
WHERE s.run = ?1 AND s.key = ?2 AND (p.step, p.ts, p.place) > (?3, ?4, ?5)
ORDER BY p.step, p.ts, p.place LIMIT ?6"""
SUMMARIES = (
    "SELECT key, count, step, ts, last, least, most, since FROM series WHERE run = ? AND count ORDER BY key"
)
DELETE_POINTS = "DELETE FROM point WHERE series IN (SELECT id FROM series WHERE run = ?)"
DELETE_SERIES = "DELETE FROM series WHERE run = ?"

_FIRST = (-(2**63), -(2**63), -(2**63))
T = TypeVar("T")


class SqliteSeries:
    """`SeriesStore` over a file: one connection, one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._lock = threading.Lock()
        self._connection = self._guard(self._open)

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(self._path)
        connection.set_busy_timeout(5000)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        connection.execute(SCHEMA)
        return connection

    def append(self, run: str, points: Mapping[str, Sequence[Point]]) -> dict[str, Summary]:
        def work() -> dict[str, Summary]:
            found = {}
            with self._connection:
                for key, said in points.items():
                    if said:
                        found[key] = self._add(run, key, [p._replace(value=p.value + 0.0) for p in said])
            return found

        return self._guard(work)

    def _add(self, run: str, key: str, said: Sequence[Point]) -> Summary:
        """Without -0.0, which is 0.0."""
        row: Any = self._connection.execute(FIND, (run, key)).fetchone()
        if row is None:
            self._connection.execute(ADD_SERIES, (run, key))
            series, known = self._connection.last_insert_rowid(), None
        else:
            series, known = row[0], _summary(row[1:])
        before = self._connection.total_changes()
        rows = [(series, p.step, p.timestamp, _place(p.value), _bits(p.value)) for p in said]
        self._connection.executemany(ADD_POINT, rows)
        fresh = self._connection.total_changes() - before
        if known is not None and not fresh:
            return known
        summary = joined(known, said, fresh)
        last = summary.last
        self._connection.execute(
            SET_SERIES,
            (
                *(summary.n, last.step, last.timestamp, _bits(last.value)),
                *(_bits(summary.least), _bits(summary.most), summary.since, series),
            ),
        )
        return summary

    def read(
        self, run: str, key: str, *, max_points: int | None = None, after: Point | None = None
    ) -> list[Point]:
        bound = _FIRST if after is None else (after.step, after.timestamp, _place(after.value))
        rows = self._rows(READ, (run, key, *bound, -1 if max_points is None else max_points))
        return [Point(step, at, _value(bits)) for step, at, bits in rows]

    def keys(self, run: str) -> list[str]:
        return list(self.summaries(run))

    def summaries(self, run: str) -> dict[str, Summary]:
        return {row[0]: _summary(row[1:]) for row in self._rows(SUMMARIES, (run,))}

    def _rows(self, sql: str, arguments: tuple[Any, ...]) -> list[Any]:
        return self._guard(lambda: self._connection.execute(sql, arguments).fetchall())

    def delete(self, run: str) -> None:
        def work() -> None:
            with self._connection:
                self._connection.execute(DELETE_POINTS, (run,))
                self._connection.execute(DELETE_SERIES, (run,))

        self._guard(work)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _guard(self, work: Callable[[], T]) -> T:
        with self._lock:
            try:
                return work()
            except apsw.Error as error:
                raise Unavailable(
                    f"the metric points in {self._path} do not answer ({error}). Check the disk (space, "
                    "permissions), then try again."
                ) from error


def joined(known: Summary | None, said: Sequence[Point], fresh: int) -> Summary:
    """The summary with these points too, `fresh` of which are new."""
    last = max(said, key=order)
    numbers = [p.value for p in said if not math.isnan(p.value)]
    least, most = min(numbers, default=math.nan), max(numbers, default=math.nan)
    since = min(p.timestamp for p in said)
    if known is None:
        return Summary(fresh, last, least, most, since)
    return Summary(
        known.n + fresh,
        max(known.last, last, key=order),
        known.least if math.isnan(least) or known.least < least else least,
        known.most if math.isnan(most) or known.most > most else most,
        min(known.since, since),
    )


def order(point: Point) -> tuple[int, int, int]:
    return point.step, point.timestamp, _place(point.value)


def _bits(value: float) -> int:
    found: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return found


def _value(bits: int) -> float:
    found: float = struct.unpack("<d", struct.pack("<q", bits))[0]
    return found


def _place(value: float) -> int:
    """Integers in the order of the numbers they stand for; NaN before all."""
    if math.isnan(value):
        return _FIRST[0]
    bits = _bits(value)
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def _summary(row: tuple[Any, ...]) -> Summary:
    count, step, at, last, least, most, since = row
    return Summary(count, Point(step, at, _value(last)), _value(least), _value(most), since)
