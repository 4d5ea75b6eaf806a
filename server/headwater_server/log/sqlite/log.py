"""Appending and reading, from any thread, whatever the disk does meanwhile."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import apsw

from headwater_server.log.port import Draft, Receipt
from headwater_server.log.sqlite.reading import SqliteLogReader, silent
from headwater_server.log.sqlite.writing import Writer
from headwater_server.log.tree import Tree

T = TypeVar("T")


class SqliteRecordLog(SqliteLogReader):
    """`RecordLog` over a file. One connection writes, others read; one that met an error is made anew."""

    def __init__(self, path: Path) -> None:
        try:
            writer = Writer(str(path))
        except apsw.Error as error:
            raise silent(str(path), error) from error
        self._writer: Writer | None = writer
        self._watch = writer.watch
        self._tree, self._edition = writer.tree, writer.edition
        super().__init__(path)

    def head(self) -> int:
        return self._tree.size

    def tree(self) -> Tree:
        return self._tree

    @property
    def edition(self) -> str:
        return self._edition

    def append(self, drafts: Sequence[Draft], *, at: int) -> list[Receipt]:
        return self._write(lambda writer: writer.append(drafts, at))

    def erase(self, seqs: Collection[int], draft: Draft, *, at: int) -> Receipt:
        return self._write(lambda writer: writer.erase(seqs, draft, at))

    def scrub(self) -> bool:
        return self._write(lambda writer: writer.scrub())

    def check(self) -> None:
        if self._writer is not None:
            self._watch.check()
        else:
            self._watch.check_database()

    def close(self) -> None:
        super().close()
        if self._writer is not None:
            self._writer.close()

    def _write(self, work: Callable[[Writer], T]) -> T:
        """Whether a commit that failed is in the file nobody can know: the next writer reads it there."""
        try:
            if self._writer is None:
                self._watch.check_database()  # or an empty one would be made in its place
                self._writer = Writer(self._path)
                self._watch = self._writer.watch
            done = work(self._writer)
        except apsw.Error as error:
            self._let_go()
            raise silent(self._path, error) from error
        finally:
            if self._writer is not None:
                self._tree, self._edition = self._writer.tree, self._writer.edition
        return done

    def _let_go(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(apsw.Error):
                writer.close()

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(self._path)
        connection.set_busy_timeout(5000)
        connection.pragma("query_only", 1)
        connection.wal_autocheckpoint(0)
        return connection
