"""Points in one SQLite file: the newest as rows or loose chunks, the others sealed, a summary of each series beside them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import merge
from itertools import chain
from pathlib import Path
from typing import Any

from headwater_server.series.chunk import decode, encode, loose
from headwater_server.series.columns import Columns, grown, ordered, together
from headwater_server.series.order import FIRST, NAN, all_bits, bits, extremes, place, value_of
from headwater_server.series.port import Point, Summary
from headwater_server.series.sample import buckets
from headwater_server.versioned import VersionedFile

TAIL = 500
"""From so many points on, the tail of a series is sealed."""
MANY = 20
"""So many points at once, behind all others, are a loose chunk of the tail: one row, not as many."""
PIECE = 1_000
"""Points of a full chunk; a smaller last one grows at the next sealing."""
SCHEMA = """
CREATE TABLE series(
  id INTEGER PRIMARY KEY, run TEXT NOT NULL, key TEXT NOT NULL, count INTEGER NOT NULL,
  step INTEGER NOT NULL, ts INTEGER NOT NULL, last INTEGER NOT NULL,
  least INTEGER NOT NULL, most INTEGER NOT NULL, since INTEGER NOT NULL,
  tail INTEGER NOT NULL, sealed INTEGER NOT NULL, UNIQUE(run, key));
-- `place` orders like the value, with NaN first: SQLite keeps no NaN. `value` is its 64 bits.
CREATE TABLE point(
  series INTEGER, step INTEGER, ts INTEGER, place INTEGER, value INTEGER NOT NULL,
  PRIMARY KEY(series, step, ts, place)) WITHOUT ROWID;
