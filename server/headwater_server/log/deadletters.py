"""The records that a graph could not take, and why: one SQLite file beside the log, for every graph made from it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headwater_server.versioned import VersionedFile

SCHEMA = """
CREATE TABLE IF NOT EXISTS letter(
  graph TEXT, seq INTEGER, kind TEXT NOT NULL, reason TEXT NOT NULL, tries INTEGER NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(graph, seq)) WITHOUT ROWID"""
PUT = """
INSERT INTO letter VALUES(?1,?2,?3,?4,?5,?6,?6) ON CONFLICT DO UPDATE
SET reason = ?4, tries = tries + ?5, last = ?6"""
PAGE = """
SELECT seq, kind, reason, tries, first, last FROM letter WHERE graph = ? AND seq > ? ORDER BY seq LIMIT ?"""
LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that the graph goes on without."""

    seq: int
    kind: str
    """The record's kind."""
    reason: str
    tries: int
    first: int
    """Microseconds since 1970, as `last`."""
    last: int


class DeadLetters:
    """Of one graph. Durable when a method returns; any thread may call.

    What is here follows from the log and the graph's own limits: a rebuild empties it and meets the same again.

    Raises from every method: `Unavailable` when the disk does not answer.
    """

    def __init__(self, path: Path, *, graph: str) -> None:
        self._graph = graph
        # A reason may quote a record that is erased later: what is deleted is overwritten.
        self._file = VersionedFile(path, [SCHEMA], what="dead letters", pragmas={"secure_delete": 1})
        self._connection = self._file.connection
        self._guard = self._file.guard
        self._seqs: set[int] = self._guard(
            lambda: {
                row[0] for row in self._connection.execute("SELECT seq FROM letter WHERE graph = ?", (graph,))
            }
        )

    def __len__(self) -> int:
        return len(self._seqs)

    def __contains__(self, seq: int) -> bool:
        return seq in self._seqs

    def put(self, seq: int, *, kind: str, reason: str, tries: int) -> None:
        """Keep it, or count these tries and the newer reason to the one that is kept."""
        at = time.time_ns() // 1_000
        row = (self._graph, seq, kind, reason[:LONGEST_REASON], tries, at)
        self._guard(lambda: self._connection.execute(PUT, row))
        self._seqs.add(seq)

    def remove(self, seqs: Sequence[int]) -> None:
        """Those that are here."""
        gone = [seq for seq in seqs if seq in self._seqs]
        if gone:
            rows = [(self._graph, seq) for seq in gone]
            self._guard(
                lambda: self._connection.executemany("DELETE FROM letter WHERE graph = ? AND seq = ?", rows)
            )
            self._seqs.difference_update(gone)

    def keep_to(self, applied: int) -> None:
        """Forget those of records that the graph has yet to meet (0: all)."""
        self.remove([seq for seq in self._seqs if seq > applied])

    def page(self, *, after: int = 0, limit: int) -> list[Letter]:
        """In the log's order."""
        rows: list[tuple[Any, ...]] = self._guard(
            lambda: self._connection.execute(PAGE, (self._graph, after, max(limit, 0))).fetchall()
        )
        return [Letter(*row) for row in rows]

    def close(self) -> None:
        self._file.close()
