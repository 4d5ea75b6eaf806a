"""The webhooks of a data folder, how far each was told, and what became of it: a file of their own, for its owner alone.

Secrets are here as they came, and nowhere else. What is deleted is overwritten with zeros.
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from headwater_server.errors import NotFound
from headwater_server.versioned import VersionedFile

FILE = "webhooks.db"
KEPT = 1_000
"""Deliveries of one webhook that are remembered."""
MIGRATIONS = (
    """
CREATE TABLE webhook(
  id TEXT PRIMARY KEY, name TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL, description TEXT NOT NULL,
  active INTEGER NOT NULL, secret TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
  seq INTEGER NOT NULL, nth INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE delivery(
  webhook TEXT, seq INTEGER, nth INTEGER, event TEXT NOT NULL, outcome TEXT NOT NULL, tries INTEGER NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL, status INTEGER NOT NULL, error TEXT NOT NULL,
  PRIMARY KEY(webhook, seq, nth)) WITHOUT ROWID;
""",
)
_FIELDS = "id, name, url, events, description, active, secret, created, updated, seq, nth"
_ALL = f"SELECT {_FIELDS} FROM webhook ORDER BY created DESC, id"  # noqa: S608
_ONE = f"SELECT {_FIELDS} FROM webhook WHERE id = ?"  # noqa: S608
_PUT = f"""
INSERT INTO webhook({_FIELDS}) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11) ON CONFLICT DO UPDATE
SET name = ?2, url = ?3, events = ?4, description = ?5, active = ?6, secret = ?7, updated = ?9"""
_MOVE = "UPDATE webhook SET seq = ?2, nth = ?3 WHERE id = ?1 AND (seq, nth) < (?2, ?3)"
_BACK = "UPDATE webhook SET seq = ?1, nth = 0 WHERE seq > ?1"
_NOTE = """
INSERT INTO delivery VALUES(?1,?2,?3,?4,?5,1,?6,?6,?7,?8) ON CONFLICT DO UPDATE
SET outcome = ?5, tries = tries + 1, last = ?6, status = ?7, error = ?8"""
_FORGET = """
DELETE FROM delivery WHERE webhook = ?1 AND (seq, nth) <= (
  SELECT seq, nth FROM delivery WHERE webhook = ?1 ORDER BY seq DESC, nth DESC LIMIT 1 OFFSET ?2)"""
_PAGE = """
SELECT seq, nth, event, outcome, tries, first, last, status, error FROM delivery
WHERE webhook = ? AND (seq, nth) < (?, ?) ORDER BY seq DESC, nth DESC LIMIT ?"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Webhook:
    """Times in microseconds. It has been told everything before event `nth` of record `seq`."""

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    description: str
    active: bool
    secret: str = field(repr=False)
    created: int
    updated: int
    seq: int
    nth: int = 0


class Outcome(StrEnum):
    DELIVERED = "DELIVERED"
    RETRYING = "RETRYING"
    GIVEN_UP = "GIVEN_UP"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Of event `nth` of record `seq`. Times in microseconds; `status` is HTTP's, 0 when there was no answer."""

    seq: int
    nth: int
    event: str
    outcome: Outcome
    tries: int
    first: int
    last: int
    status: int
    error: str


class Book:
    """Durable when a method returns; any thread may call. Raises Unavailable from every method when the file does not
    answer.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is made before something is written."""
        self._path = folder / FILE
        self._opening = threading.Lock()
        self._file: VersionedFile | None = None

    def all(self) -> list[Webhook]:
        """Newest first."""
        if not self._path.exists():
            return []
        return [_webhook(row) for row in self._do(lambda c: c.execute(_ALL).fetchall())]

    def get(self, id_: str) -> Webhook:
        """Raises NotFound."""
        rows = self._do(lambda c: c.execute(_ONE, (id_,)).fetchall()) if self._path.exists() else []
        if not rows:
            raise NotFound(f"Webhook with ID {id_} not found.", ref=id_, didYouMean=[])
        return _webhook(rows[0])

    def put(self, one: Webhook) -> None:
        """New, or instead of what it was, except for its position."""
        events = json.dumps(one.events)
        row = (one.id, one.name, one.url, events, one.description, one.active, one.secret, one.created)
        self._do(lambda c: c.execute(_PUT, (*row, one.updated, one.seq, one.nth)))
        self._scrub()

    def delete(self, id_: str) -> None:
        """With its secret and its deliveries."""

        def work(connection: Any) -> None:
            connection.execute("DELETE FROM webhook WHERE id = ?", (id_,))
            connection.execute("DELETE FROM delivery WHERE webhook = ?", (id_,))

        self._do(work)
        self._scrub()

    def move(self, id_: str, seq: int, nth: int) -> None:
        """Everything before is told, or is not asked for. It never goes back."""
        self._do(lambda c: c.execute(_MOVE, (id_, seq, nth)))

    def note(
        self, id_: str, seq: int, nth: int, event: str, outcome: Outcome, *, at: int, status: int, error: str
    ) -> None:
        """A try of one event, and, unless it is tried again, that it is over."""

        def work(connection: Any) -> None:
            if not connection.execute("SELECT 1 FROM webhook WHERE id = ?", (id_,)).fetchone():
                return  # it was deleted meanwhile
            connection.execute(_NOTE, (id_, seq, nth, event, outcome, at, status, error))
            connection.execute(_FORGET, (id_, KEPT))
            if outcome is not Outcome.RETRYING:
                connection.execute(_MOVE, (id_, seq, nth + 1))

        self._do(work)

    def deliveries(self, id_: str, *, before: tuple[int, int] | None, limit: int) -> list[Delivery]:
        """Newest first, before (seq, nth). Raises NotFound."""
        self.get(id_)
        bound = before or (2**63 - 1, 0)
        rows = self._do(lambda c: c.execute(_PAGE, (id_, *bound, limit)).fetchall())
        return [Delivery(seq, nth, event, Outcome(how), *more) for seq, nth, event, how, *more in rows]

    def keep_to(self, head: int) -> None:
        """When the log was put back to an older one: what it will say anew is told anew."""
        if self._path.exists():
            self._do(lambda c: c.execute(_BACK, (head + 1,)))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _do(self, work: Callable[[Any], T]) -> T:
        file = self._opened()

        def transaction() -> T:
            with file.connection:
                found = work(file.connection)
            return found  # noqa: RET504 - inside, `with` could swallow what was raised, for all that types say

        return file.guard(transaction)

    def _scrub(self) -> None:
        """Nothing that was replaced stays in the write-ahead file, unless somebody copies the database just now."""
        file = self._opened()
        file.guard(lambda: file.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    def _opened(self) -> VersionedFile:
        with self._opening:
            if self._file is None:
                self._path.touch(mode=0o600)
                self._file = VersionedFile(
                    self._path, MIGRATIONS, what="webhooks", pragmas={"secure_delete": 1}
                )
            return self._file


def _webhook(row: Sequence[Any]) -> Webhook:
    id_, name, url, events, description, active, *rest = row
    return Webhook(id_, name, url, tuple(json.loads(events)), description, bool(active), *rest)