-- Chunks of a series do not overlap: each begins behind the end of the one before.
CREATE TABLE chunk(
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL, step INTEGER NOT NULL, ts INTEGER NOT NULL, place INTEGER NOT NULL,
  last_step INTEGER NOT NULL, last_ts INTEGER NOT NULL, last_place INTEGER NOT NULL, count INTEGER NOT NULL,
  least_step INTEGER NOT NULL, least_ts INTEGER NOT NULL, least INTEGER NOT NULL,
  most_step INTEGER NOT NULL, most_ts INTEGER NOT NULL, most INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX chunk_order ON chunk(series, step, ts, place);
"""
FIND = (
    "SELECT id, tail, sealed, count, step, ts, last, least, most, since FROM series WHERE run = ? AND key = ?"
)
ADD_SERIES = "INSERT INTO series(run, key, count, step, ts, last, least, most, since, tail, sealed) VALUES(?,?,0,0,0,0,0,0,0,0,0)"
SET_SERIES = (
    "UPDATE series SET count=?, step=?, ts=?, last=?, least=?, most=?, since=?, tail=?, sealed=? WHERE id=?"
)
ADD_POINT = "INSERT INTO point VALUES(?,?,?,?,?)"
TAIL_OF = "SELECT step, ts, value FROM point WHERE series = ?1 AND (step, ts, place) > (?2, ?3, ?4) ORDER BY step, ts, place LIMIT ?5"
TAIL_WITHIN = """
SELECT step, ts, value FROM point WHERE series = ?1
AND (step, ts, place) >= (?2, ?3, ?4) AND (step, ts, place) <= (?5, ?6, ?7)"""
DROP_TAIL = "DELETE FROM point WHERE series = ?"
ADD_CHUNK = "INSERT INTO chunk VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
CHUNKS = """
SELECT id, data FROM chunk WHERE series = ?1 AND (last_step, last_ts, last_place) >= (?2, ?3, ?4)
AND (step, ts, place) <= (?5, ?6, ?7) ORDER BY step, ts, place"""
LAST_CHUNKS = (
    "SELECT count, step, ts, place FROM chunk WHERE series = ? ORDER BY step DESC, ts DESC, place DESC"
)
CHUNKS_FROM = """
SELECT data FROM chunk WHERE series = ?1 AND (last_step, last_ts, last_place) > (?2, ?3, ?4) ORDER BY step, ts, place"""
HEADERS = "SELECT least_step, least_ts, least, most_step, most_ts, most FROM chunk WHERE series = ? ORDER BY step, ts, place"
SUMMARIES = (
    "SELECT key, count, step, ts, last, least, most, since FROM series WHERE run = ? AND count ORDER BY key"
)
DELETE = (
    "DELETE FROM point WHERE series IN (SELECT id FROM series WHERE run = ?1)",
    "DELETE FROM chunk WHERE series IN (SELECT id FROM series WHERE run = ?1)",
    "DELETE FROM series WHERE run = ?1",
)


class SqliteSeries:
    """`SeriesStore` over a file: one connection, one thread at a time."""

    def __init__(self, path: Path, *, tail: int = TAIL, piece: int = PIECE, many: int = MANY) -> None:
        self._tail, self._piece, self._many = tail, piece, many
        # a chunk ends half a page before its last page does
        self._file = VersionedFile(path, [SCHEMA], what="metric points", pragmas={"page_size": 2048})
        self._connection = self._file.connection
        self._guard = self._file.guard

    # -- writing ----------------------------------------------------------------------------------

    def append(self, run: str, points: Mapping[str, Sequence[Point]]) -> dict[str, Summary]:
        def work() -> dict[str, Summary]:
            found = {}
            with self._connection:
                for key, said in points.items():
                    if said:
                        found[key] = self._add(run, key, said)
            return found

        return self._guard(work)

    def _add(self, run: str, key: str, said: Sequence[Point]) -> Summary:
        row: Any = self._connection.execute(FIND, (run, key)).fetchone()
        known: Summary | None = None
        if row is None:
            self._connection.execute(ADD_SERIES, (run, key))
            series, tail, sealed = self._connection.last_insert_rowid(), 0, 0
        else:
            series, tail, sealed = row[:3]
            known = _summary(row[3:]) if row[3] else None
        given = Columns.of(said)
        values = [value or 0.0 for value in given.values]  # -0.0 is 0.0
        fresh = ordered(Columns(given.steps, given.times, values))
        if known is not None and place(fresh[0]) <= place(known.last):
            fresh = self._unknown(series, fresh)
            if not fresh:
                return known
        summary = grown(known, fresh)
        if tail + len(fresh) >= self._tail:
            sealed += self._seal(series, fresh)
            tail = 0
        elif len(fresh) >= self._many and (known is None or place(known.last) < place(fresh[0])):
            self._add_chunk(series, fresh, loose)
            tail += len(fresh)
            sealed += 1
        else:
            rows = zip(fresh.places(), all_bits(fresh.values), strict=True)
            self._connection.executemany(ADD_POINT, ((series, *at, value) for at, value in rows))
            tail += len(fresh)
        last = summary.last
        self._connection.execute(
            SET_SERIES,
            (
                *(summary.n, last.step, last.timestamp, bits(last.value)),
                *(bits(summary.least), bits(summary.most), summary.since, tail, sealed, series),
            ),
        )
        return summary

    def _unknown(self, series: int, given: Columns) -> Columns:
        """Without what is there already: a batch that is sent again, or a late step of it."""
        first, last = place(given[0]), place(given[-1])
        chunks: Any = self._connection.execute(CHUNKS, (series, *first, *last)).fetchall()
        known = {at for _, data in chunks for at in decode(data).places()}
        for row in self._connection.execute(TAIL_WITHIN, (series, *first, *last)):
            known.add(place(_point(row)))
        return given.picked([number for number, at in enumerate(given.places()) if at not in known])

    def _seal(self, series: int, fresh: Columns) -> int:
        """The tail and these points into chunks, and what they overlap or leave small again; chunks more than before."""
        tail = [_point(row) for row in self._connection.execute(TAIL_OF, (series, *FIRST, -1))]
        points = ordered(together([Columns.of(tail), fresh]))
        self._connection.execute(DROP_TAIL, (series,))
        first, last = place(points[0]), place(points[-1])
        for count, *at in self._connection.execute(LAST_CHUNKS, (series,)):
            if count >= self._piece:
                break
            first, last = min(first, tuple(at)), max(last, tuple(at))
        chunks: Any = self._connection.execute(CHUNKS, (series, *first, *last)).fetchall()
        for chunk, _ in chunks:
            self._connection.execute("DELETE FROM chunk WHERE id = ?", (chunk,))
        every = ordered(together([*(decode(data) for _, data in chunks), points]))
        pieces = max(1, len(every) // self._piece)
        for number in range(pieces):
            piece = every[number * len(every) // pieces : (number + 1) * len(every) // pieces]
            self._add_chunk(series, piece, encode)
        return pieces - len(chunks)

    def _add_chunk(self, series: int, piece: Columns, form: Callable[[Columns], bytes]) -> None:
        least, most = (piece[at] for at in extremes(piece.values))
        self._connection.execute(
            ADD_CHUNK,
            (
                *(series, *place(piece[0]), *place(piece[-1]), len(piece)),
                *(least.step, least.timestamp, bits(least.value)),
                *(most.step, most.timestamp, bits(most.value), form(piece)),
            ),
        )

    def delete(self, run: str) -> None:
        def work() -> None:
            with self._connection:
                for statement in DELETE:
                    self._connection.execute(statement, (run,))

        self._guard(work)

    # -- reading ----------------------------------------------------------------------------------

    def read(
        self, run: str, key: str, *, max_points: int | None = None, after: Point | None = None
    ) -> list[Point]:
        def work() -> list[Point]:
            row: Any = self._connection.execute(FIND, (run, key)).fetchone()
            return [] if row is None else self._read(row[0], max_points, after)

        return self._guard(work)

    def _read(self, series: int, max_points: int | None, after: Point | None) -> list[Point]:
        bound = FIRST if after is None else place(after)
        limit = -1 if max_points is None else max_points
        tail = [_point(row) for row in self._connection.execute(TAIL_OF, (series, *bound, limit))]
        sealed: list[Point] = []
        for (data,) in self._connection.execute(CHUNKS_FROM, (series, *bound)):
            points: Sequence[Point] = decode(data)
            if after is not None and not sealed and place(points[0]) <= bound:
                points = [p for p in points if place(p) > bound]
            sealed += points
            if max_points is not None and len(sealed) >= max_points:
                break
        if not (tail and sealed):
            found = sealed or tail
        elif place(sealed[-1]) < place(tail[0]):
            found = sealed + tail
        else:
            found = list(merge(sealed, tail, key=place))
        return found if max_points is None else found[:max_points]

    def _within(self, series: int, steps: tuple[int, int]) -> list[Point]:
        first, last = (steps[0], NAN, NAN), (steps[1], -NAN - 1, -NAN - 1)
        found = [_point(row) for row in self._connection.execute(TAIL_WITHIN, (series, *first, *last))]
        chunks: Any = self._connection.execute(CHUNKS, (series, *first, *last)).fetchall()
        for _, data in chunks:
            found += (point for point in decode(data) if steps[0] <= point.step <= steps[1])
        return sorted(found, key=place)

    def sample(
        self, run: str, key: str, points: int, *, steps: tuple[int, int] | None = None
    ) -> tuple[list[Point], int]:
        def work() -> tuple[list[Point], int]:
            row: Any = self._connection.execute(FIND, (run, key)).fetchone()
            if row is None:
                return [], 0
            series, sealed, known = row[0], row[2], _summary(row[3:])
            if steps is not None:
                found = self._within(series, steps)
                return buckets(found, points), len(found)
            if 2 * sealed < points:
                return buckets(self._read(series, None, None), points), known.n
            tail = (_point(r) for r in self._connection.execute(TAIL_OF, (series, *FIRST, -1)))
            ends = (
                (Point(a, b, value_of(c)), Point(d, e, value_of(f)))
                for a, b, c, d, e, f in self._connection.execute(HEADERS, (series,))
            )
            spikes = {*chain.from_iterable(ends), *tail, *self._read(series, 1, None), known.last}
            return buckets(sorted(spikes, key=place), points), known.n

        return self._guard(work)

    def keys(self, run: str) -> list[str]:
        return list(self.summaries(run))

    def summaries(self, run: str) -> dict[str, Summary]:
        rows: Iterable[Any] = self._guard(lambda: self._connection.execute(SUMMARIES, (run,)).fetchall())
        return {row[0]: _summary(row[1:]) for row in rows}

    def close(self) -> None:
        self._file.close()


def _point(row: tuple[Any, ...]) -> Point:
    return Point(row[0], row[1], value_of(row[2]))


def _summary(row: Sequence[Any]) -> Summary:
    count, step, at, last, least, most, since = row
    return Summary(count, Point(step, at, value_of(last)), value_of(least), value_of(most), since)
