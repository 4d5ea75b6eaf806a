"""Connections to the file, and its errors told as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from headwater_server.errors import Unavailable
from headwater_server.pool import Pool
from headwater_server.store.sqlite import statements

BUSY_MILLISECONDS = 10_000

_ADVICE: dict[type[apsw.Error], str] = {
    apsw.BusyError: "another process holds it: stop that one, or try again",
    apsw.LockedError: "another connection holds it: try again",
    apsw.FullError: "the disk is full: free some space and try again",
    apsw.IOError: "the disk does not answer: check the disk, its space and its permissions",
    apsw.CorruptError: "the file is damaged: move it away and start again, the log rebuilds it",
    apsw.NotADBError: "it is not a SQLite file: give another path, or move it away",
    apsw.CantOpenError: "it cannot be opened: check that its folder exists and may be written",
    apsw.ReadOnlyError: "it is read-only: check the permissions of the file and its folder",
    apsw.ConnectionClosedError: "it was closed: the server is stopping",
}


@contextmanager
def answering(path: str) -> Iterator[None]:
    """Turn the driver's errors into `Unavailable` with what to do."""
    try:
        yield
    except apsw.Error as error:
        advice = _ADVICE.get(type(error), "SQLite refused")
        raise Unavailable(f"the graph file {path}: {advice} ({error})") from error


def open_writer(path: str) -> apsw.Connection:
    """The one connection that writes and checkpoints."""
    connection = apsw.Connection(path)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.execute(statements.WRITER)
    return connection


class Readers:
    """Connections that cannot write, lent to one thread at a time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pool = Pool(self._open)

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """A connection inside a read transaction: all that is read is of one moment."""
        with answering(self._path), self._pool.lent() as connection:
            connection.execute(statements.BEGIN)
            try:
                yield connection
            finally:
                if not connection.get_autocommit():
                    connection.execute(statements.ROLLBACK)

    def close(self) -> None:
        self._pool.close()

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(self._path, flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.execute(statements.READER)
        return connection
