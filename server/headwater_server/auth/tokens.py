"""The API keys of a data folder, in a file of their own that commands and a running server share."""

import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from headwater_server.auth.keys import digest, key_id, make_key, matches
from headwater_server.auth.policy import Grant, Principal
from headwater_server.errors import Invalid, NotFound, Unavailable

FILE = "access.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS token(
  id TEXT PRIMARY KEY, name TEXT NOT NULL, person INTEGER NOT NULL, roles TEXT NOT NULL, hash BLOB NOT NULL,
  created INTEGER NOT NULL, created_by TEXT NOT NULL, expires INTEGER, used INTEGER, revoked INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS act(n INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""
_ALL = """
SELECT id, name, person, roles, created, created_by, expires, used, revoked, hash FROM token ORDER BY created, id"""
_ONE = "SELECT id, name, person, roles, created, created_by, expires, used, revoked, hash FROM token WHERE id = ?"
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._@+-]{0,99}")
_RESERVED = frozenset({"anonymous", "system"})
_LOOK_AGAIN = 0.2
"""Seconds after which a change by another process is looked for."""
_USED_AGAIN = 60_000_000
"""Microseconds within which a second use is not written down again."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a key; never the key itself. Times are microseconds since 1970."""

    id: str
    name: str
    person: bool
    """It acts in the name of a person; otherwise of a service."""
    roles: tuple[str, ...]
    created: int
    created_by: str
    expires: int | None
    used: int | None
    revoked: int | None

    def valid(self, at: int) -> bool:
        return self.revoked is None and (self.expires is None or at < self.expires)

    def principal(self) -> Principal:
        name = self.name if self.person else f"service:{self.name}"
        return Principal(name, tuple(Grant.read(role) for role in self.roles))


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done to a key, to be written into the record log."""

    n: int
    body: dict[str, Any]


class Tokens:
    """Safe in threads. Raises Unavailable from every method when the file does not answer."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made before something is written."""
        self._path = folder / FILE
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._known: dict[str, tuple[Token, bytes, Principal]] = {}
        self._version: int | None = None
        self._looked = 0.0

    def create(
        self,
        name: str,
        roles: Sequence[str],
        *,
        by: str,
        at: int,
        expires: int | None = None,
        person: bool = False,
    ) -> tuple[Token, str]:
        """The token, and the key, which is told this once.

        Raises:
            Invalid: the name, or a role.

        """
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise Invalid(
                f"{name!r} cannot be a token's name. Names have 1 to 100 letters, digits, `.`, `_`, `@`, `+`, `-`.",
                field="name",
            )
        if not roles:
            raise Invalid("A token without a role may do nothing. Give it at least one.", field="role")
        for role in roles:
            Grant.read(role)
        id_, key = make_key()
        token = Token(id_, name, person, tuple(roles), at, by, expires, None, None)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO token VALUES(?,?,?,?,?,?,?,?,NULL,NULL)",
                (id_, name, person, json.dumps(roles), digest(key), at, by, expires),
            )
            self._act(connection, "created", token, by=by, at=at)

        self._write(write)
        self._version, self._looked = None, 0.0
        return token, key

    def revoke(self, id_: str, *, by: str, at: int) -> Token:
        """From now on it opens nothing. Revoking again changes nothing.

        Raises:
            NotFound: there is no such token.

        """

        def write(connection: sqlite3.Connection) -> Token:
            rows = connection.execute(_ONE, (id_,)).fetchall()
            if not rows:
                raise NotFound(f"There is no token {id_}. `headwater token list` shows them.", ref=id_)
            token, _ = _read(rows[0])
            if token.revoked is None:
                connection.execute("UPDATE token SET revoked = ? WHERE id = ?", (at, id_))
                self._act(connection, "revoked", token, by=by, at=at)
                rows = connection.execute(_ONE, (id_,)).fetchall()
            return _read(rows[0])[0]

        token = self._write(write)
        self._version, self._looked = None, 0.0
        return token

    def all(self) -> list[Token]:
        """Oldest first; revoked and expired ones too."""
        if not self._path.exists():
            return []
        return [_read(row)[0] for row in self._do(lambda c: c.execute(_ALL).fetchall())]

    def principal(self, key: str, *, at: int) -> Principal | None:
        """Whom a key stands for; None for a key that opens nothing (any more).

        A wrong key costs a look-up and a hash; what another process changed is seen within a second.
        """
        id_ = key_id(key)
        if id_ is None:
            return None
        self._look()
        known = self._known.get(id_)
        if known is None:
            return None
        token, hashed, principal = known
        if not matches(key, hashed) or not token.valid(at):
            return None
        if token.used is None or at - token.used >= _USED_AGAIN:
            self._used(token, at)
        return principal

    def pending(self) -> list[Act]:
        """What the record log has not been told yet, in order."""
        if not self._path.exists():
            return []
        rows = self._do(lambda c: c.execute("SELECT n, body FROM act ORDER BY n").fetchall())
        return [Act(n, json.loads(body)) for n, body in rows]

    def told(self, upto: int) -> None:
        """The record log has these."""
        self._write(lambda c: c.execute("DELETE FROM act WHERE n <= ?", (upto,)))

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _look(self) -> None:
        """Read all again when another connection wrote."""
        if time.monotonic() - self._looked < _LOOK_AGAIN:
            return
        with self._lock:
            if not self._path.exists():
                return
            version = int(self._do(lambda c: c.execute("PRAGMA data_version").fetchone())[0])
            if version != self._version:
                rows = self._do(lambda c: c.execute(_ALL).fetchall())
                read = [_read(row) for row in rows]
                self._known = {token.id: (token, hashed, token.principal()) for token, hashed in read}
                self._version = version
            self._looked = time.monotonic()

    def _used(self, token: Token, at: int) -> None:
        _, hashed, principal = self._known[token.id]
        fields = {**{f: getattr(token, f) for f in Token.__slots__}, "used": at}
        self._known[token.id] = Token(**fields), hashed, principal
        with suppress(Unavailable):  # a key that is good opens, though its use cannot be written down
            self._write(lambda c: c.execute("UPDATE token SET used = ? WHERE id = ?", (at, token.id)))

    def _act(self, connection: sqlite3.Connection, action: str, token: Token, *, by: str, at: int) -> None:
        body = {
            "action": action, "id": token.id, "name": token.name, "person": token.person,
            "roles": list(token.roles), "expires": token.expires, "at": at, "by": by,
        }  # fmt: skip
        connection.execute("INSERT INTO act(body) VALUES(?)", (json.dumps(body),))

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                return work(connection)

        return self._do(transaction)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                return work(self._opened())
            except sqlite3.Error as error:
                raise Unavailable(
                    f"the tokens in {self._path} cannot be read or written ({error})."
                ) from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            self._connection = sqlite3.connect(
                self._path, timeout=5, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(_SCHEMA)
        return self._connection


def _read(row: tuple[Any, ...]) -> tuple[Token, bytes]:
    id_, name, person, roles, created, created_by, expires, used, revoked, hashed = row
    token = Token(
        id_, name, bool(person), tuple(json.loads(roles)), created, created_by, expires, used, revoked
    )
    return token, hashed
