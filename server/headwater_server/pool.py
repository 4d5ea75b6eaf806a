"""Connections that read a SQLite file: each is lent to one thread at a time, and closed by nobody who does not hold it."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import apsw


class Pool:
    """Any thread may call. After `close` a reader that is under way ends as it would have; the next one raises."""

    def __init__(self, opened: Callable[[], apsw.Connection]) -> None:
        self._opened = opened
        self._idle: deque[apsw.Connection] = deque()
        self._closing = Lock()
        self._closed = False

    @contextmanager
    def lent(self) -> Iterator[apsw.Connection]:
        """After an `apsw.Error` it is not lent again: the next reader opens another.

        Raises:
            apsw.ConnectionClosedError: the pool is closed.

        """
        connection = self._borrow()
        broken = False
        try:
            yield connection
        except apsw.Error:
            broken = True
            raise
        finally:
            if broken:
                connection.close(True)  # noqa: FBT003 - by force, statements under way too; apsw takes no keyword
            else:
                self._give_back(connection)

    def close(self) -> None:
        with self._closing:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    def _borrow(self) -> apsw.Connection:
        if self._closed:
            raise apsw.ConnectionClosedError("it is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return self._opened()

    def _give_back(self, connection: apsw.Connection) -> None:
        with self._closing:
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)
