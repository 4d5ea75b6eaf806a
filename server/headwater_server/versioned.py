"""A SQLite file of our own: made or upgraded when it is opened, refused when a newer Headwater wrote it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import apsw

from headwater_server.errors import Invalid, Unavailable

BUSY_MILLISECONDS = 5_000
T = TypeVar("T")


class VersionedFile:
    """One connection, one thread at a time; what a transaction committed is on the disk.

    `migrations`: number n brings a file from version n to n + 1. Never edit one that was released: add one.
    `pragmas` are set before anything is made. `what` names the content, in the plural, for messages.

    Raises:
        Invalid: a newer Headwater wrote the file.
        Unavailable: it cannot be opened.

    """

    def __init__(
        self, path: Path, migrations: Sequence[str], *, what: str, pragmas: Mapping[str, Any] | None = None
    ) -> None:
        self._path, self._what = str(path), what
        self._lock = threading.Lock()
        self.connection = self.guard(lambda: self._open(migrations, pragmas or {}))

    def guard(self, work: Callable[[], T]) -> T:
        """Do it alone. Raises Unavailable when the file does not answer."""
        with self._lock:
            try:
                return work()
            except apsw.Error as error:
                raise Unavailable(
                    f"the {self._what} in {self._path} do not answer ({error}). Check the disk (space, "
                    "permissions), then try again."
                ) from error

    def close(self) -> None:
        with self._lock:
            self.connection.close()

    def _open(self, migrations: Sequence[str], pragmas: Mapping[str, Any]) -> apsw.Connection:
        connection = apsw.Connection(self._path)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        for name, value in pragmas.items():
            connection.pragma(name, value)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        version = version_of(connection, self._path, known=len(migrations), what=self._what)
        if version < len(migrations):
            with connection:
                for migration in migrations[version:]:
                    connection.execute(migration)
                connection.pragma("user_version", len(migrations))
        return connection


def version_of(connection: apsw.Connection, path: str, *, known: int, what: str) -> int:
    """Of the file; 0: nothing is in it yet. Raises Invalid: it is newer than what is known here."""
    version = int(connection.pragma("user_version"))
    if version > known:
        raise Invalid(
            f"{path} was written by a newer Headwater ({what} version {version}, this one knows {known}). "
            "Upgrade Headwater or choose another data directory."
        )
    return version
