"""Parses in worker processes that a clock can stop: no statement holds a server up."""

import multiprocessing as mp
from collections.abc import Iterable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import Queue
from types import TracebackType
from typing import Any, Self

from headwater_parsers.api import parse, parse_tables
from headwater_parsers.catalog import Catalog
from headwater_parsers.model import Diagnostic, ScriptLineage, Severity

_Schema = Mapping[str, Mapping[str, str | None]]


class Workers:
    """A few processes that parse; safe to share between threads.

    A script that takes longer than `seconds` costs its process: a new one takes the place, and
    the answer is the tables that a scan of the words finds, with a `timeout` diagnostic.
    """

    def __init__(self, count: int = 2, *, seconds: float = 5.0, memory_mb: int = 1024) -> None:
        self._seconds = seconds
        self._memory = memory_mb
        self._context = mp.get_context("spawn")
        self._idle: Queue[_Worker] = Queue()
        for _ in range(count):
            self._idle.put(_Worker(self._context.Process, self._pipe(), memory_mb))
        self._count = count

    def _pipe(self) -> tuple[Connection, Connection]:
        ours, theirs = self._context.Pipe()
        return ours, theirs

    def parse(
        self,
        sql: str,
        dialect: str | None = None,
        catalog: Catalog | _Schema | None = None,
        default_database: str | None = None,
        default_schema: str | None = None,
        *,
        masking: Iterable[str] = (),
    ) -> ScriptLineage:
        """Return what `headwater_parsers.parse` returns, within the time allowed.

        The catalog travels to the worker, so it must be picklable: a mapping, a DictCatalog.
        """
        given = (sql, dialect, catalog, default_database, default_schema)
        worker = self._idle.get()
        try:
            made = worker.ask((given, tuple(masking)), self._seconds)
            if made is None:
                worker.stop()
                worker = _Worker(self._context.Process, self._pipe(), self._memory)
        finally:
            self._idle.put(worker)
        if isinstance(made, ScriptLineage):
            return made
        said = f"Parsing took more than {self._seconds:g} s or too much memory: only tables are read."
        problem = Diagnostic(0, 1, 1, Severity.ERROR, "timeout", said)
        found = parse_tables(sql, dialect, default_database, default_schema)
        return ScriptLineage(found.statements, (problem,), found.dialect)

    def close(self) -> None:
        """Stop every process. Nothing may be parsed afterwards."""
        for _ in range(self._count):
            self._idle.get().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Worker:
    """One process, and our end of the pipe to it."""

    def __init__(
        self, process: type[SpawnProcess], pipe: tuple[Connection, Connection], memory_mb: int
    ) -> None:
        self._ours, theirs = pipe
        self._process = process(target=_serve, args=(theirs, memory_mb), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, request: Any, seconds: float) -> ScriptLineage | None:
        """Return the answer; None when the time is over or the process has died."""
        try:
            self._ours.send(request)
            if not self._ours.poll(seconds):
                return None
            made = self._ours.recv()
        except (EOFError, OSError):
            return None
        return made if isinstance(made, ScriptLineage) else None

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self._ours.close()


def _serve(pipe: Connection, memory_mb: int) -> None:
    limit = memory_mb << 20
    with suppress(ImportError, ValueError, OSError):  # not every system can limit memory
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    parse("SELECT 1")  # pay for the imports before the first request
    while True:
        try:
            given, masking = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(parse(*given, masking=masking))
        except MemoryError:
            return
