"""Connections to the file, and its errors told as ours."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import apsw

from headwater_server.errors import Unavailable
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
        self._idle: deque[apsw.Connection] = deque()
        self._closing = Lock()
        self._closed = False

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """A connection inside a read transaction: all that is read is of one moment."""
        with answering(self._path):
            connection = self._borrow()
            try:
                connection.execute(statements.BEGIN)
                yield connection
            finally:
                if not connection.get_autocommit():
                    connection.execute(statements.ROLLBACK)
                self._give_back(connection)

    def close(self) -> None:
        with self._closing:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    def _borrow(self) -> apsw.Connection:
        if self._closed:
            raise apsw.ConnectionClosedError("the store is closed")
        try:
            return self._idle.pop()
        except IndexError:
            connection = apsw.Connection(self._path, flags=apsw.SQLITE_OPEN_READWRITE)
            connection.set_busy_timeout(BUSY_MILLISECONDS)
            connection.execute(statements.READER)
            return connection

    def _give_back(self, connection: apsw.Connection) -> None:
        with self._closing:
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)
